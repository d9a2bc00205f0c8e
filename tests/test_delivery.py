"""What a folder of results holds: whole or not at all, and a report as its schema says."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from referencing import Registry, Resource

import rescore_music as rm
from rescore_music.delivery import delivering, file_name
from rescore_music.resources import samples_dir

DOCS = Path(__file__).resolve().parent.parent / "docs"


def validator() -> jsonschema.Draft202012Validator:
    quality, report = (json.loads((DOCS / f"{name}.schema.json").read_text()) for name in ("quality", "report"))
    known = Registry().with_resource("quality.schema.json", Resource.from_contents(quality))
    return jsonschema.Draft202012Validator(report, registry=known)


def test_the_report_is_as_its_schema_says(tmp_path: Path) -> None:
    rm.rescore(
        samples_dir() / "chase.mid",
        template="string-orchestra/minimalist",
        cues=samples_dir() / "chase_hits.csv",
        out=tmp_path,
        settings=rm.Settings(n=3, top=2),
    )
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    validator().validate(report)
    assert {c["first_rank"] for c in report["candidates"]} == {0, 1, 2}
    assert report["second_pass"]["second_order"][0] == report["candidates"][0]["first_rank"]
    assert report["audio"]["rate"] == 48000
    with pytest.raises(jsonschema.ValidationError):
        validator().validate({**report, "surprise": 1})


def test_a_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    out = tmp_path / "a" / "b"
    with pytest.raises(RuntimeError), delivering(out):
        raise RuntimeError("killed on the way")
    assert not (tmp_path / "a").exists()


def test_a_failure_leaves_an_older_result_as_it_was(tmp_path: Path) -> None:
    settings = rm.Settings(n=1, audio=False)
    rm.rescore(samples_dir() / "pixel_loop.mid", template="chiptune/eight-bit", out=tmp_path, settings=settings)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    with pytest.raises(RuntimeError), delivering(tmp_path):
        raise RuntimeError("killed on the way")
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_a_result_without_sound_takes_the_old_sound_away(tmp_path: Path) -> None:
    cue = samples_dir() / "pixel_loop.mid"
    rm.rescore(cue, template="chiptune/eight-bit", out=tmp_path, settings=rm.Settings(n=1, top=0))
    assert (tmp_path / "mix.wav").exists()
    rm.rescore(cue, template="chiptune/eight-bit", out=tmp_path, settings=rm.Settings(n=1, audio=False))
    assert not (tmp_path / "mix.wav").exists(), "it would be the sound of another score"
    assert not (tmp_path / "stems").exists()


def test_what_a_killed_run_left_is_swept_up(tmp_path: Path) -> None:
    (tmp_path / ".rescore-killed").mkdir()
    (tmp_path / ".rescore-killed" / "mix.wav").write_bytes(b"half")
    settings = rm.Settings(n=1, audio=False)
    rm.rescore(samples_dir() / "pixel_loop.mid", template="chiptune/eight-bit", out=tmp_path, settings=settings)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["report.html", "report.json", "score.mid", "score.musicxml"]


@pytest.mark.parametrize(("name", "file"), [("Horn in F 1", "Horn-in-F-1"), ("../../etc", "etc"), ("", "part")])
def test_part_names_become_file_names(name: str, file: str) -> None:
    assert file_name(name) == file
