"""analyze: everything the other rooms want to know about a score, in one value."""

from __future__ import annotations

import numpy as np

from rescore_music.analysis.cadences import find_cadences
from rescore_music.analysis.features import describe, top_notes
from rescore_music.analysis.form import find_sections
from rescore_music.analysis.frames import beats
from rescore_music.analysis.hand_overs import hand_overs
from rescore_music.analysis.harmony import find_harmony
from rescore_music.analysis.intensity import combined, intensity_terms
from rescore_music.analysis.melody import melody_odds
from rescore_music.analysis.meter import find_hypermeter
from rescore_music.analysis.motifs import discover_motifs
from rescore_music.analysis.phrases import cut_phrases, find_phrases
from rescore_music.analysis.rests import long_rests, put_back, without
from rescore_music.analysis.roles import Roles, assign_roles
from rescore_music.analysis.voices import lines_of, separate_voices
from rescore_music.score import Score
from rescore_music.structure import Analysis


def analyze(score: Score) -> Analysis:
    """Voices, lines, phrases, roles, keys, chords, motifs and intensity of a score.

    Parameters
    ----------
    score : Score
        Any score: an empty one gives an empty analysis.

    Returns
    -------
    Analysis
        Every note belongs to one line; phrases tile [0, score.length); of the lines with role MELODY in a phrase
        exactly one doubles no other, and of those with role BASS at most one.
    """
    rests = long_rests(score)
    return _analyze(score) if rests is None else put_back(_analyze(without(score, rests)), rests, score)


def _analyze(score: Score) -> Analysis:
    voices = separate_voices(score)
    lines, line_of = lines_of(score, voices)
    grid = beats(score)
    harmony = find_harmony(score)
    keys = harmony.keys
    phrases = find_phrases(score, keys)
    sections = find_sections(score, phrases, keys)
    terms = intensity_terms(score, keys)
    cadences = find_cadences(score, phrases, keys, harmony.chords)
    hypermeter = find_hypermeter(score, phrases, sections, harmony.chords)
    shape = (len(lines), len(phrases))
    found = Roles(*(np.zeros(shape, kind) for kind in (np.int8, np.float32, np.int32, np.int32, np.int16, np.int8)))
    if lines and phrases:
        tops = top_notes(score, line_of)
        over_bars = describe(score, line_of, len(lines), score.bars, grid, tops)
        odds = melody_odds(score, lines, line_of, over_bars, tops, grid)
        phrases = cut_phrases(score, phrases, hand_overs(score, lines, phrases, odds.shared))
        edges = np.array([p.start for p in phrases] + [phrases[-1].end], np.int64)
        texture = describe(score, line_of, len(lines), edges, grid, tops)
        found = assign_roles(score, lines, line_of, phrases, texture, odds, tops)
    return Analysis(
        voices=voices,
        line_of=line_of,
        lines=lines,
        phrases=phrases,
        roles=found.roles,
        confidence=found.confidence,
        doubles=found.doubles,
        parallels=found.parallels,
        intervals=found.intervals,
        patterns=found.patterns,
        keys=keys,
        chords=harmony.chords,
        cadences=cadences,
        motifs=discover_motifs(score, line_of=line_of, keys=keys),
        intensity=combined(terms),
        intensity_terms=terms,
        sections=sections,
        hypermeter=hypermeter,
    )
