"""The `rescore-music` command: a thin skin. Arguments in, one call of the library, print.

Results go to stdout, progress and logs to stderr. Exit codes: 0 done, 1 failed, 2 usage or bad input, 3 part of a
batch failed. Every import of the library is inside the command that needs it, so `--help` is quick; argparse, because
it starts in a third of the time of the click family.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

TYPE_CHECKING = False  # typing costs as much to import as everything else here
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TextIO

    from rescore_music.pipeline import Settings

DEFAULT_TEMPLATE = "symphony/romantic-film"


def main(argv: list[str] | None = None) -> None:
    """Run the command; a `RescoreError` becomes one line and exit code 2."""
    args = parser().parse_args(argv)
    from rescore_music.errors import RescoreError, printable_logs

    printable_logs()
    try:
        code = args.run(args)
    except RescoreError as error:
        say(f"error: {error.message}", file=sys.stderr)
        code = 2
    except BrokenPipeError:
        sys.stderr.close()
        code = 1
    except KeyboardInterrupt:
        say("stopped", file=sys.stderr)
        code = 130
    raise SystemExit(code)


# -- commands ----------------------------------------------------------------------------------------------------


def run_rescore(args: argparse.Namespace) -> int:
    """Re-orchestrate one cue: score, sound and quality report into a folder."""
    from rescore_music.delivery import OWN, report
    from rescore_music.pipeline import rescore

    result = rescore(
        args.cue,
        template=args.template,
        cues=args.cues,
        rate=args.rate,
        start=args.start,
        out=args.out,
        settings=_settings(args),
        progress=None if args.quiet else _progress,
    )
    if args.json:
        _json(report(result))
        return 0
    _measures(result.quality)
    for name in OWN:
        if (args.out / name).exists():
            say(args.out / name)
    return 0


def run_inspect(args: argparse.Namespace) -> int:
    """Tell what is in a cue: parts, meters, keys, lines, roles, motifs, and what the reader mended."""
    from rescore_music.analysis import analyze
    from rescore_music.io import atomic_write, read_score
    from rescore_music.io.spotting import read_cues
    from rescore_music.view.inspect_page import inspect_page
    from rescore_music.view.inspection import inspection, inspection_lines

    score = read_score(args.cue, salvage=args.salvage)
    analysis = analyze(score)
    cues = read_cues(args.cues, args.rate, args.start) if args.cues else None
    if args.html:
        atomic_write(args.html, inspect_page(score, analysis, cues=cues).encode())
        say(args.html, file=sys.stderr if args.json else sys.stdout)
        if not args.json:
            return 0
    found = inspection(score, analysis, cues=cues)
    if args.json:
        _json(found)
    else:
        say("\n".join(inspection_lines(found)))
    return 0


def run_motifs(args: argparse.Namespace) -> int:
    """List the repeated patterns of a cue and where they return."""
    from rescore_music.analysis import discover_motifs
    from rescore_music.io import read_score
    from rescore_music.view.inspection import motif_lines, motif_table

    score = read_score(args.cue, salvage=args.salvage)
    table = motif_table(score, discover_motifs(score))
    if args.json:
        _json(table)
    else:
        say("\n".join(motif_lines(table)))
    return 0


def run_templates(args: argparse.Namespace) -> int:
    """List the forces, styles and presets."""
    from rescore_music.template import templates

    found = templates()
    kinds = {kind: dict(getattr(found, kind)) for kind in ("forces", "styles", "presets")}
    if args.json:
        _json(kinds)
        return 0
    for kind, entries in kinds.items():
        say(kind)
        for name, about in entries.items():
            say(f"  {name:<24} {_first_line(about)}")
    return 0


def run_sync(args: argparse.Namespace) -> int:
    """Bend the tempo so that every hit falls on its frame."""
    from rescore_music.analysis import analyze
    from rescore_music.io import read_score, write_score
    from rescore_music.io.spotting import read_cues
    from rescore_music.syncing import sync

    score, cues = read_score(args.cue, salvage=args.salvage), read_cues(args.cues, args.rate, args.start)
    motifs = any(hit.lands.startswith("motif:") for hit in cues.hits)
    synced = sync(score, cues, analysis=analyze(score) if motifs else None)
    write_score(synced.score, args.out)
    if args.json:
        _json(synced.as_dict())
        return 0
    for hit in synced.hits:
        say(
            f"{hit.target_s:9.3f} s  bar {hit.bar:>4} beat {hit.beat:<6g} {hit.residual_frames:+8.4f} frames  "
            f"{'landed' if hit.landed else 'missed':<6} {hit.kind:<4} {hit.label}"
        )
    for skipped in synced.skipped:
        say(f"skipped: {skipped}")
    say(f"largest step {synced.max_step_percent:.2f} % a beat, deviation {synced.max_deviation_percent:.2f} %")
    say(args.out)
    return 0


def run_render(args: argparse.Namespace) -> int:
    """Render a cue as it is: mix and stems."""
    from rescore_music.delivery import write_stems
    from rescore_music.io import read_score, write_audio
    from rescore_music.rendering import master, render

    dry = render(read_score(args.cue, salvage=args.salvage), sample_rate=args.sample_rate, sounds=args.sounds)
    rendering = master(dry, args.profile)
    write_audio(rendering, args.out)
    say(args.out)
    if args.stems is not None:
        for path in write_stems(rendering, args.stems):
            say(path)
    return 0


def run_measure(args: argparse.Namespace) -> int:
    """Measure a score: range, playability, what was kept of a source, loudness."""
    from rescore_music.analysis import analyze
    from rescore_music.io import read_score
    from rescore_music.io.wav import read_audio
    from rescore_music.quality import measure
    from rescore_music.rendering import render

    score = read_score(args.cue, salvage=args.salvage)
    before = read_score(args.source) if args.source else None
    sound = read_audio(args.audio) if args.audio else None if args.no_audio else render(score)
    analysis = analyze(before) if before else None
    quality = measure(score, source=before, audio=sound, analysis=analysis, listen=args.listen)
    if args.json:
        _json(quality.as_dict())
    else:
        _measures(quality)
    return 0


def run_batch(args: argparse.Namespace) -> int:
    """Re-score many cues; goes on past bad files, and where an earlier run stopped."""
    from dataclasses import asdict

    from rescore_music.batching import batch

    items = []
    memory = None if args.memory_limit is None else args.memory_limit << 20
    limits = {"time_limit": args.time_limit or None, "memory_limit": memory}
    for item in batch(args.paths, template=args.template, out=args.out, settings=_settings(args), **limits):
        items.append(item)
        say(f"{item.status:<8} {item.error or item.out}", file=sys.stderr if args.json else sys.stdout, flush=True)
    if args.json:
        _json([asdict(i) for i in items])
    if not items:
        say("error: no cue found in what was given (give files, or folders that hold some)", file=sys.stderr)
        return 2
    failed = sum(i.status == "failed" for i in items)
    if failed:
        say(f"{failed} of {len(items)} cues failed; the rest is done", file=sys.stderr)
    return 3 if failed else 0


def run_app(args: argparse.Namespace) -> int:
    """Open the page in a browser (Streamlit on this machine)."""
    import subprocess

    from rescore_music.resources import app_file

    command = [sys.executable, "-m", "streamlit", "run", str(app_file()), "--server.port", str(args.port)]
    return subprocess.call([*command, "--browser.gatherUsageStats", "false", "--client.toolbarMode", "viewer"])


def run_doctor(args: argparse.Namespace) -> int:
    """Check this installation: packages, sounds, templates, samples."""
    from rescore_music.diagnosis import checks

    found = checks()
    if args.json:
        _json([{"check": c.name, "ok": c.ok, "detail": c.detail} for c in found])
    else:
        for check in found:
            say(f"{'ok  ' if check.ok else 'FAIL'} {check.name}: {check.detail}")
    return 0 if all(c.ok for c in found) else 1


# -- arguments ---------------------------------------------------------------------------------------------------


def parser() -> argparse.ArgumentParser:
    """Build the argument parser: one sub-command per `run_` function, options shared in groups."""
    top = argparse.ArgumentParser(
        prog="rescore-music",
        description="Re-score music: give an existing cue new forces, a new style or a new picture.",
    )
    top.add_argument("--version", action=_Version, nargs=0, help="print the version")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def command(
        run: Callable[[argparse.Namespace], int], *, cue: bool = True, json: bool = True
    ) -> argparse.ArgumentParser:
        name = run.__name__.removeprefix("run_")
        text = (run.__doc__ or "").strip()
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(run=run)
        if cue:
            sub.add_argument("cue", type=Path, help="a cue: .mid .kar .rmi .musicxml .xml .mxl .abc .krn")
            _reading_options(sub)
        if json:
            sub.add_argument("--json", action="store_true", help="JSON on stdout")
        return sub

    sub = command(run_rescore)
    sub.add_argument("-o", "--out", type=Path, required=True, help="folder for everything that is written")
    _orchestration_options(sub)
    _picture_options(sub, required=False)
    _sound_options(sub)
    sub.add_argument("-q", "--quiet", action="store_true", help="no progress on stderr")

    sub = command(run_inspect)
    sub.add_argument("--html", type=Path, help="write it all as one page to read in a browser (.html)")
    _picture_options(sub, required=False)
    command(run_motifs)
    command(run_templates, cue=False)

    sub = command(run_sync)
    sub.add_argument("-o", "--out", type=Path, required=True, help="the cue with its new tempo map (.mid or .musicxml)")
    _picture_options(sub, required=True)

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
    text = "forces/style, a preset's name, or a path to YAML (default %(default)s)"
    sub.add_argument("-t", "--template", default=DEFAULT_TEMPLATE, help=text)
    text = "candidates of the first pass (default %(default)s)"
    sub.add_argument("-n", "--candidates", type=_whole(1, 256), default=16, help=text)
    text = "how many of them the second pass hears (default %(default)s)"
    sub.add_argument("--top", type=_whole(0, 64), default=4, help=text)
    sub.add_argument("--seed", type=int, default=0, help="decides between equals (default %(default)s)")
    sub.add_argument("--no-audio", action="store_true", help="leave the sound, and with it the second pass, out")


def _picture_options(sub: argparse.ArgumentParser, *, required: bool) -> None:
    text = "spotting CSV: timecode,label,weight,kind,tolerance,lands"
    sub.add_argument("--cues", type=Path, required=required, help=text)
    text = "frame rate: 23.976 24 25 29.97df 29.97 30 48 50 59.94df 60 (default %(default)s)"
    sub.add_argument("--rate", default="24", help=text)
    sub.add_argument("--start", default="00:00:00:00", help="timecode of the cue's first sample (default %(default)s)")


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


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from rescore_music import __version__

        say(f"rescore-music {__version__}")
        parser.exit()


# -- printing ----------------------------------------------------------------------------------------------------


def say(text: object, *, file: TextIO | None = None, flush: bool = False) -> None:
    """Print what may quote files: nothing that a terminal would obey."""
    from rescore_music.errors import printable

    print(printable(str(text)), file=file, flush=flush)


def _settings(args: argparse.Namespace) -> Settings:
    from rescore_music.pipeline import Settings

    return Settings(
        n=args.candidates,
        top=args.top,
        seed=args.seed,
        audio=not args.no_audio,
        sample_rate=args.sample_rate,
        profile=args.profile,
        sounds=args.sounds,
        salvage=args.salvage,
    )


def _progress(stage: str, share: float) -> None:
    say(f"[{share:4.0%}] {stage}", file=sys.stderr, flush=True)


def _measures(quality: Any) -> None:
    for m in quality.measures:
        value = "-" if m.value is None else f"{m.value:.4g}" if isinstance(m.value, float) else str(m.value)
        say(f"{m.name:<34} {value:>10} {m.unit}")


def _first_line(about: Any) -> str:
    text = about if isinstance(about, str) else getattr(about, "description", about)
    return str(text).strip().split("\n")[0]


def _json(value: Any) -> None:
    import json

    text = json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False)
    # JSON leaves a terminal some controls to obey
    say("".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text))


if __name__ == "__main__":
    main()
