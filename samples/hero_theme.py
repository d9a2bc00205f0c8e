"""A heroic theme as a piano sketch: both hands in one MIDI track (format 0), D major, 38 bars, a minute and a half.

Form: introduction (2 bars), A (8), A varied (8), B (8: B minor, the motif in the tenor, then in F), A' (8, broken off
by bVI-bVII-I), coda (4: the motif in the bass, a minor plagal close). The motif falls a fourth, leaps a fifth, steps,
leaps a fourth and sighs: D A | E F# | B A. It answers itself a fourth higher, over a flat seventh degree.
"""

from __future__ import annotations

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
    rolled,
    shaped,
    shifted,
    stabs,
    transposed,
    write_midi,
)

TITLE = "Hero theme (piano sketch)"
BAR = 4
HALF = Fraction(1, 2)
INTRO, A1, A2, B, A3, CODA, END = (BAR * n for n in (0, 2, 10, 18, 26, 34, 38))

MOTIF = "D4:1.5 A3:.5 E4:1 F#4:1 | B4:2 A4:1 F#4:1"  # intervals -5 +7 +2 +5 -2 -3
THEME = (
    MOTIF + " | G4:1.5 F#4:.5 E4:1 D4:1 | E4:3 A3:.5 B3:.5 |"
    " G4:1.5 D4:.5 A4:1 B4:1 | E5:2 D5:1 B4:1 |"  # the motif a fourth higher
)
FIRST = "D:4 | G:2 D/F#:2 | Em7:2 A7sus:2 | A/C#:2 A7:2 | G:4 | C:2 G/B:2 |"


def introduction() -> list[Note]:
    """A tonic pedal in fifths, drum-like, under the motif's head."""
    drum = line("D2+A2:1! D2+A2:.5 D2+A2:.5 D2+A2:1 D2+A2:1 | D2+A2:1! D2+A2:.5 D2+A2:.5 D2+A2:1 C2+G2:1", velocity=74)
    return drum + line("r:2 D4+A4:1.5 A3:.5 | D4+A4:1 E4+A4:1 F#4+A4:1 E4+G4:1", velocity=78)


def chorale() -> list[Note]:
    """The first statement: the tune in the horns' register over a chorale of halves."""
    tune = line(THEME + "A4:1.5 G4:.5 F#4:1 E4:1 | D4:3 r:1", at=A1, velocity=88)
    harmony = chords(FIRST + "D/A:2 A7:2 | D:4", at=A1)
    bass = bass_line(harmony, 36, 50)
    inner = lead(harmony, voices=2, low=50, high=64, melody=tune, bass=bass)
    return tune + bass + [n for chord in inner for n in chord]


def rolling() -> list[Note]:
    """The second statement an octave higher over an alto, the left hand rolling in eighths; it turns to B minor."""
    close = "A4:1.5 G4:.5 F#4:1 E4:1 | F#4:2 C#4:.5 D4:.5 E4:1"
    tune = transposed(line(THEME + close, at=A2, velocity=90), 12)
    harmony = chords(FIRST + "D/A:2 A#dim7:2 | F#7sus:2 F#7:2", at=A2)
    bass = bass_line(harmony, 36, 50)
    alto = lead(harmony, voices=2, low=59, high=74, melody=tune, bass=bass)
    out = tune + rolled(harmony, bass, (0, 1, 2, 3), HALF)
    return out + [n for chord in alto for n in chord]


def middle() -> list[Note]:
    """B: a long line in B minor answered by the motif in the tenor; then the motif in F, climbing to the dominant."""
    song = line(
        "F#5:2 E5:1 D5:1 | C#5:1 D5:.5 E5:.5 F#5:2 | G5:2 F#5:1 E5:1 | D5:1 C#5:.5 B4:.5 C#5:2", at=B, velocity=84
    )
    tenor = line("r:4 | r:4 | G3:1.5 D3:.5 A3:1 B3:1 | E4:2 D4:1 C#4:1", at=B, velocity=82)
    minor = chords("Bm:4 | F#m/A:4 | G:4 | Em:2 F#:2", at=B)
    low = bass_line(minor, 33, 45)
    quiet = shifted(line("B3:1 D4:1 B3:1 D4:1 | A3:1 C#4:1 A3:1 C#4:1 | r:4 | r:2 A#3:1 F#3:1", velocity=66), B)
    climb = line(
        "F5:1.5 C5:.5 G5:1 A5:1 | D6:2 C6:1 A5:1 | Bb5:1.5 A5:.5 G5:1 F5:1 | E5:1 A4:.5 B4:.5 C#5:1 E5:1", at=B + 16
    )
    major = chords("F:4 | Bb:2 F/A:2 | Gm:2 Gm/Bb:2 | A7sus:2 A7:2", at=B + 16)
    bass = bass_line(major, 33, 46)
    filled = lead(major, voices=2, low=57, high=74, melody=climb, bass=bass)
    pulse = stabs(filled, "C4:1 C4:1 C4:1 C4:1", bar=BAR, velocity=74)
    return song + tenor + low + quiet + climb + pulse + rolled(major, bass, (0, 1, 2, 1), HALF)


def triumph() -> list[Note]:
    """A': the tune in octaves over marching chords; at the climax the close is broken off by bVI-bVII."""
    tune = transposed(line(THEME + "A4:1.5 G4:.5 F#4:1 E4:1 | D4:1.5 D4:.5 E4:1.5 E4:.5", at=A3, velocity=92), 12)
    harmony = chords(FIRST + "D/A:2 A7:2 | Bb:2 C:2", at=A3)
    bass = bass_line(harmony, 38, 50)
    inner = lead(harmony, voices=2, low=52, high=66, melody=transposed(tune, -12), bass=bass)
    march = stabs(inner, "r:.5 C4:.5 C4:1/3 C4:1/3 C4:1/3 r:.5 C4:.5 C4:1/3 C4:1/3 C4:1/3", bar=BAR)
    return octaves(tune) + octaves(bass) + march


def coda() -> list[Note]:
    """The motif in the bass under a held tonic, then iv with an added sixth, and the tonic."""
    bass = octaves(
        line(
            "D3:1.5 A2:.5 E3:1 F#3:1 | B3:2 A3:1 F#3:1 | G2:2 Bb2:2 | D3:.75! D3:.25 D3:.5 D3:.5 D3:2^!",
            at=CODA,
            velocity=88,
        )
    )
    top = line(
        "F#4+A4+D5+F#5:4 | G4+B4+D5+G5:2 F#4+A4+D5+F#5:2 | G4+Bb4+D5+G5:2 G4+Bb4+E5+G5:2 |"
        " F#4+A4+D5+F#5:.75! F#4+A4+D5+F#5:.25 F#4+A4+D5+F#5:.5 A4+D5+F#5:.5 A4+D5+F#5+A5:2^!",
        at=CODA,
        velocity=86,
    )
    return bass + top


DYNAMICS = (
    (INTRO, 58), (A1, 64), (A1 + 28, 74), (A2, 80), (A2 + 24, 92), (B - 0.5, 84), (B, 60), (B + 15, 68), (B + 16, 76),
    (A3 - 1, 98), (A3, 102), (A3 + 20, 112), (CODA - 1, 106), (CODA, 98), (END - 6, 90), (END - 4, 106), (END, 108),
)  # fmt: skip
TEMPI = (
    (0, 100), (B, 96), (B + 16, 100), (A3 - 2, 94), (A3, 102), (A3 + 28, 94), (A3 + 30, 86), (CODA, 98),
    (END - 8, 88), (END - 6, 76), (END - 4, 84),
)  # fmt: skip


def write(folder: Path) -> Path:
    """Write the cue into a folder."""
    notes = introduction() + chorale() + rolling() + middle() + triumph() + coda()
    notes = shaped(once(notes), DYNAMICS, bar=lambda t: t % BAR)
    path = folder / "hero_theme.mid"
    write_midi(
        path,
        [Track("Piano", 0, 0, notes)],
        title=TITLE,
        tempi=TEMPI,
        meters=[(0, 4, 4)],
        keys=[(0, "D")],
        markers=[(A1, "A"), (A2, "A varied"), (B, "B"), (A3, "A'"), (CODA, "Coda")],
        format=0,
    )
    return path
