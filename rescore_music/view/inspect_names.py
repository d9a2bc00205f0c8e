"""What parts, lines, keys and chords of a cue are called on the inspect page and by the inspect command."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from rescore_music.elements import Part
from rescore_music.instruments import guess_instrument, instruments
from rescore_music.score import Score
from rescore_music.structure import Analysis, Chord, KeySpan
from rescore_music.view.harmony_names import chord_name, name_of_fifth, roman, signature, tonic_fifth

SEVERAL = 3  # parts that bear one name, for it to be no part's name
_COUNTED = re.compile(r"\s*#\d+$")  # how sequencers tell tracks of one name apart


def part_name(score: Score, index: int) -> str:
    """A part's name; parts of one name are told apart by what they are played on, then by number.

    Where all of several parts bear one name it is the sequencer's or the cue's, and only what plays is told.
    """
    return _part_names(score.parts, score.metadata.source_format)[index]


@lru_cache(maxsize=8)
def _part_names(parts: tuple[Part, ...], source_format: str) -> tuple[str, ...]:
    own = [" ".join(p.name.split()) for p in parts]
    shared = [_COUNTED.sub("", name) for name in own]
    played = [_played_on(p, source_format) for p in parts]
    if len(own) >= SEVERAL and len(set(shared)) == 1:
        own = [""] * len(own)
    names = [
        (f"{name}: {sound}" if name and shared.count(kind) > 1 and sound.lower() not in name.lower() else name) or sound
        for name, kind, sound in zip(own, shared, played, strict=True)
    ]
    return tuple(
        name if names.count(name) == 1 else f"{name} ({names[: i + 1].count(name)})" for i, name in enumerate(names)
    )


def instrument_name(score: Score, index: int) -> str:
    """What a part is played on: its instrument, its General MIDI sound, or what its name points to."""
    return _played_on(score.parts[index], score.metadata.source_format)


def _played_on(part: Part, source_format: str) -> str:
    from rescore_music.io.midi.names import sound_name

    if part.instrument in instruments():
        return instruments()[part.instrument].name
    if source_format.startswith("midi"):
        return sound_name(part.program, part.percussion)
    # a guess knows the instrument, not the key it is built in
    return re.sub(r" in \w+♭?$", "", guess_instrument(part.name, part.program, part.percussion).name)


def line_name(score: Score, analysis: Analysis, line: int) -> str:
    """A line's name: its part's, with the voice where the part has several."""
    own = analysis.lines[line]
    several = sum(other.part == own.part for other in analysis.lines) > 1
    return part_name(score, own.part) + (f", voice {own.voice + 1}" if several else "")


def meters(score: Score) -> list[tuple[int, int, int]]:
    """(tick, numerator, denominator) of every meter, from tick 0."""
    rows = [(int(t), int(n), int(d)) for t, n, d in score.meters.tolist()]
    return rows if rows and rows[0][0] <= 0 else [(0, 4, 4), *rows]


def spelled_keys(score: Score, analysis: Analysis) -> list[int]:
    """The signature of each key span, spelled on the side of the notated one."""
    out = []
    for key in analysis.keys:
        row = int(np.searchsorted(score.keys["tick"], key.start, side="right")) - 1
        notated = int(score.keys["fifths"][row]) if row >= 0 else 0
        out.append(signature(key.tonic, key.mode, notated))
    return out


def key_text(key: KeySpan, fifths: int) -> str:
    """A key by name, its signature known."""
    return f"{name_of_fifth(tonic_fifth(fifths, key.mode))} {key.mode}"


def key_at(analysis: Analysis, keys: Sequence[int], tick: int) -> str:
    """Name of the local key at a tick."""
    index = key_index(analysis, tick)
    return key_text(analysis.keys[index], keys[index]) if index >= 0 else ""


def home_key_name(analysis: Analysis, keys: Sequence[int]) -> str:
    """The key of the whole by name, spelled as where it is first heard; "" where nothing pitched sounds."""
    home = analysis.home_key
    same = [] if home is None else [k.tonic == home.tonic and k.mode == home.mode for k in analysis.keys]
    first = same.index(True) if any(same) else -1
    return key_text(analysis.keys[first], keys[first]) if first >= 0 else ""


def key_index(analysis: Analysis, tick: int) -> int:
    """Which key span holds a tick; -1 where there is none."""
    return max((i for i, k in enumerate(analysis.keys) if k.start <= tick), default=-1 if not analysis.keys else 0)


def named_chords(score: Score, analysis: Analysis) -> list[tuple[int, int, str, str]]:
    """(start, end, Roman numeral, name) of each chord in its local key; equal neighbours are one."""
    keys, out = spelled_keys(score, analysis), list[tuple[int, int, str, str]]()
    starts = np.array([k.start for k in analysis.keys], np.int64)
    last = len(analysis.keys) - 1
    for i, chord in enumerate(analysis.chords):
        place = int(np.searchsorted(starts, chord.start, side="right")) - 1
        numeral, name = "", ""
        if last >= 0:
            k = min(max(place, 0), last)
            following = _following(analysis.chords, i)
            numeral = roman(chord, analysis.keys[k], following)
            name = chord_name(chord, keys[k], analysis.keys[k].mode)
        if out and out[-1][2:] == (numeral, name) and out[-1][1] == chord.start:
            out[-1] = (out[-1][0], chord.end, numeral, name)
        else:
            out.append((chord.start, chord.end, numeral, name))
    return [row for row in out if row[3]]


def _following(chords: Sequence[Chord], index: int) -> Chord | None:
    """The next chord of another root."""
    root = chords[index].root
    return next((c for c in chords[index + 1 : index + 4] if c.quality and c.root != root), None)
