"""What conforming gives: the score for the new cut, what became of every hit, and the change report.

Conventions: timecodes are labels at the picture's rate; bars count from 1, old ones in the source, new ones in the
result; percentages compare the new tempo with the tempo the music had under the old cut.
"""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict, dataclass, fields
from typing import Any

from rescore_music.cues import Cues
from rescore_music.elements import LogItem
from rescore_music.score import Score
from rescore_music.syncing.conforming.picture import PictureMap
from rescore_music.syncing.result import Landing, Passage, Skipped


@dataclass(frozen=True)
class Change:
    """One thing that was done to the picture, and what the music does about it.

    Attributes
    ----------
    number : int
        From 1, by place in the old cut.
    kind : str
        "lengthened", "shortened", "inserted", "removed", "moved", "retimed".
    what : str
        The shot, or between which markers.
    old_start, old_end, new_start, new_end : str
        Timecodes; empty where it is in one cut only.
    frames : int
        By how much the picture is longer (+) or shorter (-) here.
    after, before : str
        The hits, or "start" and "end" of the cue, between which the music is touched.
    old_bars, new_bars : str
        The bars between them: "12-15"; empty where no music is touched.
    music : str
        What the music does.
    """

    number: int
    kind: str
    what: str
    old_start: str
    old_end: str
    new_start: str
    new_end: str
    frames: int
    after: str
    before: str
    old_bars: str
    new_bars: str
    music: str


@dataclass(frozen=True)
class Touched:
    """One stretch of music that was edited.

    Attributes
    ----------
    start, end : int
        Ticks of the source.
    new_start, new_end : int
        Ticks of the result.
    edit : tuple (start, end, times)
        Ticks of the source taken out (-1) or played so many times more; times 0 where only the tempo bends.
    step_percent, deviation_percent : float
        Largest change of tempo a beat, and from the tempo before.
    came : tuple of (label, tick)
        Hits that came into the stretch, and where in the result they land.
    waits : tuple of (tick, seconds before, seconds now)
        Fermatas and holds (ticks of the result) that last longer or shorter.
    """

    start: int
    end: int
    new_start: int
    new_end: int
    edit: tuple[int, int, int]
    step_percent: float
    deviation_percent: float
    came: tuple[tuple[str, int], ...] = ()
    waits: tuple[tuple[int, float, float], ...] = ()


@dataclass(frozen=True, eq=False)
class Conformed:
    """Music that meets a new cut.

    Attributes
    ----------
    score : Score
        A marker of kind "hit" at every landing place. Its `import_log` is the source's.
    cues : Cues
        The hits that are still in the picture at their new frames, and where the cue starts.
    hits : tuple of Landing
        By time.
    changes : tuple of Change
    touched : tuple of Touched
        By time; all else keeps its notes, and its tempo but for the cut's offset.
    spans : tuple of (start, end)
        Ticks of the source in the order they are played.
    skipped : tuple of Skipped
        Hits and spans that are gone, or that the music does not meet, and why.
    log : tuple of LogItem
        What was mended at seams.
    picture : PictureMap
    title : str
        Which cuts.
    passages : tuple of Passage
        What became of the spans that are still in the picture.
    """

    score: Score
    cues: Cues
    hits: tuple[Landing, ...]
    changes: tuple[Change, ...]
    touched: tuple[Touched, ...]
    spans: tuple[tuple[int, int], ...]
    skipped: tuple[Skipped, ...]
    log: tuple[LogItem, ...]
    picture: PictureMap
    title: str = ""
    passages: tuple[Passage, ...] = ()

    @property
    def max_step_percent(self) -> float:
        """Largest change of tempo from one beat to the next, against the tempo before."""
        return max((t.step_percent for t in self.touched), default=0.0)

    @property
    def max_deviation_percent(self) -> float:
        """Largest change from the tempo before."""
        return max((t.deviation_percent for t in self.touched), default=0.0)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; ticks of hits are those of `score`."""
        return {
            "title": self.title,
            "start": str(self.cues.start),
            "rate": str(self.cues.rate),
            "changes": [asdict(change) for change in self.changes],
            "touched": [asdict(stretch) for stretch in self.touched],
            "spans": [list(span) for span in self.spans],
            "hits": [asdict(hit) for hit in self.hits],
            "skipped": [asdict(item) for item in self.skipped],
            "passages": [asdict(item) for item in self.passages],
            "log": [asdict(item) for item in self.log],
            "max_step_percent": self.max_step_percent,
            "max_deviation_percent": self.max_deviation_percent,
        }

    def to_json(self) -> str:
        """`as_dict` as text."""
        return json.dumps(self.as_dict(), ensure_ascii=False, allow_nan=False, indent=1) + "\n"

    def to_csv(self) -> str:
        """The change report as a table, one change a line."""
        text = io.StringIO()
        names = [field.name for field in fields(Change)]
        table = csv.writer(text, lineterminator="\n")
        table.writerow(names)
        table.writerows([_cell(getattr(change, name)) for name in names] for change in self.changes)
        return text.getvalue()

    def to_text(self) -> str:
        """The change report as an editor reads it."""
        lines = [self.title or "Changes", f"The cue starts at {self.cues.start}; {self.cues.rate} frames a second", ""]
        for change in self.changes:
            lines += [*_described(change), ""]
        if not self.changes:
            lines += ["The two cuts are the same.", ""]
        missed = [hit for hit in self.hits if not hit.landed]
        lines.append(f"{len(self.hits) - len(missed)} of {len(self.hits)} hits land")
        lines += [f"  missed: {h.timecode} {h.label} {h.residual_frames:+.2f} frames" for h in missed]
        lines += [f"  {item}" for item in self.skipped]
        lines += [str(item) for item in self.passages]
        lines += [f"{item.what}: {item.count}" for item in self.log]
        return "\n".join(lines) + "\n"


def _cell(value: object) -> object:
    """What a spreadsheet would take for a formula stays text."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") else value


def _described(change: Change) -> list[str]:
    old = _span(change.old_start, change.old_end)
    new = _span(change.new_start, change.new_end)
    place = f"{old} -> {new}" if old and new else old or f"-> {new}"
    size = f", {change.frames:+d} frames" if change.frames else ""
    lines = [f"{change.number:3d}. {change.what}: {change.kind}{size}", f"     {place}"]
    if change.old_bars:
        bars = change.old_bars if change.old_bars == change.new_bars else f"{change.old_bars} -> {change.new_bars}"
        lines.append(f"     between {change.after} and {change.before}, bars {bars}")
    return [*lines, f"     music: {change.music}"]


def _span(start: str, end: str) -> str:
    return start if start == end else f"{start} - {end}"
