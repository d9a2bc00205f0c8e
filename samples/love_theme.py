"""A love theme for voice, flute, strings and piano: F major, 3/4, 40 bars, a minute and a half; MusicXML.

Form: introduction (4 bars), A (8), A' (8, the flute answering), B (8: D minor, then the motif in A flat), A'' (8, the
climax, in F again), coda (4, with the minor subdominant). The motif falls a third, leans up a fourth and comes home:
C A | D C; it answers itself a fourth higher, and the third strain lifts it a minor third. The words are ours too.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from composing import Note, bass_line, chords, lead, line, once, rolled, stabs
from notation import Printed, Sign, Staff, write_musicxml

TITLE = "Stay a while (love theme)"
BAR, BARS, FIFTHS = 3, 40, -1
INTRO, A1, A2, B, A3, CODA, END = (BAR * n for n in (0, 4, 12, 20, 28, 36, 40))

TEXT = """
Stay a while, the lamps are low, all the har- bour sleeps be- low.
Stay a while, the night is long, half a whis- per, half a song.
If the tide should call your name, I will keep a lit- tle flame.
Stay a while, and when you go, leave the light, so I will know.
"""
STRAIN = "C5:2 A4:1 | D5:2 C5:1 | Bb4:1( A4:1_) G4:1 | A4:3 |"
VOICE = (
    STRAIN + "F5:2 D5:1 | G5:2 F5:1 | E5:1( D5:1_) Bb4:1 | A4:3 |"
    + STRAIN + "F5:2 D5:1 | G5:2 F5:1 | E5:1( D5:1_) Bb4:1 | A4:3 |"
    + "A4:1 D5:1 E5:1 | F5:2 D5:1 | E5:1.5( F5:.5_ G5:1_) | C5:3 |"
    + "Eb5:2 C5:1 | F5:2 Eb5:1 | Db5:1( C5:1_) Bb4:1 | C5:3 |"
    + STRAIN + "F5:2 D5:1 | A5:2- G5:1 | F5:1( E5:1_) G5:1 | F5:4"
)  # fmt: skip
FLUTE = (
    "C6:2( A5:1) | D6:2( C6:1) | Bb5:1( A5:1 G5:1) | C6:.5( Bb5:.5 G5:1) E5:1 |"
    + "r:3 | r:3 | r:3 | r:1 D6:1( C6:1) | D6:3( | Bb5:3) | r:3 | r:1 C6:1( A5:1) |"
    + "r:3 | r:1 F6:1( D6:1) | D6:1( C6:1 Bb5:1) | A5:.5( D6:.5 F6:2) |"
    + "D6:2( Bb5:1) | Bb5:1( Eb6:1 D6:1) | D6:1( Bb5:1 G5:1) | E6:1( C#6:1 A5:1) |"
    + "r:3 | r:3 | r:3 | C6:1( F5:1 A5:1) | C6:3 | Ab5:3( | Bb5:3) | r:1 E5:.5( G5:.5 Bb5:.5 D6:.5 |"
    + "C6:2) A5:1 | D6:2( C6:1) | Bb5:1( A5:1 G5:1) | A5:3 |"
    + "F6:2( D6:1) | A6:2-( G6:1) | F6:1( E6:1 G6:1) | F6:3 |"
    + "C6:2( A5:1) | Db6:2( C6:1) | A5:3( | C6:3)^"
)  # fmt: skip
VIOLIN_END = (
    "F5:3( | F5:3) | D5:1( E5:2) | F5:3 | D5:1( F5:1 Bb5:1) | D6:2-( Bb5:1) | Bb5:1( G5:1 Bb5:1) | A5:3 |"
    " r:3 | F5:3( | F5:3) | A5:3^"
)
HARMONY = chords(
    "F:3 Bb/F:3 Gm7:3 C7:3 "
    "F:3 Bb:3 Gm7:1 C7:2 Dm:3 Bb:3 Ebmaj7:3 C7:3 F:3 "
    "F/A:3 Bb:3 Gm7:1 C7/E:2 Dm:3 Bb:3 Ebmaj7:3 Em7b5:3 A7:3 "
    "Dm:3 Bb:3 C:3 F/A:3 Ab:3 Db:3 Gm7b5:3 C7sus:1 C7:2 "
    "F:3 Bb/F:3 Gm7:1 C7:2 Dm:3 Gm7:3 Bbmaj7:3 C7sus:1 C7:2 F:3 "
    "F:3 Bbm6/F:3 F:3 F:3"
)


def slurred(notes: list[Note]) -> list[Note]:
    """Two bars to a bow: a slur over each."""
    out = list(notes)
    for k in range(0, END, 2 * BAR):
        inside = [i for i, n in enumerate(out) if k <= n.onset < k + 2 * BAR]
        if len(inside) > 1:
            out[inside[0]] = replace(out[inside[0]], flags=out[inside[0]].flags + "(")
            out[inside[-1]] = replace(out[inside[-1]], flags=out[inside[-1]].flags + ")")
    return out


def signs(*rows: tuple[float, str] | tuple[float, str, float]) -> tuple[Sign, ...]:
    """Dynamics as (quarter, "p") and hairpins as (quarter, "<", end quarter)."""
    out = []
    for row in rows:
        at = Fraction(row[0])
        if len(row) == 3:
            out.append(Sign(at, "hairpin", row[1], Fraction(row[2])))
        else:
            out.append(Sign(at, "dynamic", row[1]))
    return tuple(out)


def melodists() -> tuple[Printed, Printed]:
    """The two melodists; the conductor's words stand above the top staff."""
    sung = line(VOICE, at=A1, bar=BAR)
    words = [
        Sign(Fraction(0), "tempo", "Andante con moto", value=84), Sign(Fraction(A1), "rehearsal", "A"),
        Sign(Fraction(A2), "rehearsal", "B"), Sign(Fraction(B), "rehearsal", "C"),
        Sign(Fraction(B), "words", "poco più mosso", value=90),
        Sign(Fraction(A3 - 2), "words", "allargando", value=76), Sign(Fraction(A3), "rehearsal", "D"),
        Sign(Fraction(A3), "words", "a tempo", value=82), Sign(Fraction(CODA - 6), "words", "rit.", value=74),
        Sign(Fraction(CODA), "rehearsal", "E"), Sign(Fraction(CODA), "words", "a tempo", value=80),
        Sign(Fraction(END - 6), "words", "rit.", value=70), Sign(Fraction(END - 3), "sound", value=58),
    ]  # fmt: skip
    loud = signs(
        (A1, "mp"), (A1 + 12, "<", A1 + 15), (A1 + 15, ">", A1 + 21), (A2, "mp"), (A2 + 12, "<", A2 + 18), (B, "p"),
        (B + 3, "<", B + 9), (B + 12, "mf"), (B + 18, "<", A3), (A3, "f"), (A3 + 15, "<", A3 + 18), (A3 + 18, "ff"),
        (CODA - 3, ">", CODA + 1),
    )  # fmt: skip
    voice = Printed("Voice", "Vo.", 52, (Staff("G2", sung),), loud, TEXT)
    dynamics = signs(
        (INTRO, "mp"), (9, ">", 12), (A1 + 9, "p"), (A2 + 3, "mp"), (A2 + 18, "<", B),
        (B + 9, "p"), (A3 - 2, "<", A3), (A3, "f"),
        (A3 + 18, "ff"), (CODA - 3, ">", CODA), (CODA, "mp"), (CODA + 6, ">", END - 1), (END - 3, "p"),
    )  # fmt: skip
    flute = Printed("Flute", "Fl.", 73, (Staff("G2", line(FLUTE, bar=BAR)),), (*words, *dynamics))
    return flute, voice


def strings() -> tuple[Printed, ...]:
    """Violin and viola sustain, then the violin soars; the cello carries the bass."""
    melody = line(VOICE, at=A1, bar=BAR)
    bass = bass_line(HARMONY, 38, 53)
    inner = lead(HARMONY, voices=2, low=52, high=69, melody=melody, bass=bass)
    violin = [v[1] for v in inner if A1 + 12 <= v[0].onset < A3 and v[1].pitch >= 55]
    violin = slurred(_joined(violin)) + line(VIOLIN_END, at=A3, bar=BAR)
    viola = slurred(_joined([v[0] for v in inner if v[0].onset >= A1 + 12]))
    cello = slurred(_joined([n for n in bass if n.onset >= A1]))
    soft = signs(
        (A1 + 12, "p"), (A2, "mp"), (A2 + 18, "<", B - 1), (B, "p"), (B + 12, "mp"), (B + 18, "<", A3),
        (A3, "f"), (A3 + 18, "ff"), (CODA - 3, ">", CODA + 2), (CODA + 3, "p"),
        (CODA + 6, ">", END - 1), (END - 3, "pp"),
    )  # fmt: skip
    return (
        Printed("Violin", "Vln.", 40, (Staff("G2", violin),), soft),
        Printed("Viola", "Vla.", 41, (Staff("C3", viola),), soft),
        Printed("Violoncello", "Vc.", 42, (Staff("F4", cello),), (*signs((A1, "p")), *soft[1:])),
    )


def piano() -> Printed:
    """Broken chords in the left hand, quiet chords in the right."""
    melody = line(VOICE, at=A1, bar=BAR)
    bass = bass_line(HARMONY, 33, 48)
    voicings = lead(HARMONY, voices=2, low=57, high=72, melody=melody, bass=bass)
    right = [n for v in voicings if not A3 <= v[0].onset < CODA for n in v]
    right += stabs(
        [v for v in voicings if A3 <= v[0].onset < CODA], "C4:1 C4:1 C4:1", bar=BAR
    )  # it beats at the climax
    left = rolled(HARMONY, bass, (0, 1, 2, 3, 2, 1), Fraction(1, 2), velocity=62)
    left = [n for n in left if n.onset < END - BAR]
    left += line("F2+C3+A3:3^", at=END - BAR)
    soft = signs(
        (INTRO, "p"), (A2, "mp"), (A2 + 18, "<", B - 1), (B, "p"), (B + 18, "<", A3), (A3, "mf"), (A3 + 18, "f"),
        (CODA - 3, ">", CODA), (CODA, "p"), (END - 3, "pp"),
    )  # fmt: skip
    return Printed("Piano", "Pno.", 0, (Staff("G2", right), Staff("F4", once(left))), soft)


def _joined(notes: list[Note]) -> list[Note]:
    """Equal neighbours become one longer note, at most two bars long."""
    out: list[Note] = []
    for n in notes:
        if out and out[-1].pitch == n.pitch and out[-1].end == n.onset and n.end - out[-1].onset <= 2 * BAR:
            out[-1] = replace(out[-1], duration=n.end - out[-1].onset)
        else:
            out.append(n)
    return out


def write(folder: Path) -> Path:
    """Write the cue into a folder."""
    path = folder / "love_theme.musicxml"
    parts = (*melodists(), *strings(), piano())
    write_musicxml(path, parts, title=TITLE, bars=BARS, bar=BAR, fifths=FIFTHS, lyricist="rescore-music")
    return path
