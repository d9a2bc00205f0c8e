"""The line over many cues: a manifest, an executor, limits for each cue, and resume by digest.

Each cue gets a folder of its own under `out`. A folder whose report.json tells the same provenance (source bytes,
template, seed, settings, version) is taken as done, so a batch that was killed goes on where it stopped, and a changed
source or template is done again. One bad file is one failed item; the rest goes on.

Each cue is done in a process that can be stopped (`workers`): a cue that takes longer than its time limit, more memory
than it may, or its process with it, is one failed item too, and the next cue gets a new process. That holds on an
executor of the caller's as well: there each thread that does cues keeps such a process beside it.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rescore_music.delivery import REPORT, file_name
from rescore_music.errors import LimitError, RescoreError, printable
from rescore_music.pipeline import Settings, provenance_of, rescore
from rescore_music.template import Template, load_template
from rescore_music.workers import Worker

MANIFEST = "manifest.json"
TIME_LIMIT = 600.0  # seconds for one cue, unless said otherwise: a long cue with sound takes a tenth of that
log = logging.getLogger(__name__)
_own = threading.local()  # .worker: this thread's process


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
    time_limit: float | None = TIME_LIMIT,
    memory_limit: int | None = None,
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
        Where the work is done; one worker a core of this machine unless given (a Dask client's `get_executor()` fits).
    settings : Settings, optional
    time_limit : float, optional
        Seconds by the clock for one cue, beginning when its turn comes; None for no limit.
    memory_limit : int, optional
        Bytes of address space that one cue may take beside what its process has; None, the default, for no limit.
        (Linux and other systems with POSIX resource limits. A cue with sound takes about 1 GiB.)

    Yields
    ------
    BatchItem

    Raises
    ------
    TemplateError
        Before anything is done, if the template is wrong: it would fail every cue.
    """
    chosen, root = load_template(template), Path(out)
    task = _Task(chosen, settings or Settings(), time_limit, memory_limit)
    jobs = list(zip(cues := _expanded(paths), _folders(cues, root), strict=True))
    done: dict[str, BatchItem] = {}
    for item in _run(jobs, task, executor):
        done[item.path] = item
        _write_manifest(root, [done[str(p)] for p, _ in jobs if str(p) in done])
        yield item


def _expanded(paths: Iterable[str | Path]) -> list[Path]:
    from rescore_music.io import suffixes

    known = suffixes()
    found: list[Path] = []
    for path in map(Path, paths):
        inside = [path]
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in known and p.is_file())
        found += inside
    return list(dict.fromkeys(found))


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


@dataclass(frozen=True)
class _Task:
    """What is done with every cue, and within what limits."""

    template: Template
    settings: Settings
    time_limit: float | None
    memory_limit: int | None


def _run(jobs: Sequence[tuple[Path, Path]], task: _Task, executor: Executor | None) -> Iterator[BatchItem]:
    if executor is not None:
        yield from _outcomes(executor, jobs, task)
        return
    workers: list[Worker] = []

    def adopt() -> None:
        _own.worker = Worker()
        workers.append(_own.worker)

    with ThreadPoolExecutor(min(os.cpu_count() or 1, len(jobs)) or 1, initializer=adopt) as threads:
        try:
            yield from _outcomes(threads, jobs, task)
        finally:  # also where the caller takes no more items, or stops the batch from the keyboard
            threads.shutdown(wait=False, cancel_futures=True)
            for worker in workers:
                worker.close()


def _outcomes(executor: Executor, jobs: Sequence[tuple[Path, Path]], task: _Task) -> Iterator[BatchItem]:
    futures = {executor.submit(_within_limits, path, folder, task): (path, folder) for path, folder in jobs}
    for future in as_completed(futures):
        yield _outcome(future, *futures[future])


def _outcome(future: Future[BatchItem], path: Path, folder: Path) -> BatchItem:
    error = future.exception()
    if error is None:
        return future.result()
    what = printable(" ".join(f"{path}: {type(error).__name__}: {error}".split()))
    log.error("%s", what)
    return BatchItem(str(path), str(folder), "failed", what)


def _within_limits(path: Path, folder: Path, task: _Task) -> BatchItem:
    """Do one cue in this thread's process, which is replaced if the cue takes it along."""
    worker: Worker | None = getattr(_own, "worker", None)
    if worker is None:
        worker = _own.worker = Worker()
    try:
        return worker.call(
            _one, path, folder, task.template, task.settings, seconds=task.time_limit, memory=task.memory_limit
        )
    except LimitError as error:
        failed = LimitError(error.what, file=path, cure="try it alone, or raise the limit")
        log.error("%s", failed.message)
        return BatchItem(str(path), str(folder), "failed", failed.message)


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
