"""picture_map: two edit lists, marker lists or spotting lists to what stays, what moved and what an editor did.

Shots decide where both lists have some (`shots`). Lists without, and cues, are matched by the names of their
markers: neighbours that moved alike stay; between others it is not known where the change lies.

Conventions: as in `picture`. Names are compared without case and extra blanks,
the n-th of a name with the n-th.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from rescore_music.cues import Cues, Hit
from rescore_music.edits import EditList
from rescore_music.errors import SyncError
from rescore_music.syncing.conforming.picture import FAR, Kept, Moved, PictureChange, PictureMap
from rescore_music.syncing.conforming.shots import by_shots, heaviest_chain
from rescore_music.timecode import FrameRate


def picture_map(old: EditList | Cues, new: EditList | Cues, *, track: str = "V1") -> PictureMap:
    """What stays and what moved from one cut to the next.

    Parameters
    ----------
    old, new : EditList or Cues
        Matched by the shots of `track` where both have some, else by the names of their markers or hits.
    track : str

    Raises
    ------
    SyncError
        If the rates differ, or there is nothing to match.
    """
    if old.rate.fps != new.rate.fps:
        cure = "conform between cuts of one frame rate"
        raise SyncError(f"the old cut is at {old.rate} frames a second, the new one at {new.rate}", cure=cure)
    if isinstance(old, EditList) and isinstance(new, EditList) and old.on(track) and new.on(track):
        return by_shots(old.on(track), new.on(track), old.rate)
    return _by_names(_named(old), _named(new), old.rate)


def inserted_hits(old: EditList | Cues, new: EditList | Cues) -> tuple[Hit, ...]:
    """Hits that only the new list has; markers of edit lists ask for nothing."""
    if not isinstance(new, Cues):
        return ()
    fresh = {new_frame for name, new_frame in _named(new).items() if name not in _named(old)}
    return tuple(hit for hit in new.hits if hit.frame in fresh)


def _named(cut: EditList | Cues) -> dict[tuple[str, int], int]:
    """(name, how many of that name came before) -> frame."""
    pairs = (
        [(h.label, h.frame) for h in cut.hits] if isinstance(cut, Cues) else [(m.text, m.frame) for m in cut.markers]
    )
    counted: dict[str, int] = {}
    out: dict[tuple[str, int], int] = {}
    for name, frame in sorted(pairs, key=lambda pair: pair[1]):
        key = " ".join(name.casefold().split())
        if key:
            out[key, counted.get(key, 0)] = frame
            counted[key] = counted.get(key, 0) + 1
    return out


def _by_names(old: dict[tuple[str, int], int], new: dict[tuple[str, int], int], rate: FrameRate) -> PictureMap:
    shared = sorted((old[name], new[name], name[0]) for name in old.keys() & new.keys())
    if not shared:
        what = "the two cuts have neither shots nor marker names in common"
        raise SyncError(what, cure="give both as edit lists, or with markers of the same names")
    chain = {(k.start, k.new) for k in heaviest_chain([Kept(a, a + 1, b) for a, b, _ in shared])}
    runs: list[list[tuple[int, int, str]]] = []
    for mark in (m for m in shared if m[:2] in chain):
        if runs and runs[-1][-1][1] - runs[-1][-1][0] == mark[1] - mark[0]:
            runs[-1].append(mark)
        else:
            runs.append([mark])
    kept = [Kept(run[0][0], run[-1][0] + 1, run[0][1]) for run in runs]
    kept[0] = Kept(kept[0].start - FAR, kept[0].end, kept[0].new - FAR)
    kept[-1] = Kept(kept[-1].start, kept[-1].end + FAR, kept[-1].new)
    moved = [Moved(a, a + 1, b) for a, b, _ in shared if (a, b) not in chain]
    for before, after in pairwise(kept):
        if after.start > before.end:
            scale = Fraction(after.new - before.new_end, after.start - before.end)
            moved.append(Moved(before.end, after.start, before.new_end, scale, guessed=True))
    moved.sort(key=lambda m: m.guessed)  # a marker that was found again is known
    return PictureMap(tuple(kept), tuple(moved), tuple(_marker_changes(runs, kept, shared, chain, old, new)), rate)


def _marker_changes(
    runs: Sequence[Sequence[tuple[int, int, str]]],
    kept: Sequence[Kept],
    shared: Sequence[tuple[int, int, str]],
    chain: set[tuple[int, int]],
    old: dict[tuple[str, int], int],
    new: dict[tuple[str, int], int],
) -> list[PictureChange]:
    found = []
    for gap, (before, after) in enumerate(pairwise(kept)):
        longer = after.offset > before.offset
        what = f"between '{runs[gap][-1][2]}' and '{runs[gap + 1][0][2]}'"
        kind = "lengthened" if longer else "shortened"
        found.append(PictureChange(kind, what, before.end, after.start, before.new_end, after.new, gap))

    def gap_at(frame: int) -> int:
        return max(bisect_right(kept, frame, key=lambda k: k.start) - 1, 0)

    for a, b, name in shared:
        if (a, b) not in chain:
            found.append(PictureChange("moved", f"marker '{name}'", a, a, b, b, min(gap_at(a), max(len(kept) - 2, 0))))
    for key in sorted(old.keys() - new.keys()):
        found.append(PictureChange("removed", f"marker '{key[0]}'", old[key], old[key], -1, -1, gap_at(old[key])))
    for key in sorted(new.keys() - old.keys()):
        found.append(PictureChange("inserted", f"marker '{key[0]}'", -1, -1, new[key], new[key], -1))
    return found
