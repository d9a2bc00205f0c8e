"""One `note` element of MusicXML as plain values: what its children say, before anything is made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rescore_music.io.musicxml.parts import number_of
from rescore_music.io.musicxml.place import Written
from rescore_music.io.notation.draft import TIE_START, TIE_STOP
from rescore_music.score import Articulation

if TYPE_CHECKING:
    from lxml.etree import _Element

    from rescore_music.io.musicxml.place import PartPlace

_TIES: dict[str | None, int] = {"start": TIE_START, "stop": TIE_STOP}  # a third, let-ring, joins nothing
CUE = int(Articulation.CUE)  # a plain number: asking an enum costs a microsecond a note
# what says how a note looks, which the writer decides anew; and, met on the way, what is inside of what is kept
_SKIP = frozenset(
    {
        "note", "pitch", "type", "stem", "beam", "dot", "accidental", "time-modification", "actual-notes",
        "normal-notes", "normal-type", "articulations", "slur", "staccato", "tied", "accent", "tuplet", "dynamics",
        "ornaments", "technical", "text", "syllabic",
    }
)  # fmt: skip
_DETAILS = frozenset({"notations", "lyric", "grace", "cue", "unpitched", "instrument", "notehead"})
BAR_REST, REST, SOUND = 1, 2, 3  # what a note element was


class NoteDetails:
    """What a note says beyond the plain: what hangs on it, and where; onset and duration in ticks, -1 = no pitch.

    The defaults are the class's, so that a note costs only what it says.
    """

    onset = duration = tie = flags = staff = number = 0
    pitch = velocity = -1
    instrument = ""
    chord = grace = unpitched = False
    written: Written = (None, None, None)  # of an unpitched note: where it stands on its staff
    notations: tuple[_Element, ...] = ()
    lyrics: tuple[_Element, ...] = ()
    head: _Element | None = None
    kind = ""  # note value of a grace note


# duration in ticks, written pitch, voice, in a chord, tie bits, staff, how it rests (0, REST, BAR_REST), details
NoteValues = tuple[int, Written, str, bool, int, int, int, NoteDetails | None]


def note_values(element: _Element, place: PartPlace) -> NoteValues:
    """What one `note` element says. Plain notes, which most are, stay plain values: it is the reader's inmost loop."""
    step = octave = alter = details = None
    duration = tie = staff = rest = 0
    voice, chord, known = "1", False, place.known
    for child in element.iter():  # flat: an iterator for each child costs more than its grandchildren
        tag = child.tag
        if tag in _SKIP:
            continue
        if tag == "step" or tag == "display-step":
            step = child.text
        elif tag == "octave" or tag == "display-octave":
            octave = child.text
        elif tag == "alter":
            alter = child.text
        elif tag == "duration":
            text = child.text
            duration = known[text] if text in known else place.ticks((text or "0").strip())
        elif tag == "voice":
            voice = child.text or "1"
        elif tag == "chord":
            chord = True
        elif tag == "rest":
            rest = BAR_REST if child.get("measure") == "yes" else REST
        elif tag == "tie":
            tie |= _TIES.get(child.get("type"), 0)
        elif tag == "staff":
            staff = max(number_of(child, 1) - 1, 0)
        elif tag in _DETAILS:
            details = details or NoteDetails()
            _detail(details, child, tag)
    if (percent := element.get("dynamics")) is not None:
        details = details or NoteDetails()
        details.velocity = _velocity(percent)
    return duration, (step, octave, alter), voice, chord, tie, staff, rest, details


def _detail(details: NoteDetails, child: _Element, tag: str) -> None:
    """What hangs on a note; grace and cue notes, drums and heads."""
    if tag == "notations":
        details.notations += (child,)
    elif tag == "lyric":
        details.lyrics += (child,)
    elif tag == "grace":
        details.grace = True
        slash = child.get("slash") == "yes"
        details.flags |= int(Articulation.ACCIACCATURA if slash else Articulation.APPOGGIATURA)
        if (note := child.getparent()) is not None:
            details.kind = (note.findtext("type") or "").strip()
    elif tag == "cue":
        details.flags |= CUE
    elif tag == "unpitched":
        details.unpitched = True
    elif tag == "instrument":
        details.instrument = child.get("id", "")
    elif tag == "notehead":
        details.head = child
        if child.get("parentheses") == "yes":
            details.flags |= int(Articulation.GHOST)


def _velocity(percent: str) -> int:
    """The `dynamics` attribute is a percentage of velocity 90."""
    try:
        value = float(percent) * 0.9
    except ValueError:
        return -1
    return round(value) if 0 < value < 1000 else -1
