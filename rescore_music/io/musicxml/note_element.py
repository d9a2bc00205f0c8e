"""One `note` element of MusicXML as plain values: what its children say, before anything is made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rescore_music.io.musicxml.parts import number_of, text_of
from rescore_music.io.musicxml.place import Written
from rescore_music.io.notation.draft import TIE_START, TIE_STOP
from rescore_music.score import Articulation

if TYPE_CHECKING:
    from lxml.etree import _Element

    from rescore_music.io.musicxml.place import PartPlace

CUE = int(Articulation.CUE)  # a plain number: asking an enum costs a microsecond a note
# what says how a note looks, which the writer decides anew; and, met on the way, what is inside of what is kept
_SKIP = frozenset(
    {
        "note", "pitch", "type", "stem", "beam", "dot", "accidental", "time-modification", "actual-notes",
        "normal-notes", "normal-type", "articulations", "slur", "staccato", "tied", "accent", "tuplet", "dynamics",
        "ornaments", "technical", "text", "syllabic",
    }
)  # fmt: skip


class NoteElement:
    """What the children of one `note` say, as it is written; onset and duration in ticks of the bar, -1 = no pitch.

    The defaults are the class's, so that a note costs only what it says. What hangs on a note finds its place here.
    """

    onset = duration = tie = flags = staff = number = 0
    pitch = velocity = -1
    written: Written = (None, None, None)
    voice = "1"
    instrument = ""
    chord = grace = rest = whole_bar = unpitched = False
    notations: tuple[_Element, ...] = ()
    lyrics: tuple[_Element, ...] = ()
    head: _Element | None = None

    def __init__(self, element: _Element, place: PartPlace) -> None:
        step = octave = alter = None
        for child in element.iter():  # flat: an iterator for each child costs more than its grandchildren
            tag = child.tag
            if tag in _SKIP:
                continue
            if tag == "step":
                step = child.text
            elif tag == "octave":
                octave = child.text
            elif tag == "alter":
                alter = child.text
            elif tag == "duration":
                text = child.text
                known = place.known
                self.duration = known[text] if text in known else place.ticks((text or "0").strip())
            elif tag == "voice":
                self.voice = child.text or "1"
            elif tag == "notations":
                self.notations += (child,)
            elif tag == "chord":
                self.chord = True
            elif tag == "rest":
                self.rest = True
                self.whole_bar = child.get("measure") == "yes"
            elif tag == "tie":
                self.tie |= TIE_START if child.get("type") == "start" else TIE_STOP
            elif tag == "staff":
                self.staff = max(number_of(child, 1) - 1, 0)
            elif tag == "lyric":
                self.lyrics += (child,)
            else:
                self._rarer(child, tag)
        if not self.unpitched:
            self.written = (step, octave, alter)
        if (percent := element.get("dynamics")) is not None:
            self.velocity = _velocity(percent)

    def _rarer(self, child: _Element, tag: str) -> None:
        """Grace and cue notes, drums and heads."""
        if tag == "grace":
            self.grace = True
            slash = child.get("slash") == "yes"
            self.flags |= int(Articulation.ACCIACCATURA if slash else Articulation.APPOGGIATURA)
        elif tag == "cue":
            self.flags |= CUE
        elif tag == "unpitched":
            self.unpitched = True
            self.written = (text_of(child.find("display-step")), text_of(child.find("display-octave")), None)
        elif tag == "instrument":
            self.instrument = child.get("id", "")
        elif tag == "notehead":
            self.head = child
            if child.get("parentheses") == "yes":
                self.flags |= int(Articulation.GHOST)


def _velocity(percent: str) -> int:
    """The `dynamics` attribute is a percentage of velocity 90."""
    try:
        value = float(percent) * 0.9
    except ValueError:
        return -1
    return round(value) if 0 < value < 1000 else -1
