"""Roles against what is annotated: doublings, bass, and how far a confidence can be believed.

    python benchmarks/bench_roles.py [--every 2]      every second movement of the annotated orchestral scores

Doublings: openscore_orchestra's `_part_relations.csv` names for each stretch of music the parts in unison (U), at the
octave (P8) or at thirds (P3) and other intervals with the main part; its rows go in playing order, repeats and all, and
are laid on the annotated stretches by main part and length (`melody_data.relations`). We are asked the same of the same
stretch, part by part (`doubling`), and, harder, phrase by phrase as `analyze` tells it (share of time). Peers: parts
with the same onsets; parts that share four notes in five of their own with the main part. Thresholds of `doubling` were
set by hand before these files were looked at.

Bass: share of beats, of those in which the line called BASS sounds, in which it has the lowest note. Peers: the last
part of the score; the part with the lowest mean pitch in the phrase. (A line that has the lowest note is what the
definition asks for, so this is a check of the search and not of taste.)

The table names only what is note for note the same for a whole stretch, and not all of that; so for the parts we name
and it does not, we print how many share nine notes in ten, of both parts, with the main part.

Confidence: phrases by the confidence of their MELODY line, and how often that line's part is the annotated one or plays
its notes (`melody_data.leaders`). The melody's weights have seen these movements, so look at the order of the bins, not
at their height. The annotations' labels, which the files carry as syllables, are taken out before anything is read.
"""

from __future__ import annotations

import argparse
from itertools import pairwise
from typing import Any

import numpy as np
from melody_data import annotated, leaders, relations, without_labels

from rescore_music.analysis import analyze
from rescore_music.analysis.doubling import doubling_pairs, following_pairs, interval, moments_of
from rescore_music.analysis.frames import beats
from rescore_music.io import read_score
from rescore_music.score import Score
from rescore_music.structure import Analysis, Role

Row = np.ndarray[Any, Any]
BINS = (0.0, 0.3, 0.45, 0.6, 0.75, 0.9, 1.01)


def by_stretch(score: Score, stretches: list[Any], sums: dict[str, Row], intervals: Row) -> None:
    """Adds to sums (hits, found, wanted) of parts that double the main part, and of parts at thirds."""
    part = score.notes["part"].astype(np.int32)
    for a, b, main, told in stretches:
        m = moments_of(score, part, np.array([a, b]))[0]
        if main not in m.lines:
            continue
        at = int(np.searchsorted(m.lines, main))
        alike, parallel = doubling_pairs(m), following_pairs(m)
        struck = m.pitch >= 0
        same = (struck == struck[at]).mean(axis=1) >= 0.9
        share = m.shared[:, at] >= 0.8 * np.maximum(np.diag(m.shared), 1)
        wanted = {p for p, kinds in told.items() if kinds & {"U", "P8"} and p in m.lines}
        thirds = {p for p, kinds in told.items() if kinds & {"P3", "P6"} and p in m.lines}
        guesses = {
            "ours": (wanted, alike[:, at]),
            "same onsets": (wanted, same),
            "four notes in five shared": (wanted, share),
            "thirds, sixths: ours": (thirds, parallel[:, at] & ~alike[:, at]),
        }
        for who, (truth, flags) in guesses.items():
            found = {int(m.lines[i]) for i in np.flatnonzero(flags) if i != at}
            sums.setdefault(who, np.zeros(3))
            sums[who] += np.array([len(truth & found), len(found), len(truth)])
        row = sums.setdefault("not told", np.zeros(2))
        for i in np.flatnonzero(alike[:, at]):
            if int(m.lines[i]) not in wanted:
                most = max(m.shared[i, i], m.shared[at, at])
                row += np.array([m.shared[i, at] >= 0.9 * most, 1.0])
        for p in wanted:
            i = int(np.searchsorted(m.lines, p))
            if alike[i, at]:
                unison = interval(m, i, at, True) == 0
                intervals += np.array([unison == ("U" in told[p]), 1.0])


def by_phrase(score: Score, found: Analysis, stretches: list[Any], sums: dict[str, Row]) -> None:
    """Adds ticks (hits, found, wanted) in which a part doubles the main part, as `analyze` tells it."""
    part = np.array([line.part for line in found.lines])
    root = np.where(found.doubles >= 0, found.doubles, np.arange(len(part))[:, None])
    row = sums.setdefault("ours, by phrase (time)", np.zeros(3))
    for a, b, main, told in stretches:
        wanted = {p for p, kinds in told.items() if kinds & {"U", "P8"}}
        for p, phrase in enumerate(found.phrases):
            time = min(b, phrase.end) - max(a, phrase.start)
            if time <= 0:
                continue
            active = found.roles[:, p] != Role.REST
            group = set(root[(part == main) & active, p].tolist())
            doubling = {int(x) for x in part[active & np.isin(root[:, p], list(group))]} - {main}
            playing = {int(x) for x in part[active]}
            row += (
                time
                / score.ticks_per_quarter
                * np.array([len(doubling & wanted), len(doubling), len(wanted & playing)])
            )


def bass(score: Score, found: Analysis, sums: dict[str, Row]) -> None:
    """Adds beats (right, all) in which the named line or part has the lowest note."""
    edges = beats(score)
    part = np.array([line.part for line in found.lines])
    m = score.pitched
    onset, end, pitch = score.notes["onset"][m], score.ends[m], score.notes["pitch"][m].astype(int)
    line = found.line_of[m]
    order = np.argsort(pitch, kind="stable")
    onset, end, pitch, line = onset[order], end[order], pitch[order], line[order]
    for p, phrase in enumerate(found.phrases):
        lead = np.flatnonzero((found.roles[:, p] == Role.BASS) & (found.doubles[:, p] < 0))
        places = edges[(edges >= phrase.start) & (edges < phrase.end)]
        if not len(lead) or not len(places):
            continue
        near = (onset < phrase.end) & (end > phrase.start)
        sounding = (onset[near][None, :] <= places[:, None]) & (end[near][None, :] > places[:, None])
        last = int(part[found.roles[:, p] != Role.REST].max())
        names = np.unique(part[line[near]])
        mean = [pitch[near][part[line[near]] == name].mean() for name in names]
        deep = int(names[int(np.argmin(mean))])
        bottom = np.where(sounding, pitch[near][None, :], 999).min(axis=1)
        for who, mine in {
            "ours": line[near] == lead[0],
            "last part that plays": part[line[near]] == last,
            "part of lowest mean": part[line[near]] == deep,
        }.items():
            own = np.where(sounding & mine[None, :], pitch[near][None, :], 999).min(axis=1)
            there = own < 999
            row = sums.setdefault(who, np.zeros(2))
            row += np.array([np.count_nonzero(there & (own == bottom)), np.count_nonzero(there)])


def believed(found: Analysis, truth: list[tuple[int, int, set[int]]], out: list[tuple[float, bool]]) -> None:
    """Adds (confidence, right) of each phrase's melody."""
    part = np.array([line.part for line in found.lines])
    for p, phrase in enumerate(found.phrases):
        time: dict[int, int] = {}
        for a, b, good in truth:
            shared = min(b, phrase.end) - max(a, phrase.start)
            for right in good if shared > 0 else ():
                time[right] = time.get(right, 0) + shared
        lead = np.flatnonzero((found.roles[:, p] == Role.MELODY) & (found.doubles[:, p] < 0))
        if len(lead) and time and max(time.values()) > 0:
            right = time.get(int(part[lead[0]]), 0) >= 0.5 * (phrase.end - phrase.start)
            out.append((float(found.confidence[lead[0], p]), right))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=2)
    paths = annotated()[:: parser.parse_args().every]
    doubles: dict[str, Row] = {}
    low: dict[str, Row] = {}
    intervals = np.zeros(2)
    confidence: list[tuple[float, bool]] = []
    works = 0
    for path in paths:
        score = without_labels(path, read_score(path))
        stretches = relations(path, score)
        if not stretches:
            continue
        works += 1
        found = analyze(score)
        by_stretch(score, stretches, doubles, intervals)
        by_phrase(score, found, stretches, doubles)
        bass(score, found, low)
        believed(found, leaders(path, score), confidence)
    print(f"{works} movements: parts that double the main part at the unison or octave")
    alike, untold = doubles.pop("not told")
    for who, (hits, ours, wanted) in doubles.items():
        p, r = hits / max(ours, 1), hits / max(wanted, 1)
        print(f"    {who:28s} P {p:.3f}  R {r:.3f}  F1 {2 * p * r / max(p + r, 1e-9):.3f}   ({wanted:.0f} wanted)")
    print(f"    unison or octave told right: {intervals[0] / max(intervals[1], 1):.3f} of {intervals[1]:.0f}")
    print(f"    of {untold:.0f} that we name and the table does not, sharing nine notes in ten: {alike / untold:.3f}")
    print("bass: share of beats in which it has the lowest note")
    for who, (right, all_) in low.items():
        print(f"    {who:28s} {right / max(all_, 1):.3f} of {all_:.0f}")
    print("confidence of a phrase's melody, and how often it is right")
    sure, right = np.array([c for c, _ in confidence]), np.array([r for _, r in confidence])
    for a, b in pairwise(BINS):
        here = (sure >= a) & (sure < b)
        if here.any():
            mean, share = sure[here].mean(), right[here].mean()
            print(f"    {a:.2f}-{min(b, 1):.2f}   mean {mean:.2f}   right {share:.2f}   n {here.sum()}")


if __name__ == "__main__":
    main()
