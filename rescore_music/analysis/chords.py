"""Chords: root, quality and inversion, by a hidden Markov model over beats and the halves of beats that bring notes.

A frame prefers the chord that explains its pitch classes with few foreign and few missing tones, above its root, of
tones that belong to the key; a change costs least on a bar line and most inside a beat. Inside a chord the bass is then
followed: where the lowest voice moves to another tone of the chord a new inversion begins, unless the movement is that
of a broken chord or an afterbeat.

Conventions: pitch classes 0..11 from C; ticks; a chord's state is 12 * quality + root, qualities as `CHORD_TONES`
lists them. Equivariant: a transposed score has the transposed chords. Parameters were chosen as those of `keys`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from rescore_music.analysis.frames import beats, coverage, span_of, spread
from rescore_music.score import Score
from rescore_music.structure import CHORD_TONES, Chord

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

QUALITIES = tuple(CHORD_TONES)
# how much rarer than a triad each quality is
RARE = {"maj": 0.0, "min": 0.0, "7": 0.1, "min7": 0.16, "maj7": 0.18, "dim": 0.12, "hdim7": 0.18, "dim7": 0.16}
RARE |= {"aug": 0.25, "sus4": 0.2, "sus2": 0.3, "5": 0.22, "minmaj7": 0.3}
MISSING, FOREIGN, ROOT_BASS, CHORD_BASS, OUT_OF_KEY = 0.2, 0.9, 0.13, 0.05, 0.07
CHANGE_BAR, CHANGE_BEAT, CHANGE_INSIDE = 0.15, 0.18, 0.7
UNISON = 1.1  # tones at a time, octaves counting once, up to which one line sounds alone
MOST = 100_000  # beats: nine hours of them at 180 a minute
CHUNK = 8192  # frames at a time, so that what is in between stays small
PRESENT = 0.08  # share of a frame at which a pitch class fully counts as there


@dataclass(frozen=True, eq=False)
class Frames:
    """The grid harmony is read on.

    Attributes
    ----------
    edges : int64 array, shape (frames + 1,)
    classes : float64 array, shape (frames, 12)
        Sounding ticks of each pitch class, louder notes more.
    lowest : int64 array, shape (frames,)
        The lowest pitch that sounds, -1 in silence.
    beat : int64 array, shape (frames,)
        Number of the beat each frame lies in.
    on_bar, on_beat : bool arrays, shape (frames,)
        Whether the frame begins a bar, a beat.
    share_of_beat : float64 array, shape (frames,)
    thickness : float64 array, shape (frames,)
        How many different pitch classes sound at a time, on average.
    """

    edges: Ints
    classes: Floats
    lowest: Ints
    beat: Ints
    on_bar: Flags
    on_beat: Flags
    share_of_beat: Floats
    thickness: Floats


def frames_of(score: Score) -> Frames:
    """Beats, divided where notes begin at their half (thirds of a dotted beat); bars where beats are without number."""
    grid = beats(score)
    if len(grid) > MOST:
        grid = score.bars
    length = np.diff(grid)
    dotted = _dotted(score, grid[:-1])
    inner = [grid[:-1][~dotted] + length[~dotted] // 2]
    inner += [grid[:-1][dotted] + length[dotted] * k // 3 for k in (1, 2)]
    onset = score.notes["onset"][score.pitched]
    places = np.concatenate(inner)
    places = places[np.isin(places, onset)]
    edges = np.unique(np.concatenate([grid, places])).astype(np.int64)
    starts = edges[:-1]
    beat = span_of(starts, grid)
    return Frames(
        edges=edges,
        classes=pitch_classes(score, edges),
        lowest=lowest_pitches(score, edges),
        beat=beat,
        on_bar=np.isin(starts, score.bars),
        on_beat=np.isin(starts, grid),
        share_of_beat=np.diff(edges) / np.maximum(length[beat], 1),
        thickness=_thickness(score, edges),
    )


def _dotted(score: Score, places: Ints) -> Flags:
    """Whether the beat at each place is a dotted one that has thirds in whole ticks."""
    changes = np.concatenate([[0], score.meters["tick"]]).astype(np.int64)
    kinds = [(score.meter_at(int(t)), score.beat_ticks(int(t)) * 2 % 3 == 0) for t in changes]
    each = np.array([whole and lower >= 8 and upper > 3 and upper % 3 == 0 for (upper, lower), whole in kinds])
    return np.asarray(each[np.maximum(np.searchsorted(changes, places, side="right") - 1, 0)], np.bool_)


def pitch_classes(score: Score, edges: Ints) -> Floats:
    """Sounding ticks of each pitch class in each span: shape (spans, 12)."""
    pitched = score.pitched
    notes = score.notes[pitched]
    loud = np.asarray(0.5 + notes["velocity"] / 254.0, np.float64)
    return coverage(notes["onset"], score.ends[pitched], notes["pitch"].astype(np.int64) % 12, 12, edges, loud)


def _thickness(score: Score, edges: Ints) -> Floats:
    """How many different pitch classes sound at a time, on average, in each span; octave doublings count once."""
    notes = score.notes[score.pitched]
    key = (notes["onset"] * 12 + notes["pitch"] % 12).astype(np.int64)
    first = np.unique(key, return_index=True)[1]
    onset, end = notes["onset"][first], (notes["onset"] + notes["duration"])[first]
    return coverage(onset, end, np.zeros(len(first), np.int64), 1, edges)[:, 0] / np.maximum(np.diff(edges), 1)


def lowest_pitches(score: Score, edges: Ints) -> Ints:
    """The lowest pitch that sounds in each span, -1 in silence."""
    pitched = score.pitched
    note, span = spread(score.notes["onset"][pitched], score.ends[pitched], edges)
    lowest = np.full(len(edges) - 1, 128, np.int64)
    np.minimum.at(lowest, span, score.notes["pitch"][pitched].astype(np.int64)[note])
    return np.where(lowest == 128, -1, lowest)


def read_chords(frames: Frames, scales: Floats | None = None, plain: Floats | None = None) -> tuple[Ints, Floats]:
    """The chord of each frame, -1 where nothing or a single foreign pitch class sounds, and how well it explains it.

    Parameters
    ----------
    frames : Frames
    scales : float64 array, shape (frames, 12), optional
        How far each pitch class belongs to the key in force; without it no key is assumed.
    plain : float64 array, shape (frames, chords), optional
        `chord_gains` of the frames; used up.
    """
    gain = chord_gains(frames) if plain is None else plain
    templates, _ = _templates()
    if scales is not None:
        for a in range(0, len(gain), CHUNK):
            gain[a : a + CHUNK] -= OUT_OF_KEY * ((1 - scales[a : a + CHUNK]) @ templates.T)
    total = frames.classes.sum(axis=1)
    several = np.count_nonzero(frames.classes > 0.02 * np.maximum(total, 1e-9)[:, None], axis=1) > 1
    silent = (total <= 0) | ~several
    gain *= frames.share_of_beat[:, None]
    gain[silent] = 0
    path = _best_chords(gain, np.where(frames.on_bar, CHANGE_BAR, np.where(frames.on_beat, CHANGE_BEAT, CHANGE_INSIDE)))
    fit = gain[np.arange(len(path)), path] / np.maximum(frames.share_of_beat, 1e-9)
    return _carried(frames, np.where(silent, -1, path)), fit


def _carried(frames: Frames, path: Ints) -> Ints:
    """A single tone belongs to the chord before it in its bar, or else after it, if it is one of its tones."""
    path = path.copy()
    single = np.where((path < 0) & (frames.classes.sum(axis=1) > 0), frames.classes.argmax(axis=1), -1)
    bar = np.cumsum(frames.on_bar)
    templates, _ = _templates()
    alone = np.flatnonzero(single >= 0).tolist()
    for step, order in ((-1, alone), (1, alone[::-1])):
        for f in order:
            g = f + step
            if path[f] < 0 and 0 <= g < len(path) and bar[g] == bar[f] and path[g] >= 0:
                path[f] = path[g] if templates[path[g], single[f]] else -1
    return path


def stated(frames: Frames, path: Ints) -> Ints:
    """The path without chords that a single line (or unison) only grazes, and with those that it breaks.

    One line makes a chord by breaking it: in the frames of a bar that have the chord, three of its tones are heard
    (both of a bare fifth). A turn around one note makes none. A bar of nothing but the tones of one chord is that
    chord, though no two of them sound together.
    """
    first = frames.on_bar | np.concatenate([[True], np.diff(path) != 0])
    tones, alone, heard = _run_of(frames, path, np.flatnonzero(first))
    grazed = alone & ((heard & tones).sum(axis=1) < np.minimum(tones.sum(axis=1), 3))
    path = np.where(np.repeat(grazed, _lengths(np.flatnonzero(first), path)), -1, path)
    bars = np.flatnonzero(frames.on_bar | (np.arange(len(path)) == 0))
    lowest = np.minimum.reduceat(np.where(frames.lowest < 0, 128, frames.lowest), bars)
    whole = replace(
        frames,
        classes=np.add.reduceat(frames.classes, bars, axis=0),
        lowest=np.where(lowest == 128, -1, lowest),
    )
    best = chord_gains(whole).argmax(axis=1)
    spread_out = np.repeat(best, _lengths(bars, path))
    tones, alone, heard = _run_of(frames, spread_out, bars)
    none = np.maximum.reduceat(path, bars) < 0
    broken = none & alone & ((heard & tones).sum(axis=1) >= 3) & ~(heard & ~tones).any(axis=1)
    return np.where(np.repeat(broken, _lengths(bars, path)), spread_out, path)


def _lengths(starts: Ints, path: Ints) -> Ints:
    return np.asarray(np.diff(np.append(starts, len(path))), np.int64)


def _run_of(frames: Frames, path: Ints, starts: Ints) -> tuple[Flags, Flags, Flags]:
    """Of runs of frames: the tones of their chord, whether one line sounds alone, and which tones are heard."""
    templates, _ = _templates()
    span = np.diff(frames.edges)
    alone = np.add.reduceat(frames.thickness * span, starts) <= UNISON * np.add.reduceat(span, starts)
    classes = np.add.reduceat(frames.classes, starts, axis=0)
    heard = classes >= PRESENT * np.maximum(classes.sum(axis=1, keepdims=True), 1e-9)
    return templates[np.maximum(path[starts], 0)] > 0, np.asarray(alone, np.bool_), np.asarray(heard, np.bool_)


def _templates() -> tuple[Floats, Floats]:
    rows = np.zeros((12 * len(QUALITIES), 12))
    for q, name in enumerate(QUALITIES):
        for root in range(12):
            rows[12 * q + root, [(root + s) % 12 for s in CHORD_TONES[name]]] = 1
    return rows, np.repeat([RARE[name] for name in QUALITIES], 12)


def chord_gains(frames: Frames) -> Floats:
    """How well each chord explains each frame, no key assumed: shape (frames, chords)."""
    templates, rare = _templates()
    out = np.empty((len(frames.classes), len(templates)))
    root = np.tile(np.arange(12), len(QUALITIES))
    for a in range(0, len(out), CHUNK):
        classes, lowest = frames.classes[a : a + CHUNK], frames.lowest[a : a + CHUNK]
        share = classes / np.maximum(classes.sum(axis=1, keepdims=True), 1e-9)
        bass = np.where(lowest >= 0, lowest % 12, 0)
        inside = share @ templates.T
        missing = templates.sum(axis=1) - np.minimum(share / PRESENT, 1.0) @ templates.T
        gain = inside - FOREIGN * (1 - inside) - MISSING * missing - rare
        gain += ROOT_BASS * (bass[:, None] == root) + CHORD_BASS * templates[:, bass].T
        out[a : a + CHUNK] = gain
    return out


def _best_chords(gain: Floats, change: Floats) -> Ints:
    """Viterbi where every change costs the same: the best predecessor is oneself or the best of all."""
    frames, states = gain.shape
    back = np.zeros((frames, states), np.int16)
    own = np.arange(states)
    best = gain[0].copy()
    for t in range(1, frames):
        top = int(best.argmax())
        moved = best[top] - change[t]
        back[t] = np.where(best >= moved, own, top)
        best = np.maximum(best, moved) + gain[t]
        best -= best.max()
    path = np.zeros(frames, np.int64)
    path[-1] = int(best.argmax())
    for t in range(frames - 1, 0, -1):
        path[t - 1] = back[t, path[t]]
    return path


def bass_tones(score: Score, frames: Frames, path: Ints) -> Ints:
    """The bass pitch class of each frame.

    The first lowest pitch of a chord is its bass. A later one takes over if it is a tone of the chord and lies lower,
    or if the part that has the bass moves there by a single note for a single note and stays at least a beat (a walking
    bass); the upper notes of a broken chord and the afterbeats of a waltz do neither.
    """
    lowest, part, struck, held = _bass_line(score, frames)
    tones = [
        frozenset((s % 12 + t) % 12 for t in CHORD_TONES[QUALITIES[s // 12]]) if s >= 0 else frozenset() for s in path
    ]
    out = np.zeros(len(path), np.int64)
    current, at = -1, 0
    for f in range(len(path)):
        low = int(lowest[f])
        if f == 0 or path[f] != path[f - 1] or current < 0:
            current, at = low, f
        elif low >= 0 and low % 12 in tones[f] and low != current:
            walks = part[f] == part[at] and struck[f] == 1 and struck[at] == 1 and held[f]
            if low < current or walks:
                current, at = low, f
        out[f] = current % 12 if current >= 0 else max(int(path[f]), 0) % 12
    return out


def _bass_line(score: Score, frames: Frames) -> tuple[Ints, Ints, Ints, Flags]:
    """Per frame: the lowest pitch, its part, how many notes of that part strike with it, whether it lasts a beat."""
    pitched = np.flatnonzero(score.pitched)
    notes = score.notes[pitched]
    ends = score.ends[pitched]
    note, frame = spread(notes["onset"], ends, frames.edges)
    pitch = notes["pitch"].astype(np.int64)
    order = np.lexsort((-pitch[note], frame))  # the last of each frame is its lowest
    note, frame = note[order], frame[order]
    last = np.flatnonzero(np.append(np.diff(frame) != 0, len(frame) > 0))
    count = len(frames.edges) - 1
    owner = np.full(count, -1, np.int64)
    owner[frame[last]] = note[last]
    there = owner >= 0
    part = np.where(there, notes["part"][owner], -1).astype(np.int64)
    key = notes["onset"] * (len(score.parts) + 1) + notes["part"]
    names, counts = np.unique(key, return_counts=True)
    struck = np.where(there, counts[np.searchsorted(names, key[owner])], 0)
    long = (ends - notes["onset"])[owner]
    beat = np.diff(frames.edges) / np.maximum(frames.share_of_beat, 1e-9)
    return frames.lowest, part, struck, np.asarray(there & (long >= 0.9 * beat))


def as_spans(score: Score, frames: Frames, path: Ints, bass: Ints, fit: Floats) -> tuple[Chord, ...]:
    """Chords over all bars, broken at bar lines."""
    new = frames.on_bar | np.concatenate([[True], (np.diff(path) != 0) | ((np.diff(bass) != 0) & (path[1:] >= 0))])
    starts = np.flatnonzero(new)
    stops = np.append(starts[1:], len(path))
    total = np.add.reduceat(frames.classes, starts, axis=0)
    end = max(score.length, int(frames.edges[-1]))
    sure = np.add.reduceat(fit, starts) / (stops - starts)
    chords = []
    for i, (a, b) in enumerate(zip(starts.tolist(), stops.tolist(), strict=True)):
        start, stop = int(frames.edges[a]), int(frames.edges[b]) if b < len(path) else end
        if path[a] < 0:
            single = int(total[i].argmax()) if total[i].sum() else 0
            chords.append(Chord(start, stop, single, "", single, 0.0))
        else:
            quality, root = divmod(int(path[a]), 12)
            chords.append(Chord(start, stop, root, QUALITIES[quality], int(bass[a]), float(np.clip(sure[i], 0, 1))))
    return tuple(chords)
