"""How the hits of a picture are met, in tables: three ways side by side, what was done to bars, what became of spans.

Conventions: as in `report_blocks`: each function gives one block of HTML; figures are those of `syncing.result`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rescore_music.view.report_blocks import table, text

if TYPE_CHECKING:
    from rescore_music.syncing import Alternative, Synced

NAMES = {"constant": "One constant tempo", "piecewise": "A tempo from hit to hit", "joint": "One curve for all hits"}


def ways(synced: Synced) -> str:
    """Constant tempo, tempo steps and joint curve in three columns; empty where they were not compared."""
    if not synced.ways:
        return ""
    other = any(hit.kind == "soft" for hit in synced.hits)
    measures = [
        ("Tempo at the start, quarters a minute", [f"{way.bpm:.2f}" for way in synced.ways]),
        ("Hits at most one frame off", [f"{way.within_a_frame:.0%}" for way in synced.ways]),
        ("Frames off on average, hard hits", [f"{way.mean_frames_off:.2f}" for way in synced.ways]),
        ("Frames off on average, soft hits", [f"{way.mean_frames_off_other:.2f}" for way in synced.ways]),
        ("Largest tempo change, a beat to the next", [_percent(way.max_step_percent) for way in synced.ways]),
        ("Farthest from the cue's own tempo", [_percent(way.max_deviation_percent) for way in synced.ways]),
    ]
    rows = [(name, *values) for name, values in measures if other or "soft" not in name]
    head = ("", *(text(NAMES.get(way.name, way.name)) for way in synced.ways))
    return table(head, rows, numbers=range(1, len(head)))


def changes(synced: Synced) -> str:
    """What was done to bars, and what became of dialogue, holds and other spans; empty where there is nothing."""
    out = []
    if synced.edits:
        rows = "".join(f"<li>{text(edit)}</li>" for edit in synced.edits)
        out.append(f"<h3>Bars that changed</h3><p>Numbers are the cue's own.</p><ul>{rows}</ul>")
    if synced.passages:
        passages = [
            (
                text(f"{p.start} – {p.end}"),
                text(p.kind + (f" · {p.label}" if p.label else "")),
                f"{p.bar}, {p.beat:.3g} – {p.end_bar}, {p.end_beat:.3g}",
                f"{p.notes:,}",
                text(p.text),
            )
            for p in synced.passages
        ]
        head = ("Timecode", "Span", "Bar, beat", "Notes", "What the music does")
        out.append(f"<h3>Spans of the picture</h3>{table(head, passages, numbers=(3,))}")
    return "".join(out)


def others(synced: Synced) -> str:
    """The runners-up, best first; empty where there are none."""
    if not synced.alternatives:
        return ""
    rows = [
        (
            str(number),
            text(other.name),
            _percent(other.max_step_percent),
            _percent(other.max_deviation_percent),
            text("; ".join(other.edits) or "–"),
        )
        for number, other in enumerate(synced.alternatives, 1)
    ]
    head = ("Runner-up", "Beside this one", "Largest step", "Farthest", "Bars")
    return f"<h3>Other ways to land</h3>{table(head, rows, numbers=(2, 3))}"


def named(solution: Synced | Alternative, name: str) -> str:
    """One solution in a line, as a list of choices has it."""
    count = len(solution.edits)
    bars = f"; {count} bar edit{'s' if count > 1 else ''}" if count else ""
    step, away = _percent(solution.max_step_percent), _percent(solution.max_deviation_percent)
    return f"{name}: {step} a beat, {away} in all{bars}"


def _percent(value: float) -> str:
    return f"{value:.2f}\N{NO-BREAK SPACE}%"
