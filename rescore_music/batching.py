"""The line over many cues: a manifest, an executor, and resume by digest.

Each cue gets a folder of its own under `out`. A folder whose report.json tells the same provenance (source bytes,
template, seed, settings, version) is taken as done, so a batch that was killed goes on where it stopped, and a changed
source or template is done again. One bad file is one failed item; the rest goes on.
"""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rescore_music.delivery import REPORT, file_name
from rescore_music.errors import RescoreError
from rescore_music.pipeline import Settings, provenance_of, rescore
from rescore_music.template import Template, load_template

MANIFEST = "manifest.json"
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class BatchItem:
    """What became of one cue.

    Attributes
    ----------
    path, out : str
        The cue and its folder.
    status : str
        "done", "skipped" (done by an earlier run) or "failed".
    error : str
        One line, if failed.
    measures : mapping of measure name to value
        The quality report's figures.
    """

    path: str
    out: str
    status: str
    error: str = ""
    measures: Mapping[str, Any] = field(default_factory=dict)


def batch(
    paths: Iterable[str | Path],
    template: str | Template,
    out: str | Path,
    executor: Executor | None = None,
    *,
    settings: Settings | None = None,
) -> Iterator[BatchItem]:
    """Re-score many cues; yields one item a cue as it is finished.

    Parameters
    ----------
    paths : iterable of path
        Files; a folder stands for every file in it that can be read as music.
    template : str or Template
    out : path
        A folder; each cue gets one inside it, and manifest.json lists them all.
    executor : concurrent.futures.Executor, optional
        Where the work is done; a process pool on this machine unless given (a Dask client's `get_executor()` fits).
    settings : Settings, optional

    Yields
    ------
    BatchItem

    Raises
    ------
    TemplateError
        Before anything is done, if the template is wrong: it would fail every cue.
    """
    chosen, settings, root = load_template(template), settings or Settings(), Path(out)
    jobs = list(zip(cues := _expanded(paths), _folders(cues, root), strict=True))
    done: dict[str, BatchItem] = {}
    for item in _run(jobs, chosen, settings, executor):
        done[item.path] = item
        _write_manifest(root, [done[str(p)] for p, _ in jobs if str(p) in done])
        yield item


def _expanded(paths: Iterable[str | Path]) -> list[Path]:
    from rescore_music.io import suffixes

    known = suffixes()
    found: list[Path] = []
    for path in map(Path, paths):
        inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in known) if path.is_dir() else [path]
        found += [p for p in inside if p not in found]
    return found


def _folders(paths: Sequence[Path], root: Path) -> list[Path]:
    """One folder a cue: its stem; cues that share a stem keep their suffix, then a number, so none is overwritten."""
    taken: set[str] = set()
    folders = []
    stems = [file_name(p.stem) for p in paths]
    for path, stem in zip(paths, stems, strict=True):
        base = stem if stems.count(stem) == 1 else file_name(path.name)
        name, number = base, 1
        while name in taken:
            number += 1
            name = f"{base}-{number}"
        taken.add(name)
        folders.append(root / name)
    return folders


def _run(
    jobs: Sequence[tuple[Path, Path]], template: Template, settings: Settings, executor: Executor | None
) -> Iterator[BatchItem]:
    if executor is not None:
        futures = {executor.submit(_one, p, o, template, settings): (p, o) for p, o in jobs}
        for future in as_completed(futures):
            yield _outcome(future, *futures[future])
        return
    broken: list[tuple[Path, Path]] = []
    with _pool(os.cpu_count() or 1) as pool:
        futures = {pool.submit(_one, p, o, template, settings): (p, o) for p, o in jobs}
        for future in as_completed(futures):
            if isinstance(future.exception(), BrokenProcessPool):
                broken.append(futures[future])
            else:
                yield _outcome(future, *futures[future])
    # a worker that died (out of memory, say) takes the whole pool along: find the culprit one cue at a time
    for path, folder in broken:
        with _pool(1) as pool:
            yield _outcome(pool.submit(_one, path, folder, template, settings), path, folder)


def _pool(workers: int) -> ProcessPoolExecutor:
    # spawned, not forked: the renderer's threads and locks do not survive a fork
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"))


def _outcome(future: Future[BatchItem], path: Path, folder: Path) -> BatchItem:
    error = future.exception()
    if error is None:
        return future.result()
    log.error("%s: %s", path, error)
    what = "the worker process died" if isinstance(error, BrokenProcessPool) else f"{type(error).__name__}: {error}"
    return BatchItem(str(path), str(folder), "failed", " ".join(f"{path}: {what}".split()))


def _one(path: Path, folder: Path, template: Template, settings: Settings) -> BatchItem:
    """Do one cue in a worker. Only what a musician can act on is caught here; the rest is a bug and told as one."""
    try:
        from rescore_music.io import read_score

        score = read_score(path, salvage=settings.salvage)
        old = _report_of(folder)
        if old and old.get("provenance") == provenance_of(score, template, None, settings):
            return BatchItem(str(path), str(folder), "skipped", measures=_figures(old))
        rescore(score, template=template, out=folder, settings=settings)
        return BatchItem(str(path), str(folder), "done", measures=_figures(_report_of(folder)))
    except RescoreError as error:
        return BatchItem(str(path), str(folder), "failed", error.message)


def _report_of(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / REPORT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _figures(report: Mapping[str, Any]) -> dict[str, Any]:
    return {m["name"]: m["value"] for m in report.get("quality", {}).get("measures", [])}


def _write_manifest(root: Path, items: Sequence[BatchItem]) -> None:
    from rescore_music.io.files import atomic_write

    root.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"version": 1, "cues": [asdict(i) for i in items]}, indent=1, ensure_ascii=False)
    atomic_write(root / MANIFEST, (text + "\n").encode())
