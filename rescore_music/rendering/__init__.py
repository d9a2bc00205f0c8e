"""Scores to sound: the embedded SoundFont voice engine, an optional FluidSynth back end, and mastering."""

from __future__ import annotations

from rescore_music.rendering.mastering import PROFILES, Profile, master
from rescore_music.rendering.render import render, stem_names
from rescore_music.rendering.sounds import default_sounds

__all__ = ["PROFILES", "Profile", "default_sounds", "master", "render", "stem_names"]
