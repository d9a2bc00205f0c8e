"""The command that fits music to a new cut."""

from __future__ import annotations

import argparse
import sys

from rescore_music.cli.printing import say, say_json

TYPE_CHECKING = False  # typing costs as much to import as everything else here
if TYPE_CHECKING:
    from pathlib import Path

    from rescore_music.cues import Cues
    from rescore_music.edits import EditList

SPOTTING = (".csv", ".tsv", ".txt", ".xlsx")


def run_conform(args: argparse.Namespace) -> int:
    """Fit a cue that met the old cut to a new one; all that need not change stays."""
    from rescore_music.analysis import analyze
    from rescore_music.io import atomic_write, read_score, write_score
    from rescore_music.io.spotting import read_cues, write_cues
    from rescore_music.syncing import conform

    score, cues = read_score(args.cue, salvage=args.salvage), read_cues(args.cues, args.rate, args.start)
    old, new = (_cut(path, args.rate, args.start) for path in (args.old, args.new))
    done = conform(score, cues, old, new, analysis=analyze(score))
    write_score(done.score, args.out)
    if args.report is not None:
        kinds = {".json": done.to_json, ".csv": done.to_csv}
        atomic_write(args.report, kinds.get(args.report.suffix.lower(), done.to_text)().encode())
    if args.new_cues is not None:
        write_cues(done.cues, args.new_cues)
    if args.json:
        say_json(done.as_dict())
        return 0
    say(done.to_text().rstrip())
    for path in (args.out, args.report, args.new_cues):
        if path is not None:
            say(path, file=sys.stderr)
    return 0


def _cut(path: Path, rate: str | None, start: str) -> EditList | Cues:
    """A cut: an edit list, or spotting notes and marker lists, whose names count."""
    from rescore_music.io.picture import read_edits
    from rescore_music.io.spotting import read_cues

    if path.suffix.lower() in SPOTTING:
        return read_cues(path, rate, start)
    return read_edits(path, rate)
