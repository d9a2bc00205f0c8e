"""An independent reader of MusicXML: what sounds when, by adding up durations with lxml alone.

So small that it can be read against the standard. It knows divisions, backup and forward, chords, ties, transposition
and bars; it knows nothing of repeats, tremolos or ornaments.
"""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


def plain_notes(data: bytes) -> Counter[tuple[int, int]]:
    """(onset in 480ths of a quarter, sounding pitch) of every struck note of a partwise score."""
    from lxml import etree

    root = etree.fromstring(data)
    found: Counter[tuple[int, int]] = Counter()
    lengths: dict[int, Fraction] = {}
    for part in root.findall("part"):
        start, divisions, shift = Fraction(0), 1, 0
        for number, measure in enumerate(part.findall("measure")):
            at = last = longest = Fraction(0)
            for element in measure:
                if element.tag == "attributes":
                    divisions = int(element.findtext("divisions") or divisions)
                    t = element.find("transpose")
                    if t is not None:
                        shift = int(t.findtext("chromatic") or 0) + 12 * int(t.findtext("octave-change") or 0)
                length = Fraction(element.findtext("duration") or 0) / divisions
                if element.tag == "backup":
                    at -= length
                elif element.tag == "forward":
                    at += length
                elif element.tag == "note" and element.find("grace") is None:
                    onset = last if element.find("chord") is not None else at
                    pitch = element.find("pitch")
                    tied = any(t.get("type") == "stop" for t in element.findall("tie"))
                    if pitch is not None and not tied:
                        semitone = STEPS[pitch.findtext("step")] + int(float(pitch.findtext("alter") or 0))
                        key = 12 * (int(pitch.findtext("octave")) + 1) + semitone + shift
                        found[round((start + onset) * 480), key] += 1
                    if element.find("chord") is None:
                        last, at = at, at + length
                longest = max(longest, at)
            lengths.setdefault(number, longest)
            start += max(longest, lengths[number]) if longest else lengths[number]
    return found
