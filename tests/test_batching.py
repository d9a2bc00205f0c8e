"""Batch: goes on past a bad file, resumes by digest, and gives each cue a folder of its own."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path

import pytest

import rescore_music as rm
from rescore_music.batching import MANIFEST
from rescore_music.cli import main
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


# -- cues that do not end well ---------------------------------------------------------------------------------------

# a cue's work, as workers find it by name: what a hostile cue would do, by the cue's file name
DOOMED = """
import os, signal, time
from rescore_music.batching import BatchItem
DONE = []
def one(path, folder, template, settings):
    if "hangs" in path.name:
        time.sleep(600)
    if "kills" in path.name:
        os.kill(os.getpid(), signal.SIGKILL)
    if "grows" in path.name:
        bytearray(1 << 32)
    if "breaks" in path.name:
        raise ZeroDivisionError("in\\x1b[2J " + path.name)
    return BatchItem(str(path), str(folder), "done")
"""
FATES = ("a-good", "b-hangs", "c-kills", "d-breaks", "e-grows", "f-good", "g-good")


@pytest.fixture
def doomed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    (tmp_path / "doomed_cues.py").write_text(DOOMED)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(rm.batching, "_one", importlib.import_module("doomed_cues").one)
    cues = [tmp_path / f"{name}.mid" for name in FATES]
    for path in cues:
        path.write_bytes(b"")
    return cues


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited by POSIX")
@pytest.mark.parametrize("own", [False, True], ids=["default", "executor"])
def test_a_cue_that_hangs_dies_or_grows_is_one_failed_item(doomed: list[Path], tmp_path: Path, own: bool) -> None:
    out = tmp_path / "out"
    with ThreadPoolExecutor(2) if own else nullcontext() as executor:
        items = {
            Path(i.path).stem: i
            for i in rm.batch(doomed, TEMPLATE, out, executor, time_limit=5.0, memory_limit=1 << 30)
        }
    assert [items[name].status for name in FATES] == ["done", *["failed"] * 4, "done", "done"]
    assert "b-hangs.mid: time limit: not done after 5 s" in items["b-hangs"].error
    assert "c-kills.mid: the worker process died (SIGKILL, out of memory perhaps)" in items["c-kills"].error
    assert "d-breaks.mid: ZeroDivisionError: in\\x1b[2J" in items["d-breaks"].error
    assert "e-grows.mid: memory limit: more than 1024 MiB are needed" in items["e-grows"].error
    assert all(i.error.isprintable() for i in items.values())
    manifest = json.loads((out / MANIFEST).read_text())
    assert {Path(c["path"]).stem: c["status"] for c in manifest["cues"]} == {n: i.status for n, i in items.items()}
    assert next("time limit" in c["error"] for c in manifest["cues"] if c["path"].endswith("b-hangs.mid"))


def test_a_batch_that_is_not_finished_leaves_no_process(doomed: list[Path], tmp_path: Path) -> None:
    running = rm.batch([doomed[0], doomed[1], *doomed[5:]], TEMPLATE, tmp_path / "out", time_limit=60)
    assert next(running).status == "done"
    start = time.monotonic()
    running.close()  # while one cue hangs
    assert time.monotonic() - start < 30


def test_a_time_limit_on_the_command_line_fails_part_of_the_batch(
    cues: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["batch", str(cues), "-t", TEMPLATE, "-o", str(tmp_path / "out"), "--no-audio", "--time-limit", "0.01"])
    assert ended.value.code == 3
    told = capsys.readouterr().out.splitlines()
    assert len(told) == 3
    assert sum("time limit: not done after 0.01 s" in line for line in told) >= 2
    for words in (["--time-limit", "-1"], ["--time-limit", "nan"], ["--memory-limit", "0"]):
        with pytest.raises(SystemExit) as ended:
            main(["batch", str(cues), "-o", str(tmp_path / "out"), *words])
        assert ended.value.code == 2


@pytest.mark.skipif(sys.platform != "linux", reason="finds the worker through /proc")
def test_a_batch_that_was_killed_goes_on_where_it_stopped(cues: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for number in range(4):
        shutil.copy(samples_dir() / "pixel_loop.mid", cues / f"z{number}.mid")
    words = ["batch", str(cues), "-t", TEMPLATE, "-o", str(out), "--no-audio", "-n", "2"]
    with subprocess.Popen(
        [sys.executable, "-m", "rescore_music.cli", *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as killed:
        assert killed.stdout is not None
        finished = 0
        while finished < 2:  # two cues are done or the bad one has failed
            finished += killed.stdout.readline().startswith((b"done", b"failed"))
        killed.kill()
    before = {p: p.stat().st_mtime_ns for p in out.glob("*/score.mid") if (p.parent / "report.json").exists()}
    assert before
    items = list(rm.batch([cues], TEMPLATE, out, settings=SILENT))
    assert sorted({i.status for i in items}) == ["done", "failed", "skipped"]
    assert statuses(items)["bad.mid"] == "failed"
    assert {out / Path(i.out).name / "score.mid" for i in items if i.status == "skipped"} >= set(before)
    assert all(path.stat().st_mtime_ns == changed for path, changed in before.items())


def test_a_folder_gives_files_only(tmp_path: Path) -> None:
    (tmp_path / "cues" / "folder.mid").mkdir(parents=True)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "cues" / "pipe.mid")
    shutil.copy(samples_dir() / "pixel_loop.mid", tmp_path / "cues")
    items = list(rm.batch([tmp_path / "cues"], TEMPLATE, tmp_path / "out", settings=SILENT))
    assert statuses(items) == {"pixel_loop.mid": "done"}
