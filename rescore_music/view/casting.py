"""Who plays which line when: the assignments of a candidate as a table of seats by phrases, and as rows for a reader.

Bars count from 1. A seat's cell holds every line that it has in the phrase, carriers before doublings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rescore_music.candidate import Assignment
from rescore_music.score import Score
from rescore_music.structure import Analysis, Role
from rescore_music.template import Template
from rescore_music.view.palette import ROLE_NAMES


@dataclass(frozen=True)
class Duty:
    """One line in one phrase on one seat."""

    line: int
    name: str
    role: Role
    octaves: int = 0
    doubling: bool = False

    @property
    def text(self) -> str:
        """For a table: "Melody: Flute, doubled an octave higher"."""
        how = "doubles " if self.doubling else ""
        moved = "" if not self.octaves else f" {abs(self.octaves)} oct. {'up' if self.octaves > 0 else 'down'}"
        return f"{ROLE_NAMES[self.role]}: {how}{self.name}{moved}"


@dataclass(frozen=True)
class Casting:
    """Seats by phrases.

    Attributes
    ----------
    seats : tuple of str
        Names of the seats that play, in score order.
    phrases : tuple of str
        Heads: "A, bars 1-8".
    duties : tuple of tuples of tuples of Duty
        By seat, then by phrase.
    """

    seats: tuple[str, ...]
    phrases: tuple[str, ...]
    duties: tuple[tuple[tuple[Duty, ...], ...], ...]

    def rows(self) -> list[dict[str, str]]:
        """One dict a seat: {"Seat": name, phrase head: what it plays}."""
        return [
            {
                "Seat": seat,
                **{head: "\n".join(d.text for d in cell) for head, cell in zip(self.phrases, row, strict=True)},
            }
            for seat, row in zip(self.seats, self.duties, strict=True)
        ]


def casting(source: Score, analysis: Analysis, template: Template, assignments: Sequence[Assignment]) -> Casting:
    """The assignments of one candidate as a table.

    Parameters
    ----------
    source : Score
    analysis : Analysis
        Of the source.
    template : Template
    assignments : sequence of Assignment

    Returns
    -------
    Casting
    """
    names = line_names(source, analysis)
    cells: dict[tuple[int, int], list[Duty]] = {}
    for a in sorted(assignments, key=lambda a: (a.doubling, a.line, a.octaves)):
        role = Role(int(analysis.roles[a.line, a.phrase]))
        if role != Role.REST:
            cell = cells.setdefault((a.seat, a.phrase), [])
            duty = Duty(a.line, names[a.line], role, a.octaves, a.doubling)
            if duty not in cell:
                cell.append(duty)
    playing = [i for i in range(len(template.forces.seats)) if any(seat == i for seat, _ in cells)]
    count = len(analysis.phrases)
    return Casting(
        tuple(template.forces.seats[i].name for i in playing),
        tuple(phrase_heads(source, analysis)),
        tuple(tuple(tuple(cells.get((i, p), ())) for p in range(count)) for i in playing),
    )


def line_names(source: Score, analysis: Analysis) -> list[str]:
    """A name for each line: the part's, and the voice's number where the part has several."""
    out = []
    for line in analysis.lines:
        name = source.parts[line.part].name or f"part {line.part + 1}"
        several = sum(other.part == line.part for other in analysis.lines) > 1
        out.append(f"{name} {line.voice + 1}" if several else name)
    return out


def phrase_heads(source: Score, analysis: Analysis) -> list[str]:
    """Each phrase as "A, bars 1-8"; unlike phrases may share a label, so the bars keep the heads apart."""
    heads = []
    for phrase in analysis.phrases:
        first, last = source.bar_number([phrase.start, max(phrase.end - 1, phrase.start)])
        bars = f"bar {first}" if first == last else f"bars {first}–{last}"
        heads.append(f"{phrase.label}, {bars}" if phrase.label else bars)
    return heads
