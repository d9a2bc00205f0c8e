"""Shared fixtures: where the real music is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import verovio  # noqa: F401  # it serves the thread that imports it first: not one of the page's

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real music with known answers, beside the checkout; skips where it is absent, fails under CI=true."""
    folder = Path(os.environ.get("RESCORE_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        message = f"real music not found at {folder} (set RESCORE_SHARED_DATA)"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return folder
