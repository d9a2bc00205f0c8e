"""The report page's tables: each function gives one block of HTML for one part of a result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from rescore_music.structure import Role
from rescore_music.view.casting import casting
from rescore_music.view.palette import ROLE_COLOURS, ROLE_NAMES
from rescore_music.view.report_style import role_class
from rescore_music.view.tempocurve import tempo_curve

if TYPE_CHECKING:
    from rescore_music.view.report import ReportInput

SHARES = {"share": 100.0}


def text(value: object) -> str:
    """A value made safe for HTML."""
    return escape(str(value), quote=True)


def words(name: str) -> str:
    """A key as words: "melody_kept" is "Melody kept"."""
    spaced = name.replace("_", " ").replace("-", " ").strip()
    return spaced[:1].upper() + spaced[1:]


def figure(value: float | int | None, unit: str = "") -> str:
    """A number as a musician reads it: shares as per cent, three figures else."""
    if value is None:
        return "–"
    if unit in SHARES:
        return f"{value * 100:.4g}\N{NO-BREAK SPACE}%"
    shown = f"{value:,}" if isinstance(value, int) else f"{value:.4g}" if abs(value) < 10_000 else f"{value:,.0f}"
    return f"{shown} {unit}".strip()


def facts(result: ReportInput) -> str:
    """The numbers at the top."""
    source, score = result.source, result.score
    judged = [m.ok for m in result.quality if m.ok is not None]
    items = [
        (f"{score.duration // 60:.0f}:{score.duration % 60:04.1f}", "length"),
        (f"{len(score.bars) - 1}", "bars"),
        (f"{len(source.parts)} → {len(score.parts)}", "parts"),
        (f"{len(source.notes):,} → {len(score.notes):,}", "notes"),
        (f"{sum(judged)} of {len(judged)}", "measures in order"),
    ]
    if result.synced is not None:
        landed = sum(h.landed for h in result.synced.hits)
        items.append((f"{landed} of {len(result.synced.hits)}", "hits landed"))
    body = "".join(f"<li><b>{text(value)}</b><span>{name}</span></li>" for value, name in items)
    return f'<ul class="facts">{body}</ul>\n'


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Sequence[int] = (), chosen: int = -1) -> str:
    """A table of ready HTML cells; the first of each row is its head."""
    tops = "".join(f'<th scope="col"{_n(i, numbers)}>{h}</th>' for i, h in enumerate(head))
    body = []
    for k, row in enumerate(rows):
        cells = "".join(
            f'<th scope="row"{_n(i, numbers)}>{c}</th>' if i == 0 else f"<td{_n(i, numbers)}>{c}</td>"
            for i, c in enumerate(row)
        )
        body.append(f"<tr{' class=chosen' if k == chosen else ''}>{cells}</tr>")
    return f'<div class="scroll"><table><thead><tr>{tops}</tr></thead><tbody>{"".join(body)}</tbody></table></div>\n'


def _n(column: int, numbers: Sequence[int]) -> str:
    return ' class="n"' if column in numbers else ""


def verdict(ok: bool | None) -> str:
    """A measure's judgement in words."""
    return {True: "in order", False: "needs a look", None: "told, not judged"}[ok]


def wanted(good: Any, unit: str) -> str:
    """The good range in words."""
    if good is None:
        return ""
    low, high = good
    if low == high:
        return figure(low, unit)
    if high is None:
        return f"at least {figure(low, unit)}"
    return f"at most {figure(high, unit)}" if low is None else f"{figure(low, unit)} to {figure(high, unit)}"


def measures(quality: Iterable[Any]) -> str:
    """Every measure with its meaning and a plain verdict."""
    rows = []
    for m in quality:
        kind = {True: "good", False: "bad", None: "none"}[m.ok]
        places = f'<div class="note">{"; ".join(text(d) for d in m.detail)}</div>' if m.detail else ""
        rows.append(
            (
                text(words(m.name)),
                text(figure(m.value, m.unit)),
                text(wanted(m.good, m.unit)),
                f'<span class="verdict {kind}">{verdict(m.ok)}</span>',
                text(m.meaning) + places,
            )
        )
    return table(("Measure", "Value", "Wanted", "Verdict", "What it means"), rows, numbers=(1,))


def casting_table(result: ReportInput) -> str:
    """Seats by phrases, each cell the lines it plays, coloured by role."""
    cast = casting(result.music, result.analysis, result.template, result.chosen.assignments)
    key = "".join(f'<span class="duty {role_class(role)}">{ROLE_NAMES[role]}</span>' for role in ROLE_COLOURS)
    head = "".join(f'<th scope="col">{text(h)}</th>' for h in cast.phrases)
    rows = []
    for seat, row in zip(cast.seats, cast.duties, strict=True):
        cells = "".join(f"<td>{''.join(_duty(d) for d in cell)}</td>" for cell in row)
        rows.append(f'<tr><th scope="row">{text(seat)}</th>{cells}</tr>')
    return (
        "<p>Rows are players, columns phrases; a cell names the line of the cue that they play. A dotted edge is a"
        f' doubling, an arrow an octave.</p><div class="key">{key}</div><div class="scroll"><table class="cast">'
        f'<thead><tr><th scope="col">Seat</th>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>\n'
    )


def _duty(duty: Any) -> str:
    arrow = ("↑" if duty.octaves > 0 else "↓") * abs(duty.octaves)
    double = " double" if duty.doubling else ""
    role = Role(duty.role)
    return (
        f'<span class="duty {role_class(role)}{double}" title="{text(duty.text)}">{text(duty.name)}'
        f"{' ' + arrow if arrow else ''}</span>"
    )


def curve(result: ReportInput) -> str:
    """The tempo curve as SVG, the cue's own tempo behind it."""
    flags = [(h.target_s, h.label, h.landed) for h in result.synced.hits]
    return tempo_curve(result.score, own=result.synced.base or result.source, hits=flags)


def hits(synced: Any) -> str:
    """Every hit, where it landed and by how many frames it missed; what was not met, and why."""
    rows = [
        (
            text(h.timecode),
            text(h.label),
            text(h.kind),
            f"{h.bar}",
            f"{h.beat:g}",
            f"{h.residual_frames:+.3f}",
            f'<span class="verdict {"good" if h.landed else "bad"}">{"landed" if h.landed else "missed"}</span>',
        )
        for h in synced.hits
    ]
    head = ("Timecode", "Hit", "Kind", "Bar", "Beat", "Frames off", "Verdict")
    skipped = "".join(f"<li>{text(s)}</li>" for s in synced.skipped)
    return (
        f"<p>The tempo changes by at most {synced.max_step_percent:.2f} % from one beat to the next and leaves the"
        f" cue's own tempo (grey in the curve) by at most {synced.max_deviation_percent:.2f} %.</p>"
        + table(head, rows, numbers=(3, 4, 5))
        + (f"<h3>Not met</h3><ul>{skipped}</ul>" if skipped else "")
    )


def sound(rendering: Any) -> str:
    """How the sound was made, and its stems."""
    rows = [("Made by", text(rendering.backend or "–")), ("Rate", f"{rendering.rate:,} Hz")]
    rows.append(("Length", f"{len(rendering.mix) / rendering.rate:.2f} s"))
    rows.append((f"Stems ({len(rendering.stems)})", text(", ".join(rendering.stems))))
    rows += [("Notice", text(notice)) for notice in rendering.notices]
    return table(("Sound", ""), rows)


def logs(result: ReportInput) -> str:
    """What reading mended and what orchestrating changed, item by item."""
    out = []
    for title, items, none in (
        ("On reading", result.source.import_log, "Nothing: the file was sound."),
        ("On orchestrating", result.chosen.log, "Nothing."),
    ):
        rows = [(text(item.where or "–"), text(item.what), f"{item.count:,}") for item in items]
        out.append(f"<h3>{title}</h3>")
        shown = table(("Where", "What", "Times"), rows, numbers=(2,))
        if len(rows) > 30:
            shown = f"<details><summary>{len(rows)} entries</summary>{shown}</details>"
        out.append(shown if rows else f"<p>{none}</p>")
    return "".join(out)


def provenance(values: Mapping[str, str]) -> str:
    """What a second run must share to give the same bytes."""
    rows = [(text(words(k)), f"<code>{text(v)}</code>") for k, v in values.items() if v]
    return table(("What", "Value"), rows)


def seconds(values: Mapping[str, float]) -> str:
    """What each stage took."""
    rows = [(text(words(stage)), f"{value:.3f} s") for stage, value in values.items()]
    rows.append(("Together", f"{sum(values.values()):.3f} s"))
    return table(("Stage", "Time"), rows, numbers=(1,))
