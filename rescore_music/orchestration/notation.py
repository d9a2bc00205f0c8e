"""What is printed beside the notes: marks carried with their lines, and dynamics derived where the page has none.

Conventions: a mark of a source part goes to every seat that plays the note it stands at. Marks of the whole score stay.
Derived dynamics are read off the velocities (effort), one where a phrase begins or the source has a dynamic, only
where the level has changed; hairpins where two neighbouring levels differ and the music goes on.
"""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from rescore_music.orchestration.draft import Ledger, Rows
from rescore_music.orchestration.ensemble import Ensemble
from rescore_music.score import Articulation, Mark, Score
from rescore_music.structure import Analysis

Ints = npt.NDArray[np.int64]

LEVELS = ("ppp", "pp", "p", "mp", "mf", "f", "ff", "fff")
_BOUNDS = np.array([25, 41, 57, 72, 88, 104, 119])
_SUDDEN = ("sf", "sfz", "sffz", "fz", "fp", "sfp", "rfz", "rf", "sfpp", "pf")
# written anew for the new instruments
_LEFT = ("clef", "pedal", "octave", "sign", "direction", "voicing", "figured-bass", "attribute")
_PLUCKED = re.compile(r"(pizz|pizzicato|arco)\.?", re.IGNORECASE)  # told by the notes themselves: `technique_marks`
_STRING_WORDS = ("pizz", "arco", "sul ", "col legno", "spicc", "punta", "tallone", "div", "unis")


class _Players:
    """Which seats play a source note, and which of them carry it."""

    def __init__(self, draft: Rows) -> None:
        self._all: dict[int, set[int]] = {}
        self._carriers: dict[int, set[int]] = {}
        self._pitch: dict[tuple[int, int], int] = {}  # by source note and seat
        known = draft[draft["source"] >= 0]
        columns = (known[name].tolist() for name in ("source", "seat", "doubling", "pitch"))
        for source, seat, doubling, pitch in zip(*columns, strict=True):
            self._all.setdefault(source, set()).add(seat)
            self._pitch[source, seat] = pitch
            if not doubling:
                self._carriers.setdefault(source, set()).add(seat)

    def seats(self, notes: Ints, *, carriers: bool = False) -> list[int]:
        """Seats that play any of these source notes, without reinforcement if `carriers`, in score order."""
        known = self._carriers if carriers else self._all
        return sorted({seat for note in notes.tolist() for seat in known.get(note, ())})

    def plays(self, seat: int, note: int) -> bool:
        """Whether a seat plays a source note."""
        return seat in self._all.get(note, ())

    def grace_group(self, mark: Mark, seat: int, notes: Ints, score: Score) -> Mark:
        """A grace group's mark with the pitches that a seat has for these source notes."""
        source = score.notes["pitch"][notes].tolist()
        moved = {p: self._pitch[n, seat] for n, p in zip(notes.tolist(), source, strict=True) if self.plays(seat, n)}
        text = re.sub(r"\b\d{1,3}\b", lambda found: str(moved.get(int(found[0]), found[0])), mark.text)
        return replace(_moved(mark, seat), text=text)


def carried_marks(draft: Rows, score: Score, seats: Ensemble, ledger: Ledger) -> list[Mark]:
    """Marks of the source that make sense on the new parts; `part` is the seat's index here."""
    players = _Players(draft)
    by_part = {part: score.part_notes(part) for part in sorted({m.part for m in score.marks if m.part >= 0})}
    out: dict[Mark, None] = {m: None for m in score.marks if m.part < 0}
    unsung = 0
    for mark in score.marks:
        if mark.part < 0 or mark.kind in _LEFT or (mark.kind == "dynamic" and mark.text not in _SUDDEN):
            continue
        if mark.kind in ("technique", "text") and _PLUCKED.fullmatch(mark.text.strip()):
            continue
        notes = _notes_at(score, by_part[mark.part], mark)
        if mark.kind == "lyric":
            singers = [s for s in players.seats(notes, carriers=True) if seats.seats[s].instrument.family == "voice"]
            unsung += not singers
            out |= {_moved(mark, s): None for s in singers}
            continue
        if mark.kind == "grace":
            notes = notes[score.notes["duration"][notes] == 0]
            out |= {players.grace_group(mark, seat, notes, score): None for seat in players.seats(notes)}
            continue
        for seat in players.seats(notes):
            made = _for_seat(mark, seat, score, by_part[mark.part], players, seats)
            if made is not None:
                out[made] = None
    ledger.tell("syllables left out: no singer has their notes", unsung)
    once = _said_once(list(out), 2 * score.ticks_per_quarter)
    ledger.tell("words said once: within a half note the same player had them already", len(out) - len(once))
    return once


def _said_once(marks: list[Mark], apart: int) -> list[Mark]:
    """The marks without words that one seat is given again, as by two source parts, less than `apart` ticks later."""
    said: dict[tuple[int, str], int] = {}
    out = []
    for mark in sorted(marks, key=lambda m: m.tick):
        if mark.kind in ("technique", "text") and mark.part >= 0:
            words = mark.part, mark.text.strip().lower()
            if mark.tick - said.get(words, -apart) < apart:
                continue
            said[words] = mark.tick
        out.append(mark)
    return out


def _moved(mark: Mark, seat: int) -> Mark:
    return replace(mark, part=seat, staff=0, voice=0)


def _notes_at(score: Score, notes: Ints, mark: Mark) -> Ints:
    """The source notes a mark stands at: at its tick, else the last before; of its voice and staff if it has them."""
    onset = score.notes["onset"][notes]
    here = notes[onset == mark.tick]
    if not len(here):
        before = onset[onset <= mark.tick]
        here = notes[onset == before.max()] if len(before) else notes[:0]
    voices, staves = score.notes["voice"][here], score.notes["staff"][here]
    own = here[(voices == mark.voice) & (staves == mark.staff)] if mark.voice else here[staves == mark.staff]
    return np.asarray(own if len(own) else here, np.int64)


def _for_seat(mark: Mark, seat: int, score: Score, notes: Ints, players: _Players, seats: Ensemble) -> Mark | None:
    """A mark as it stands in a seat's part; None where it makes no sense there."""
    family = seats.seats[seat].instrument.family
    bowed = mark.kind in ("technique", "text") and any(word in mark.text.lower() for word in _STRING_WORDS)
    if bowed and family != "strings":
        return None
    if mark.kind in ("slur", "hairpin") and mark.end >= 0:
        inside = notes[(score.notes["onset"][notes] >= mark.tick) & (score.notes["onset"][notes] <= mark.end)]
        played = [n for n in inside.tolist() if players.plays(seat, n)]
        if not played:
            return None
        end = min(mark.end, int(score.ends[played].max()))
        if mark.kind == "slur" and (family == "percussion" or int(score.notes["onset"][played].max()) <= mark.tick):
            return None
        return replace(_moved(mark, seat), end=end)
    return _moved(mark, seat)


def slur_marks(draft: Rows) -> list[Mark]:
    """Printed slurs over the runs of notes that a style's legato has joined."""
    rows = draft[np.lexsort((draft["onset"], draft["line"], draft["doubling"], draft["seat"]))]
    joined = (rows["articulation"] & int(Articulation.SLURRED)) != 0
    out = []
    i = 0
    while i < len(rows):
        if not joined[i]:
            i += 1
            continue
        j = i
        while j + 1 < len(rows) and joined[j] and rows["seat"][j + 1] == rows["seat"][i]:
            j += 1
        end = int(rows["onset"][j] + rows["duration"][j])
        out.append(Mark(int(rows["onset"][i]), "slur", part=int(rows["seat"][i]), end=end))
        i = j + 1
    return out


def derived_dynamics(draft: Rows, velocity: Ints, score: Score, analysis: Analysis, hairpins: bool) -> list[Mark]:
    """Dynamics, and hairpins if wished, from the velocities."""
    seams = _level_seams(score, analysis)
    out: list[Mark] = []
    cell = np.maximum(np.searchsorted(seams, draft["onset"], side="right") - 1, 0)
    weight = np.maximum(draft["duration"], 1).astype(np.float64) * np.where(draft["doubling"], 0.5, 1.0)
    for seat in np.unique(draft["seat"]).tolist():
        own = np.flatnonzero(draft["seat"] == seat)
        total = np.bincount(cell[own], weight[own], len(seams))
        mean = np.bincount(cell[own], weight[own] * velocity[own], len(seams)) / np.maximum(total, 1e-9)
        first = np.full(len(seams), np.iinfo(np.int64).max)
        last = np.zeros(len(seams), np.int64)
        np.minimum.at(first, cell[own], draft["onset"][own])
        np.maximum.at(last, cell[own], (draft["onset"] + draft["duration"])[own])
        out += _seat_dynamics(int(seat), np.flatnonzero(total > 0), mean, first, last, score, hairpins)
    return out


def without_clashes(derived: list[Mark], carried: list[Mark], score: Score) -> list[Mark]:
    """Derived marks that do not stand within a quarter of a sudden dynamic (sf, fp) of the same part."""
    sudden: dict[int, list[int]] = {}
    for mark in carried:
        if mark.kind == "dynamic" and mark.part >= 0:
            sudden.setdefault(mark.part, []).append(mark.tick)
    near = {part: np.array(sorted(ticks), np.int64) for part, ticks in sudden.items()}

    def clashes(mark: Mark) -> bool:
        ticks = near.get(mark.part)
        return ticks is not None and bool(np.any(np.abs(ticks - mark.tick) < score.ticks_per_quarter))

    return [mark for mark in derived if mark.kind != "dynamic" or not clashes(mark)]


def _level_seams(score: Score, analysis: Analysis) -> Ints:
    """Where a new dynamic may stand: at phrase starts and the source's dynamics, a half note or more apart."""
    starts = np.array([p.start for p in analysis.phrases], np.int64)
    source = [m.tick for m in score.marks if m.kind == "dynamic" and m.part >= 0 and m.text not in _SUDDEN]
    out = [-score.length]
    for tick in np.unique(np.concatenate([starts, np.array(source, np.int64)])).tolist():
        if tick - out[-1] >= 2 * score.ticks_per_quarter:
            out.append(tick)
    return np.array(out[1:] or [0], np.int64)


def _seat_dynamics(
    seat: int, played: Ints, mean: npt.NDArray[np.float64], first: Ints, last: Ints, score: Score, hairpins: bool
) -> list[Mark]:
    out: list[Mark] = []
    shown, before = -1, -1
    for i in played.tolist():
        level = int(np.searchsorted(_BOUNDS, mean[i], side="right"))
        rested = before < 0 or first[i] - last[before] > 4 * score.ticks_per_quarter
        # a wish to change within half a step of the boundary is not worth a mark
        if level != shown and shown >= 0 and not rested:
            edge = _BOUNDS[max(level, shown) - 1]
            if abs(level - shown) == 1 and abs(mean[i] - edge) < 3:
                level = shown
        if level != shown or rested:
            if hairpins and not rested and shown >= 0 and level != shown:
                start = max(int(score.bars[score.bar_of(max(int(first[i]) - 1, 0))]), int(first[before]))
                if start < int(first[i]) and int(last[before]) > start:
                    out.append(Mark(start, "hairpin", "<" if level > shown else ">", part=seat, end=int(first[i])))
            out.append(Mark(int(first[i]), "dynamic", LEVELS[level], part=seat))
            shown = level
        before = i
    return out


def technique_marks(draft: Rows, seats: Ensemble) -> list[Mark]:
    """Words "pizz." and "arco" where a string part changes between them."""
    out = []
    for seat in np.unique(draft["seat"]).tolist():
        if "pizzicato" not in seats.seats[seat].instrument.articulations:
            continue
        own = draft[draft["seat"] == seat]
        own = own[np.argsort(own["onset"], kind="stable")]
        plucked = (own["articulation"] & int(Articulation.PIZZICATO)) != 0
        change = np.flatnonzero(np.diff(np.concatenate([[False], plucked]).astype(np.int8)) != 0)
        out += [
            Mark(int(own["onset"][i]), "technique", "pizz." if plucked[i] else "arco", part=int(seat)) for i in change
        ]
    return out
