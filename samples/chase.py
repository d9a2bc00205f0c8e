"""A chase for small orchestra: C minor, 156 quarters a minute, 44 bars of 4/4 and 7/8, a little over a minute.

Form: introduction (4 bars), A (8: the theme in the horns over an ostinato), leap (4 bars of 7/8), B (8: the violins'
long line over a falling bass, the motif in the horns), hiding (4, quiet), found (4 bars of 7/8), A' (8: a minor third
higher, tutti), coda (2 of 7/8, 2 of 4/4). The motif climbs a minor triad, leans on the note
above and slides back in semitones: C Eb G Ab G Gb. The harmony climbs in minor thirds with it.
"""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from composing import (
    Note,
    Track,
    bass_line,
    chords,
    lead,
    line,
    octaves,
    once,
    shaped,
    shifted,
    stabs,
    transposed,
    write_midi,
)

TITLE = "Chase (small orchestra)"
BPM = 156
SEVEN = Fraction(7, 2)
INTRO, A1 = Fraction(0), Fraction(16)
LEAP = A1 + 32
B = LEAP + 4 * SEVEN
HIDE = B + 32
FOUND = HIDE + 16
A2 = FOUND + 4 * SEVEN
CODA = A2 + 32
STOP = CODA + 2 * SEVEN
END = STOP + 8
METERS = ((0, 4, 4), (LEAP, 7, 8), (B, 4, 4), (FOUND, 7, 8), (A2, 4, 4), (CODA, 7, 8), (STOP, 4, 4))

MOTIF = "C4:.5 Eb4:.5 G4:1.5 Ab4:.5 G4:.5 Gb4:.5"  # intervals +3 +4 +1 -1 -1
STATEMENT = MOTIF + " | F4:2 Eb4:.5 F4:.5 D4:1"
CADENCE = "Ab4:1! B4:1! D5:1! F5:1! | Eb5:.5! D5:.5 Ab4:.5 G4:.5 G4:2"
# the ostinato: eighths, in semitones above the bar's root; its tritone meets the theme's own
FOUR, FOUR_DOMINANT = (0, 0, 3, 0, 0, 5, 3, 6), (0, 0, 1, 0, 0, 4, 1, 0)
SEVEN_LEAP, SEVEN_FOUND, SEVEN_CODA = (0, 0, 1, 0, -2, 0, 1), (0, 0, 7, 0, 10, 0, 7), (0, 0, 3, 0, 7, 8, 7)


OFFBEATS = "r:.5 C4:.5' r:.5 C4:.5' r:.5 C4:.5' r:.5 C4:.5'"
EIGHTHS = "C4:.5 C4:.5 C4:.5 C4:.5 C4:.5 C4:.5 C4:.5 C4:.5"
SEVEN_PULSE = "C2:1! C2:1 C2:1.5"

# minor thirds upwards, each with its minor subdominant, then the dominant
HARMONY_1 = chords("Cm:4 Fm6:4 Ebm:4 Abm6:4 F#m:4 Bm6:4 Ddim7/Ab:4 G7b9:4", at=A1)
HARMONY_2 = chords("Ebm:4 Abm6:4 F#m:4 Bm6:4 Am:4 Dm6:4 Fdim7/B:4 Bb7b9:4", at=A2)
HARMONY_B = chords("Ab:4 Eb/G:4 Fm:4 Cm7/Eb:4 Db:4 Ab/C:4 Ddim7:4 G7:4", at=B)
HARMONY_LEAP = chords("G5:3.5 Ab/G:3.5 G7b9:3.5 G7:3.5", at=LEAP)
HARMONY_FOUND = chords("Fm:3.5 Gm:3.5 Ab:3.5 Bb7:3.5", at=FOUND)
SONG = line(
    "C5:2 Eb5:1 Ab5:1 | G5:3 F5:.5 Eb5:.5 | F5:2 Ab5:1 C6:1 | Bb5:1.5 Ab5:.5 G5:2 |"
    " F5:1.5 Ab5:.5 Db6:2 | C6:1.5 Bb5:.5 Ab5:1 Eb5:1 | F5:1 Ab5:1 B5:2 | D6:2 B5:1 G5:1",
    at=B,
    velocity=92,
)


def theme(at: Fraction, semitones: int = 0, velocity: int = 90) -> list[Note]:
    """Eight bars: the statement three times, a minor third higher each, then a climb over a diminished seventh."""
    rising = [n for k in range(3) for n in shifted(transposed(line(STATEMENT, velocity=velocity), 3 * k), 8 * k)]
    return shifted(transposed(rising + line(CADENCE, at=24, velocity=velocity), semitones), at)


def ostinato(roots: str, at: Fraction, pattern: tuple[int, ...] = FOUR, *, velocity: int = 78) -> list[Note]:
    """One bar of the running eighths on each root; accents open each group."""
    out = []
    groups = (0, 4) if len(pattern) == 8 else (0, 2, 4)
    now = at
    for name in roots.split():
        root = line(f"{name}:.5")[0]
        for i, step in enumerate(pattern):
            note = replace(root, onset=now, velocity=velocity + (8 if i in groups else 0))
            out += transposed([note], step)
            now += Fraction(1, 2)
    return out


def struck(voicings: list[list[Note]], places: tuple[int, ...], *, velocity: int) -> list[Note]:
    """Each chord struck at these quarters of its bar of seven, detached."""
    length = Fraction(3, 4)
    return [
        replace(n, onset=n.onset + p, duration=length, velocity=velocity) for v in voicings for n in v for p in places
    ]


def pulse(bass: list[Note]) -> list[Note]:
    """Basses in quarters, the third an octave lower where there is one."""
    out = []
    for n in bass:
        for i in range(int(n.duration)):
            pitch = n.pitch - 12 if i == 2 and n.pitch >= 40 else n.pitch
            out.append(replace(n, onset=n.onset + i, duration=Fraction(3, 4), pitch=pitch, velocity=84 - 6 * (i > 0)))
    return out


def violins() -> list[Note]:
    """Off-beats, a tremor in 7/8, the long line, whispers, and the theme in octaves at its return."""
    out = stabs(lead(HARMONY_1, voices=2, low=67, high=81), OFFBEATS, bar=4, velocity=74)
    for k, (low, top) in enumerate((("D5", "G5"), ("Eb5", "Ab5"), ("F5", "B5"), ("F5", "D6"))):
        out += line(f"{low}:.25 {top}:.25 " * 7, at=LEAP + k * SEVEN, velocity=76)
    out += SONG
    out += line(
        "C5:.5' r:1.5 G4:.5' r:1.5 | C5:.5' r:3.5 | D5:.5' r:1.5 Bb4:.5' r:1.5 | E5:.5' r:1.5 Db5:1.5 C5:.5", at=HIDE
    )
    for k, (low, top) in enumerate((("C5", "F5"), ("D5", "G5"), ("Eb5", "Ab5"), ("F5", "Bb5"))):
        group = f"{low}:.5! {top}:.5 {low}:.5! {top}:.5 {low}:.5! {top}:.5 {top}:.5"
        out += line(group, at=FOUND + k * SEVEN, velocity=84)
    out += octaves(theme(A2, 15, 94))
    out += line("G5:.5! C6:.5 Eb6:.5! C6:.5 G5:.5! Ab5:.5 B5:.5 | " * 2, at=CODA, bar=SEVEN, velocity=92)
    return out + line("G4+Eb5+C6:.5! r:1 G4+Eb5+C6:.5! r:2 | G3+C4+G4:.5! r:.5 G3+C4:1!", at=STOP, velocity=98)


def violas() -> list[Note]:
    """The ostinato an octave above the cellos; inner harmony under the long line."""
    out = ostinato("C4 C4", Fraction(8), velocity=70) + ostinato("C4 F4 Eb4 Ab3 F#4 B3 D4", A1)
    out += ostinato("G3", A1 + 28, FOUR_DOMINANT)
    out += ostinato("G3 G3 G3 G3", LEAP, SEVEN_LEAP)
    inner = lead(HARMONY_B, voices=2, low=55, high=69, melody=SONG)
    out += stabs(inner, EIGHTHS, bar=4, velocity=72)
    out += [n for v in lead(chords("Cm:4 Fm6:4 Gm:4 C7b9:4", at=HIDE), voices=1, low=53, high=64) for n in v]
    out += ostinato("F3 G3 Ab3 Bb3", FOUND, SEVEN_FOUND, velocity=82)
    out += ostinato("Eb4 Ab3 F#4 B3 A3 D4 F4", A2, velocity=84) + ostinato("Bb3", A2 + 28, FOUR_DOMINANT, velocity=84)
    out += ostinato("C4 C4", CODA, SEVEN_CODA, velocity=90)
    return out + line("C4+G4:.5! r:1 C4+G4:.5! r:2 | C4:.5! r:.5 C4:1!", at=STOP, velocity=98)


def cellos() -> list[Note]:
    """The ostinato, the bass of the long line, a pedal in hiding."""
    out = ostinato("C3 C3 C3 C3", INTRO) + ostinato("C3 F3 Eb3 Ab2 F#3 B2 D3", A1)
    out += ostinato("G2", A1 + 28, FOUR_DOMINANT)
    out += ostinato("G2 G2 G2 G2", LEAP, SEVEN_LEAP)
    for n in bass_line(HARMONY_B, 40, 55):
        out += [
            replace(n, onset=n.onset + Fraction(i, 2), duration=Fraction(1, 2), velocity=80 - 6 * (i % 2))
            for i in range(8)
        ]
    out += line("C3:4 | F2:4 | G2:4 | C3:2 Bb2:2", at=HIDE, velocity=76) + ostinato(
        "F3 G3 Ab3 Bb3", FOUND, SEVEN_FOUND, velocity=84
    )
    out += ostinato("Eb3 Ab2 F#3 B2 A2 D3 F3", A2, velocity=88) + ostinato("Bb2", A2 + 28, FOUR_DOMINANT, velocity=88)
    out += ostinato("C3 C3", CODA, SEVEN_CODA, velocity=94)
    return out + line("C3+G3:.5! r:1 C3+G3:.5! r:2 | C3:.5! r:.5 C2:1!", at=STOP, velocity=98)


def basses() -> list[Note]:
    """Quarters under the theme, 2+2+3 in the bars of seven."""
    out = line("C2:3 C2:1 | C2:3 C2:1 | C2:3 C2:1 | C2:2 C2:1 G1:1", at=INTRO, velocity=78)
    for harmony, low, high in ((HARMONY_1, 29, 43), (HARMONY_B, 28, 43), (HARMONY_2, 29, 43)):
        out += pulse(bass_line(harmony, low, high))
    out += line("C2:1! C2:1 G1:1.5! | " * 2, at=CODA, bar=SEVEN, velocity=94)
    for at, steps in ((LEAP, (-5, -5, -5, -5)), (FOUND, (5, 7, -4, -2))):
        for k, step in enumerate(steps):
            out += transposed(line(SEVEN_PULSE, at=at + k * SEVEN, velocity=84), step)
    out += line("C2:.5 r:3.5 | F1:.5 r:3.5 | G1:.5 r:3.5 | C2:.5 r:1.5 Bb1:2", at=HIDE, velocity=72)
    return out + line("C2:.5! r:1 C2:.5! r:2 | C2:.5! r:.5 C2:1!", at=STOP, velocity=100)


def horns() -> list[Note]:
    """The theme; the motif as counter-melody to the long line; the harmony of the return."""
    out = line("r:4 | r:4 | C4+Eb4:4 | C4+Eb4:3 C4+G4:.5! C4+Gb4:.5!", at=INTRO, velocity=74) + theme(A1)
    out += [n for v in lead(HARMONY_LEAP, voices=2, low=53, high=68) for n in v]
    out += line("C4:2 Eb4:2 | Bb3:4 | F3:.5 Ab3:.5 C4:1.5 Db4:.5 C4:.5 B3:.5 | Bb3:2 Eb4:2", at=B, velocity=84)
    out += line("Db4:2 F4:2 | Eb4:4 | D4:.5 F4:.5 Ab4:1.5 B4:.5 Ab4:.5 F4:.5 | G4:2 B3:2", at=B + 16, velocity=86)
    out += struck(lead(HARMONY_FOUND, voices=2, low=55, high=70), (0, 1, 2), velocity=84)
    out += stabs(lead(HARMONY_2, voices=2, low=55, high=69), "C4:2! C4:1.5 C4:.5!", bar=4, velocity=84)
    out += line("C4+Eb4:2! B3+F4:1.5! | " * 2, at=CODA, bar=SEVEN, velocity=92)
    return out + line("G3+Eb4:.5! r:1 G3+Eb4:.5! r:2 | C4+G4:.5! r:.5 G3+C4:1!", at=STOP, velocity=98)


def trumpets() -> list[Note]:
    """Calls into the theme's long notes; the theme itself at the return."""
    out = line("r:3 G4+C5:.5! Gb4+C5:.5!", at=Fraction(12), velocity=84)
    call = line("r:.5 C5:.25 C5:.25 C5:.5! Ab4:.5 C5:1.5 r:.5")
    for k in range(3):
        out += shifted(transposed(call, 3 * k), A1 + 4 + 8 * k)
    out += line("r:2 D5+F5:1! B4+F5:1!", at=A1 + 28, velocity=84)
    for k, (low, high) in enumerate((("D4", "G4"), ("Eb4", "Ab4"), ("F4", "B4"), ("G4", "D5"))):
        out += line(f"r:2 {low}+{high}:.5! {low}+{high}:.5 {low}+{high}:.5!", at=LEAP + k * SEVEN, velocity=82)
    out += line("F4:.5 Ab4:.5 B4:3 | G4:1 B4:1 D5:2", at=B + 24, velocity=84)
    out += line("C5:3.5 | D5:3.5 | Eb5:3.5 | F5:2 D5:.5! Eb5:.5! F5:.5!", at=FOUND, bar=SEVEN, velocity=86)
    out += theme(A2, 3, 96)
    out += line("C5+Eb5:2! B4+D5:1.5! | " * 2, at=CODA, bar=SEVEN, velocity=94)
    return out + line("C5+Eb5:.5! r:1 C5+Eb5:.5! r:2 | C5:.5! r:.5 C5:1!", at=STOP, velocity=100)


def trombones() -> list[Note]:
    """Weight on the harmony's turns."""
    out = line("C3:4 | r:3 C3+G3:.5! C3+Gb3:.5!", at=Fraction(8), velocity=72)
    for harmony, rhythm in ((HARMONY_1, "C4:1.5! C4:.5 r:2"), (HARMONY_2, "C4:1! C4:.5 C4:.5! C4:2")):
        out += stabs(lead(harmony, voices=2, low=43, high=59), rhythm, bar=4, velocity=82)
    for harmony in (HARMONY_LEAP, HARMONY_FOUND):
        out += struck(lead(harmony, voices=2, low=43, high=58), (0, 1, 2), velocity=84)
    out += line("Eb3:4 | D3+F3:4 | D3+G3:4", at=B + 20, velocity=76)
    out += line("C3+G3:2! D3+G3:1.5! | " * 2, at=CODA, bar=SEVEN, velocity=94)
    return out + line("C3+G3:.5! r:1 C3+G3:.5! r:2 | C3+G3:.5! r:.5 C3:1!", at=STOP, velocity=100)


def flute() -> list[Note]:
    """Runs between the phrases, the long line an octave up, the motif's answer in hiding."""
    out = []
    run = line("r:2 F5:.25 G5:.25 Ab5:.25 Bb5:.25 C6:.25 D6:.25 Eb6:.25 F6:.25", velocity=80)
    for k in range(3):
        out += shifted(transposed(run, 3 * k), A1 + 4 + 8 * k) + shifted(transposed(run, 3 * k + 3), A2 + 4 + 8 * k)
    for k, top in enumerate(("G6", "Ab6", "F6", "D6")):
        out += line(f"r:.5 {top}:.5! r:.5 {top}:.5! r:.5 {top}:.5! {top}:.5", at=LEAP + k * SEVEN, velocity=76)
    out += [n for n in transposed(SONG, 12) if n.onset >= B + 16]
    out += line("G5:.5 Bb5:.5 D6:1.5 Eb6:.5 D6:.5 Db6:.5 | C6:2 r:2", at=HIDE + 8, velocity=82)
    out += line(
        "C6:2.5 Ab5:.5 C6:.5 | D6:2.5 Bb5:.5 D6:.5 | Eb6:2.5 C6:.5 Eb6:.5 | F6:2 D6:.5 F6:.5 Ab6:.5",
        at=FOUND,
        bar=SEVEN,
    )
    out += line(
        "r:.5 G6:.5! r:.5 Eb6:.5! r:.5 D6:.5 F6:.5 | r:.5 G6:.5! r:.5 Eb6:.5! r:.5 D6:.5 B5:.5", at=CODA, bar=SEVEN
    )
    return out + line("C6:.5! r:1 C6:.5! r:2 | C6:.5! r:.5 C6:1!", at=STOP, velocity=96)


def clarinet() -> list[Note]:
    """Runs a sixth below the flute, sustained thirds under the long line, the motif whispered in hiding."""
    out = []
    run = line("r:2 Ab4:.25 Bb4:.25 C5:.25 D5:.25 Eb5:.25 F5:.25 G5:.25 Ab5:.25", velocity=78)
    for k in range(3):
        out += shifted(transposed(run, 3 * k), A1 + 4 + 8 * k) + shifted(transposed(run, 3 * k + 3), A2 + 4 + 8 * k)
    for k, top in enumerate(("D5", "Eb5", "F5", "B5")):
        out += line(f"r:.5 {top}:.5! r:.5 {top}:.5! r:.5 {top}:.5! {top}:.5", at=LEAP + k * SEVEN, velocity=76)
    out += [n for v in lead(HARMONY_B, voices=1, low=60, high=72, melody=SONG) for n in v]
    out += line(MOTIF + " | F4:2 r:2 | r:4 | r:1 E4:.5 G4:.5 Bb4:1 Db5:1", at=HIDE, velocity=80)
    out += line("F4:.5 Ab4:.5 " * 3 + "C5:.5", at=FOUND) + line("G4:.5 Bb4:.5 " * 3 + "D5:.5", at=FOUND + SEVEN)
    out += line("Ab4:.5 C5:.5 " * 3 + "Eb5:.5", at=FOUND + 2 * SEVEN)
    out += line("Bb4:.5 D5:.5 " * 3 + "F5:.5", at=FOUND + 3 * SEVEN)
    out += line("G4:.5! C5:.5 Eb5:.5! C5:.5 G4:.5! Ab4:.5 B4:.5 | " * 2, at=CODA, bar=SEVEN, velocity=88)
    return out + line("Eb5:.5! r:1 Eb5:.5! r:2 | G4:.5! r:.5 C5:1!", at=STOP, velocity=96)


def timpani() -> list[Note]:
    """The drum that fits each harmony (F#, G, C, E flat; retuned while she hides), a roll into each section."""

    def roll(drum: str, sixteenths: int) -> str:
        return f"{drum}:.25 " * sixteenths

    out = line("C3:1 r:3 | C3:1 r:3 | C3:1 r:2 C3:.5 C3:.5 | C3:1 r:1 " + roll("C3", 8), at=INTRO, velocity=78)
    for at, drums in ((A1, ("C3", "Eb3", "F#2")), (A2, ("Eb3", "F#2", "A2"))):
        for k, drum in enumerate(drums):
            beat = f"{drum}:1! r:1 {drum}:.5 {drum}:.5 r:1 | {drum}:1 r:2 {drum}:.5 {drum}:.5"
            out += line(beat, at=at + 8 * k, velocity=84)
    out += line("G2:1! r:1 " + roll("G2", 8), at=A1 + 28, velocity=84)
    out += line("Bb2:1! r:1 " + roll("Bb2", 8), at=A2 + 28, velocity=90)
    out += line("G2:1! G2:1 G2:1 G2:.5 | " * 4, at=LEAP, bar=SEVEN, velocity=84)
    out += line("r:4 | r:4 | G2:1 r:1 " + roll("G2", 8), at=B + 20, velocity=78)
    out += line(
        "C3:1! C3:1 C3:1 C3:.5 | G2:1! G2:1 G2:1 G2:.5 | C3:1! C3:1 C3:1 C3:.5", at=FOUND, bar=SEVEN, velocity=84
    )
    out += line(roll("Bb2", 14), at=FOUND + 3 * SEVEN, velocity=84)
    out += line("C3:1! C3:1 G2:1! G2:.5 | " * 2, at=CODA, bar=SEVEN, velocity=92)
    return out + line("C3:.5! r:1 C3:.5! r:2 | C3:.5! r:.5 C3:1!", at=STOP, velocity=104)


DRUMS = {"bd": "C2", "sd": "D2", "lt": "A2", "ht": "D3", "cy": "C#3", "tb": "F#3", "tr": "A5"}  # General MIDI keys
TAMBOURINE = "tb:.5 tb:.5! " * 4


def percussion() -> list[Note]:
    """Bass drum, snare, toms, cymbal, tambourine, triangle, as General MIDI keys on channel 10."""

    def on(
        pattern: str, at: Fraction | int, *, times: int = 1, bar: Fraction | int = 4, velocity: int = 80
    ) -> list[Note]:
        one = line(re.sub("[a-z]{2}(?=:)", lambda m: DRUMS[m[0]], pattern), velocity=velocity)
        return [n for k in range(times) for n in shifted(one, at + k * Fraction(bar))]

    out = on("bd:1 r:3", INTRO, times=4) + on("r:1 " + "sd:.25 " * 12, 12, velocity=70)
    drive = "bd:.5! sd:.25 sd:.25 sd:.5 bd:.5 sd:.5! sd:.25 sd:.25 bd:.5 sd:.5"
    out += on("cy:4!", A1) + on(drive, A1, times=7) + on(TAMBOURINE, A1, times=7, velocity=64)
    out += on("sd:1! sd:1! " + "sd:.25 " * 8, A1 + 28)
    seven = "bd:.5! ht:.5 bd:.5! ht:.5 bd:.5! lt:.5 lt:.5"
    out += on(seven, LEAP, times=4, bar=SEVEN) + on("cy:2", B, velocity=72)
    out += on("bd:1 r:1 bd:.5 bd:.5 r:1", B, times=7, velocity=72) + on("tb:.5 " * 8, B, times=7, velocity=58)
    out += on("bd:1! r:1 " + "sd:.25 " * 8, B + 28)
    out += on("tr:1 r:3", HIDE, times=4, velocity=60) + on("r:2 " + "lt:.25 " * 8, HIDE + 12, velocity=58)
    out += on(seven, FOUND, times=3, bar=SEVEN, velocity=86) + on("sd:.25 " * 14, FOUND + 3 * SEVEN, velocity=84)
    out += on("cy:4!", A2) + on("cy:4", A2 + 16) + on(drive, A2, times=7, velocity=90)
    out += on("ht:.5! ht:.5 ht:.5! ht:.5 lt:.5! lt:.5 lt:.5! lt:.5", A2 + 28, velocity=92)
    out += on(TAMBOURINE, A2, times=7, velocity=70)
    out += on(seven, CODA, times=2, bar=SEVEN, velocity=94) + on("cy:2", CODA)
    return (
        out
        + on("bd:.5! r:1 bd:.5! r:2 bd:.5! r:.5 bd:1!", STOP, velocity=100)
        + on("cy:1.5! cy:2.5! cy:.5 r:.5 cy:3!", STOP)
    )


DYNAMICS = (
    (0, 56), (15, 78), (16, 84), (47, 94), (48, 88), (61, 96), (62, 78), (86, 90), (93, 98), (94, 50), (106, 54),
    (110, 72), (123, 98), (124, 102), (155, 110), (156, 106), (163, 114), (171, 114),
)  # fmt: skip
SEATS = (
    ("Flute", 73, flute, 48), ("Clarinet", 71, clarinet, 58), ("Horns", 60, horns, 50), ("Trumpets", 56, trumpets, 74),
    ("Trombones", 57, trombones, 82), ("Timpani", 47, timpani, 68), ("Percussion", None, percussion, 64),
    ("Violins", 48, violins, 34), ("Violas", 48, violas, 66), ("Cellos", 42, cellos, 84), ("Basses", 43, basses, 94),
)  # fmt: skip
HITS = (
    ("00:00:06:05", "The door bursts open", 1.0, "hard", 0.5, "downbeat"),
    ("00:00:18:14", "Across the rooftops", 0.8, "hard", 0.5, "downbeat"),
    ("00:00:23:22", "The river comes into view", 0.5, "soft", 6, "beat"),
    ("00:00:36:08", "She ducks behind the chimney", 1.0, "hard", 0.5, "downbeat"),
    ("00:00:42:14", "Found", 0.9, "hard", 0.5, "downbeat"),
    ("00:00:48:00", "The leap over the gap", 1.0, "hard", 0.5, "downbeat"),
    ("00:01:00:06", "Hand on the ladder", 0.7, "soft", 4, "beat"),
    ("00:01:03:00", "The hatch slams shut", 1.0, "hard", 0.5, "downbeat"),
)


def in_bar(onset: Fraction) -> Fraction:
    """Place inside the bar."""
    start, top, bottom = [m for m in METERS if m[0] <= onset][-1]
    return (onset - start) % Fraction(4 * top, bottom)


def write(folder: Path) -> Path:
    """Write the cue into a folder."""
    tracks = []
    channels = iter((0, 1, 2, 3, 4, 5, 9, 6, 7, 8, 10))
    for name, program, compose, pan in SEATS:
        notes = shaped(once(compose()), DYNAMICS, bar=in_bar)
        tracks.append(Track(name, next(channels), program, notes, ((7, 100), (10, pan))))
    path = folder / "chase.mid"
    write_midi(
        path,
        tracks,
        title=TITLE,
        tempi=[(0, BPM)],
        meters=METERS,
        keys=[(0, "Cm"), (A2, "Ebm"), (CODA, "Cm")],
        markers=[
            (A1, "A"), (LEAP, "Leap"), (B, "B"), (HIDE, "Hiding"), (FOUND, "Found"), (A2, "A'"), (CODA, "Coda"),
        ],
    )  # fmt: skip
    return path


def write_hits(folder: Path) -> Path:
    """Write the spotting list: 24 frames a second, the cue's first sample at 00:00:00:00."""
    rows = ["timecode,label,weight,kind,tolerance,lands", *(",".join(str(v) for v in hit) for hit in HITS)]
    path = folder / "chase_hits.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8", newline="\n")
    return path
