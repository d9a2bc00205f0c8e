"""Lines over many notes that MusicXML holds as a direction at either end: hairpins, pedals, octave lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rescore_music.io.musicxml.slurs import MOST_NUMBERS
from rescore_music.score import Mark

OCTAVES = {"8va": ("down", 8), "8vb": ("up", 8), "15ma": ("down", 15), "15mb": ("up", 15)}


def ends_of(kind: str, text: str, number: int, *, niente: bool = False) -> tuple[str, str]:
    """The two directions of a line, its staff and offset left as `{staff}`.

    Parameters
    ----------
    kind : str
        "hairpin", "pedal" or "octave".
    text : str
        As `Mark` has it: "<", ">", "line", "8va" ...
    number : int
        From 1: what tells it from other lines of its kind that are open at the same time.
    niente : bool
        Whether a hairpin comes from nothing, or goes to it.
    """
    if kind == "hairpin":
        name = "crescendo" if text.startswith("<") else "diminuendo"
        grows, circle = name == "crescendo", ' niente="yes"' if niente else ""
        start = f'<wedge type="{name}" number="{number}"{circle if grows else ""}/>'
        stop = f'<wedge type="stop" number="{number}"{"" if grows else circle}/>'
    elif kind == "pedal":
        line, sign = ("yes", "no") if text == "line" else ("no", "yes")
        start = f'<pedal type="{"sostenuto" if text == "sostenuto" else "start"}" line="{line}" sign="{sign}"/>'
        stop = f'<pedal type="stop" line="{line}" sign="{sign}"/>'
    else:
        way, size = OCTAVES.get(text, ("down", 8))
        start = f'<octave-shift type="{way}" size="{size}" number="{number}"/>'
        stop = f'<octave-shift type="stop" size="{size}" number="{number}"/>'
    place = "above" if kind == "octave" and text.endswith("a") else "below"
    head = f'<direction placement="{place}"><direction-type>'
    tail = "</direction-type>{staff}</direction>"
    return head + start + tail, head + stop + tail


def numbered(marks: Iterable[Mark]) -> Iterator[tuple[int, Mark]]:
    """Each mark with the lowest number that no overlapping one has; beyond MusicXML's limit they are left out."""
    busy: list[int] = []
    for m in sorted(marks, key=lambda m: (m.tick, m.end)):
        # one that starts where another ends takes another number: their order at that place is then free
        number = next((n for n in range(len(busy)) if busy[n] < m.tick), len(busy))
        if number >= MOST_NUMBERS:
            continue
        busy[number : number + 1] = [m.end]
        yield number + 1, m
