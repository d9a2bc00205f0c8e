"""Batch: goes on past a bad file, resumes by digest, and gives each cue a folder of its own."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import rescore_music as rm
from rescore_music.batching import MANIFEST
from rescore_music.errors import TemplateError
from rescore_music.resources import samples_dir

SILENT = rm.Settings(n=2, audio=False)
TEMPLATE = "string-orchestra/baroque"


@pytest.fixture
def cues(tmp_path: Path) -> Path:
    folder = tmp_path / "cues"
    folder.mkdir()
    for name in ("chase.mid", "pixel_loop.mid"):
        shutil.copy(samples_dir() / name, folder)
    (folder / "bad.mid").write_bytes(b"not music")
    return folder


def statuses(items: list[rm.batching.BatchItem]) -> dict[str, str]:
    return {Path(i.path).name: i.status for i in items}


def test_goes_on_past_a_bad_file_and_resumes(cues: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with ThreadPoolExecutor(1) as executor:
        first = list(rm.batch([cues], template=TEMPLATE, out=out, executor=executor, settings=SILENT))
        assert statuses(first) == {"bad.mid": "failed", "chase.mid": "done", "pixel_loop.mid": "done"}
        assert "bad.mid" in next(i.error for i in first if i.status == "failed")
        before = (out / "chase" / "score.mid").stat().st_mtime_ns
        (out / "pixel_loop" / "report.json").unlink()  # as if killed before the end
        again = list(rm.batch([cues], template=TEMPLATE, out=out, executor=executor, settings=SILENT))
        assert statuses(again) == {"bad.mid": "failed", "chase.mid": "skipped", "pixel_loop.mid": "done"}
        assert (out / "chase" / "score.mid").stat().st_mtime_ns == before
        other = list(
            rm.batch([cues / "chase.mid"], template="wind-quintet/baroque", out=out, executor=executor, settings=SILENT)
        )
        assert statuses(other) == {"chase.mid": "done"}, "another template is another result"
    manifest = json.loads((out / MANIFEST).read_text())
    assert [Path(c["path"]).name for c in manifest["cues"]] == ["chase.mid"]


def test_the_default_pool_works_in_processes(cues: Path, tmp_path: Path) -> None:
    items = list(rm.batch([cues], template=TEMPLATE, out=tmp_path / "out", settings=SILENT))
    assert statuses(items) == {"bad.mid": "failed", "chase.mid": "done", "pixel_loop.mid": "done"}


def test_cues_of_one_name_do_not_overwrite_each_other(cues: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(samples_dir() / "hero_theme.mid", other / "chase.mid")
    paths = [cues / "chase.mid", other / "chase.mid"]
    with ThreadPoolExecutor(1) as executor:
        items = list(rm.batch(paths, template=TEMPLATE, out=tmp_path / "out", executor=executor, settings=SILENT))
    assert len({i.out for i in items}) == 2
    assert {i.status for i in items} == {"done"}


def test_a_wrong_template_fails_before_anything_is_done(cues: Path, tmp_path: Path) -> None:
    with pytest.raises(TemplateError):
        list(rm.batch([cues], template="nobody/nothing", out=tmp_path / "out", settings=SILENT))
    assert not (tmp_path / "out").exists()
