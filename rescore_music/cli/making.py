"""Commands that orchestrate: one cue, many cues, and why it became so."""

from __future__ import annotations

import argparse
import sys

from rescore_music.cli.printing import progress, say, say_json, say_measures

TYPE_CHECKING = False  # typing costs as much to import as everything else here
if TYPE_CHECKING:
    from rescore_music.pipeline import Settings
    from rescore_music.template import Template


def run_rescore(args: argparse.Namespace) -> int:
    """Re-orchestrate one cue: score, sound and quality report into a folder."""
    from rescore_music.delivery import OWN, report
    from rescore_music.pipeline import rescore

    cue, template = args.cue, None
    if cue.is_dir():
        from rescore_music.earlier import read_earlier

        earlier = read_earlier(cue, template=args.template, salvage=args.salvage)
        cue, template = earlier.path, earlier.template
        if earlier.synced and args.cues is None:
            say("its hits on picture are not kept in the folder: give the list again with --cues", file=sys.stderr)
    result = rescore(
        cue,
        template=template_of(args, template),
        cues=args.cues,
        rate=args.rate,
        start=args.start,
        out=args.out,
        settings=settings_of(args),
        progress=None if args.quiet else progress,
    )
    if args.json:
        say_json(report(result))
        return 0
    say_measures(result.quality)
    for name in OWN:
        if (args.out / name).exists():
            say(args.out / name)
    return 0


def run_batch(args: argparse.Namespace) -> int:
    """Re-score many cues; goes on past bad files, and where an earlier run stopped."""
    from dataclasses import asdict

    from rescore_music.batching import batch

    items = []
    memory = None if args.memory_limit is None else args.memory_limit << 20
    limits = {"time_limit": args.time_limit or None, "memory_limit": memory}
    for item in batch(args.paths, template=template_of(args), out=args.out, settings=settings_of(args), **limits):
        items.append(item)
        say(f"{item.status:<8} {item.error or item.out}", file=sys.stderr if args.json else sys.stdout, flush=True)
    if args.json:
        say_json([asdict(i) for i in items])
    if not items:
        say("error: no cue found in what was given (give files, or folders that hold some)", file=sys.stderr)
        return 2
    failed = sum(i.status == "failed" for i in items)
    if failed:
        say(f"{failed} of {len(items)} cues failed; the rest is done", file=sys.stderr)
    return 3 if failed else 0


def run_explain(args: argparse.Namespace) -> int:
    """Tell who got which line, when and why, and who would have been next, from a folder that rescore wrote."""
    import json

    from rescore_music.delivery import REPORT
    from rescore_music.errors import ReadError
    from rescore_music.io import read_bytes
    from rescore_music.view.decisions import explanation

    path = args.out / REPORT if args.out.is_dir() else args.out
    cure = "give the folder that rescore wrote"
    try:
        told = json.loads(read_bytes(path))
        text = explanation(told)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        raise ReadError("this is no report of an orchestration", file=path, cure=cure) from error
    if args.json:
        say_json(told["decisions"])
    else:
        say(text)
    return 0


def template_of(args: argparse.Namespace, given: Template | None = None) -> Template:
    """The template (that of an earlier result, where one is given) with what was asked for on the command line."""
    from dataclasses import replace

    from rescore_music.cli.arguments import DEFAULT_TEMPLATE
    from rescore_music.template import load_template, recast

    asked = recast(given or load_template(args.template or DEFAULT_TEMPLATE), forces=args.forces, style=args.style)
    sections = [dict(zip(("bars", "role", "give"), wish.split(":"), strict=False)) for wish in args.give]
    wishes: dict[str, object] = {}
    if sections:
        wishes["sections"] = [wish | {"give": wish.get("give", "").split(",")} for wish in sections]
    if args.keep:
        wishes["keep"] = args.keep
    if not wishes:
        return asked
    more = load_template(asked.name, wishes)
    known = load_template(asked.name)
    return replace(
        asked,
        sections=(*asked.sections, *more.sections[len(known.sections) :]),
        keep=tuple(dict.fromkeys((*asked.keep, *more.keep))),
    )


def settings_of(args: argparse.Namespace) -> Settings:
    """Everything else of the command line."""
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
        sound_map=args.sound_map,
        on_time=not getattr(args, "late_attacks", False),
        edits=getattr(args, "edits", "none"),
        runner_up=getattr(args, "runner_up", 0),
    )
