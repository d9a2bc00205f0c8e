"""A composer's small tool box: lines written as text, chords led by rule, MIDI and MusicXML written without a clock.

Conventions: time is exact fractions of a quarter note from the cue's start; pitch is sounding MIDI pitch (C4 = 60);
a line is written as `pitch:quarters` words, `r` rests, `+` joins chord notes, `|` checks the bar line:

    line("C5:2( A4:1 | D5:2 C5:1) | r:3", bar=3)

Suffixes: `!` accent, `'` staccato, `-` tenuto, `(` and `)` slur, `_` the syllable goes on, `^` fermata.
Chords are written as symbols with an optional bass (`Gm7/F`); `lead` finds inner voices that move least.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations, pairwise
from pathlib import Path

TICKS = 480  # MIDI ticks to the quarter
STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
LETTERS = "CDEFGAB"
# per quality: (semitones, letter steps) above the root; the first tones after the root matter most
QUALITIES = {
    "": ((0, 0), (4, 2), (7, 4)),
    "m": ((0, 0), (3, 2), (7, 4)),
    "7": ((0, 0), (4, 2), (10, 6), (7, 4)),
    "m7": ((0, 0), (3, 2), (10, 6), (7, 4)),
    "maj7": ((0, 0), (4, 2), (11, 6), (7, 4)),
    "7sus": ((0, 0), (5, 3), (10, 6), (7, 4)),
    "sus": ((0, 0), (5, 3), (7, 4)),
    "add9": ((0, 0), (4, 2), (2, 1), (7, 4)),
    "6": ((0, 0), (4, 2), (9, 5), (7, 4)),
    "m6": ((0, 0), (3, 2), (9, 5), (7, 4)),
    "dim": ((0, 0), (3, 2), (6, 4)),
    "dim7": ((0, 0), (3, 2), (6, 4), (9, 6)),
    "m7b5": ((0, 0), (3, 2), (6, 4), (10, 6)),
    "7b9": ((0, 0), (4, 2), (1, 1), (10, 6)),
    "5": ((0, 0), (7, 4)),
}


@dataclass(frozen=True)
class Note:
    """One note; `name` is its spelling ("Eb4"), `flags` the suffixes it was written with."""

    onset: Fraction
    duration: Fraction
    pitch: int
    name: str
    velocity: int = 80
    flags: str = ""

    @property
    def end(self) -> Fraction:
        """Where it stops."""
        return self.onset + self.duration


@dataclass(frozen=True)
class Chord:
    """A chord symbol at a place: spelled pitch classes, most telling tones first, and a bass."""

    onset: Fraction
    duration: Fraction
    symbol: str
    tones: tuple[tuple[int, str], ...]
    bass: tuple[int, str]


def pitch_of(name: str) -> int:
    """MIDI pitch of a spelled note: "F#3" is 54."""
    letter, alter, octave = re.fullmatch(r"([A-G])(#{0,2}|b{0,2})(-?\d)", name).groups()
    return 12 * (int(octave) + 1) + STEPS[letter] + alter.count("#") - alter.count("b")


def named(spelling: str, pitch: int) -> str:
    """A spelled pitch class put at a pitch: ("Cb", 71) is "Cb5"."""
    natural = pitch - spelling.count("#") + spelling[1:].count("b")
    return f"{spelling}{natural // 12 - 1}"


def line(text: str, *, at: Fraction | int = 0, bar: Fraction | int = 4, velocity: int = 80) -> list[Note]:
    """Notes of a line written as text, from quarter `at` on; each `|` must fall on a bar line of `bar` quarters."""
    notes: list[Note] = []
    now = Fraction(at)
    for word in text.replace("|", " | ").split():
        if word == "|":
            if (now - at) % bar:
                raise ValueError(f"bar line after {float(now - at)} quarters of {text!r}")
            continue
        names, length, flags = re.fullmatch(r"([^:]+):([\d./]+)([!'()_^-]*)", word).groups()
        duration = Fraction(length)
        if names != "r":
            loud = velocity + (12 if "!" in flags else 0)
            notes += [Note(now, duration, pitch_of(n), n, loud, flags) for n in names.split("+")]
        now += duration
    return notes


def shifted(notes: Iterable[Note], quarters: Fraction | int) -> list[Note]:
    """The same notes later."""
    return [replace(n, onset=n.onset + quarters) for n in notes]


_NAMES = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")


def transposed(notes: Iterable[Note], semitones: int) -> list[Note]:
    """The same notes higher or lower; the spelling stays in octaves and is plain otherwise."""
    out = []
    for n in notes:
        pitch = n.pitch + semitones
        spelling = n.name.rstrip("0123456789") if semitones % 12 == 0 else _NAMES[pitch % 12]
        out.append(replace(n, pitch=pitch, name=named(spelling, pitch)))
    return out


def octaves(notes: Iterable[Note], semitones: int = -12, softer: int = 6) -> list[Note]:
    """The notes and their doubling."""
    notes = list(notes)
    return notes + [replace(n, velocity=n.velocity - softer) for n in transposed(notes, semitones)]


def shaped(
    notes: Iterable[Note], curve: Sequence[tuple[float, int]], *, bar: Callable[[Fraction], Fraction]
) -> list[Note]:
    """Velocities along a dynamic curve of (quarter, velocity at that place), downbeats a little stronger.

    A line's own velocity, as written, stays as a difference to 80. `bar(onset)` is the place inside the bar.
    """
    out = []
    for n in notes:
        x = float(n.onset)
        level = curve[-1][1] if x >= curve[-1][0] else curve[0][1]
        for (x0, y0), (x1, y1) in pairwise(curve):
            if x0 <= x < x1:
                level = y0 + (y1 - y0) * (x - x0) / (x1 - x0)
        place = bar(n.onset)
        metric = 5 if place == 0 else 2 if place.denominator == 1 else -2
        out.append(replace(n, velocity=max(8, min(126, round(level + metric + n.velocity - 80)))))
    return out


def chords(text: str, *, at: Fraction | int = 0) -> list[Chord]:
    """Chords written as `symbol:quarters` words: "D:2 A7/C#:2"."""
    out = []
    now = Fraction(at)
    for word in text.replace("|", " | ").split():
        if word == "|":
            continue
        symbol, length = word.split(":")
        root, quality, over = re.fullmatch(r"([A-G][#b]?)([^/]*)(?:/(.+))?", symbol).groups()
        base = pitch_of(root + "4")
        tones = []
        for semitones, steps in QUALITIES[quality]:
            letter = LETTERS[(LETTERS.index(root[0]) + steps) % 7]
            alter = (base + semitones - STEPS[letter] + 6) % 12 - 6
            tones.append(((base + semitones) % 12, letter + ("#" * alter if alter > 0 else "b" * -alter)))
        bass = tones[0] if over is None else (pitch_of(over + "4") % 12, over)
        out.append(Chord(now, Fraction(length), symbol, tuple(tones), bass))
        now += Fraction(length)
    return out


def bass_line(harmony: Sequence[Chord], low: int, high: int) -> list[Note]:
    """The chords' basses, each at the octave nearest to the one before (the middle of the range first)."""
    out: list[Note] = []
    before = (low + high) // 2
    for chord in harmony:
        pitch_class, spelling = chord.bass
        choices = [p for p in range(low, high + 1) if p % 12 == pitch_class]
        pitch = min(choices, key=lambda p: (abs(p - before), p))
        out.append(Note(chord.onset, chord.duration, pitch, named(spelling, pitch)))
        before = (2 * pitch + (low + high) // 2) // 3  # drift back to the middle, so the line does not run away
    return out


def lead(
    harmony: Sequence[Chord],
    *,
    voices: int,
    low: int,
    high: int,
    melody: Sequence[Note] = (),
    bass: Sequence[Note] = (),
) -> list[list[Note]]:
    """Inner voices for chords: one list of `voices` notes a chord, lowest first, by least motion.

    The voices stay below the melody and above the bass, want the third and the seventh, and avoid parallel fifths and
    octaves among themselves and with the bass.
    """
    out: list[list[Note]] = []
    previous: tuple[int, ...] | None = None
    below_before: int | None = None
    for k, chord in enumerate(harmony):
        end = chord.onset + chord.duration
        above = [n.pitch for n in melody if n.onset < end and n.end > chord.onset]
        below = bass[k].pitch if bass else None
        top = min([high + 1, *above]) - 1
        floor = low if below is None else max(low, below + 3)
        names = dict(chord.tones)
        pool = [p for p in range(floor, max(top, floor + 9) + 1) if p % 12 in names]
        best = min(
            combinations(pool, voices),
            key=lambda v: (_strain(v, chord, previous, below, below_before, (low + top) / 2), v),
        )
        out.append([Note(chord.onset, chord.duration, p, named(names[p % 12], p)) for p in best])
        previous, below_before = best, below
    return out


def _strain(
    voicing: tuple[int, ...],
    chord: Chord,
    previous: tuple[int, ...] | None,
    bass: int | None,
    bass_before: int | None,
    middle: float,
) -> float:
    """How far a voicing is from what an ear expects: motion, missing tones, gaps, parallels."""
    present = {p % 12 for p in voicing}
    wanted = [pc for pc, _ in chord.tones[1:3]]
    cost = 5.0 * sum(pc not in present for pc in wanted) + 0.15 * abs(sum(voicing) / len(voicing) - middle)
    cost += 3.0 * (len(voicing) - len(present))
    cost += sum(max(0, b - a - 9) + (4 if b - a < 2 else 0) for a, b in pairwise(voicing))
    if previous is None:
        return cost
    cost += sum(abs(a - b) for a, b in zip(voicing, previous, strict=True))
    now = (*((bass,) if bass is not None else ()), *voicing)
    then = (*((bass_before,) if bass_before is not None else ()), *previous)
    if len(now) == len(then):
        for i, j in combinations(range(len(now)), 2):
            same = (now[j] - now[i]) % 12 in (0, 7) and (now[j] - now[i]) % 12 == (then[j] - then[i]) % 12
            cost += 6.0 if same and now[i] != then[i] else 0.0
    return cost


def ladder(chord: Chord, bass: int, count: int) -> list[tuple[int, str]]:
    """The bass and the chord's tones above it, as (pitch, name), `count` rungs; the first gap is at least a fifth."""
    names = dict(chord.tones) | {chord.bass[0]: chord.bass[1]}
    rungs = [bass] + [p for p in range(bass + 7, bass + 60) if p % 12 in dict(chord.tones)]
    return [(p, named(names[p % 12], p)) for p in rungs[:count]]


def rolled(
    harmony: Sequence[Chord], bass: Sequence[Note], wave: Sequence[int], unit: Fraction, *, velocity: int = 74
) -> list[Note]:
    """Broken chords: `wave` numbers the rungs of each chord's ladder from 0 = bass, one every `unit` quarters."""
    out = []
    for chord, low in zip(harmony, bass, strict=True):
        rungs = ladder(chord, low.pitch, max(wave) + 1)
        for i in range(int(chord.duration / unit)):
            pitch, name = rungs[wave[i % len(wave)]]
            loud = velocity + (6 if wave[i % len(wave)] == 0 else 0)
            out.append(Note(chord.onset + i * unit, unit, pitch, name, loud))
    return out


def stabs(voicings: Sequence[Sequence[Note]], rhythm: str, *, bar: Fraction | int, velocity: int = 76) -> list[Note]:
    """Chords struck in a rhythm: a line on one pitch ("C4:1 r:.5 C4:.5!"), repeated every `bar` quarters."""
    hits = line(rhythm, bar=bar, velocity=velocity)
    out = []
    for voicing in voicings:
        start, end = voicing[0].onset, voicing[0].end
        bars = range(int(start // bar), int(-(-end // bar)))
        for hit in (h for k in bars for h in shifted(hits, k * Fraction(bar))):
            if start <= hit.onset < end:
                length = min(hit.duration, end - hit.onset)
                out += [
                    replace(n, onset=hit.onset, duration=length, velocity=hit.velocity, flags=hit.flags)
                    for n in voicing
                ]
    return out


def once(notes: Iterable[Note]) -> list[Note]:
    """A key can be struck by one finger only: of equal pitches at one onset the loudest stays; a key held is cut."""
    by_key: dict[tuple[int, Fraction], Note] = {}
    for n in notes:
        held = by_key.get((n.pitch, n.onset))
        if held is None or (n.velocity, n.duration) > (held.velocity, held.duration):
            by_key[n.pitch, n.onset] = n
    out: list[Note] = []
    last: dict[int, int] = {}
    for n in sorted(by_key.values(), key=lambda n: (n.onset, n.pitch)):
        i = last.get(n.pitch)
        if i is not None and out[i].end > n.onset:
            out[i] = replace(out[i], duration=n.onset - out[i].onset)
        last[n.pitch] = len(out)
        out.append(n)
    return out


def ticks(quarters: Fraction | int) -> int:
    """MIDI ticks of a place; raises where the grid has none."""
    value = Fraction(quarters) * TICKS
    if value.denominator != 1:
        raise ValueError(f"{quarters} quarters fall between ticks")
    return int(value)


@dataclass(frozen=True)
class Track:
    """One MIDI track: name, channel (9 = drums), program, notes, and fixed controllers (number, value)."""

    name: str
    channel: int
    program: int | None
    notes: Sequence[Note]
    controls: tuple[tuple[int, int], ...] = ()


def write_midi(
    path: Path,
    tracks: Sequence[Track],
    *,
    title: str,
    tempi: Sequence[tuple[Fraction | int, float]],
    meters: Sequence[tuple[Fraction | int, int, int]],
    keys: Sequence[tuple[Fraction | int, str]],
    markers: Sequence[tuple[Fraction | int, str]] = (),
    format: int = 1,
) -> None:
    """A standard MIDI file: format 1 with a conductor track, or format 0 with everything in one."""
    import mido

    conductor: list[tuple[int, int, object]] = [(0, 0, mido.MetaMessage("track_name", name=title))]
    conductor.append((0, 1, mido.MetaMessage("copyright", text="MIT licence, composed for rescore-music")))
    conductor += [(ticks(t), 2, mido.MetaMessage("time_signature", numerator=n, denominator=d)) for t, n, d in meters]
    conductor += [(ticks(t), 3, mido.MetaMessage("key_signature", key=k)) for t, k in keys]
    conductor += [(ticks(t), 4, mido.MetaMessage("set_tempo", tempo=round(6e7 / bpm))) for t, bpm in tempi]
    conductor += [(ticks(t), 5, mido.MetaMessage("marker", text=m)) for t, m in markers]
    end = max(ticks(n.end) for t in tracks for n in t.notes)
    end = max([end, *(ticks(t) for t, _ in markers)])
    streams = [conductor]
    for track in tracks:
        events: list[tuple[int, int, object]] = []
        if format:
            events.append((0, 0, mido.MetaMessage("track_name", name=track.name)))
        if track.program is not None:
            events.append((0, 6, mido.Message("program_change", channel=track.channel, program=track.program)))
        for number, value in track.controls:
            events.append((0, 7, mido.Message("control_change", channel=track.channel, control=number, value=value)))
        for n in sorted(track.notes, key=lambda n: (n.onset, n.pitch)):
            start, stop = ticks(n.onset), ticks(n.end)
            if "'" in n.flags:
                stop = start + (stop - start) // 2
            on = mido.Message("note_on", channel=track.channel, note=n.pitch, velocity=n.velocity)
            events += [(start, 9, on), (stop, 8, mido.Message("note_off", channel=track.channel, note=n.pitch))]
        if format:
            streams.append(events)
        else:
            conductor += events
    out = mido.MidiFile(type=format, ticks_per_beat=TICKS)
    for events in streams:
        track_out, now = mido.MidiTrack(), 0
        for tick, _, message in sorted(events, key=lambda e: (e[0], e[1])):
            track_out.append(message.copy(time=tick - now))
            now = tick
        track_out.append(mido.MetaMessage("end_of_track", time=end - now))
        out.tracks.append(track_out)
    out.save(path)
