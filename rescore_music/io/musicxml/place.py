"""Where the reading of one MusicXML part stands, shared by the readers of its attributes, notes and notations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rescore_music.errors import ReadError

if TYPE_CHECKING:
    from rescore_music.io.musicxml.parts import PartEntry
    from rescore_music.io.notation.draft import Draft


_MOST_KNOWN = 1000  # durations and pitches remembered: no music has more different ones


Written = tuple[str | None, str | None, str | None]  # the texts of a pitch: step, octave, alter


class PartPlace:
    """One part's bar, divisions and transposition while it is read, and how many of its notes have a pitch."""

    def __init__(self, draft: Draft, index: int, entry: PartEntry) -> None:
        self.draft, self.index, self.entry = draft, index, entry
        self.rows = draft.rows
        self.bar = 0
        self.quarter = draft.ticks_per_quarter
        self._scale: float = self.quarter
        self.known: dict[str, int] = {}  # durations met under these divisions, in ticks
        self.transposition = (0, 0)
        self.pitched = self.unpitched = 0
        self.signatures: list[tuple[int, int, tuple[int, int], str]] = []  # bar, at, transposition, the element
        self.moves: list[tuple[int, int]] = []  # bar and place of changes of transposition

    @property
    def scale(self) -> float:
        """Ticks a division."""
        return self._scale

    @scale.setter
    def scale(self, value: float) -> None:
        self._scale, self.known = value, {}

    @property
    def transposition(self) -> tuple[int, int]:
        """From written to sounding pitch: semitones, staff steps."""
        return self.chromatic, self.diatonic

    @transposition.setter
    def transposition(self, value: tuple[int, int]) -> None:
        self.chromatic, self.diatonic = value
        self.heard: dict[Written, tuple[int, int, int]] = {}  # pitches met under it: how they sound, their spelling

    def remember(self, written: Written, sounding: tuple[int, int, int]) -> None:
        """Keep how a written pitch sounds."""
        if len(self.heard) < _MOST_KNOWN:
            self.heard[written] = sounding

    @property
    def name(self) -> str:
        """The part as the log and errors name it."""
        return f"part {self.entry.name or self.entry.id or self.index + 1}"

    def log(self, what: str, count: int = 1) -> None:
        """Count a repair or loss of this part."""
        self.draft.note(self.name, what, count)

    def error(self, what: str, cure: str) -> ReadError:
        """An error that names the file, the part and the bar."""
        return ReadError(what, file=self.draft.file, where=f"{self.name}, bar {self.bar + 1}", cure=cure)

    def ticks(self, text: str) -> int:
        """A duration or offset, given in divisions."""
        known = self.known.get(text)
        if known is not None:
            return known
        try:
            value: float = int(text)
        except ValueError:
            try:
                value = float(text)
            except ValueError:
                self.log(f"durations that are no numbers ({text[:20]!r}), taken as 0")
                return 0
        ticks = value * self.scale
        if not abs(ticks) < 1e15:
            raise self.error(f"a duration of {text[:20]} divisions cannot be", "mend it")
        if len(self.known) < _MOST_KNOWN:
            self.known[text] = round(ticks)
        return round(ticks)
