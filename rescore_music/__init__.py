"""rescore-music: one cue in; its re-orchestrated score, its sound and a quality report out.

The names below are the public face. Each is imported on first use, so `import rescore_music` costs next to nothing.
"""

from __future__ import annotations

__version__ = "0.1.0"

TYPE_CHECKING = False  # importing typing would double the time of `import rescore_music`

# public name -> module that defines it
_PUBLIC = {
    "Analysis": "structure",
    "Articulation": "score",
    "Audio": "audio",
    "Candidate": "candidate",
    "Conformed": "syncing",
    "Cues": "cues",
    "EditList": "edits",
    "Footage": "video",
    "Mark": "score",
    "Part": "score",
    "Rendering": "audio",
    "RescoreError": "errors",
    "Result": "pipeline",
    "Role": "structure",
    "Score": "score",
    "TempoMap": "tempo",
    "Timecode": "timecode",
    "Settings": "pipeline",
    "analyze": "analysis",
    "batch": "batching",
    "conform": "syncing",
    "discover_motifs": "analysis",
    "main_melody": "analysis",
    "master": "rendering",
    "measure": "quality",
    "mux": "stage.mux",
    "orchestrate": "pipeline",
    "quantize": "quantizing",
    "read_cues": "io.spotting",
    "read_edits": "io.picture",
    "read_score": "io",
    "read_scores": "io",
    "render": "rendering",
    "rescore": "pipeline",
    "rescore_candidates": "pipeline",
    "separate_voices": "analysis",
    "spot": "video",
    "stage_cue": "stage.deliver",
    "sync": "syncing",
    "load_template": "template",
    "templates": "template",
    "unfold": "repeats",
    "watch": "video",
    "write_audio": "io",
    "write_cues": "io.spotting",
    "write_edits": "io.picture",
    "write_parts": "view.export",
    "write_score": "view.export",
}

__all__ = [
    "Analysis",
    "Articulation",
    "Audio",
    "Candidate",
    "Conformed",
    "Cues",
    "EditList",
    "Footage",
    "Mark",
    "Part",
    "Rendering",
    "RescoreError",
    "Result",
    "Role",
    "Score",
    "Settings",
    "TempoMap",
    "Timecode",
    "__version__",
    "analyze",
    "batch",
    "conform",
    "discover_motifs",
    "load_template",
    "main_melody",
    "master",
    "measure",
    "mux",
    "orchestrate",
    "quantize",
    "read_cues",
    "read_edits",
    "read_score",
    "read_scores",
    "render",
    "rescore",
    "rescore_candidates",
    "separate_voices",
    "spot",
    "stage_cue",
    "sync",
    "templates",
    "unfold",
    "watch",
    "write_audio",
    "write_cues",
    "write_edits",
    "write_parts",
    "write_score",
]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{_PUBLIC[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_PUBLIC])


if TYPE_CHECKING:
    from typing import Any

    from rescore_music.analysis import analyze, discover_motifs, main_melody, separate_voices
    from rescore_music.audio import Audio, Rendering
    from rescore_music.batching import batch
    from rescore_music.candidate import Candidate
    from rescore_music.cues import Cues
    from rescore_music.edits import EditList
    from rescore_music.errors import RescoreError
    from rescore_music.io import read_score, read_scores, write_audio
    from rescore_music.io.picture import read_edits, write_edits
    from rescore_music.io.spotting import read_cues, write_cues
    from rescore_music.pipeline import Result, Settings, orchestrate, rescore, rescore_candidates
    from rescore_music.quality import measure
    from rescore_music.quantizing import quantize
    from rescore_music.rendering import master, render
    from rescore_music.repeats import unfold
    from rescore_music.score import Articulation, Mark, Part, Score
    from rescore_music.stage.deliver import stage_cue
    from rescore_music.stage.mux import mux
    from rescore_music.structure import Analysis, Role
    from rescore_music.syncing import Conformed, conform, sync
    from rescore_music.template import load_template, templates
    from rescore_music.tempo import TempoMap
    from rescore_music.timecode import Timecode
    from rescore_music.video import Footage, spot, watch
    from rescore_music.view.export import write_parts, write_score
