"""Commands that write a cue anew: to picture, to sound."""

from __future__ import annotations

import argparse
import sys

from rescore_music.cli.printing import say, say_json


def run_convert(args: argparse.Namespace) -> int:
    """Write a cue in another format: notated, unfolded, for print or for a sequencer."""
    from rescore_music.io import read_score
    from rescore_music.quantizing import quantize
    from rescore_music.repeats import unfold
    from rescore_music.view.annotations import with_rehearsal_marks
    from rescore_music.view.export import write_parts, write_score

    score = read_score(args.cue, salvage=args.salvage)
    before = len(score.import_log)
    if args.quantize:
        score = quantize(score, strength=args.strength, beats=args.beats, swing=args.swing)
    if args.unfold:
        score = unfold(score)
    if args.rehearsal:
        from rescore_music.analysis import analyze

        score = with_rehearsal_marks(score, analyze(score))
    say(write_score(score, args.out, concert=args.concert, paper=args.paper, sound_map=args.sound_map))
    if args.parts is not None:
        for path in write_parts(score, args.parts, suffix=args.out.suffix):
            say(path)
    for item in score.import_log[before:]:
        say(f"{item.where}: {item.what} ({item.count})", file=sys.stderr)
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
        say_json(synced.as_dict())
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
