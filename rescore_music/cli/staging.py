"""The command that delivers a cue to the recording stage and the dub."""

from __future__ import annotations

import argparse
import sys

from rescore_music.cli.printing import progress, say, say_json

TYPE_CHECKING = False  # typing costs as much to import as everything else here
if TYPE_CHECKING:
    from rescore_music.cues import Cues
    from rescore_music.stage.folder import Rescored
    from rescore_music.syncing.result import Synced


def run_stage(args: argparse.Namespace) -> int:
    """Deliver a cue to stage and dub: click, streamers, broadcast waves, sessions, cue sheet, video with its score."""
    from dataclasses import asdict, replace

    from rescore_music.io.spotting import read_cues
    from rescore_music.stage.deliver import stage_cue
    from rescore_music.stage.settings import StageSettings
    from rescore_music.timecode import Timecode

    cues = read_cues(args.cues, args.rate, args.start)
    found = _cue(args, cues)
    if found.start:  # where syncing moved it to
        cues = replace(cues, start=Timecode.parse(found.start, cues.rate))
    staged = stage_cue(
        found.score,
        cues,
        args.out,
        hits=found.hits,
        skipped=found.skipped,
        remarks=found.remarks,
        rendering=None if args.no_audio else found.rendering,
        written=found.written,
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
            own=args.own_sound,
        ),
        progress=None if args.quiet else progress,
    )
    if args.json:
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
        say(f"{item.where}: {item.what} ({item.count})", file=sys.stderr)
    landed = sum(hit.landed for hit in staged.hits)
    say(f"{landed} of {len(staged.hits)} hits land; the session begins at {staged.led.origin(cues.start)}")
    for path in staged.files.values():
        say(path)
    return 0


def _cue(args: argparse.Namespace, cues: Cues) -> Rescored:
    """What a folder holds that rescore wrote; or a cue, synced now, and its sound."""
    from rescore_music.stage.folder import Rescored, read_rescored

    if args.cue.is_dir():
        return read_rescored(args.cue)
    from rescore_music.io import read_score
    from rescore_music.rendering import master, render

    score = read_score(args.cue, salvage=args.salvage)
    synced: Synced | None = None
    if not args.as_it_is:
        from rescore_music.analysis import analyze
        from rescore_music.syncing import sync

        synced = sync(score, cues, analysis=analyze(score))
        score = synced.score
    sound = None
    if not args.no_audio:
        hits = [hit.tick for hit in synced.hits] if synced is not None else []
        dry = render(score, sample_rate=args.sample_rate, sounds=args.sounds, on_time=hits)
        sound = master(dry, args.profile)
    if synced is None:
        return Rescored(score, sound, None)
    start = "" if synced.cues is None else synced.cues.start.label
    remarks = (*synced.edits, *(str(passage) for passage in synced.passages))
    return Rescored(score, sound, synced.hits, synced.skipped, None, start, remarks)
