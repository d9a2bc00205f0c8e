"""rescore-music: one cue in; its re-orchestrated score, its sound and a quality report out."""

__version__ = "0.1.0"
