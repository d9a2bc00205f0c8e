"""A REAPER project: a track a sound, the video, markers, tempo and meters; its ruler shows the reel's timecode.

Conventions: positions are decimal seconds from the session's beginning, printed to a nanosecond's thousandth; tempo is
quarters a minute, in steps (`PT time tempo 1`), a meter beside it as numerator + 65536 * denominator. `PROJOFFS` sets
the ruler to the reel and the number of the first bar, so that the cue's first full bar is bar 1.

REAPER's frame rates are a count with a switch: 0 as it is, 1 drop frame, 2 pulled down (23.976 and 29.97 non-drop). It
has no 59.94 drop: 29.97 drop is set there, whose labels fall on every other frame, and told.

Source: the text of projects that REAPER itself writes, whose items, markers and tempo envelope it documents as stable.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from rescore_music.elements import LogItem
from rescore_music.io.files import atomic_write
from rescore_music.stage.session import Item, Session, Step
from rescore_music.timecode import FrameRate

_HIT, _EDGE = 0x1FFD75A, 0x14EB464  # marker colours: 0x1bbggrr


def write_reaper(session: Session, path: str | Path) -> tuple[LogItem, ...]:
    """Write a .rpp; returns what it cannot say.

    Raises
    ------
    WriteError
        If the file cannot be written.
    """
    rate = session.start.rate
    base, switch = reaper_rate(rate)
    sample_rate = next((item.rate for item in session.sounds), 48000)
    steps = session.steps()
    numerator, denominator = next((s.meter for s in steps if s.meter), (4, 4))
    lines = [
        '<REAPER_PROJECT 0.1 "6.0" 0',
        f"  PROJOFFS {_number(session.origin_seconds)} {session.led.first - 1 - session.led.bars} 0",
        f"  TIMEMODE 1 5 -1 {base} {switch} 0 -1",
        f"  SAMPLERATE {sample_rate} 1 0",
        "  TIMELOCKMODE 0",  # items stay at their time when the tempo is edited: they are recordings
        f"  TEMPO {_number(steps[0].bpm)} {numerator} {denominator}",
        "  <TEMPOENVEX",
        "    ACT 1 -1",
        "    VIS 1 0 1",
        "    DEFSHAPE 1 -1 -1",
        *(f"    PT {_point(step)}" for step in steps),
        "  >",
    ]
    for number, place in enumerate(session.places, 1):
        colour = _HIT if place.kind == "hit" else _EDGE
        lines.append(f"  MARKER {number} {_number(place.seconds)} {_quoted(place.text)} 0 {colour}")
    for item in (*session.sounds, *([session.video] if session.video else [])):
        lines += _track(item)
    atomic_write(path, ("\n".join([*lines, ">"]) + "\n").encode("utf-8"))
    if switch == 1 and rate.nominal == 60:
        return (LogItem("REAPER", f"no ruler at {rate}: set to 29.97df, whose labels are every other frame's"),)
    return ()


def reaper_rate(rate: FrameRate) -> tuple[int, int]:
    """(count, switch) of a frame rate."""
    if rate.drop:
        return 30, 1
    return rate.nominal, 2 if rate.fps.denominator == 1001 else 0


def _point(step: Step) -> str:
    meter = f" {step.meter[0] + (step.meter[1] << 16)}" if step.meter else ""
    return f"{_number(step.seconds)} {_number(step.bpm)} 1{meter}"


def _track(item: Item) -> list[str]:
    kind = "WAVE" if item.rate else "VIDEO"
    return [
        "  <TRACK",
        f"    NAME {_quoted(item.name)}",
        # the video's sound is the score again: turned down, for a muted track shows no picture
        f"    VOLPAN {1 if item.rate else 0} 0 -1 -1 1",
        f"    MUTESOLO {int(item.muted)} 0 0",
        "    <ITEM",
        f"      POSITION {_number(max(item.position, Fraction(0)))}",
        f"      LENGTH {_number(item.seconds - item.hidden)}",
        "      LOOP 0",
        f"      NAME {_quoted(item.name)}",
        f"      SOFFS {_number(item.hidden)}",
        f"      <SOURCE {kind}",
        f"        FILE {_quoted(item.file)}",
        "      >",
        "    >",
        "  >",
    ]


def _number(value: float | Fraction) -> str:
    """A decimal without an exponent."""
    text = f"{float(value):.12f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _quoted(text: str) -> str:
    """Text between whichever of REAPER's three quotes it does not hold."""
    line = " ".join(text.split())
    sign = next((s for s in "\"'`" if s not in line), "`")
    return f"{sign}{line.replace('`', chr(39)) if sign == '`' else line}{sign}"
