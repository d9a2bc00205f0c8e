"""The main job on music nobody here wrote: every game cue and Beethoven's op. 18 no. 1, each for several templates.

For every pair: melody and bass onsets present (same tick and pitch class; of a chord the top note, in the bass the
lowest, lines that only double another left out: four chip voices or five winds cannot sound every chord), the same
share over every note of those lines ("all notes"), notes outside the seat's range, source notes
lost without a line in the log, and whether music21 re-reads the MusicXML without a warning and verovio engraves it.

    python benchmarks/main_job.py [--data ../shared/data] [--most 0] [--every 1] [--workers 2] [--templates a/b c/d]
        [--top 1] [--fast]

No sound is made, so the second pass does not choose; --top 4 checks each candidate it may choose (all figures are then
the worst of them). --fast leaves music21 and verovio out.
Exit code 1 if any pair falls short.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import traceback
import warnings
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from time import process_time

import numpy as np

TEMPLATES = ("symphony/romantic-film", "wind-quintet/baroque", "chiptune/eight-bit")


@dataclass(frozen=True)
class Row:
    """One cue for one template."""

    cue: str
    template: str
    notes: int = 0
    melody: float = 1.0
    bass: float = 1.0
    every_melody: float = 1.0
    every_bass: float = 1.0
    outside: int = 0
    unlogged: int = 0
    music21: str = "-"
    verovio: str = "-"
    seconds: float = 0.0
    error: str = ""

    @property
    def well(self) -> bool:
        """Whether every promise is kept."""
        return (
            not self.error
            and self.melody == self.bass == 1.0
            and not (self.outside or self.unlogged)
            and self.music21 == self.verovio == "ok"
        )


def kept(source, result, of) -> float:
    """Share of the source notes `of` whose onset and pitch class the result has."""
    keys = lambda notes: notes["onset"].astype(np.int64) * 12 + notes["pitch"] % 12  # noqa: E731
    pitched = result.notes[result.pitched]
    return float(np.isin(keys(source.notes[of]), keys(pitched)).mean()) if len(of) else 1.0


def outside(score, template) -> int:
    """Notes outside the range of the seat that plays them."""
    seats = {seat.name: seat for seat in template.forces.seats}
    low = np.array([0 if p.percussion else seats[p.name].low for p in score.parts])
    high = np.array([127 if p.percussion else seats[p.name].high for p in score.parts])
    part = score.notes["part"]
    return int(((score.notes["pitch"] < low[part]) | (score.notes["pitch"] > high[part])).sum())


def unlogged(source, candidate) -> int:
    """Source notes that neither sound nor are counted in a line of the log."""
    lost = len(source.notes) - len(np.unique(candidate.origin[candidate.origin >= 0]))
    told = sum(item.count for item in candidate.log if item.lost)
    return max(lost - told, 0)


def reread(xml: bytes) -> str:
    """Whether music21 reads it without a warning."""
    import music21

    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        music21.converter.parseData(xml.decode(), format="musicxml")
    return "ok" if not said else f"{len(said)} warnings: {said[0].message}"


def engraved(xml: bytes) -> str:
    """Whether verovio loads it and gives pages."""
    from importlib.resources import files

    import verovio

    verovio.enableLog(verovio.LOG_OFF)
    engraver = verovio.toolkit(False)
    engraver.setResourcePath(str(files("verovio") / "data"))
    return "ok" if engraver.loadData(xml.decode()) and engraver.getPageCount() > 0 else "not loaded"


def one(path: str, template_name: str, top: int = 1, fast: bool = False) -> Row:
    """Run one pair."""
    from rescore_music.analysis import analyze
    from rescore_music.io import read_score
    from rescore_music.io.musicxml.write import musicxml_bytes
    from rescore_music.pipeline import orchestrate
    from rescore_music.structure import Role
    from rescore_music.template import load_template

    name = Path(path).name
    try:
        begin = process_time()
        source = read_score(path)
        analysis, template = analyze(source), load_template(template_name)
        candidates = orchestrate(source, template, analysis=analysis)[:top]
        scores = [c.score for c in candidates]
        written = [] if fast else [musicxml_bytes(score) for score in scores]
        seconds = process_time() - begin
        roles = analysis.note_roles(source.notes["onset"])
        leading = [np.flatnonzero(analysis.leading(source.notes, r)) for r in (Role.MELODY, Role.BASS)]
        every = [np.flatnonzero(roles == r) for r in (Role.MELODY, Role.BASS)]
        return Row(
            name,
            template_name,
            len(source.notes),
            *(min(kept(source, score, of) for score in scores) for of in (*leading, *every)),
            max(outside(score, template) for score in scores),
            max(unlogged(source, c) for c in candidates),
            next((said for said in map(reread, written) if said != "ok"), "ok"),
            next((said for said in map(engraved, written) if said != "ok"), "ok"),
            seconds,
        )
    except Exception as error:  # one broken cue must not hide the others
        frame = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(frame.filename).name}:{frame.lineno}"
        return Row(name, template_name, error=f"{type(error).__name__} at {where}: {error}")


def beethoven() -> str:
    """Path of op. 18 no. 1, first movement, in the music21 corpus."""
    from music21 import corpus

    return next(str(p) for p in corpus.getWork("beethoven/opus18no1/movement1") if p.suffix == ".mxl")


def _shares(row: Row) -> tuple[float, ...]:
    return row.melody, row.bass, row.every_melody, row.every_bass


def main() -> int:
    """Print the rows that fall short, then the table."""
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    here = Path(__file__).resolve().parent.parent
    options.add_argument("--data", type=Path, default=here.parent / "shared" / "data")
    options.add_argument("--most", type=int, default=0, help="only the first so many cues")
    options.add_argument("--every", type=int, default=1, help="only every n-th cue")
    options.add_argument("--workers", type=int, default=2)
    options.add_argument("--templates", nargs="+", default=TEMPLATES)
    options.add_argument("--top", type=int, default=1, help="check so many candidates of each pair")
    options.add_argument("--fast", action="store_true", help="without music21 and verovio")
    args = options.parse_args()
    cues = [beethoven(), *map(str, sorted((args.data / "game_midi").glob("*.mid")))][:: args.every]
    cues = cues[: args.most or None]
    rows = []
    with ProcessPoolExecutor(args.workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        for future in as_completed(
            [pool.submit(one, cue, t, args.top, args.fast) for cue in cues for t in args.templates]
        ):
            row = future.result()
            rows.append(row)
            if not row.well:
                print(row, flush=True)
    columns = ["template", "cues", "melody", "bass", "all notes of melody", "of bass", "outside range", "lost unlogged"]
    columns += [] if args.fast else ["music21", "verovio"]
    print(f"| {' | '.join([*columns, 'CPU s'])} |\n{'| --- ' * (len(columns) + 1)}|")
    for template in args.templates:
        mine = [r for r in rows if r.template == template]
        shares = [f"{100 * min(share):.2f} %" for share in zip(*map(_shares, mine), strict=True)]
        cells = [template, len(mine), *shares, sum(r.outside for r in mine), sum(r.unlogged for r in mine)]
        if not args.fast:
            cells += [f"{sum(getattr(r, who) == 'ok' for r in mine)} ok" for who in ("music21", "verovio")]
        print(f"| {' | '.join(map(str, cells))} | {sum(r.seconds for r in mine):.1f} |")
    short = [r for r in rows if not r.well]
    print(f"{len(rows) - len(short)} of {len(rows)} pairs keep every promise")
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main())
