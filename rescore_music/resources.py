"""Where the shipped templates, samples and the page are: in a wheel, an editable install or a plain checkout.

The wheel carries them in `rescore_music/_data`; a checkout has them at its top level.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def _shipped(name: str) -> Path:
    inside = _PACKAGE / "_data" / name
    return inside if inside.exists() else _PACKAGE.parent / name


def templates_dir() -> Path:
    """The folder with `forces/`, `styles/` and `presets/`."""
    return _shipped("templates") / "orchestration"


def samples_dir() -> Path:
    """The folder with the shipped cues."""
    return _shipped("samples")


def app_file() -> Path:
    """The Streamlit page."""
    return _shipped("app.py")


def instruments_file() -> Path:
    """The instrument table."""
    return _PACKAGE / "instruments.csv"
