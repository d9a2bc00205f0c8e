"""A small cue with a known analysis, and small forces, for the orchestration tests."""

from __future__ import annotations

import numpy as np

from rescore_music.instruments import instrument
from rescore_music.score import Part, Score, note_rows
from rescore_music.structure import Analysis, Chord, Line, Phrase, Role
from rescore_music.template import Forces, RoleStyle, Seat, Style, Template

TPQ = 480
BAR = 4 * TPQ
PHRASE = 4 * BAR
FORM = ("A", "A'", "B", "A", "C", "A")

SYMPHONY = (
    ("piccolo", 1, 1), ("flute", 2, 2), ("oboe", 2, 2), ("clarinet-bb", 2, 2), ("bassoon", 2, 2),
    ("horn-f", 4, 4), ("trumpet-bb", 3, 3), ("trombone", 2, 2), ("bass-trombone", 1, 1), ("tuba", 1, 1),
    ("timpani", 1, 1), ("snare-drum", 1, 1), ("bass-drum", 1, 1), ("cymbals", 1, 1), ("harp", 1, 8),
    ("violin", 16, 2), ("violin", 14, 2), ("viola", 12, 2), ("cello", 10, 2), ("double-bass", 8, 1),
)  # fmt: skip
QUINTET = (("flute", 1, 1), ("oboe", 1, 1), ("clarinet-bb", 1, 1), ("horn-f", 1, 1), ("bassoon", 1, 1))
CHIPTUNE = (("pulse-1", 1, 1), ("pulse-2", 1, 1), ("chip-triangle", 1, 1), ("chip-noise", 1, 1))
STRINGS = (("violin", 8, 2), ("violin", 8, 2), ("viola", 6, 2), ("cello", 5, 2), ("double-bass", 3, 1))
PIANO = (("piano", 1, 10),)


def forces(rows: tuple[tuple[str, int, int], ...]) -> Forces:
    seats = []
    for i, (name, players, divisi) in enumerate(rows):
        row = instrument(name)
        seats.append(Seat(f"{name}.{i}", row, f"{row.name} {i}", row.abbreviation, players, divisi))
    return Forces("test", "Test", "", tuple(seats))


def template(rows: tuple[tuple[str, int, int], ...] = SYMPHONY, **style: object) -> Template:
    roles = style.pop("roles", {role: RoleStyle() for role in Role if role >= 0})
    return Template("test/plain", forces(rows), Style("plain", "Plain", "", roles, **style))  # type: ignore[arg-type]


def cue(phrases: int = 6, transpose: int = 0) -> tuple[Score, Analysis]:
    """Melody, counter-melody, bass, three-note chords, an arpeggio and drums; every fourth phrase loud."""
    rows: list[tuple[int, int, int, int, int]] = []
    tune = (72, 74, 76, 79, 77, 76, 74, 72, 71, 72, 74, 76, 74, 72, 71, 69)
    roots = (48, 45, 41, 43)
    chords = ((60, 64, 67), (60, 64, 69), (60, 65, 69), (59, 62, 67))
    for p in range(phrases):
        at, loud = p * PHRASE, 45 + 15 * (p % 4)
        up = (0, 0, 3, 0, -2, 0)[p % 6]
        for i, pitch in enumerate(tune):
            rows.append((at + i * TPQ, TPQ, pitch + up, loud + 15, 0))
        if p % 2:
            for i in range(8):
                rows.append((at + i * 2 * TPQ + TPQ, TPQ, 67 - i + up, loud + 5, 1))
        for bar in range(4):
            t = at + bar * BAR
            rows.append((t, 2 * TPQ, roots[bar], loud, 2))
            rows.append((t + 2 * TPQ, 2 * TPQ, roots[bar] - 5, loud, 2))
            rows += [(t, BAR, pitch, loud - 5, 3) for pitch in chords[bar]]
            if p >= 2:
                rows += [(t + i * TPQ // 2, TPQ // 2, chords[bar][i % 3] + 12, loud - 10, 4) for i in range(8)]
            rows += [(t + b * TPQ, TPQ // 4, (36, 38)[b % 2], loud, 5) for b in range(4)]
            rows += [(t + b * TPQ // 2, TPQ // 4, 42, loud, 5) for b in range(8)]
    notes = note_rows(rows)
    notes["pitch"][notes["part"] < 5] += np.uint8(transpose % 256)
    names = ("Tune", "Second", "Bass", "Chords", "Runs", "Drums")
    parts = tuple(Part(name=n, percussion=n == "Drums", channel=9 if n == "Drums" else i) for i, n in enumerate(names))
    score = Score(notes=notes, parts=parts, length=phrases * PHRASE)
    return score, known_analysis(score, phrases, chords)


def known_analysis(score: Score, phrases: int, chords: tuple[tuple[int, ...], ...]) -> Analysis:
    part = score.notes["part"].astype(np.int32)
    roles = (Role.MELODY, Role.COUNTER_MELODY, Role.BASS, Role.HARMONY, Role.FIGURATION, Role.PERCUSSION)
    spans = tuple(Phrase(p * PHRASE, (p + 1) * PHRASE, FORM[p % 6]) for p in range(phrases))
    table = np.full((6, phrases), int(Role.REST), np.int8)
    for line in range(6):
        for p in range(phrases):
            inside = (score.notes["onset"] // PHRASE == p) & (part == line)
            if inside.any():
                table[line, p] = int(roles[line])
    shift = int(score.notes["pitch"][part == 2][0]) - 48 if len(part) else 0
    named = tuple(
        Chord(p * PHRASE + b * BAR, p * PHRASE + (b + 1) * BAR, (root + shift) % 12, quality, (root + shift) % 12)
        for p in range(phrases)
        for b, (root, quality) in enumerate(((0, "maj"), (9, "min"), (5, "maj"), (7, "maj")))
    )
    return Analysis(
        voices=np.zeros(len(part), np.int16),
        line_of=part,
        lines=tuple(Line(i, 0, np.flatnonzero(part == i)) for i in range(6)),
        phrases=spans,
        roles=table,
        confidence=np.ones((6, phrases), np.float32),
        doubles=np.full((6, phrases), -1, np.int32),
        chords=named,
        intensity=np.repeat([0.2 + 0.25 * (p % 4) for p in range(phrases)], 4),
    )
