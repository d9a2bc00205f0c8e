"""Parts of edits: cut short, entered earlier, or what others above them leave to be seen; their sources go with them.

Conventions: frames are the list's; what is used of the source follows from length and speed (`edits.source_span`).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from rescore_music.edits import CUT, LONGEST, Edit, source_span
from rescore_music.timecode import FrameRate


def _enters(edit: Edit) -> Fraction:
    """The source position at which a shot is entered; after its first frame where it plays backwards."""
    return Fraction(edit.source_end if edit.speed < 0 else edit.source_start)


def _scale(edit: Edit, rate: FrameRate) -> Fraction:
    return (edit.source_rate or rate).fps / rate.fps


def cropped(edit: Edit, rate: FrameRate, start: int = 0, end: int = LONGEST) -> Edit | None:
    """The part of an edit inside [start, end), or None; a part that lacks the beginning has no transition."""
    first, last = max(start, edit.record_start), min(end, edit.record_end)
    if last <= first:
        return None
    if (first, last) == (edit.record_start, edit.record_end):
        return edit
    late, kept, scale = first - edit.record_start, last - first, _scale(edit, rate)
    span = source_span(_enters(edit) + late * edit.speed * scale, kept * abs(edit.speed) * scale, edit.speed)
    if late:
        edit = replace(edit, transition=CUT, transition_length=0, outgoing="", wipe="")
    length = min(edit.transition_length, kept)
    edit = replace(edit, record_start=first, record_end=last, transition_length=length)
    return replace(edit, source_start=span[0], source_end=span[1])


def entered_earlier(edit: Edit, rate: FrameRate, frames: int) -> Edit:
    """An edit that begins some frames earlier, in the picture and in its source."""
    start = max(edit.record_start - frames, 0)
    if start == edit.record_start:
        return edit
    scale = _scale(edit, rate)
    enters = _enters(edit) - (edit.record_start - start) * edit.speed * scale
    span = source_span(enters, (edit.record_end - start) * abs(edit.speed) * scale, edit.speed)
    return replace(edit, record_start=start, source_start=span[0], source_end=span[1])


def uncovered(edit: Edit | None, above: Sequence[Edit], rate: FrameRate) -> list[Edit]:
    """The stretches of an edit that none of those above it hides; those are in order and do not overlap."""
    if edit is None:
        return []
    left: list[Edit | None] = []
    at = edit.record_start
    for k in range(bisect_right(above, at, key=lambda upper: upper.record_end), len(above)):
        if above[k].record_start >= edit.record_end:
            break
        left.append(cropped(edit, rate, at, above[k].record_start))
        at = above[k].record_end
    left.append(cropped(edit, rate, at))
    return [part for part in left if part is not None]
