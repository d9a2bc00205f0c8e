"""Scores played by a simulated musician: known notation in, a performance as a MIDI keyboard would record it out.

The performance is drawn from a seed and the score alone: a tempo curve of phrase arches (slower towards the end of
four-bar phrases), beat-to-beat drift and a few fermata-like pauses; Gaussian noise of 10 ms a chord and 12 ms a note
(together 16 ms), the top note of a chord early; articulated lengths (legato, detached or staccato by phrase and part);
velocities that follow the meter a little, with noise. Grace notes sound 70 ms before their main note.

`with_grid` keeps tempo and meters of the score; `without_grid` is the same sound at a nominal 120, 4/4.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

import rescore_music as rm
from rescore_music.elements import GRACE, METER
from rescore_music.score import Part, Score
from rescore_music.tempo import TempoMap

# The tested works; nothing of them, no other movement either, is used to fit or tune.
TESTED = (
    *(f"bach/bwv{n}.mxl" for n in ("1.6", "7.7", "26.6", "66.6", "153.1", "227.11", "253", "269", "277", "398")),
    *(f"mozart/k155/movement{n}.mxl" for n in (1, 2, 3)),
    *(f"mozart/k458/movement{n}.mxl" for n in (1, 2, 3, 4)),
    "mozart/k545/movement1_exposition.mxl",
    *(f"haydn/opus74no1/movement{n}.mxl" for n in (1, 2, 3, 4)),
    *(f"beethoven/opus18no1/movement{n}.mxl" for n in (1, 2, 3, 4)),
    *(f"beethoven/opus59no1/movement{n}.mxl" for n in (1, 3, 4)),
    "chopin/mazurka06-2.krn",
    "joplin/maple_leaf_rag.mxl",
    "schumann_robert/opus48no2.mxl",
    "schumann_robert/opus41no1/movement2.mxl",
    "schumann_clara/polonaise_op1n1.mxl",
    "schumann_clara/polonaise_op1n2.mxl",
    "schubert/Lindenbaum.xml",
    "leadSheet/berlinAlexandersRagtime.mxl",
    "leadSheet/fosterBrownHair.mxl",
    "cpebach/h186.mxl",
    "handel/rinaldo/Lascia_chio_pianga.mxl",
    "johnson_j_r/lift_every_voice.mxl",
    "liliuokalani/aloha_oe.mxl",
    "ryansMammoth/AnnieHughesJig.abc",
    "ryansMammoth/AndrewCareysSlipjig.abc",
    "ryansMammoth/AcrobatsHornpipe.abc",
    "ryansMammoth/AcaciaReel.abc",
    "ryansMammoth/AbithaMugginsFavoriteReel.abc",
    "ryansMammoth/AWillieWeHaveMissdYouStrathspey.abc",
)
# Works to fit priors and tune on: none is among the tested.
TUNING = (
    *(f"bach/bwv{n}.mxl" for n in ("10.7", "20.7", "40.8", "112.5", "145.5", "244.3", "267", "283", "310", "355")),
    *(f"mozart/k80/movement{n}.mxl" for n in (1, 2, 3, 4)),
    *(f"mozart/k156/movement{n}.mxl" for n in (2, 3, 4)),
    *(f"haydn/opus1no1/movement{n}.mxl" for n in (1, 2, 3, 4, 5)),
    "beethoven/opus18no5.mxl",
    *(f"beethoven/opus59no2/movement{n}.mxl" for n in (1, 2, 3, 4)),
    *(f"beethoven/opus59no3/movement{n}.mxl" for n in (1, 2, 3, 4)),
    "schumann_robert/opus41no1/movement4.mxl",
    "schumann_clara/polonaise_op1n3.mxl",
    "schumann_clara/polonaise_op1n4.mxl",
    "schumann_clara/opus17/movement3.xml",
    "weber/concertino_clarinet.mxl",
    "beach/prayer_of_a_tired_child.musicxml",
    "corelli/opus3no1/1grave.xml",
    "ryansMammoth/AdmiralsHornpipe.abc",
    "ryansMammoth/AfterTheHareReel.abc",
    "ryansMammoth/AllTheWayToGalwayReel.abc",
    "ryansMammoth/AllTheRageReel.abc",
)


def corpus() -> Path:
    """The folder of the music21 corpus."""
    import music21

    return Path(music21.__file__).parent / "corpus"


def seed_of(name: str) -> int:
    return int(hashlib.sha256(name.encode()).hexdigest()[:8], 16)


def excerpt(name: str, seconds: float = 45.0) -> tuple[Score, float]:
    """The opening of a score, cut at a bar line, and the tempo (quarters a minute) it is to be played at."""
    score = rm.read_score(corpus() / name)
    rng = np.random.default_rng(seed_of(name))
    _, denominator = score.meter_at(int(score.bars[min(1, len(score.bars) - 2)]))
    unit, low, high = 1.0, 72.0, 126.0
    if denominator >= 8:
        unit, low, high = 1.5, 50.0, 84.0
    elif denominator == 2:
        unit, low, high = 2.0, 54.0, 84.0
    tempo = unit * float(rng.uniform(low, high))
    printed = float(score.tempo.bpm(0))
    if printed != 120.0:  # the default, which says nothing
        tempo = printed * float(rng.uniform(0.9, 1.1))
    tempo = min(tempo, _playable(score))
    quarters = seconds * tempo / 60
    bars = score.bars
    last = int(np.searchsorted(bars, quarters * score.ticks_per_quarter, side="right")) - 1
    end = int(bars[np.clip(last, min(4, len(bars) - 1), len(bars) - 1)])
    score = score if end >= score.bars[-1] else score.slice(0, end)
    keep = (score.notes["articulation"] & GRACE == 0) | (score.notes["onset"] > 0)
    keep &= ~_shared(score)
    parts = tuple(
        Part(name=p.name, program=p.program, channel=i if i < 9 else i + 1, staves=p.staves)
        for i, p in enumerate(score.parts)
    )
    blank: dict[str, tuple[()]] = {"marks": (), "markers": (), "raw": ()}
    columns = {name: getattr(score, name)[:0] for name in ("controls", "bends", "programs", "keys")}
    tempo_map = TempoMap.constant(tempo, score.ticks_per_quarter)
    out = score.replace(notes=score.notes[keep], parts=parts, tempo=tempo_map, import_log=(), **blank, **columns)
    return out, tempo


def _shared(score: Score) -> np.ndarray:
    """Notes of a part that another voice of it plays too, at once: no instrument sounds them twice."""
    notes = score.notes
    order = np.lexsort((-notes["duration"], notes["pitch"], notes["part"], notes["onset"]))
    row = notes[order]
    again = np.zeros(len(row), bool)
    again[1:] = np.all([row[c][1:] == row[c][:-1] for c in ("onset", "part", "pitch")], axis=0)
    again &= (row["articulation"] & GRACE) == 0
    out = np.zeros(len(row), bool)
    out[order] = again
    return out


def _playable(score: Score) -> float:
    """The tempo (quarters a minute) at which a tenth of the notes of a part follow each other within 0.1 s."""
    gaps = [np.diff(np.unique(score.notes["onset"][score.notes["part"] == p])) for p in range(len(score.parts))]
    shortest = float(np.quantile(np.concatenate(gaps), 0.1)) / score.ticks_per_quarter
    return 60 * shortest / 0.1


def tempo_curve(score: Score, tempo: float, rng: np.random.Generator) -> TempoMap:
    """Phrase arches, drift and pauses, a step a half quarter."""
    quarter = score.ticks_per_quarter
    places = np.arange(0, score.length + quarter, max(quarter // 2, 1))
    bar = np.minimum(np.searchsorted(score.bars, places, side="right") - 1, len(score.bars) - 2)
    phrase = 4 if rng.random() < 0.7 else 8
    starts = score.bars[bar - bar % phrase]
    stops = score.bars[np.minimum(bar - bar % phrase + phrase, len(score.bars) - 1)]
    into = (places - starts) / np.maximum(stops - starts, 1)
    depth = rng.uniform(0.04, 0.13)
    arch = depth * (0.35 - np.clip(into - 0.6, 0, None) ** 2 / 0.16) + 0.3 * depth * np.sin(np.pi * into)
    drift = np.zeros(len(places))
    for i in range(1, len(places)):
        drift[i] = 0.93 * drift[i - 1] + rng.normal(0, 0.011)
    speed = np.exp(arch + drift)
    ends = np.flatnonzero(into[1:] < into[:-1])  # the last half quarter of a phrase may linger
    linger = ends[rng.random(len(ends)) < 0.3]
    speed[linger] /= 1.35
    return TempoMap(places, 6e7 / (tempo * speed), ticks_per_quarter=quarter)


def perform(score: Score, tempo: float, seed: int) -> tuple[TempoMap, np.ndarray, np.ndarray, np.ndarray]:
    """Tempo map, onset and end in seconds, and velocity of each note as performed."""
    rng = np.random.default_rng(seed)
    curve = tempo_curve(score, tempo, rng)
    notes = score.notes
    sounding = score.sounding()
    _, chord = np.unique(notes["onset"], return_inverse=True)
    onset = curve.seconds(sounding["onset"])
    grace = (notes["articulation"] & GRACE) != 0
    onset = onset + rng.normal(0, 0.010, chord.max() + 1)[chord] + rng.normal(0, 0.012, len(notes))
    onset[grace] = curve.seconds(notes["onset"][grace]) - 0.07 + rng.normal(0, 0.008, int(grace.sum()))
    top = np.full(chord.max() + 1, -1)
    np.maximum.at(top, chord, notes["pitch"].astype(int))
    onset -= np.where((notes["pitch"] == top[chord]) & ~grace, rng.uniform(0, 0.012), 0.0)
    length = curve.seconds(sounding["onset"] + sounding["duration"]) - curve.seconds(sounding["onset"])
    key = notes["part"].astype(np.int64) * 1000 + score.bar_of(notes["onset"]) // 4
    _, group = np.unique(key, return_inverse=True)
    styles = rng.choice([0.98, 0.9, 0.75, 0.55], p=[0.35, 0.35, 0.2, 0.1], size=group.max() + 1)
    short = sounding["duration"] < notes["duration"]
    share = np.where(short, 1.0, styles[group]) * np.exp(rng.normal(0, 0.05, len(notes)))
    length = np.where(grace, 0.065, np.maximum(length * share, 0.04))
    into = notes["onset"] - score.bars[score.bar_of(notes["onset"])]
    beat = np.array([score.beat_ticks(int(t)) for t in score.bars])[score.bar_of(notes["onset"])]
    accent = np.where(into == 0, 6, np.where(into % beat == 0, 2, -3))
    velocity = np.clip(66 + accent + rng.normal(0, 8, len(notes)), 20, 120).astype(int)
    lead = max(0.0, 0.05 - float(onset.min())) + rng.uniform(0.2, 2.0)
    return curve, onset, onset + length, velocity, lead


def with_grid(score: Score, tempo: float, seed: int) -> Score:
    """The performance over the true tempo map and meters."""
    curve, onset, end, velocity, _ = perform(score, tempo, seed)
    return _score(score, curve, curve.ticks_at(onset), curve.ticks_at(end), velocity)


def without_grid(score: Score, tempo: float, seed: int) -> tuple[Score, TempoMap, float]:
    """The performance at a nominal 120, 4/4; the true tempo map, and the seconds of silence before it."""
    curve, onset, end, velocity, lead = perform(score, tempo, seed)
    nominal = TempoMap.constant(120.0, 480)
    played = _score(score, nominal, (onset + lead) * 960, (end + lead) * 960, velocity)
    bare = played.replace(meters=np.array([(0, 4, 4)], METER), barlines=np.zeros(0, np.int64), length=0)
    return bare, curve, lead


def _score(score: Score, tempo: TempoMap, onset: np.ndarray, end: np.ndarray, velocity: np.ndarray) -> Score:
    notes = score.notes.copy()
    notes["onset"] = np.maximum(np.rint(onset), 0)
    notes["duration"] = np.maximum(np.rint(end) - notes["onset"], 1)
    notes["velocity"] = velocity
    for name in ("voice", "staff", "articulation", "alter"):
        notes[name] = 0
    notes["step"] = -1
    parts = tuple(Part(name=p.name, program=p.program, channel=p.channel) for p in score.parts)
    quarter = tempo.ticks_per_quarter
    extra = {"length": 0, "barlines": np.zeros(0, np.int64)} if quarter != score.ticks_per_quarter else {}
    return score.replace(notes=notes, parts=parts, tempo=tempo, ticks_per_quarter=quarter, **extra)
