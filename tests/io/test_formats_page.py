"""docs/formats.md says what the readers and writers do: its MusicXML section is made anew and compared."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    import sys

    spec = importlib.util.spec_from_file_location("make_formats", DOCS / "make_formats.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def test_every_line_about_musicxml_is_what_happens(maker: ModuleType) -> None:
    unknown: list[str] = []
    rows = maker.musicxml_rows(unknown)
    assert unknown == []  # every difference has a reason
    page = (DOCS / "formats.md").read_text(encoding="utf-8").splitlines()
    said = {line.split("|")[1].strip(): line for line in page if line.startswith("| `")}
    wrong = [row.file for row in rows if said.get(f"`{row.file}`") != maker.line_of(row)]
    assert wrong == [], "run python docs/make_formats.py"


def test_a_reason_is_given_only_where_one_is_known(maker: ModuleType) -> None:
    assert maker.reason("<stem> 0 of 3")
    assert not maker.reason("notes.pitch changed")
    assert not maker.reason("<pitch> 0 of 3")
