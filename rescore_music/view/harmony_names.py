"""Harmony in a musician's words: keys, pitches spelled in a key, chord names, Roman numerals with figured bass.

Conventions: pitch classes are 0..11 from C; *fifths* is a place on the line of fifths, C = 0, G = 1, F = -1, and of a
key the number of its sharps (flats negative). Numerals are of the local key: upper case major, lower case minor, ° for
diminished, ø for half-diminished, + for augmented; altered degrees of major and of natural minor carry ♭ or ♯. A
chord that is the dominant or the leading-note chord of another degree than the tonic is written as such: V⁷/V.

References
----------
Aldwell, E., Schachter, C. and Cadwallader, A. (2018), "Harmony and Voice Leading", 5th ed., units 2, 8 and 27.
"""

from __future__ import annotations

from rescore_music.structure import Chord, KeySpan

LETTERS = "FCGDAEB"
ACCIDENTALS = {-2: "𝄫", -1: "♭", 0: "", 1: "♯", 2: "𝄪"}

_MAJOR = ("I", "♭II", "II", "♭III", "III", "IV", "♯IV", "V", "♭VI", "VI", "♭VII", "VII")
_MINOR = ("I", "♭II", "II", "III", "♯III", "IV", "♯IV", "V", "VI", "♯VI", "VII", "VII")
# degrees that a dominant may point to, with their numerals
_TARGETS = {
    "major": {2: "ii", 4: "iii", 5: "IV", 7: "V", 9: "vi"},
    "minor": {3: "III", 5: "iv", 7: "V", 8: "VI", 10: "VII"},
}
_OWN_MAJOR = {"major": (0, 5, 7), "minor": (3, 5, 7, 8, 10)}  # major triads that belong to the key
_OWN_DIMINISHED = {"major": (11,), "minor": (2, 11)}

_SUFFIX = {
    "maj": "", "min": "m", "dim": "dim", "aug": "aug", "7": "7", "maj7": "maj7", "min7": "m7", "minmaj7": "m(maj7)",
    "hdim7": "ø7", "dim7": "°7", "sus4": "sus4", "sus2": "sus2", "5": "5",
}  # fmt: skip
_MARK = {"dim": "°", "dim7": "°", "hdim7": "ø", "aug": "+", "maj7": "ᴹ", "minmaj7": "ᴹ", "sus4": "sus⁴", "sus2": "sus²"}
_LOWER = ("min", "dim", "min7", "minmaj7", "hdim7", "dim7")
_SEVENTHS = ("7", "maj7", "min7", "minmaj7", "hdim7", "dim7")
_FIGURES = {False: ("", "⁶", "⁶₄"), True: ("⁷", "⁶₅", "⁴₃", "⁴₂")}
# places on the line of fifths from the root to a chord tone so many semitones above it
_TONES = {0: 0, 2: 2, 3: -3, 4: 4, 5: -1, 6: -6, 7: 1, 8: 8, 9: -9, 10: -2, 11: 5}


def name_of_fifth(fifth: int) -> str:
    """The note at a place on the line of fifths: 0 is C, 6 F♯, -6 G♭."""
    alter = (fifth + 1) // 7
    return LETTERS[(fifth + 1) % 7] + ACCIDENTALS.get(alter, ("♯" if alter > 0 else "♭") * abs(alter))


def signature(tonic: int, mode: str, notated: int = 0) -> int:
    """Sharps of a key (flats negative), of two spellings the one nearer to a notated signature.

    Parameters
    ----------
    tonic : int
        Pitch class.
    mode : str
        "major" or "minor".
    notated : int
        Fifths of the signature in force.
    """
    major = tonic + 3 if mode == "minor" else tonic
    fifths = (7 * major + 5) % 12 - 5
    spellings = [f for f in (fifths - 12, fifths, fifths + 12) if -7 <= f <= 7]
    return min(spellings, key=lambda f: (abs(f - notated), abs(f), -f))


def tonic_fifth(fifths: int, mode: str) -> int:
    """The tonic's place on the line of fifths."""
    return fifths + 3 if mode == "minor" else fifths


def key_name(tonic: int, mode: str, notated: int = 0) -> str:
    """A key by name: "F♯ minor"."""
    return f"{name_of_fifth(tonic_fifth(signature(tonic, mode, notated), mode))} {mode}"


def spell(pitch_class: int, fifths: int, mode: str) -> int:
    """The usual spelling of a pitch class in a key, as a place on the line of fifths.

    In major from the lowered sixth to the raised tonic, in minor from the lowered second to the raised fourth.
    """
    first = fifths - 4 if mode == "major" else fifths - 2
    return first + (7 * pitch_class - first) % 12


def note_names(fifths: int, mode: str) -> tuple[str, ...]:
    """Names of the twelve pitch classes in a key."""
    return tuple(name_of_fifth(spell(pc, fifths, mode)) for pc in range(12))


def chord_name(chord: Chord, fifths: int, mode: str) -> str:
    """A chord by its root, with its bass where that is another note: "G7/B"; "" for no chord."""
    if not chord.quality:
        return ""
    root = _root(chord, fifths, mode)
    name = name_of_fifth(root) + _SUFFIX.get(chord.quality, chord.quality)
    if chord.bass == chord.root:
        return name
    if chord.inversion < 0:
        return f"{name}/{name_of_fifth(spell(chord.bass, fifths, mode))}"
    return f"{name}/{name_of_fifth(root + _TONES[(chord.bass - chord.root) % 12])}"


def _root(chord: Chord, fifths: int, mode: str) -> int:
    """A chord root's spelling, as a place on the line of fifths."""
    root = spell(chord.root, fifths, mode)
    degree = (7 * (root - tonic_fifth(fifths, mode))) % 12
    if chord.quality in ("dim", "dim7", "hdim7") and degree not in _OWN_DIMINISHED[mode]:
        # a leading note is spelled below the degree that it leads to
        return spell(chord.root + 1, fifths, mode) + 5 if (degree + 1) % 12 in _TARGETS[mode] else root
    if mode == "major" and chord.quality != "7" and root == fifths + 7:
        return root - 12  # a lowered second carries a triad, a raised tonic a dominant
    return root


def roman(chord: Chord, key: KeySpan, following: Chord | None = None) -> str:
    """A chord's Roman numeral in a key, with figures for its inversion.

    Parameters
    ----------
    chord : Chord
    key : KeySpan
        The local key.
    following : Chord, optional
        What comes next: a major triad foreign to the key is an applied dominant only where it resolves.

    Returns
    -------
    str, "" for no chord
    """
    if not chord.quality:
        return ""
    degree = (chord.root - key.tonic) % 12
    figures = _FIGURES[chord.quality in _SEVENTHS]
    figure = figures[chord.inversion] if 0 <= chord.inversion < len(figures) else ("⁷" if len(figures) > 3 else "")
    applied = _applied(chord, degree, key, following)
    if applied:
        own, target = applied
        return f"{own}{figure}/{target}"
    if chord.quality == "7" and degree == 8 and following is not None and _is_dominant(following, key):
        return "Ger⁺⁶"
    numeral = (_MINOR if key.mode == "minor" else _MAJOR)[degree]
    if key.mode == "minor" and degree == 11 and chord.quality not in ("dim", "dim7", "hdim7"):
        numeral = "♯VII"
    if chord.quality in _LOWER:
        numeral = numeral.lower()
    if chord.quality in ("5", "sus4", "sus2"):
        return numeral + ("⁵" if chord.quality == "5" else _MARK[chord.quality])
    return numeral + _MARK.get(chord.quality, "") + figure


def _is_dominant(chord: Chord, key: KeySpan) -> bool:
    degree = (chord.root - key.tonic) % 12
    return (degree == 7 and chord.quality in ("maj", "7", "sus4")) or (degree == 0 and chord.inversion == 2)


def _applied(chord: Chord, degree: int, key: KeySpan, following: Chord | None) -> tuple[str, str] | None:
    """(numeral, degree it points to) of an applied dominant or leading-note chord."""
    targets = _TARGETS[key.mode]
    if chord.quality in ("maj", "7"):
        target = targets.get((degree + 5) % 12)
        own = degree in _OWN_MAJOR[key.mode] if chord.quality == "maj" else degree == 7
        resolves = following is not None and (following.root - chord.root) % 12 == 5 and following.quality != ""
        return ("V", target) if target and not own and (chord.quality == "7" or resolves) else None
    if chord.quality in ("dim", "dim7", "hdim7"):
        target = targets.get((degree + 1) % 12)
        mark = "ø" if chord.quality == "hdim7" else "°"
        return (f"vii{mark}", target) if target and degree not in _OWN_DIMINISHED[key.mode] else None
    return None
