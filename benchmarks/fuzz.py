"""Hostile files by the hundred thousand: does every one end as a value or as one line, in time and in memory?

    python benchmarks/fuzz.py --count 100000 --workers 2          # the long run
    python benchmarks/fuzz.py --count 2000                        # what `make fuzz` does first
    python benchmarks/fuzz.py --only 4711                         # one file again, in this process, with its traceback

Whole files (the conformance suites, game music, tunes, templates, spotting notes: see fuzz_mutations.py) are mutated
and read in worker processes: scores with `read_score`, templates with `load_template`, spotting notes with `read_cues`.
What reads is looked at (bars, seconds, what sounds); one score in forty is written as MIDI and MusicXML and both are
read again; one in two hundred is analysed. File n of a seed is always the same file.

A file fails if it raises anything but a `RescoreError` of one printable line of at most 900 characters, takes over
10 s of processor time (of reading, and of each later step), or its process grows over 1 GiB. Failing files are kept in
out/fuzz with their traceback. Memory is the peak resident size of the whole process (and of the one music21 runs in),
from /proc, so this runs on Linux; a worker's address space may grow by no more than 1 GiB either, beyond which Python
raises MemoryError. A worker that takes 60 s of processor time or 15 minutes is ended and counted as over 10 s.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import logging
import multiprocessing
import os
import random
import sys
import tempfile
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from fuzz_mutations import SHARES, mutate, seeds

from rescore_music.errors import LONGEST, RescoreError

GIB = 1 << 30
SECONDS = 10.0
HUNG_PROCESSOR, HUNG_CLOCK = 60.0, 900.0
WRITTEN, ANALYSED = 40, 200  # one in so many
KEPT = Path("out/fuzz")


@dataclass
class Outcome:
    """What became of one file; `wrong` is empty where all is well."""

    number: int
    suffix: str
    seed: str
    told: str  # "read" or "refused"
    wrong: str = ""
    where: str = ""
    seconds: float = 0.0
    mib: float = 0.0
    steps: tuple[str, ...] = ()


# -- the files -------------------------------------------------------------------------------------------------------


class Files:
    """File n of a campaign."""

    def __init__(self, seed: int, suffixes: list[str], data: Path | None) -> None:
        self.seed, self.suffixes, self.data = seed, suffixes, data
        self.whole: dict[str, list[tuple[str, bytes]]] = {}

    def file(self, number: int) -> tuple[str, str, bytes, random.Random]:
        """(suffix, name of the whole file, content, the generator as it then stands)."""
        rng = random.Random(f"{self.seed}/{number}")
        suffix = rng.choices(self.suffixes, [SHARES[s] for s in self.suffixes])[0]
        if suffix not in self.whole:
            self.whole[suffix] = seeds(suffix, self.data)
        name, content = rng.choice(self.whole[suffix])
        return suffix, name, mutate(suffix, content, self.whole[suffix], rng), rng


# -- in a worker -----------------------------------------------------------------------------------------------------


def _status(pid: int | str, key: str) -> int:
    """A line of /proc/PID/status in bytes."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(key):
                return int(line.split()[1]) * 1024
    return 0


def _children(pid: int) -> list[int]:
    with contextlib.suppress(OSError):
        tasks = Path(f"/proc/{pid}/task").iterdir()
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]
    return []


def _processor(pid: int) -> float:
    """Seconds of processor time of a process and its children."""
    total = 0.0
    for one in (pid, *_children(pid)):
        with contextlib.suppress(OSError, IndexError):
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def _forget_peak() -> None:
    with contextlib.suppress(OSError, AttributeError):  # what earlier files left free is not this one's
        ctypes.CDLL(None).malloc_trim(0)
    for pid in (os.getpid(), *_children(os.getpid())):
        with contextlib.suppress(OSError):
            Path(f"/proc/{pid}/clear_refs").write_text("5")


def _peak() -> float:
    return max(_status(pid, "VmHWM") for pid in (os.getpid(), *_children(os.getpid()))) / (1 << 20)


class Clock:
    """Processor time of the slowest step."""

    def __init__(self) -> None:
        self.worst = 0.0

    def run(self, step: Callable[..., Any], *args: Any, **options: Any) -> Any:
        before = _processor(os.getpid())
        try:
            return step(*args, **options)
        finally:
            self.worst = max(self.worst, _processor(os.getpid()) - before)


def _look(score: Any) -> None:
    import numpy as np

    assert np.all(score.ends <= score.length), "notes beyond the end"
    assert np.all(np.diff(score.bars) > 0), "bars do not rise"
    assert np.all(np.isfinite(score.tempo.seconds(score.notes["onset"]))), "times are not finite"
    assert len(score.sounding()) == len(score.notes), "notes that do not sound"


def _score(path: Path, rng: random.Random, clock: Clock) -> tuple[str, ...]:
    """Read a score, look at it, and carry a share of them on."""
    from rescore_music.analysis import analyze
    from rescore_music.io import read_score, write_score

    write, analyse, salvage = rng.randrange(WRITTEN) == 0, rng.randrange(ANALYSED) == 0, rng.random() < 0.5
    score = clock.run(read_score, path, salvage=salvage)
    _look(score)
    steps = ["read"]
    if write:
        for suffix in (".mid", ".musicxml"):
            target = path.with_name(f"written{suffix}")
            try:
                clock.run(write_score, score, target)
            except RescoreError as error:
                _check_line(error)
                continue
            if len(score.notes):
                _read_back(target, clock)
            steps.append("written")
    if analyse and len(score.notes) <= 20_000:
        with contextlib.suppress(RescoreError):
            clock.run(analyze, score)
            steps.append("analysed")
    return tuple(steps)


def _read_back(path: Path, clock: Clock) -> None:
    """What we wrote reads, unless it has grown over the size that is read."""
    from rescore_music.io import read_score
    from rescore_music.io.limits import FILE_BYTES, MIDI_BYTES

    try:
        _look(clock.run(read_score, path))
    except RescoreError as error:
        if path.stat().st_size <= (MIDI_BYTES if path.suffix == ".mid" else FILE_BYTES):
            raise AssertionError(f"a file we wrote is refused: {error}") from error


def _check_line(error: RescoreError) -> None:
    line = str(error)
    assert line, "an error says nothing"
    assert line.isprintable(), f"an error holds what a terminal obeys: {line!r}"
    assert len(line) <= LONGEST + 5, f"an error of {len(line)} characters"


def _try(suffix: str, path: Path, rng: random.Random, clock: Clock) -> tuple[str, ...]:
    from rescore_music.io.spotting import read_cues
    from rescore_music.template import load_template

    try:
        if suffix == ".yaml":
            clock.run(load_template, path)
            return ("read",)
        if suffix == ".csv":
            clock.run(read_cues, path, rng.choice(("24", "29.97df", "23.976")))
            return ("read",)
        return _score(path, rng, clock)
    except RescoreError as error:
        _check_line(error)
        return ("refused",)


def one(files: Files, number: int, folder: Path) -> Outcome:
    """Make file n and see what becomes of it."""
    suffix, name, content, rng = files.file(number)
    path = folder / f"{number}{suffix}"
    path.write_bytes(content)
    outcome = Outcome(number, suffix, name, "")
    clock = Clock()
    _forget_peak()
    try:
        outcome.steps = _try(suffix, path, rng, clock)
        outcome.told = outcome.steps[0]
    except BaseException as error:  # whatever it is, it is what this looks for
        outcome.wrong = f"{type(error).__name__}: {error}"[:200]
        outcome.where = "".join(traceback.format_exception(error)[-25:])
    finally:
        path.unlink()
    outcome.seconds, outcome.mib = round(clock.worst, 2), _peak()
    return outcome


def work(files: Files, pipe: Connection) -> None:
    """Answer numbers with outcomes until told to stop."""
    import resource

    import rescore_music.analysis
    import rescore_music.io.midi.write
    import rescore_music.io.musicxml.write
    import rescore_music.io.spotting
    import rescore_music.template  # noqa: F401

    logging.disable()  # a writer tells every meter that MIDI lacks
    with tempfile.TemporaryDirectory(
        prefix="rescore-fuzz-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None
    ) as at:
        for number in range(-len(SHARES), 0):  # whole files of every kind, so that imports are not counted
            one(files, number, Path(at))
        limit = _status("self", "VmSize") + GIB
        resource.setrlimit(resource.RLIMIT_AS, (limit, resource.getrlimit(resource.RLIMIT_AS)[1]))
        pipe.send(None)
        while (number := pipe.recv()) is not None:
            pipe.send(one(files, number, Path(at)))


# -- the campaign ----------------------------------------------------------------------------------------------------


class Hand:
    """A worker process and what it is doing."""

    def __init__(self, files: Files) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=work, args=(files, theirs), daemon=False)
        self.process.start()
        theirs.close()
        self.number: int | None = -1  # getting ready
        self.begin()

    def begin(self) -> None:
        self.clock, self.processor = time.monotonic(), _processor(self.process.pid or 0)

    def give(self, number: int | None) -> None:
        self.number = number
        self.begin()
        self.pipe.send(number)

    def hangs(self) -> bool:
        spent = _processor(self.process.pid or 0) - self.processor
        return self.number is not None and (spent > HUNG_PROCESSOR or time.monotonic() - self.clock > HUNG_CLOCK)

    def end(self) -> None:
        self.process.kill()
        self.process.join()
        self.pipe.close()


def campaign(files: Files, numbers: Iterator[int], workers: int) -> Iterator[Outcome]:
    """The outcomes, as they come."""
    hands = [Hand(files) for _ in range(workers)]
    try:
        while hands:
            ready = wait([hand.pipe for hand in hands], timeout=2.0)
            for hand in list(hands):
                if hand.pipe in ready:
                    try:
                        answer = hand.pipe.recv()
                    except (EOFError, ConnectionError):
                        hand.process.join()
                        answer = _lost(files, hand, f"the process died (exit code {hand.process.exitcode})")
                elif hand.hangs():
                    answer = _lost(files, hand, "hangs")
                else:
                    continue
                if answer is not None:
                    yield answer
                    if not hand.process.is_alive() or answer.wrong == "hangs":
                        hand.end()
                        hands[hands.index(hand)] = hand = Hand(files)
                        continue
                following = next(numbers, None)
                hand.give(following)
                if following is None:
                    hands.remove(hand)
                    hand.process.join()
    finally:
        for hand in hands:
            hand.end()


def _lost(files: Files, hand: Hand, what: str) -> Outcome:
    assert hand.number is not None
    suffix, name, *_ = files.file(hand.number)
    spent = _processor(hand.process.pid or 0) - hand.processor if hand.process.is_alive() else 0.0
    return Outcome(hand.number, suffix, name, "", what, what, spent)


@dataclass
class Row:
    """What the table says of one kind of file."""

    counts: Counter[str] = field(default_factory=Counter)
    slowest: tuple[float, int] = (0.0, 0)
    largest: tuple[float, int] = (0.0, 0)

    def add(self, o: Outcome) -> None:
        self.counts["files"] += 1
        self.counts.update({step: o.steps.count(step) for step in o.steps})
        self.counts["uncaught"] += bool(o.wrong) and o.wrong != "hangs"
        self.counts["slow"] += o.seconds > SECONDS or o.wrong == "hangs"
        self.counts["large"] += o.mib > 1024
        self.slowest = max(self.slowest, (o.seconds, o.number))
        self.largest = max(self.largest, (o.mib, o.number))


COLUMNS = ("files", "read", "refused", "uncaught", "slow", "large", "written", "analysed")
HEADS = ("files", "read", "refused", "uncaught", "over 10 s", "over 1 GiB", "written", "analysed")


def table(rows: dict[str, Row]) -> str:
    """The campaign as a table."""
    total = Row()
    for row in rows.values():
        total.counts.update(row.counts)
        total.slowest, total.largest = max(total.slowest, row.slowest), max(total.largest, row.largest)
    lines = ["| kind | " + " | ".join(HEADS) + " | slowest s (file) | largest MiB (file) |"]
    lines.append("| --- |" + " --: |" * (len(HEADS) + 2))
    for kind, row in [*sorted(rows.items()), ("all", total)]:
        cells = [f"{row.counts[c]:,}" for c in COLUMNS]
        cells += [f"{row.slowest[0]:.2f} ({row.slowest[1]})", f"{row.largest[0]:.0f} ({row.largest[1]})"]
        lines.append(f"| {kind} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def keep(files: Files, outcome: Outcome) -> None:
    """Keep a failing file and what it raised."""
    KEPT.mkdir(parents=True, exist_ok=True)
    path = KEPT / f"{files.seed}-{outcome.number}{outcome.suffix}"
    path.write_bytes(files.file(outcome.number)[2])
    about = f"{outcome.seed}: {outcome.wrong or 'limits'}; {outcome.seconds} s, {outcome.mib:.0f} MiB\n{outcome.where}"
    path.with_name(path.name + ".txt").write_text(about, encoding="utf-8", errors="backslashreplace")


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--count", type=int, default=2000, help="how many files (default %(default)s)")
    options.add_argument("--first", type=int, default=0, help="number of the first one")
    options.add_argument("--seconds", type=float, default=0, help="stop after so many seconds by the clock")
    options.add_argument("--seed", type=int, default=0, help="another campaign (default %(default)s)")
    options.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    options.add_argument("--kinds", default=",".join(SHARES), help="suffixes (default %(default)s)")
    options.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    options.add_argument("--only", type=int, help="this file alone, in this process")
    args = options.parse_args()
    data = Path(os.environ.get("RESCORE_SHARED_DATA", args.data))
    files = Files(args.seed, args.kinds.split(","), data if data.is_dir() else None)
    if args.only is not None:
        with tempfile.TemporaryDirectory() as at:
            outcome = one(files, args.only, Path(at))
        keep(files, outcome)
        print(outcome, outcome.where, sep="\n")
        return int(bool(outcome.wrong))
    return run(files, args)


def run(files: Files, args: argparse.Namespace) -> int:
    """The campaign, with a line for every new failure."""
    start, rows, seen = time.monotonic(), defaultdict[str, Row](Row), Counter[str]()

    def numbers() -> Iterator[int]:
        for number in range(args.first, args.first + args.count):
            if args.seconds and time.monotonic() - start > args.seconds:
                return
            yield number

    for outcome in campaign(files, numbers(), args.workers):
        rows[outcome.suffix].add(outcome)
        if outcome.wrong or outcome.seconds > SECONDS or outcome.mib > 1024:
            keep(files, outcome)
            what = outcome.wrong or f"{outcome.seconds} s, {outcome.mib:.0f} MiB"
            place = next((line for line in reversed(outcome.where.splitlines()) if "File" in line), "").strip()
            seen[f"{what.partition(':')[0]} {place}"] += 1
            if seen[f"{what.partition(':')[0]} {place}"] == 1:
                print(f"{outcome.number}{outcome.suffix} ({outcome.seed}): {what} {place}", flush=True)
        if (done := sum(row.counts["files"] for row in rows.values())) % 5000 == 0:
            print(f"{done:,} files, {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
    print(f"\nseed {files.seed}, files {args.first} to {args.first + args.count - 1}, whole files: ", end="")
    print(", ".join(f"{len(seeds(s, files.data))} {s}" for s in files.suffixes), end="\n\n")
    print(table(rows))
    for what, count in seen.most_common():
        print(f"{count} x {what}")
    return int(bool(seen))


if __name__ == "__main__":
    raise SystemExit(main())
