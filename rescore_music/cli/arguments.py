"""The argument parser: one sub-command per `run_` function, options shared in groups."""

from __future__ import annotations

import argparse
from pathlib import Path

from rescore_music.cli.about import run_app, run_doctor, run_templates
from rescore_music.cli.conforming import run_conform
from rescore_music.cli.converting import run_convert, run_render, run_sync, solution_options, sync_options
from rescore_music.cli.listening import run_inspect, run_measure, run_motifs
from rescore_music.cli.making import run_batch, run_explain, run_rescore
from rescore_music.cli.printing import say
from rescore_music.cli.spotting import run_spot
from rescore_music.cli.staging import run_stage

TYPE_CHECKING = False  # typing costs as much to import as everything else here
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

DEFAULT_TEMPLATE = "symphony/romantic-film"


def parser() -> argparse.ArgumentParser:
    """Build the argument parser: one sub-command per `run_` function, options shared in groups."""
    top = argparse.ArgumentParser(
        prog="rescore-music",
        description="Re-score music: give an existing cue new forces, a new style or a new picture.",
    )
    top.add_argument("--version", action=_Version, nargs=0, help="print the version")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def command(
        run: Callable[[argparse.Namespace], int],
        *,
        cue: bool = True,
        json: bool = True,
        what: str = "a cue: .mid .kar .rmi .musicxml .xml .mxl .abc .krn",
    ) -> argparse.ArgumentParser:
        name = run.__name__.removeprefix("run_")
        text = (run.__doc__ or "").strip()
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(run=run)
        if cue:
            sub.add_argument("cue", type=Path, help=what)
            _reading_options(sub)
        if json:
            sub.add_argument("--json", action="store_true", help="JSON on stdout")
        return sub

    sub = command(run_rescore, what="a cue (.mid .kar .rmi .musicxml .xml .mxl .abc .krn), or a folder rescore wrote")
    sub.add_argument("-o", "--out", type=Path, required=True, help="folder for everything that is written")
    _orchestration_options(sub)
    _picture_options(sub, required=False)
    solution_options(sub)
    _sound_options(sub)
    sub.add_argument("-q", "--quiet", action="store_true", help="no progress on stderr")
    text = "let slow attacks at hits begin as written and be heard late, instead of early and heard on the frame"
    sub.add_argument("--late-attacks", action="store_true", help=text)

    sub = command(run_explain, cue=False)
    sub.add_argument("out", type=Path, help="a folder that rescore wrote, or its report.json")

    sub = command(run_inspect)
    sub.add_argument("--html", type=Path, help="write it all as one page to read in a browser (.html)")
    _picture_options(sub, required=False)
    command(run_motifs)
    command(run_templates, cue=False)

    sub = command(run_convert, json=False)
    text = "what to write: .mid .musicxml .mxl, or pages: .pdf .png .svg"
    sub.add_argument("-o", "--out", type=Path, required=True, help=text)
    sub.add_argument("--parts", type=Path, help="folder for each player's part, in the same format")
    sub.add_argument("--paper", default="", help="a4 a3 letter tabloid, with ' landscape' (default: by the staves)")
    sub.add_argument("--concert", action="store_true", help="score in C: written as it sounds")
    sub.add_argument("--unfold", action="store_true", help="play out repeats, endings and jumps")
    sub.add_argument("--rehearsal", action="store_true", help="letters where sections begin")
    sub.add_argument("--quantize", action="store_true", help="notate a performance: beats, bars, note values")
    _sequencer_options(sub)
    text = "share of the played timing that gives way to the written, 0 to 1 (default %(default)g)"
    sub.add_argument("--strength", type=_share, default=0.0, help=text)
    text = "bars from the file, found, or as seems right (default %(default)s)"
    sub.add_argument("--beats", choices=("auto", "file", "find"), default="auto", help=text)
    sub.add_argument("--swing", choices=("auto", "on", "off"), default="auto", help="even eighths for swung ones")

    sub = command(run_spot, cue=False)
    sub.add_argument("video", type=Path, help="a video: .mp4 .mov .mkv .webm .avi .mxf")
    sub.add_argument("-o", "--out", type=Path, help="spotting notes (.csv); they are printed where none is named")
    sub.add_argument("--rate", help="frame rate to count in (default: the picture's own)")
    sub.add_argument("--start", help="timecode of the first picture (default: what the file says, else 00:00:00:00)")
    sub.add_argument("--no-audio", action="store_true", help="do not listen for dialogue and silence")

    sub = command(run_sync)
    sub.add_argument("-o", "--out", type=Path, required=True, help="the cue with its new tempo map (.mid or .musicxml)")
    _picture_options(sub, required=True)
    sync_options(sub)

    sub = command(run_conform)
    sub.add_argument("-o", "--out", type=Path, required=True, help="the cue for the new cut (.mid or .musicxml)")
    _picture_options(sub, required=True)
    text = "edit list .edl .fcpxml .xml .otio .aaf, or markers and hits by name: .csv .txt .xlsx .rpp"
    sub.add_argument("--old", type=Path, required=True, help=f"the cut that the cue meets: {text}")
    sub.add_argument("--new", type=Path, required=True, help="the cut that it is to meet")
    sub.add_argument("--report", type=Path, help="the change report, as its suffix says: .txt .json .csv")
    sub.add_argument("--new-cues", type=Path, help="the hits at their new frames, as spotting CSV")

    _stage_options(command(run_stage))

    sub = command(run_render, json=False)
    sub.add_argument("-o", "--out", type=Path, required=True, help="the mix (.wav)")
    sub.add_argument("--stems", type=Path, help="folder for one WAV a part")
    _sound_options(sub)

    sub = command(run_measure)
    sub.add_argument("--source", type=Path, help="the cue it was made from: what was kept of it?")
    sub.add_argument(
        "--audio", type=Path, help="its sound, where it is not to be rendered: a recording or a mix (.wav)"
    )
    sub.add_argument("--listen", action="store_true", help="compare onsets and harmony of the sound with the score")
    sub.add_argument("--no-audio", action="store_true", help="leave the sound out")

    sub = command(run_batch, cue=False)
    sub.add_argument("paths", type=Path, nargs="+", help="cues, or folders of cues")
    _reading_options(sub)
    sub.add_argument("-o", "--out", type=Path, required=True, help="folder; each cue gets one inside it")
    text = "end a cue that takes longer, and go on with the next; 0 for no limit (default %(default)g)"
    sub.add_argument("--time-limit", type=_seconds, default=600.0, metavar="SECONDS", help=text)
    text = "end a cue that takes more memory beside the program's own (default: no limit)"
    sub.add_argument("--memory-limit", type=_whole(64, 1 << 20), metavar="MIB", help=text)
    _orchestration_options(sub)
    _sound_options(sub)

    sub = command(run_app, cue=False, json=False)
    sub.add_argument("--port", type=int, default=8501, help="where the page listens (default %(default)s)")
    command(run_doctor, cue=False)
    return top


def _reading_options(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--salvage", action="store_true", help="take what is whole of a MIDI file that was cut off")


def _orchestration_options(sub: argparse.ArgumentParser) -> None:
    text = f"forces/style, a preset's name, or a path to YAML (default {DEFAULT_TEMPLATE}, or the earlier result's)"
    sub.add_argument("-t", "--template", help=text)
    sub.add_argument("--forces", default="", help="the template's style with these forces, or those of this preset")
    sub.add_argument("--style", default="", help="the template's forces in this style, or in that of this preset")
    text = "ask for players in some bars (an upbeat is bar 0), as 17-24:melody:horn-f,trumpet; may be repeated"
    sub.add_argument("--give", action="append", default=[], metavar="BARS:ROLE:WHO", help=text)
    text = "a part of the cue that stays as it is, by name or number; may be repeated"
    sub.add_argument("--keep", action="append", default=[], metavar="PART", help=text)
    text = "candidates of the first pass (default %(default)s)"
    sub.add_argument("-n", "--candidates", type=_whole(1, 256), default=16, help=text)
    text = "how many of them the second pass hears (default %(default)s)"
    sub.add_argument("--top", type=_whole(0, 64), default=4, help=text)
    _sequencer_options(sub)
    sub.add_argument("--seed", type=int, default=0, help="decides between equals (default %(default)s)")
    sub.add_argument("--no-audio", action="store_true", help="leave the sound, and with it the second pass, out")


def _picture_options(sub: argparse.ArgumentParser, *, required: bool) -> None:
    text = (
        "spotting CSV (timecode,label,weight,kind,tolerance,lands) or .xlsx, edit list .edl .fcpxml .xml .otio .aaf, "
    )
    text += "or markers .csv .txt .rpp .mid"
    sub.add_argument("--cues", type=Path, required=required, help=text)
    text = "frame rate: 23.976 24 25 29.97df 29.97 30 48 50 59.94df 60 (default: what the list tells; 24 for spotting)"
    sub.add_argument("--rate", help=text)
    sub.add_argument("--start", default="00:00:00:00", help="timecode of the cue's first sample (default %(default)s)")


def _stage_options(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("-o", "--out", type=Path, required=True, help="folder for everything that is written")
    _picture_options(sub, required=True)
    sub.add_argument("--video", type=Path, help="the picture: it gets the new score, and streamers in a second copy")
    text = "timecode of the first picture (default: what the video tells, else --start)"
    sub.add_argument("--picture-start", metavar="TIMECODE", help=text)
    text = "keep the video's own sound under the new score, at this gain (default: leave it out)"
    sub.add_argument("--own-sound", type=float, metavar="DB", help=text)
    text = "do not sync the cue again: it meets the picture as it is (a folder that rescore wrote always does)"
    sub.add_argument("--as-it-is", action="store_true", help=text)
    text = "bars of warning clicks before the cue (default %(default)s)"
    sub.add_argument("--free-bars", type=_whole(0, 16), default=2, help=text)
    text = "clicks inside beats (default: in slow beats)"
    sub.add_argument("--subdivide", choices=("auto", "off", "2", "3", "4"), default="auto", help=text)
    text = "hits that get a streamer and a punch (default %(default)s)"
    sub.add_argument("--streamers", choices=("hard", "all", "off"), default="hard", help=text)
    text = "what gets a flutter (default %(default)s hits)"
    sub.add_argument("--flutters", choices=("soft", "downbeats", "off"), default="soft", help=text)
    text = "how long a streamer runs (default %(default)g)"
    sub.add_argument("--streamer-seconds", type=_seconds, default=3.0, metavar="SECONDS", help=text)
    text = "date in the broadcast waves, yyyy-mm-dd (default: a fixed one, so that the same cue gives the same bytes)"
    sub.add_argument("--date", type=_date, default="2000-01-01", help=text)
    sub.add_argument("--no-pages", action="store_true", help="leave score.pdf out")
    sub.add_argument("--no-audio", action="store_true", help="leave the sound out: click, sessions and sheets only")
    _sound_options(sub)
    sub.add_argument("-q", "--quiet", action="store_true", help="no progress on stderr")


def _date(text: str) -> str:
    parts = text.split("-")
    if [len(part) for part in parts] != [4, 2, 2] or not all(part.isdecimal() for part in parts):
        raise argparse.ArgumentTypeError(f"{text!r} is no date such as 2026-01-31")
    return text


def _sequencer_options(sub: argparse.ArgumentParser) -> None:
    text = "how MIDI tells a sound library of articulations: general-midi, keyswitch-example, or a path to YAML"
    sub.add_argument("--sound-map", metavar="MAP", help=text)


def _sound_options(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--sample-rate", type=_whole(8000, 192000), default=48000, help="Hz (default %(default)s)")
    sub.add_argument("--profile", default="film", help="loudness profile of the master (default %(default)s)")
    sub.add_argument("--sounds", help="a SoundFont (.sf2) instead of the embedded sounds")


def _whole(least: int, most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {least} to {most}")
        return int(text)

    return number


def _seconds(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < 1e7:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds")
    return number


def _share(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 to 1")
    return number


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from rescore_music import __version__

        say(f"rescore-music {__version__}")
        parser.exit()
