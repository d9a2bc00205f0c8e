"""The command that watches a picture."""

from __future__ import annotations

import argparse
import sys

from rescore_music.cli.printing import say, say_json


def run_spot(args: argparse.Namespace) -> int:
    """Watch a video: its cuts, flashes, fades, dialogue and silence, as spotting notes to edit."""
    from rescore_music.io.spotting import cues_text, write_cues
    from rescore_music.video import watch

    seen = watch(args.video, rate=args.rate, start=args.start, sound=not args.no_audio)
    cues = seen.to_cues()
    if args.out is not None:
        write_cues(cues, args.out, notes=seen.notes())
        say(args.out, file=sys.stderr if args.json else sys.stdout)
    if args.json:
        say_json(seen.as_dict())
    elif args.out is None:
        say(cues_text(cues, seen.notes()).rstrip("\n"))
    else:
        kinds = (
            (len(seen.cuts), "cuts"),
            (len(seen.flashes), "flashes"),
            (len(seen.fades), "fades"),
            (len(seen.dissolves), "dissolves"),
            (len(seen.dialogue), "stretches of dialogue"),
            (len(seen.silence), "of silence"),
        )
        say(f"{seen.frames} frames at {seen.rate} from {seen.start.label}: " + ", ".join(f"{n} {k}" for n, k in kinds))
    for item in seen.log:
        say(f"{item.where}: {item.what} ({item.count})", file=sys.stderr)
    return 0
