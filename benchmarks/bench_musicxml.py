"""MusicXML in and out: how fast, how the cost grows, and what a written score still holds.

    python benchmarks/bench_musicxml.py [FILE ...] [--data FOLDER] [--all] [--fast]

Without files: the first movement of Beethoven's op. 18 no. 1 from the music21 corpus. CPU seconds of this process, the
best of several by turns (music21 and partitura: one run), so that what else the machine does matters little. Tables:

1. reading and writing against music21, partitura and a bare lxml walk of the same file in the same run;
2. the cost per note from 1,000 to 200,000 notes (the movement's bars repeated), with the peak memory of the process;
3. the round trip over orchestral movements (FOLDER/openscore_orchestra): the written file as verovio plays it, note by
   note, with its grace notes and ornaments and without them; articulations, slurs, dynamics and syllables counted by
   lxml in the source and in the written file.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import io
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from plain_musicxml import plain_notes

from rescore_music.io.musicxml.archive import root_element, unpacked
from rescore_music.io.musicxml.read import read_musicxml
from rescore_music.io.musicxml.write import musicxml_bytes

HERE = Path(__file__).parent
GROUPS = {
    "articulations": (
        "staccato", "staccatissimo", "spiccato", "tenuto", "detached-legato", "accent", "strong-accent", "fermata",
        "trill-mark", "turn", "inverted-turn", "mordent", "inverted-mordent", "tremolo", "up-bow", "down-bow",
    ),
    "slurs": ("slur",),
    "hairpins": ("wedge",),
    "syllables": ("lyric",),
}  # fmt: skip
TICK = 4  # 480ths of a quarter: verovio's MIDI has 120 ticks, and rounds a triplet of a quarter down to one tick less
SIZES = (1_000, 10_000, 50_000, 200_000)


def timed(job: Callable[[], Any], times: int) -> tuple[float, Any]:
    """Best CPU seconds of a job, and its result."""
    best, result = float("inf"), None
    for _ in range(times):
        start = time.process_time()
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            result = job()
        best = min(best, time.process_time() - start)
    return best, result


def by_turns(jobs: Iterable[Callable[[], Any]], times: int) -> list[float]:
    """Best CPU seconds of each of several jobs, taken in turns: what else the machine does meets them alike."""
    kept = list(jobs)
    return [min(column) for column in zip(*([timed(job, 1)[0] for job in kept] for _ in range(times)), strict=True)]


def bare_walk(data: bytes) -> int:
    """What lxml alone needs, as it comes: parse, and look at the tag and text of every element."""
    from lxml import etree

    root = etree.fromstring(unpacked(data, "walk"))
    return sum(1 for e in root.iter() if e.text is not None and e.tag)


def bench(path: Path) -> None:
    """One table for one file."""
    score = read_musicxml(path)
    data = path.read_bytes()
    read_s, walk_s = by_turns((lambda: read_musicxml(path), lambda: bare_walk(data)), 15)
    write_s, _ = timed(lambda: musicxml_bytes(score), 3)
    n = len(score.notes)
    print(f"\n{path.name}: {n} notes, {len(score.parts)} parts, {len(score.bars) - 1} bars")
    print(f"{'':28}{'CPU s':>9}{'us/note':>9}{'ratio':>9}")

    def row(name: str, seconds: float, ours: float) -> None:
        print(f"{name:28}{seconds:9.3f}{seconds / n * 1e6:9.1f}{seconds / ours:9.2f}")

    row("read", read_s, read_s)
    row("  bare lxml walk", walk_s, read_s)
    from music21 import converter

    m21_s, stream = timed(lambda: converter.parse(path, forceSource=True), 1)
    row("  music21", m21_s, read_s)
    if importlib.util.find_spec("partitura"):
        import partitura

        row("  partitura", timed(lambda: partitura.load_score(str(path)), 1)[0], read_s)
    print(f"{'  read / bare lxml walk':28}{'':9}{'':9}{read_s / walk_s:9.2f}")
    row("write", write_s, write_s)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.musicxml"
        row("  music21", timed(lambda: stream.write("musicxml", out), 1)[0], write_s)


def grown(data: bytes, notes: int) -> bytes:
    """A score of about so many notes: the measures of each part over and over, without what is layout."""
    from copy import deepcopy

    from lxml import etree

    root = root_element(data, "grown")
    for e in list(root.iter("stem", "beam", "print", "notations", "direction", "defaults", "credit", "tie")):
        parent = e.getparent()
        if parent is not None:
            parent.remove(e)
    for e in root.iter():
        for name in [name for name in e.attrib if name not in ("id", "number", "type", "measure")]:
            del e.attrib[name]
    own = sum(1 for e in root.iter("note") if e.find("rest") is None)
    for part in root.iter("part"):
        measures = list(part.iterchildren("measure"))
        want = max(1, round(len(measures) * notes / own))
        for measure in measures[want:]:
            part.remove(measure)
        for i in range(len(measures), want):
            part.append(deepcopy(measures[1 + (i - 1) % (len(measures) - 1)]))
    return bytes(etree.tostring(root))


def growth(path: Path, sizes: Iterable[int]) -> None:
    """Cost per note and peak memory by size."""
    data = path.read_bytes()
    print(f"\ncost by size ({path.name}, its bars repeated)")
    print(f"{'notes':>9}{'file MiB':>10}{'us/note':>9}{'walk us':>9}{'ratio':>7}{'peak MiB':>10}")
    for size in sizes:
        text = grown(data, size)
        n = len(read_musicxml(text).notes)
        turns = 9 if size <= 10_000 else 3
        read_s, walk_s = by_turns((lambda text=text: read_musicxml(text), lambda text=text: bare_walk(text)), turns)  # type: ignore[misc]
        cells = f"{read_s / n * 1e6:9.1f}{walk_s / n * 1e6:9.1f}{read_s / walk_s:7.2f}"
        print(f"{n:9}{len(text) / 2**20:10.1f}{cells}{peak_of(text):10.0f}")


def peak_of(data: bytes) -> float:
    """Peak memory of a process that reads a file, in MiB, the interpreter and its imports included."""
    code = (
        "import resource, sys\nfrom rescore_music.io.musicxml.read import read_musicxml\n"
        "read_musicxml(sys.argv[1])\nprint(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "score.musicxml"
        path.write_bytes(data)
        said = subprocess.run([sys.executable, "-c", code, str(path)], check=True, capture_output=True, text=True)
    return int(said.stdout) / 1024


def played(data: bytes) -> Counter[tuple[int, int]]:
    """(onset in 480ths of a quarter, pitch) of a MusicXML file as verovio plays it, repeats not taken."""
    from importlib.resources import files

    import mido
    import verovio

    verovio.enableLog(verovio.LOG_OFF)
    kit = verovio.toolkit(False)
    kit.setResourcePath(str(files("verovio") / "data"))
    kit.setOptions({"expandNever": True})
    if not kit.loadData(data.decode()):
        raise SystemExit("verovio cannot load what was written")
    import base64

    file = mido.MidiFile(file=io.BytesIO(base64.b64decode(kit.renderToMIDI())))
    found: Counter[tuple[int, int]] = Counter()
    for track in file.tracks:
        tick = 0
        for message in track:
            tick += message.time
            if message.type == "note_on" and message.velocity:
                found[round(tick * 480 / file.ticks_per_beat), message.note] += 1
    return found


def without_ornaments(data: bytes) -> bytes:
    """A MusicXML file without grace notes and signs of ornaments and tremolos: verovio performs them, which takes time
    from the notes that they stand before or on, so that these do not begin where they are written.
    """
    from lxml import etree

    root = root_element(data, "without ornaments")
    small = [note for note in root.iter("note") if note.find("grace") is not None]
    # a tremolo between two notes tells how long they are, so it stays
    signs = [sign for group in root.iter("ornaments") for sign in group if sign.get("type") not in ("start", "stop")]
    for element in [*small, *signs]:
        if (parent := element.getparent()) is not None:
            parent.remove(element)
    return bytes(etree.tostring(root))


def met(wanted: Counter[tuple[int, int]], sounds: Counter[tuple[int, int]]) -> Counter[tuple[int, int]]:
    """Which (onset, pitch) pairs sound, each by one of its own, at most one tick of verovio's MIDI apart."""
    found = wanted & sounds
    free = sorted((pitch, onset) for onset, pitch in (sounds - found).elements())
    k = 0
    for pitch, onset in sorted((pitch, onset) for onset, pitch in (wanted - found).elements()):
        while k < len(free) and free[k] < (pitch, onset - TICK):
            k += 1
        if k < len(free) and free[k] <= (pitch, onset + TICK):
            found[onset, pitch] += 1
            k += 1
    return found


def marks(data: bytes) -> Counter[str]:
    """What hangs on the notes, counted by lxml."""
    root = root_element(data, "marks")
    found = Counter({name: sum(1 for _ in root.iter(*tags)) for name, tags in GROUPS.items()})
    found["dynamics"] = sum(len(e) for e in root.iter("dynamics"))
    return found


@dataclass(frozen=True)
class Trip:
    """What the round trip of one movement kept: numbers of notes, and of marks before and after."""

    notes: int  # sounding, grace notes not counted
    right: int  # that verovio plays from the written file
    plain: int  # that it plays from the written file without its grace notes and ornaments
    source: int  # that it plays from the source
    kept: int  # that it plays from both
    struck: int  # that lxml finds in the source
    there: int  # of them, in the written file
    more: int  # others in the written file
    equal: int
    movements: int
    before: Counter[str]
    after: Counter[str]

    def __add__(self, other: Trip) -> Trip:
        return Trip(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    def row(self, name: str) -> str:
        """A line of the table."""
        cells = "".join(f"{f'{self.after[g]} of {self.before[g]}':>20}" for g in (*GROUPS, "dynamics"))
        shares = [(n, self.notes) for n in (self.right, self.plain, self.source)]
        shares += [(self.kept, self.source), (self.there, self.struck)]
        percent = "".join(f"{100 * part / max(whole, 1):10.3f}" for part, whole in shares)
        return f"{name:21}{self.notes:8}{percent}{self.more:5}{f'{self.equal}/{self.movements}':>7}{cells}"


def trip(path: Path) -> Trip:
    """Read, write, read: one movement."""
    score = read_musicxml(path)
    source, data = unpacked(path.read_bytes(), path.name), musicxml_bytes(score)
    plain = score.notes[score.notes["duration"] > 0]
    onsets = [round(int(t) * 480 / score.ticks_per_quarter) for t in plain["onset"]]
    ours = Counter(zip(onsets, plain["pitch"].tolist(), strict=True))
    sounds, able = played(data), met(ours, played(source))
    struck, restruck = plain_notes(source), plain_notes(data)
    return Trip(
        notes=len(plain),
        right=met(ours, sounds).total(),
        plain=met(ours, played(without_ornaments(data))).total(),
        source=able.total(),
        kept=met(able, sounds).total(),
        struck=struck.total(),
        there=(struck & restruck).total(),
        more=(restruck - struck).total(),
        equal=int(read_musicxml(data).digest() == score.digest()),
        movements=1,
        before=marks(path.read_bytes()),
        after=marks(data),
    )


def round_trip(paths: Iterable[Path], *, peer: bool) -> None:
    """Sounding notes by verovio and marks by lxml, of each file and in all."""
    heads = "".join(f"{name:>10}" for name in ("right %", "plain %", "source %", "kept %", "lxml %"))
    names = "".join(f"{name:>20}" for name in (*GROUPS, "dynamics"))
    print(f"\n{'round trip':21}{'notes':>8}{heads}{'more':>5}{'equal':>7}{names}")
    whole: Trip | None = None
    for path in paths:
        one = trip(path)
        print(one.row(path.stem), flush=True)
        whole = one if whole is None else whole + one
    if whole is None:
        return
    print(whole.row("all"))
    print("right: (onset, pitch) pairs of the score that verovio plays from the written file; grace notes not counted;")
    print("  onsets to one tick of its MIDI (120 a quarter), as it rounds")
    print("plain: the same without grace notes and signs of ornaments in the written file: performed by verovio, they")
    print("  take time from the notes they stand before or on")
    print("source: those that it plays from the source; kept: of these, those that it plays from the written file too")
    print("lxml: struck notes of the source, by plain_musicxml.py, that stand in the written file; more: others there")
    print("  (ties that lead nowhere in the source: their notes are struck again, and the import log tells it)")
    if peer:
        print("peers over four movements, measured once elsewhere: music21 85 %, partitura 77 %")


def main() -> None:
    """Run over the files named, or the corpus movement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path)
    beside = os.environ.get("RESCORE_SHARED_DATA", HERE.parent.parent / "shared" / "data")
    parser.add_argument("--data", type=Path, default=Path(beside), help="folder that holds openscore_orchestra")
    parser.add_argument("--all", action="store_true", help="the round trip over every movement, not every ninth")
    parser.add_argument("--fast", action="store_true", help="no sizes over 10,000 notes")
    options = parser.parse_args()
    files = options.files
    if not files:
        from music21 import corpus

        found = corpus.getWork("beethoven/opus18no1", 1)
        files = [Path(p) for p in (found if isinstance(found, list) else [found]) if str(p).endswith("mxl")]
    for path in files:
        bench(Path(path))
    growth(Path(files[0]), [s for s in SIZES if s <= 10_000] if options.fast else SIZES)
    movements = sorted((options.data / "openscore_orchestra").glob("*.mxl"))
    if movements:
        round_trip(movements[:: 1 if options.all else 9], peer=True)


if __name__ == "__main__":
    main()
