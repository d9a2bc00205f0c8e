"""A figure's pieces as notes: pitches, stresses, and the harmony's degrees for basses that walk.

Conventions: ticks, sounding MIDI pitches. Degrees (root, third, fifth, seventh) are the analysed chord's at the piece's
place, the nearest above the note itself, below where the seat ends; an approach is a step of the key's scale from
below or above to the line's next note, whichever lies on the way.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rescore_music.orchestration.draft import Rows
from rescore_music.orchestration.ensemble import Ensemble
from rescore_music.orchestration.figures import Chords, Pieces, sounding_pieces
from rescore_music.score import Articulation, Score
from rescore_music.structure import CHORD_TONES, Analysis
from rescore_music.template.pattern import DEGREES, Pattern, Play

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_AFTER = 4  # velocity by which a broken chord's later notes are lighter
_STRESS = 10  # velocity of a stressed step above, of a light one below
_CUT = np.uint32(0xFFFFFFFF & ~int(Articulation.SLURRED | Articulation.FERMATA))
_ADDED = np.uint32(0xFFFFFFFF & ~int(Articulation.SLURRED | Articulation.FERMATA | Articulation.ACCENT))
_FLAGS = {"": 0, "staccato": Articulation.STACCATO, "tenuto": Articulation.TENUTO, "accent": Articulation.ACCENT}
_SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10, 11)}


def sounded(
    chords: Chords, pieces: Pieces, pattern: Pattern, score: Score, analysis: Analysis, seats: Ensemble, *, bass: bool
) -> tuple[Rows, Rows]:
    """The notes of the figure, and the notes of the source that it passes over."""
    found = sounding_pieces(chords, pieces, bass=bass)
    origin = pieces.origin[found.piece]
    out = chords.rows[origin].copy()
    out["onset"] = pieces.onset[found.piece]
    out["duration"] = pieces.end[found.piece] - out["onset"]
    steps = [pieces.steps[t] for t in pieces.token[found.piece].tolist()]
    stress = np.array([step.stress for step in steps], np.int64)
    again = np.append(False, origin[1:] == origin[:-1]) if len(origin) else np.zeros(0, bool)
    velocity = out["velocity"].astype(np.int64) + _STRESS * stress - np.where(again & chords.broken, _AFTER, 0)
    out["velocity"] = np.clip(velocity, 1, 127)
    plays = np.array([int(step.play) for step in steps], np.int64)
    if bass:
        plays = np.where(again, plays, int(Play.ALL))
    pitch = _pitches(out, plays, score, analysis, seats) + 12 * found.octave
    pitch = _within(pitch, out, seats)
    out["step"] = np.where((pitch - out["pitch"]) % 12 == 0, out["step"], -1)
    out["alter"] = np.where(out["step"] >= 0, out["alter"], 0)
    out["pitch"] = pitch
    out["source"] = np.where(again, -1, out["source"])
    added = np.uint32(0) if chords.broken else _ADDED
    out["articulation"] &= np.where(again, added, _CUT)
    out["articulation"] |= np.uint32(_FLAGS[pattern.articulation])
    if pattern.spread > 0:
        out["shift"] = _strummed(out, chords.voice[origin], chords.count[origin], pattern.spread, score, seats)
    untouched = chords.rows[found.untouched]
    made = np.concatenate([out, untouched[untouched["line"] >= 0]])
    gone = chords.rows[found.silent]
    return made, gone


def _within(pitch: Ints, rows: Rows, seats: Ensemble) -> Ints:
    """Pitches brought back by octaves into what the seat plays with ease; else as near as its range allows."""
    low, high = seats.low[rows["seat"]], np.minimum(seats.high, seats.comfortable_high + 5)[rows["seat"]]
    own = rows["pitch"].astype(np.int64)
    high = np.maximum(high, own)
    out = pitch - 12 * np.maximum(-(-(pitch - high) // 12), 0)
    # what would leave the range upwards goes below the note instead, what would leave it downwards stays where it is
    out = out + 12 * np.maximum(-(-(low - out) // 12), 0)
    return np.where((out >= low) & (out <= seats.high[rows["seat"]]), out, own)


def _pitches(rows: Rows, plays: Ints, score: Score, analysis: Analysis, seats: Ensemble) -> Ints:
    """Sounding pitch of each note before octaves: its own, a degree of the harmony, or a step towards what follows."""
    own = rows["pitch"].astype(np.int64)
    degree = plays >= int(Play.ROOT)
    if not degree.any() or not analysis.chords:
        return own
    starts = np.array([c.start for c in analysis.chords], np.int64)
    table = np.full((len(starts), len(DEGREES)), -1, np.int64)
    for i, chord in enumerate(analysis.chords):
        tones = CHORD_TONES.get(chord.quality, ())
        for k, tone in enumerate(tones[: len(DEGREES)]):
            table[i, k] = (chord.root + tone) % 12
    chord_of = np.maximum(np.searchsorted(starts, rows["onset"], side="right") - 1, 0)
    column = np.clip(plays - int(Play.ROOT), 0, len(DEGREES) - 1)
    asked = table[chord_of, column]
    fifth = table[chord_of, DEGREES.index(Play.FIFTH)] if table.shape[1] > 2 else asked
    approach = plays == int(Play.APPROACH)
    asked = np.where(approach, fifth, asked)
    out = np.where(degree & (asked >= 0), own + (asked - own) % 12, own)
    too_high = out > np.minimum(seats.high, seats.comfortable_high)[rows["seat"]]
    out = np.where(too_high & (out > own), out - 12, out)
    for i in np.flatnonzero(approach).tolist():
        target = _following(rows, i)
        if target is not None:
            out[i] = _step_towards(target, int(own[i]), int(rows["onset"][i]), analysis)
    return np.asarray(out, np.int64)


def _following(rows: Rows, i: int) -> int | None:
    """The pitch of the next source note of the same line on the same seat, where it follows at once."""
    end = int(rows["onset"][i] + rows["duration"][i])
    for j in range(i + 1, min(i + 64, len(rows))):
        same = all(rows[name][j] == rows[name][i] for name in ("seat", "doubling", "line"))
        if rows["seat"][j] != rows["seat"][i]:
            return None
        if same and rows["source"][j] >= 0:
            return int(rows["pitch"][j]) if 0 <= int(rows["onset"][j]) - end <= end - int(rows["onset"][i]) else None
    return None


def _step_towards(target: int, own: int, tick: int, analysis: Analysis) -> int:
    """The neighbour of a target in the key's scale, on the side the line comes from."""
    key = next((k for k in analysis.keys if k.start <= tick < k.end), None)
    scale = {(key.tonic + step) % 12 for step in _SCALES.get(key.mode, range(12))} if key else set(range(12))
    side = -1 if target >= own else 1
    return next((target + side * s for s in (1, 2) if (target + side * s) % 12 in scale), target + side)


def _strummed(rows: Rows, voice: Ints, count: Ints, spread: float, score: Score, seats: Ensemble) -> Ints:
    """Ticks by which the strings of a chord follow each other: upwards on a beat, downwards off it."""
    able = np.array(["strum" in s.instrument.articulations or s.instrument.id == "harp" for s in seats.seats], bool)
    bar = score.bar_of(rows["onset"])
    beats = np.array([score.beat_ticks(int(t)) for t in score.bars[:-1].tolist()], np.int64)[bar]
    off = (rows["onset"] - score.bars[bar]) % beats != 0
    nth = np.where(off, count - 1 - voice, voice)
    ticks = np.rint(nth * spread * 1e6 * score.ticks_per_quarter / score.tempo.us_at(rows["onset"]))
    return np.where(able[rows["seat"]] & (count > 1), np.minimum(ticks, rows["duration"] // 2), 0).astype(np.int64)
