"""The command that delivers a cue to the recording stage and the dub."""

from __future__ import annotations

import argparse
import sys

from rescore_music.cli.printing import progress, say, say_json

TYPE_CHECKING = False  # typing costs as much to import as everything else here
if TYPE_CHECKING:
    from rescore_music.audio import Rendering
    from rescore_music.cues import Cues
    from rescore_music.score import Score
    from rescore_music.syncing.result import Landing, Skipped


def run_stage(args: argparse.Namespace) -> int:
    """Deliver a cue to stage and dub: click, streamers, broadcast waves, sessions, cue sheet, video with its score."""
    from rescore_music.io.spotting import read_cues
    from rescore_music.stage.deliver import StageSettings, stage_cue
    from rescore_music.timecode import Timecode

    cues = read_cues(args.cues, args.rate, args.start)
    score, rendering, hits, skipped = _cue(args, cues)
    staged = stage_cue(
        score,
        cues,
        args.out,
        hits=hits,
        skipped=skipped,
        rendering=rendering,
        video=args.video,
        picture_start=Timecode.parse(args.picture_start, cues.rate) if args.picture_start else None,
        settings=StageSettings(
            free_bars=args.free_bars,
            subdivide=args.subdivide,
            streamers=args.streamers,
            flutters=args.flutters,
            seconds=args.streamer_seconds,
            date=args.date,
            pages=not args.no_pages,
        ),
        progress=None if args.quiet else progress,
    )
    if args.json:
        from dataclasses import asdict

        say_json(
            {
                "files": {name: str(path) for name, path in staged.files.items()},
                "hits": [asdict(hit) for hit in staged.hits],
                "session_start": staged.led.origin(cues.start).label,
                "log": [asdict(item) for item in staged.log],
            }
        )
        return 0
    for item in staged.log:
        say(f"{item.where}: {item.what}", file=sys.stderr)
    landed = sum(hit.landed for hit in staged.hits)
    say(f"{landed} of {len(staged.hits)} hits land; the session begins at {staged.led.origin(cues.start)}")
    for path in staged.files.values():
        say(path)
    return 0


def _cue(
    args: argparse.Namespace, cues: Cues
) -> tuple[Score, Rendering | None, tuple[Landing, ...] | None, tuple[Skipped, ...]]:
    """Score, sound, landings and what was skipped: of a folder that rescore wrote, or of a cue that is synced now."""
    if args.cue.is_dir():
        from rescore_music.stage.folder import read_rescored

        found = read_rescored(args.cue)
        return found.score, None if args.no_audio else found.rendering, found.hits, found.skipped
    from rescore_music.io import read_score
    from rescore_music.rendering import master, render

    score = read_score(args.cue, salvage=args.salvage)
    hits: tuple[Landing, ...] | None = None
    skipped: tuple[Skipped, ...] = ()
    if not args.as_it_is:
        from rescore_music.analysis import analyze
        from rescore_music.syncing import sync

        synced = sync(score, cues, analysis=analyze(score))
        score, hits, skipped = synced.score, synced.hits, synced.skipped
    if args.no_audio:
        return score, None, hits, skipped
    sound = master(render(score, sample_rate=args.sample_rate, sounds=args.sounds), args.profile)
    return score, sound, hits, skipped
