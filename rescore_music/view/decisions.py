"""Who got which line, when and why, and who would have been next: for a reader, from the report's own rows.

The rows are those of report.json (`lines`, `phrases`, `decisions`), so a delivered folder can be explained without the
cue. A cost is told by its name; `orchestration.costs.TABLE` says what each means.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rescore_music.structure import Role
from rescore_music.view.casting import line_names, phrase_heads
from rescore_music.view.palette import ROLE_NAMES
from rescore_music.view.report_blocks import table, text

if TYPE_CHECKING:
    from rescore_music.view.report import ReportInput

Row = Mapping[str, Any]
_TOLD = 2  # so many terms are named on each side


def rows_of(result: ReportInput) -> dict[str, Any]:
    """The rows of a result, as report.json holds them."""
    seats = tuple(seat.name for seat in result.template.forces.seats)
    return {
        "lines": line_names(result.music, result.analysis),
        "phrases": phrase_heads(result.music, result.analysis),
        "decisions": [decision.as_dict(seats) for decision in result.decisions],
    }


def grouped(report: Row) -> Iterator[tuple[str, list[Row]]]:
    """(head of a phrase, its decisions), in time."""
    for number, head in enumerate(report["phrases"]):
        yield head, [row for row in report["decisions"] if row["phrase"] == number]


def who(row: Row) -> str:
    """Seats in words: "Horns in F, doubled by Trumpets in C an octave higher"."""
    doubled = ", ".join(d["seat"] + _octaves(d["octaves"] - row["octaves"]) for d in row["doubled"])
    return f"{row['seat']}{_octaves(row['octaves'])}" + (f", doubled by {doubled}" if doubled else "")


def _octaves(octaves: int) -> str:
    if not octaves:
        return ""
    many = "an octave" if abs(octaves) == 1 else f"{abs(octaves)} octaves"
    return f" {many} {'higher' if octaves > 0 else 'lower'}"


def why(row: Row) -> str:
    """The runner-up in words: "Next best: Violins I, dearer by 0.87: continuity +2.77; for it: contrast -1.26"."""
    if row["runner_up"] is None:
        return "No other way was left among the best."
    worse = [f"{name} {value:+.2f}" for name, value in row["differences"].items() if value > 0][:_TOLD]
    better = [f"{name} {value:+.2f}" for name, value in row["differences"].items() if value < 0][:_TOLD]
    how = f"dearer by {row['extra']:.2f}" if row["extra"] >= 0 else f"cheaper by {-row['extra']:.2f} on paper"
    against = f": {', '.join(worse)}" if worse else ""
    speaking = f"; for it: {', '.join(better)}" if better else ""
    return f"Next best: {row['runner_up']}, {how}{against}{speaking}."


def explanation(report: Row) -> str:
    """The whole as plain text, a block a phrase."""
    lines: list[str] = []
    for head, rows in grouped(report):
        lines.append(head)
        for row in rows:
            role = ROLE_NAMES[Role[row["role"].upper()]]
            lines.append(f"  {role} ({report['lines'][row['line']]}): {who(row)}. {why(row)}")
    return "\n".join(lines)


def decisions(report: Row, heads: Sequence[str] = ("Bars", "Line", "Given to", "Why, and who was next")) -> str:
    """The same as an HTML table."""
    rows = [
        (
            text(head) if n == 0 else "",
            f"{text(ROLE_NAMES[Role[row['role'].upper()]])}: {text(report['lines'][row['line']])}",
            text(who(row)),
            text(why(row)),
        )
        for head, group in grouped(report)
        for n, row in enumerate(group)
    ]
    return table(heads, rows)
