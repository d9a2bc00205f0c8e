"""CMX3600 edit lists (.edl): reading and writing.

An event is a line `number reel channels transition [length] source-in source-out record-in record-out`; a transition is
two lines of one number, the outgoing source first and often of no length. `FCM:` tells the count (drop or non-drop):
before the first event that of the record times, later that of the sources that follow. `M2 reel speed timecode` changes
an event's speed, in frames a second. What starts with `*` is a comment, and carries names and markers.

Conventions: the file does not tell its rate. Reels of more than 32 characters or with spaces, exact speeds that `M2`
cannot say, and sources at another rate are written into comments (`* REEL:`, `* SPEED:`, `* SOURCE RATE:`), which this
reader takes back and others pass over.

Sources: CMX 3600 edit list as described in the manuals of the systems that read it; SMPTE ST 258 (edit decision lists)
for the field order; the `LOC` and `|M:` marker comments as Avid and DaVinci Resolve write them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

from rescore_music.edits import BLACK, CUT, DISSOLVE, WIPE, Edit, EditList, PictureMarker, told
from rescore_music.elements import LogItem
from rescore_music.errors import ReadError, RescoreError
from rescore_music.io.picture.common import Remarks, check_count, frame_of, text_lines
from rescore_music.io.picture.common import wanted_rate as _wanted_rate
from rescore_music.io.picture.edl_speed import speed_of
from rescore_music.timecode import FrameRate

CHANNELS = {
    "V": "V1",
    "A": "A1",
    "AA": "A1 A2",
    "B": "V1 A1",
    "A/V": "V1 A1",
    "AA/V": "V1 A1 A2",
    "A2/V": "V1 A2",
    "A1A2": "A1 A2",
    "12": "A1 A2",
    "NONE": "NONE",
}
_TIMECODE = re.compile(r"\d\d[:;.,]\d\d[:;.,]\d\d[:;.,]\d{2,3}")
_TRANSITION = re.compile(r"(?P<kind>C|D|W\d{1,3}|KB|K|KO)(?P<length>\d{1,4})?")
COLORS = tuple(
    "none red green blue cyan magenta yellow black white orange purple pink brown".split()  # noqa: SIM905
)
_RESOLVE = re.compile(r"\|C:\s*(?P<color>\w*)\s*\|M:(?P<text>.*?)(?:\|D:\s*(?P<length>\d{1,9})\s*)?$")
_NAMES = ("FROM CLIP NAME", "TO CLIP NAME", "SOURCE FILE", "REEL", "SPEED", "SOURCE RATE", "OUTGOING")


@dataclass
class _Row:
    """One event line, and what the lines under it say of it."""

    where: str
    number: str
    reel: str
    tracks: tuple[str, ...]
    kind: str
    length: int
    source_rate: FrameRate
    labels: tuple[str, ...]
    speed: Fraction | None = None
    comments: dict[str, str] = field(default_factory=dict)
    mark: bool = False  # the event only carries markers


def read_edl(path: Path, rate: FrameRate | None = None) -> EditList:
    """Read a CMX3600 edit list; see `read_edits`."""
    known = _wanted_rate(rate, path, "an edit list")
    reader = _Reader(path, known)
    for number, line in enumerate(text_lines(path), 1):
        reader.line(f"line {number}", line)
    return reader.result()


class _Reader:
    def __init__(self, path: Path, rate: FrameRate) -> None:
        self.path, self.rate, self.count = path, rate, rate
        self.title, self.rows = "", list[_Row]()
        self.titled = self.headed = False  # whether a title and the list's own count were met
        self.markers: list[PictureMarker] = []
        self.remarks: Remarks = []

    def line(self, where: str, line: str) -> None:
        text = line.strip().lstrip("\ufeff")
        upper = text.upper()
        if not text:
            return
        if upper.startswith("TITLE:"):
            self.title = self.title or text[6:].strip()
            self.titled = True
        elif upper.startswith("FCM:"):
            self._fcm(where, upper[4:])
        elif upper.startswith("M2 "):
            self._motion(where, text.split())
        elif upper.startswith("AUD ") and self.rows:
            added = tuple(f"A{int(word)}" for word in text.split()[1:] if word.isdecimal() and len(word) < 3)
            row = self.rows[-1]
            row.tracks = tuple(dict.fromkeys((*(t for t in row.tracks if t != "NONE"), *added))) or row.tracks
        elif text.startswith("*"):
            self._comment(where, text[1:].strip())
        elif found := _RESOLVE.search(text):
            self._resolve(where, found)
        elif text[0].isalnum() and text[0].isascii() and self._event(where, text):
            check_count(len(self.rows), self.path)
        else:
            self.remarks.append((where, f"'{text.split()[0][:20]}' line not understood", False))

    def _fcm(self, where: str, text: str) -> None:
        drop = "NON" not in text and "DROP" in text
        if "DROP" not in text:
            self.remarks.append((where, f"frame code mode '{text.strip()[:20]}' ignored", False))
            return
        first, self.headed = not self.headed and not self.rows, True
        if first and drop != self.rate.drop:
            what = f"the list counts {'drop' if drop else 'non-drop'} frame, but the rate {self.rate} does not"
            one_drops = drop and self.rate.fps.denominator == 1001 and self.rate.nominal % 30 == 0
            cure = f"give {self.rate.name.removesuffix('ndf')}df" if one_drops else "give the list's own rate"
            raise ReadError(what, file=self.path, where=where, cure=cure)
        try:
            self.count = FrameRate(self.rate.fps, drop)
        except RescoreError as problem:
            raise ReadError(problem.what, file=self.path, where=where, cure="give the list's own rate") from problem

    def _event(self, where: str, text: str) -> bool:
        """Take an event line; False where it is none."""
        words = text.split()
        if len(words) < 8 or not all(_TIMECODE.fullmatch(word) for word in words[-4:]):
            if len(words) >= 8 and words[0].isdecimal() and sum(map(bool, map(_TIMECODE.fullmatch, words[-4:]))) > 1:
                bad = next((w for w in words[-4:] if not _TIMECODE.fullmatch(w)), "")
                cure = "write hh:mm:ss:ff, with ; before ff for drop frame"
                raise ReadError(f"'{bad[:20]}' is not a timecode", file=self.path, where=where, cure=cure)
            return False
        head = words[1:-4]
        length = head.pop() if len(head) > 3 and head[-1].isdecimal() else ""
        found = _TRANSITION.fullmatch(head[-1].upper())
        if found is None:
            return False
        tracks = self._tracks(where, head[-2].upper())
        frames = length or found["length"] or "0"
        if len(frames) > 6:
            raise ReadError(f"a transition of {frames[:20]} frames", file=self.path, where=where)
        reel = " ".join(head[:-2])
        labels = tuple(_mended(word) for word in words[-4:])
        row = _Row(where, words[0], reel, tracks, found["kind"], int(frames), self.count, labels)
        self.rows.append(row)
        return True

    def _tracks(self, where: str, channels: str) -> tuple[str, ...]:
        if channels in CHANNELS:
            return tuple(CHANNELS[channels].split())
        found: list[str] = []
        for word in re.split(r"[/,+]", channels):
            if word in CHANNELS:
                found += CHANNELS[word].split()
            elif re.fullmatch(r"V\d{1,2}|A\d{1,2}", word):
                found.append(word)
            else:
                raise ReadError(f"'{channels[:20]}' names no channels", file=self.path, where=where, cure="V, A, AA/V")
        return tuple(dict.fromkeys(found))

    def _motion(self, where: str, words: list[str]) -> None:
        label = _mended(words[-1]) if _TIMECODE.fullmatch(words[-1]) else ""
        value = words[-2] if label else words[-1]
        if not re.fullmatch(r"[+-]?\d{1,6}(\.\d{0,9})?", value):
            self.remarks.append((where, "M2 line without a speed ignored", True))
            return
        reel = " ".join(words[1 : -2 if label else -1])
        last = self.rows[-1].number if self.rows else ""
        event = [row for row in self.rows[-2:] if row.number == last]
        mine = [row for row in event if row.reel.upper() == reel.upper()] or event[-1:]
        if not mine:
            self.remarks.append((where, "M2 line before the first event ignored", True))
            return
        row = next((row for row in mine if row.labels[0] == label and row.speed is None), mine[-1])
        row.speed = speed_of(value, self.rate)

    def _comment(self, where: str, text: str) -> None:
        upper = text.upper()
        if found := re.match(r"LOC\s*:", upper):
            self._loc(where, text[found.end() :].split(None, 2))
            return
        for name in _NAMES:
            if upper.startswith(name) and self.rows:
                value = text[len(name) :].strip()
                if value.startswith(":"):
                    self._say(name, value[1:].strip())
                    return
        if marker := _RESOLVE.search(text):
            self._resolve(where, marker)
        elif text:
            self.remarks.append((where, "comment of no known kind left out", False))

    def _say(self, name: str, value: str) -> None:
        row = self.rows[-1]
        before = self.rows[-2] if len(self.rows) > 1 and self.rows[-2].number == row.number else None
        if before is not None and row.kind != "C":
            if name == "FROM CLIP NAME":  # of a transition: the outgoing shot's
                before.comments.setdefault(name, value)
                return
            if name in row.comments:  # said twice, for the outgoing source first
                before.comments.setdefault(name, row.comments[name])
        row.comments[name] = value

    def _loc(self, where: str, words: list[str]) -> None:
        if not words or not _TIMECODE.fullmatch(words[0]):
            self.remarks.append((where, "LOC marker without a timecode left out", True))
            return
        frame = frame_of(_mended(words[0]), self.rate, self.path, where)
        color = words[1].lower() if len(words) > 1 and words[1].lower() in COLORS else ""
        text = " ".join(words[2:]) if color else " ".join(words[1:])
        self.markers.append(PictureMarker(frame, text, "" if color == "none" else color))
        check_count(len(self.markers), self.path)

    def _resolve(self, where: str, found: re.Match[str]) -> None:
        if not self.rows:
            self.remarks.append((where, "marker before the first event left out", True))
            return
        row = self.rows[-1]
        row.mark = True
        frame = frame_of(row.labels[2], self.rate, self.path, row.where)
        color = found["color"].lower().removeprefix("resolvecolor")
        self.markers.append(PictureMarker(frame, found["text"], color, max(int(found["length"] or 1), 1)))
        check_count(len(self.markers), self.path)

    def result(self) -> EditList:
        if not (self.rows or self.markers or self.titled or self.headed):
            cure = "an event is: 001 REEL V C, then four timecodes"
            raise ReadError("no event and no marker: this is not a CMX3600 list", file=self.path, cure=cure)
        edits: list[Edit] = []
        outgoing: _Row | None = None
        for row in self.rows:
            if row.mark:
                continue
            pair = outgoing if outgoing is not None and outgoing.number == row.number else None
            edits += self._edits(row, pair)
            outgoing = row
        for track in {edit.track for edit in edits}:
            last = -1
            for edit in sorted((e for e in edits if e.track == track), key=lambda e: e.record_start):
                if edit.record_start < last:
                    self.remarks.append((track, "edits overlap on one track", False))
                last = max(last, edit.record_end)
        return EditList(
            self.title, self.rate, tuple(edits), tuple(self.markers), told(self.remarks), source=str(self.path)
        )

    def _edits(self, row: _Row, pair: _Row | None) -> list[Edit]:
        record = [frame_of(label, self.rate, self.path, row.where) for label in row.labels[2:]]
        source_rate, source = self._source(row)
        for pair_of, day in ((record, self.rate), (source, source_rate)):
            if pair_of[1] < pair_of[0]:  # past midnight
                pair_of[1] += 24 * day.frames_per_hour
        if record[0] == record[1]:
            return []  # the outgoing side of a transition
        names = row.comments
        clip = names.get("TO CLIP NAME") or names.get("FROM CLIP NAME", "")
        kind = DISSOLVE if row.kind == "D" else WIPE if row.kind.startswith("W") else CUT
        if row.kind.startswith("K"):
            self.remarks.append((row.where, "key taken as a cut", False))
        length = row.length if kind != CUT else 0
        if kind != CUT and not length:
            self.remarks.append((row.where, f"{kind} of no length taken as a cut", False))
            kind = CUT
        reel = names.get("REEL", row.reel)
        left = pair.comments.get("REEL", pair.reel) if pair is not None else BLACK
        if "OUTGOING" in names:
            left = names["OUTGOING"]
        try:
            edit = Edit(
                record[0],
                record[1],
                source[0],
                source[1],
                "" if reel.upper() == "AX" and "REEL" not in names else reel,
                clip,
                names.get("SOURCE FILE", ""),
                transition=kind,
                transition_length=length,
                outgoing=("" if left.upper() == "AX" else left) if kind != CUT else "",
                wipe=row.kind[1:] if kind == WIPE else "",
                speed=self._speed(row),
                source_rate=source_rate,
            )
        except RescoreError as problem:
            raise ReadError(problem.what, file=self.path, where=row.where, cure=problem.cure) from problem
        return [replace(edit, track=track) for track in row.tracks]

    def _source(self, row: _Row) -> tuple[FrameRate, list[int]]:
        rate = row.source_rate
        if "SOURCE RATE" in row.comments:
            try:
                rate = FrameRate.parse(row.comments["SOURCE RATE"])
            except RescoreError as problem:
                raise ReadError(problem.what, file=self.path, where=row.where, cure=problem.cure) from problem
        elif any(";" in label for label in row.labels[:2]) and not rate.drop and self.rate.drop:
            rate = self.rate  # a label that says drop frame itself
        return rate, [frame_of(label, rate, self.path, row.where) for label in row.labels[:2]]

    def _speed(self, row: _Row) -> Fraction:
        said = row.comments.get("SPEED", "")
        if re.fullmatch(r"-?\d{1,12}(/[1-9]\d{0,11})?", said):
            return Fraction(said)
        return Fraction(1) if row.speed is None else row.speed


def _mended(label: str) -> str:
    """A label with the field marks of tape machines (`.` and `,` for field 1) as plain separators."""
    return label.replace(".", ":").replace(",", ";")


def write_edl(edits: EditList, path: Path) -> tuple[LogItem, ...]:
    """Write a CMX3600 edit list; see `write_edits`."""
    from rescore_music.io.picture.edl_write import write

    return write(edits, path)
