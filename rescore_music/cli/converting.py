"""Commands that write a cue anew: to picture, to sound."""

from __future__ import annotations

import argparse
import sys

from rescore_music.cli.printing import say, say_json

TYPE_CHECKING = False  # typing costs as much to import as everything else here
if TYPE_CHECKING:
    from rescore_music.syncing import ConstantTempo, Synced, Way


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
    from rescore_music.syncing import needs_analysis, sync

    score, cues = read_score(args.cue, salvage=args.salvage), read_cues(args.cues, args.rate, args.start)
    cues = cues.ending(args.end) if args.end else cues
    analysis = analyze(score) if needs_analysis(cues, args.edits) else None
    synced = sync(
        score, cues, analysis=analysis, edits=args.edits, lower=args.lower, compare=True, runner_up=args.runner_up
    )
    write_score(synced.score, args.out)
    if args.json:
        say_json(synced.as_dict())
        return 0
    if cues.start_give and synced.cues is not None:
        say(f"the cue starts at {synced.cues.start}")
    for hit in synced.hits:
        say(
            f"{hit.target_s:9.3f} s  bar {hit.bar:>4} beat {hit.beat:<6g} {hit.residual_frames:+8.4f} frames  "
            f"{'landed' if hit.landed else 'missed':<6} {hit.kind:<4} {hit.label}"
        )
    for skipped in synced.skipped:
        say(f"skipped: {skipped}")
    for line in (*synced.edits, *synced.passages):
        say(line)
    _say_ways(synced)
    say(f"largest step {synced.max_step_percent:.2f} % a beat, deviation {synced.max_deviation_percent:.2f} %")
    say(args.out)
    return 0


def _say_ways(synced: Synced) -> None:
    """The three ways, the next best constant tempi and the runners-up."""
    heads = ("hard off", "soft off", "<= 1 frame", "step %", "deviation %")
    say(f"{'':<12}{'bpm':>9}" + "".join(f"{head:>13}" for head in heads))
    rows: list[tuple[str, Way | ConstantTempo, float, float]] = []
    rows += [(way.name, way, way.max_step_percent, way.max_deviation_percent) for way in synced.ways]
    rows += [(f"constant {k}", t, 0.0, abs(t.factor - 1) * 100) for k, t in enumerate(synced.constant[1:4], 2)]
    for name, way, step, away in rows:
        off = f"{way.mean_frames_off:13.3f}{way.mean_frames_off_other:13.3f}{way.within_a_frame:13.0%}"
        say(f"{name:<12}{way.bpm:9.3f}{off}{step:13.2f}{away:13.2f}")
    for number, other in enumerate(synced.alternatives, 1):
        text = "; ".join(other.edits)
        say(
            f"runner-up {number}, {other.name}: step {other.max_step_percent:.2f} %, "
            f"deviation {other.max_deviation_percent:.2f} %" + (f" ({text})" if text else "")
        )


def sync_options(sub: argparse.ArgumentParser) -> None:
    """What `sync` may do besides bending the tempo."""
    solution_options(sub)
    text = "make the accompaniment so much softer under dialogue (default %(default)g)"
    sub.add_argument("--lower", type=float, default=0.0, metavar="DB", help=text)
    sub.add_argument("--end", metavar="TIMECODE", help="where the music must end")


def solution_options(sub: argparse.ArgumentParser) -> None:
    """What of the music may change for its hits, and which way to meet them is taken."""
    text = "bar edits at phrase seams: odd meters, or whole bars too (default %(default)s)"
    sub.add_argument("--edits", choices=("none", "meters", "bars"), default="none", help=text)
    text = "take the n-th of the runners-up that are told, instead of the best"
    sub.add_argument("--runner-up", type=int, default=0, metavar="N", help=text)


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
