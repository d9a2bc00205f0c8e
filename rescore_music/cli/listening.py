"""Commands that read a cue and tell of it."""

from __future__ import annotations

import argparse
import sys

from rescore_music.cli.printing import say, say_json, say_measures


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
        say_json(found)
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
        say_json(table)
    else:
        say("\n".join(motif_lines(table)))
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
        say_json(quality.as_dict())
    else:
        say_measures(quality)
    return 0
