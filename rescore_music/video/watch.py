"""watch(): a video to what it shows and sounds. Reading, judging and counting in frames, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from rescore_music.cues import Cues, Span
from rescore_music.elements import LogItem
from rescore_music.errors import ReadError
from rescore_music.timecode import FrameRate, Timecode
from rescore_music.video.burnt import Burnt, BurntReader
from rescore_music.video.cuts import CutFinder
from rescore_music.video.dialogue import Listener, Seconds
from rescore_music.video.footage import Footage
from rescore_music.video.gradual import dissolves, fades
from rescore_music.video.grid import STEADY, first_timecode, frame_rate, frames_at
from rescore_music.video.reading import Media, opened, watched


def watch(
    path: str | Path,
    *,
    rate: FrameRate | str | float | None = None,
    start: Timecode | str | None = None,
    sound: bool = True,
) -> Footage:
    """Watch a video and listen to it.

    Parameters
    ----------
    path : path
        .mp4 .mov .mkv .webm .avi .mxf and what else FFmpeg's demuxers of these containers read.
    rate : FrameRate, str or number, optional
        The frame rate to count in; what the picture times and the file say unless told.
    start : Timecode or str, optional
        Timecode of the first picture; the file's own (timecode track or metadata) unless told, otherwise the one
        burnt into the picture, if there is one that can be read with certainty.
    sound : bool
        Whether to look for dialogue and silence in its sound.

    Returns
    -------
    Footage

    Raises
    ------
    ReadError
        If it is no video, cannot be decoded, or is larger than is believed (`reading`).
    TimecodeError
        If the rate or the start does not exist.
    MissingExtra
        If PyAV is not installed.
    """
    asked = None if rate is None else FrameRate.parse(rate)
    with opened(path, sound=sound) as media:
        listener = Listener()
        told = _told_rates(media)
        likely = asked.fps if asked else frame_rate(np.zeros(0, np.int64), media.tick, told)[0]
        finder = CutFinder(float(likely))
        reader = BurntReader(likely, media.tick)
        if start is None:
            media.observer = reader.see
        for kind, block in watched(media):
            if kind == "pictures":
                finder.feed(block)
            else:
                listener.hear(block)
        finder.finish()
        seen = _counted(media, finder, reader, asked, start, told)
        return _with_sound(seen, *listener.finish())


def spot(path: str | Path, *, rate: FrameRate | str | float | None = None, start: Timecode | str | None = None) -> Cues:
    """Spotting from the video itself: its cuts and flashes as soft hits, dialogue and silence as spans.

    Parameters and errors are those of `watch`, of which this is `to_cues`.
    """
    return watch(path, rate=rate, start=start).to_cues()


def _told_rates(media: Media) -> list[Fraction | None]:
    video = media.video
    return [
        None if r is None or r <= 0 else Fraction(r) for r in (video.guessed_rate, video.average_rate, video.base_rate)
    ]


def _counted(
    media: Media,
    finder: CutFinder,
    reader: BurntReader,
    asked: FrameRate | None,
    start: Timecode | str | None,
    told: Sequence[Fraction | None],
) -> Footage:
    """Pictures to frames."""
    times = np.array(media.times, np.int64)
    fps, steadiness = frame_rate(times, media.tick, told)
    log = _log(media)
    claims = _told_labels(media)
    first, remark = first_timecode(claims, asked.fps if asked else fps)
    if asked is not None:
        fps = asked.fps
        if first.rate != asked:  # the count asked for is the one that is used
            first = Timecode(first.frame, asked)
    if remark:
        log.append(LogItem("timecode", remark))
    if start is not None:
        first = _start(start, first.rate, media.path)
    else:
        count = asked.drop if asked else first.rate.drop if claims and not remark else None
        first = _with_burnt(first, reader.finish(media.times, fps, count), bool(claims and not remark), asked, log)
        if reader.doubt:
            log.append(LogItem("timecode", f"burnt into the picture, but not certain: it {reader.doubt}"))
    if steadiness < STEADY:
        log.append(LogItem("pictures", f"come at varying times; counted on a grid of {first.rate}"))
    origin, offset = int(times[0]), first.frame

    def frames(pictures: Iterable[int]) -> list[int]:
        """Absolute frames of pictures; that after the last one is the end."""
        ends = [*media.times, media.times[-1] + _last_length(media, fps)]
        return [int(f) + offset for f in frames_at([ends[k] for k in pictures], origin, media.tick, fps)]

    coming, going = fades(finder.spread, finder.cuts)
    melting = dissolves(
        np.concatenate(finder.coarse), np.concatenate(finder.kept), finder.cuts, [*coming, *going], float(fps)
    )
    fades_in, fades_out = _spans(coming, frames, "fade in"), _spans(going, frames, "fade out")
    length = max(frames([len(times)])[0] - offset, 1)
    return Footage(
        first.rate,
        first,
        length,
        cuts=tuple(sorted({f for f in frames(finder.cuts) if f < offset + length})),
        flashes=_spans(finder.flashes, frames, "flash"),
        fades=tuple(sorted((*fades_in, *fades_out), key=lambda span: span.start)),
        dissolves=_spans(melting, frames, "dissolve"),
        steady=steadiness >= STEADY,
        log=tuple(log),
        source=str(media.path),
    )


def _with_burnt(
    first: Timecode, burnt: Burnt | None, told: bool, asked: FrameRate | None, log: list[LogItem]
) -> Timecode:
    """The start, from the picture itself where the file tells none."""
    if burnt is None:
        return first
    seen = burnt.start
    if asked is not None and seen.rate != asked:
        log.append(LogItem("timecode", f"{seen} burnt into the picture is counted at {seen.rate}, not at {asked}"))
        return first
    if told:
        if seen != first:
            log.append(LogItem("timecode", f"the file says {first}, the picture {seen} burnt in; the file's counts"))
        return first
    halved = ", each number for two pictures" if burnt.halved else ""
    log.append(
        LogItem("timecode", f"{seen} burnt into the picture{halved}; {burnt.agreed} of {burnt.read} pictures agree")
    )
    if not burnt.drop_known and seen.rate.fps.denominator == 1001 and seen.rate.nominal % 30 == 0:
        log.append(LogItem("timecode", f"the picture does not tell whether it drops frames; counted as {seen.rate}"))
    return seen


def _with_sound(seen: Footage, dialogue: Seconds, silence: Seconds) -> Footage:
    """Spans of sound in frames, as far as the picture goes."""

    def spans(runs: Seconds, kind: str) -> tuple[Span, ...]:
        edges = [tuple(seen.start.frame + min(seen.rate.frame_at(t), seen.frames) for t in run) for run in runs]
        return tuple(Span(a, b, kind) for a, b in edges if a < b)

    return replace(seen, dialogue=spans(dialogue, "dialogue"), silence=spans(silence, "silence"))


def _spans(
    pairs: Sequence[tuple[int, int]], frames: Callable[[Iterable[int]], list[int]], kind: str
) -> tuple[Span, ...]:
    made = (frames(pair) for pair in pairs)
    return tuple(Span(a, max(b, a + 1), kind) for a, b in made)


def _last_length(media: Media, fps: Fraction) -> int:
    """Ticks that the last picture is shown: as told where that is likely, otherwise one frame."""
    one = 1 / fps / media.tick
    return media.last_length if one / 2 < media.last_length < 2 * one else round(one)


def _told_labels(media: Media) -> list[str]:
    """Timecodes that the file gives for its first picture: the timecode track's, the picture's, the file's."""
    streams = [s for s in media.container.streams if s.type == "data"]
    tables = [*(s.metadata for s in streams), media.video.metadata, media.container.metadata]
    found = [value for table in tables for key, value in table.items() if key.lower() == "timecode"]
    return list(dict.fromkeys(found))


def _start(start: Timecode | str, rate: FrameRate, path: Path) -> Timecode:
    if isinstance(start, Timecode):
        if start.rate != rate:
            what = f"the start is at {start.rate}, the picture at {rate}"
            raise ReadError(what, file=path, cure="give the rate too")
        return start
    return Timecode.parse(start, rate)


def _log(media: Media) -> list[LogItem]:
    log = []
    if media.damaged:
        log.append(LogItem("file", "packets that cannot be decoded are left out", media.damaged, lost=True))
    if not media.end_reached:
        log.append(LogItem("file", "breaks off before its end", lost=True))
    if media.sound_note:
        log.append(LogItem("sound", media.sound_note, lost=True))
    return log
