"""Orchestration: lines to instruments by a lattice of playable assignments, and their realization as a score."""

from rescore_music.orchestration.asked import with_seams
from rescore_music.orchestration.explain import Decision, explain
from rescore_music.orchestration.first_pass import build_lattice, orchestrate
from rescore_music.orchestration.realize import realize

__all__ = ["Decision", "build_lattice", "explain", "orchestrate", "realize", "with_seams"]
