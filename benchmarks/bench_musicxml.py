"""MusicXML in and out: microseconds a note, and how many times faster than music21 and partitura in the same run.

    python benchmarks/bench_musicxml.py [FILE ...]

Without files: the first movement of Beethoven's op. 18 no. 1 from the music21 corpus. Times are the best of three
(music21 and partitura: one run).
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import io
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rescore_music.io.musicxml.archive import root_element
from rescore_music.io.musicxml.read import read_musicxml
from rescore_music.io.musicxml.write import musicxml_bytes


def timed(job: Callable[[], Any], times: int) -> tuple[float, Any]:
    """Best wall-clock seconds of a job, and its result."""
    best, result = float("inf"), None
    for _ in range(times):
        start = time.perf_counter()
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            result = job()
        best = min(best, time.perf_counter() - start)
    return best, result


def bare_walk(path: Path) -> int:
    """What lxml alone needs: parse, and look at the text of every element."""
    root = root_element(path.read_bytes(), str(path))
    return sum(1 for e in root.iter() if e.text is not None and e.tag)


def bench(path: Path) -> None:
    """One table for one file."""
    read_s, score = timed(lambda: read_musicxml(path), 3)
    write_s, _ = timed(lambda: musicxml_bytes(score), 3)
    walk_s, _ = timed(lambda: bare_walk(path), 3)
    n = len(score.notes)
    print(f"\n{path.name}: {n} notes, {len(score.parts)} parts, {len(score.bars) - 1} bars")
    print(f"{'':28}{'seconds':>9}{'us/note':>9}{'ratio':>9}")

    def row(name: str, seconds: float, ours: float) -> None:
        print(f"{name:28}{seconds:9.3f}{seconds / n * 1e6:9.1f}{seconds / ours:9.1f}")

    row("read", read_s, read_s)
    row("  bare lxml walk", walk_s, read_s)
    from music21 import converter

    m21_s, stream = timed(lambda: converter.parse(path, forceSource=True), 1)
    row("  music21", m21_s, read_s)
    if importlib.util.find_spec("partitura"):
        import partitura

        row("  partitura", timed(lambda: partitura.load_score(str(path)), 1)[0], read_s)
    row("write", write_s, write_s)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.musicxml"
        row("  music21", timed(lambda: stream.write("musicxml", out), 1)[0], write_s)


def main() -> None:
    """Run over the files named, or the corpus movement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path)
    files = parser.parse_args().files
    if not files:
        from music21 import corpus

        files = [p for p in corpus.getWork("beethoven/opus18no1", 1) if str(p).endswith("mxl")]
    for path in files:
        bench(Path(path))


if __name__ == "__main__":
    main()
