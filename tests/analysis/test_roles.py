"""Figures, doublings and lines in thirds, as a musician would name them; inversions that a figure does not fake."""

from __future__ import annotations

import numpy as np
import pytest
from analysis_builders import TUNE, Q, cadence, score_of, tune

from rescore_music.analysis import analyze
from rescore_music.analysis.harmony import find_harmony
from rescore_music.score import Articulation, Part, Score
from rescore_music.structure import Analysis, Pattern, Role

BAR = 4 * Q
ROOTS = (48, 53, 55, 48)
MELODY = tune(TUNE + TUNE)


def line_of(score: Score, found: Analysis, name: str) -> int:
    return next(i for i, line in enumerate(found.lines) if score.parts[line.part].name == name)


def with_tune(
    part: list[tuple[int, int, int]], name: str = "Other", articulation: int = 0
) -> tuple[Score, Analysis, int]:
    """A tune over a bass, and one more part; the analysis and that part's line."""
    bass = [(i * BAR, BAR, ROOTS[i % 4] - 12) for i in range(8)]
    score = score_of([(on, long, p + 12) for on, long, p in MELODY], part, bass, names=("Flute", name, "Contrabass"))
    if articulation:
        rows = score.notes.copy()
        rows["articulation"][rows["part"] == 1] |= articulation
        score = score.replace(notes=rows)
    found = analyze(score)
    return score, found, line_of(score, found, name)


def chord(bar: int, octave: int = 0) -> tuple[int, int, int]:
    root = ROOTS[bar % 4] + octave
    return (root, root + 4, root + 7)


HELD = [(b * BAR, BAR, p) for b in range(8) for p in chord(b)]
REPEATED = [(b * BAR + i * Q, Q // 2, p) for b in range(8) for i in range(4) for p in chord(b)]
ALBERTI = [(b * BAR + i * Q // 2, Q // 2, chord(b)[(0, 2, 1, 2)[i % 4]]) for b in range(8) for i in range(8)]
HARP = [(b * BAR + i * Q // 4, Q // 4, (*chord(b), chord(b)[0] + 12)[i % 4]) for b in range(8) for i in range(16)]
OSTINATO = [
    (b * BAR + on, long, p)
    for b in range(8)
    for on, long, p in ((0, Q, 55), (Q, Q // 2, 57), (3 * Q // 2, Q // 2, 58), (2 * Q, Q, 57), (3 * Q, Q, 53))
]
TREMOLO = [(b * BAR + i * Q // 8, Q // 8, chord(b)[0] + 3 * (i % 2)) for b in range(8) for i in range(32)]
SCALES = [(i * Q // 4, Q // 4, 47 + abs(i % 46 - 23)) for i in range(128)]


@pytest.mark.parametrize(
    ("part", "pattern", "roles"),
    [
        (HELD, Pattern.SUSTAINED, {Role.HARMONY}),
        (REPEATED, Pattern.REPEATED, {Role.HARMONY}),
        (ALBERTI, Pattern.ARPEGGIO, {Role.FIGURATION}),
        (HARP, Pattern.ARPEGGIO, {Role.FIGURATION}),
        (OSTINATO, Pattern.OSTINATO, {Role.FIGURATION}),
        (TREMOLO, Pattern.TREMOLO, {Role.FIGURATION}),
        (SCALES, Pattern.RUNNING, {Role.FIGURATION, Role.COUNTER_MELODY}),
    ],
    ids=["held chords", "repeated chords", "Alberti", "harp", "ostinato", "tremolo", "scales"],
)
def test_accompaniments_have_their_names(part: list[tuple[int, int, int]], pattern: Pattern, roles: set[Role]) -> None:
    _, found, line = with_tune(part)
    assert {Pattern(x) for x in found.patterns[line]} == {pattern}
    assert {Role(x) for x in found.roles[line]} <= roles


def test_a_marked_tremolo_is_one_without_its_strokes() -> None:
    _, found, line = with_tune(HELD, articulation=int(Articulation.TREMOLO))
    assert {Pattern(x) for x in found.patterns[line]} == {Pattern.TREMOLO}


@pytest.mark.parametrize("shift", [0, -12, 12, -24])
def test_a_doubling_names_its_model_and_interval(shift: int) -> None:
    other = [(on, long, p + 12 + shift) for on, long, p in MELODY]
    _, found, line = with_tune(other, "Oboe")
    flute = 0
    for phrase in range(len(found.phrases)):
        pair = {line, flute}
        double = next(x for x in pair if found.doubles[x, phrase] >= 0)
        assert found.doubles[double, phrase] in pair - {double}
        assert found.intervals[double, phrase] == (shift if double == line else -shift)
        assert found.roles[line, phrase] == found.roles[flute, phrase] == Role.MELODY
        assert found.parallels[line, phrase] == -1


def test_thirds_below_follow_and_do_not_double() -> None:
    scale = [0, 2, 4, 5, 7, 9, 11]

    def third(p: int) -> int:
        octave, step = divmod(p - 60, 12)
        at = scale.index(step) - 2
        return 60 + 12 * (octave + at // 7) + scale[at % 7]

    below = [(on, long, third(p) + 12) for on, long, p in MELODY]
    _, found, line = with_tune(below, "Clarinet")
    assert np.all(found.doubles[line] == -1)
    assert np.all(found.parallels[line] == 0)
    assert set(found.intervals[line].tolist()) <= {-3, -4}


def test_a_contrary_line_neither_doubles_nor_follows() -> None:
    counter = [(on, long, 132 - p - 12) for on, long, p in MELODY]
    _, found, line = with_tune(counter, "Clarinet")
    assert np.all(found.doubles[line] == -1)
    assert np.all(found.parallels[line] == -1)


def test_a_bass_under_chords_that_hold_its_tones_is_the_bass() -> None:
    """A tutti of chords: the violins' multiple stops hold the root that the basses play, and still they do not lead."""
    stops = [(on, long, p) for bar in range(8) for on, long, p in ((bar * BAR, BAR, p) for p in (55, 64 + bar % 3, 72))]
    roots = [(bar * BAR, BAR, (36, 43)[bar % 2]) for bar in range(8)]
    middle = [(bar * BAR, BAR, 60 + 4 * (bar % 2)) for bar in range(8)]
    score = score_of(stops, middle, roots, names=("Violin 1", "Viola", "Contrabass"))
    found = analyze(score)
    assert set(found.roles[line_of(score, found, "Contrabass")].tolist()) == {Role.BASS}


def test_a_bass_that_strikes_a_few_of_the_tunes_tones_is_the_bass_and_one_that_plays_the_tune_is_not() -> None:
    melody = tune(TUNE * 2, long=Q)
    few = [(on, 2 * Q, p - 36) for on, _, p in melody[::4]]
    whole = [(on, long, p - 36) for on, long, p in melody]
    for low, role in ((few, Role.BASS), (whole, Role.MELODY)):
        score = score_of(melody, low, names=("Violin 1", "Contrabass"))
        found = analyze(score)
        assert set(found.roles[line_of(score, found, "Contrabass")].tolist()) == {role}


def test_percussion_keeps_its_role() -> None:
    drums = [(i * Q, Q // 2, 38) for i in range(32)]
    score = score_of(MELODY, drums, names=("Flute", "Kit"))
    score = score.replace(parts=(score.parts[0], Part("Kit", percussion=True)))
    found = analyze(score)
    assert np.all(found.roles[line_of(score, found, "Kit")] == Role.PERCUSSION)


# -- what the figures do to the bass of a chord ----------------------------------------------------------------------


def basses(score: Score) -> list[tuple[int, int]]:
    """(root, bass) of the chords, repetitions left out."""
    told = [(c.root, c.bass) for c in find_harmony(score).chords if c.quality]
    return [c for i, c in enumerate(told) if i == 0 or c != told[i - 1]]


def test_a_walking_bass_makes_inversions() -> None:
    upper = [(0, BAR, p) for p in (67, 72, 76)]
    bass = [(0, 2 * Q, 48), (2 * Q, 2 * Q, 52)]
    assert basses(score_of(upper, bass)) == [(0, 0), (0, 4)]
    chords = find_harmony(score_of(upper, bass)).chords
    assert [c.inversion for c in chords] == [0, 1]


def test_alberti_and_waltz_stay_in_root_position() -> None:
    alberti = [(i * Q // 2, Q // 2, (48, 55, 52, 55)[i % 4]) for i in range(8)]
    assert basses(score_of([(0, BAR, 72)], alberti)) == [(0, 0)]
    waltz = [(0, Q, 36), *((i * Q, Q, p) for i in (1, 2, 3) for p in (52, 55, 60))]
    assert basses(score_of([(0, BAR, 72)], waltz)) == [(0, 0)]


def test_inversions_of_triads_and_sevenths() -> None:
    positions = {(48, 64, 67): 0, (52, 67, 72): 1, (55, 64, 72): 2, (53, 67, 71, 74): 3}
    for tones, inversion in positions.items():
        score = score_of([*((0, BAR, p) for p in tones), *((on + BAR, long, p) for on, long, p in cadence(1))])
        assert find_harmony(score).chords[0].inversion == inversion
