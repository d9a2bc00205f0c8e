"""Orchestration: lines to instruments by a lattice of playable assignments, and their realization as a score."""

from rescore_music.orchestration.first_pass import build_lattice, orchestrate
from rescore_music.orchestration.realize import realize

__all__ = ["build_lattice", "orchestrate", "realize"]
