"""An 8-bit game loop: two pulse channels, triangle and noise as four MIDI channels, E minor, 150 quarters a minute.

Form: pick-up (2 bars, heard once), then the loop of 32 bars: A (8), A with an echo (8), B (8, G major), A' (8, a minor
third higher, turning back). Markers loopStart and loopEnd bound it. The motif runs
up a pentatonic scale and rolls back: E G A B A G E D B; bar 3 answers it a fifth lower, exactly.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from composing import Chord, Note, Track, bass_line, chords, ladder, line, shaped, transposed, write_midi

TITLE = "Pixel loop"
BPM = 150
LOOP, A2, B, A3, END = (4 * n for n in (2, 10, 18, 26, 34))

MOTIF = "E5:.5 G5:.25 A5:.25 B5:.75 A5:.25 G5:.5 E5:.5 D5:.5 B4:.5"  # intervals +3 +2 +2 -2 -2 -3 -2 -3
ANSWER = "A4:.5 C5:.25 D5:.25 E5:.75 D5:.25 C5:.5 A4:.5 G4:.5 E4:.5"  # the motif a fifth lower
THEME = (
    f"{MOTIF} | C5:.5 E5:.5 G5:1 F#5:.5 E5:.5 D5:1 | {ANSWER} | F#4:.5 A4:.5 B4:1 D#5:.5 C5:.5 B4:1 |"
    f" {MOTIF} | C5:.5 E5:.5 G5:1 A5:.5 G5:.5 F#5:1 |"
)
CLOSE = " G5:.5 E5:.5 C5:.5 E5:.5 D#5:.5 F#5:.5 B4:1 | E5:1.5 B4:.5 E5:1 r:1"
ONWARD = " G5:.5 E5:.5 C5:.5 E5:.5 D#5:.5 F#5:.5 A5:1 | B5:2 A5:.5 G5:.5 F#5:.5 D5:.5"
SONG = (
    "D5:1 G5:.5 A5:.5 B5:1.5 A5:.25 G5:.25 | A5:1 F#5:.5 D5:.5 A4:2 |"
    " B4:1 E5:.5 F#5:.5 G5:1.5 F#5:.25 E5:.25 | F#5:1 D5:.5 B4:.5 F#4:2 |"
    " E5:1 G5:.5 E5:.5 D5:.5 C5:.5 B4:.5 C5:.5 | D5:1.5 B4:.5 G4:2 |"
    f" {ANSWER} | A4:.5 B4:.5 C5:.5 D5:.5 F5:1 A5:1"
)
RETURN = (
    " Bb5:.5 G5:.5 Eb5:.5 G5:.5 F5:.5 A5:.5 C6:.5 A5:.5 |"
    " B5:.5! F#5:.5 D#5:.5 B4:.5 B4:.25 C#5:.25 D#5:.25 F#5:.25 B5:1"
)
BARS = "Em:4 C:2 D:2 Am:4 B7:4 Em:4 C:2 D:2 "
HARMONY_1 = chords(BARS + "C:2 B7:2 Em:4", at=LOOP)
HARMONY_2 = chords(BARS + "C:2 B7:2 Em:2 D7:2", at=A2)
HARMONY_B = chords("G:4 D/F#:4 Em:4 Bm:4 C:4 G/B:4 Am:4 D7:4", at=B)
HARMONY_3 = chords("Gm:4 Eb:2 F:2 Cm:4 D7:4 Gm:4 Eb:2 F:2 Eb:2 F:2 B7:4", at=A3)


def lead_voice() -> list[Note]:
    """The first pulse channel: the tune."""
    out = line("r:2 B4:.25 D5:.25 E5:.25 F#5:.25 A5:.5 B5:.5 | E5:.5! E5:.25 E5:.25 E5:1 r:2")
    out += line(THEME + CLOSE, at=LOOP) + line(THEME + ONWARD, at=A2) + line(SONG, at=B)
    return out + transposed(line(THEME, at=A3), 3) + line(RETURN, at=A3 + 24)


def broken(harmony: list[Chord], wave: tuple[int, ...]) -> list[Note]:
    """Sixteenths through each chord, as a pulse channel fakes chords."""
    out = []
    for chord in harmony:
        root = next(p for p in range(52, 64) if p % 12 == chord.tones[0][0])
        names = dict(chord.tones)
        rungs = [
            p for p in range(root, root + 24) if p % 12 in {pc for pc, _ in chord.tones[:3]} | {chord.tones[-1][0]}
        ]
        for i in range(int(chord.duration * 4)):
            pitch = rungs[wave[i % len(wave)]]
            out.append(
                Note(chord.onset + Fraction(i, 4), Fraction(1, 4), pitch, f"{names[pitch % 12]}4", 84 if i % 4 else 90)
            )
    return out


def second_voice(tune: list[Note]) -> list[Note]:
    """The second pulse channel: broken chords, then an echo of the tune, then chords again."""
    out = line("r:4 | r:2 G4:.25 B4:.25 E5:.25 B4:.25 G4:.25 B4:.25 D#5:.25 F#5:.25")
    out += (
        broken(HARMONY_1, (0, 1, 2, 3)) + broken(HARMONY_B, (0, 2, 1, 2)) + broken(HARMONY_3, (0, 1, 2, 3, 2, 1, 2, 1))
    )
    echo = [n for n in tune if A2 <= n.onset < B - Fraction(3, 4)]
    return out + [replace(n, onset=n.onset + Fraction(3, 4), velocity=n.velocity - 26) for n in echo]


def triangle() -> list[Note]:
    """The bass: eighths in octaves, longer notes in B."""
    out = line("E2:.5 r:1.5 D2:.5 r:.5 B1:.5 B1:.5 | E2:.5 E2:.25 E2:.25 E2:1 r:1 B1:.5 D2:.5")
    for harmony in (HARMONY_1, HARMONY_2, HARMONY_3):
        for chord, low in zip(harmony, bass_line(harmony, 33, 45), strict=True):
            for i in range(int(chord.duration * 2)):
                pitch = low.pitch + (12 if i % 2 else 0)
                out.append(replace(low, onset=chord.onset + Fraction(i, 2), duration=Fraction(3, 8), pitch=pitch))
    for chord, low in zip(HARMONY_B, bass_line(HARMONY_B, 36, 47), strict=True):
        rungs = [pitch for pitch, _ in ladder(chord, low.pitch, 2)]
        for start, length, rung in ((0, 1.5, 0), (1.5, 0.5, 0), (2, 1, 1), (3, 1, 0)):
            out.append(replace(low, onset=chord.onset + Fraction(start), duration=Fraction(length), pitch=rungs[rung]))
    return out


def noise() -> list[Note]:
    """Kick, snare and hats; a fill closes every eight bars."""
    keys = {"k": "C2", "s": "D2", "h": "F#2", "o": "A#2"}

    def bar(text: str, at: int) -> list[Note]:
        steps = [(i, keys[c]) for i, c in enumerate(text) if c != "."]
        return [
            replace(line(f"{name}:.25")[0], onset=at + Fraction(i, 4), velocity=84 if name != "F#2" else 68)
            for i, name in steps
        ]

    out = bar("k.......s.s.s.s.", 0) + bar("k.kkk.......ssss", 4)
    for start, groove in (
        (LOOP, "k.h.s.hkk.h.s.h."),
        (A2, "k.hhs.hkk.hhs.hh"),
        (B, "k.h.h.h.s.h.h.h."),
        (A3, "k.hks.hkk.hks.hs"),
    ):
        for k in range(7):
            out += bar(groove, start + 4 * k)
        out += bar("k.h.s.h.k.ssssss" if start != A3 else "k.k.s.s.ssssssss", start + 28)
    return out


DYNAMICS = ((0, 88), (LOOP, 92), (A2, 94), (B, 84), (A3 - 4, 92), (A3, 100), (END, 100))


def write(folder: Path) -> Path:
    """Write the cue into a folder."""
    tune = lead_voice()
    voices = (
        ("Pulse 1", 0, 80, tune, 64), ("Pulse 2", 1, 80, second_voice(tune), 84),
        ("Triangle", 2, 38, triangle(), 56), ("Noise", 9, None, noise(), 64),
    )  # fmt: skip
    tracks = []
    for name, channel, program, notes, pan in voices:
        shape = shaped(notes, DYNAMICS, bar=lambda t: t % 4)
        if name == "Pulse 2":
            shape = [replace(n, velocity=max(20, n.velocity - 22)) for n in shape]
        tracks.append(Track(name, channel, program, shape, ((7, 100), (10, pan))))
    path = folder / "pixel_loop.mid"
    write_midi(
        path,
        tracks,
        title=TITLE,
        tempi=[(0, BPM)],
        meters=[(0, 4, 4)],
        keys=[(0, "Em"), (B, "G"), (A3, "Gm")],
        markers=[(LOOP, "loopStart"), (END, "loopEnd")],
    )
    return path
