"""What MusicXML's names mean here: flags, dynamics, techniques, chord symbols, drum names. Shared by both directions.

Sources: MusicXML 4.0 (W3C Community Group Final Report, 2021) for the element names; General MIDI 1 for drum keys and
programs; the chord suffixes are those lead sheets use.
"""

from __future__ import annotations

import re

from rescore_music.score import Articulation as A

STEPS = "CDEFGAB"
NATURAL = (0, 2, 4, 5, 7, 9, 11)
# staff steps of a transposition given in semitones alone
DIATONIC_OF_CHROMATIC = (0, 1, 1, 2, 2, 3, 3, 4, 5, 5, 6, 6)

ARTICULATIONS = {
    "staccato": A.STACCATO,
    "staccatissimo": A.STACCATISSIMO,
    "spiccato": A.STACCATISSIMO,
    "tenuto": A.TENUTO,
    "accent": A.ACCENT,
    "strong-accent": A.MARCATO,
    "stress": A.ACCENT,
    "detached-legato": A.TENUTO | A.STACCATO,
}
ORNAMENTS = {
    "trill-mark": A.TRILL,
    "shake": A.TRILL,
    "mordent": A.MORDENT,
    "inverted-mordent": A.INVERTED_MORDENT,
    "turn": A.TURN,
    "inverted-turn": A.TURN,
    "delayed-turn": A.TURN,
    "delayed-inverted-turn": A.TURN,
    "inverted-vertical-turn": A.TURN,
    "vertical-turn": A.TURN,
}
TECHNICAL = {
    "up-bow": A.UP_BOW,
    "down-bow": A.DOWN_BOW,
    "harmonic": A.HARMONIC,
    "stopped": A.MUTED,
    "snap-pizzicato": A.PIZZICATO,
}

# written by the writer, in the order of the schema
ARTICULATION_OUT = (
    (A.ACCENT, "accent"),
    (A.MARCATO, "strong-accent"),
    (A.STACCATO, "staccato"),
    (A.TENUTO, "tenuto"),
    (A.STACCATISSIMO, "staccatissimo"),
)
ORNAMENT_OUT = (
    (A.TRILL, "trill-mark"),
    (A.TURN, "turn"),
    (A.INVERTED_MORDENT, "inverted-mordent"),
    (A.MORDENT, "mordent"),
)
TECHNICAL_OUT = ((A.UP_BOW, "up-bow"), (A.DOWN_BOW, "down-bow"), (A.HARMONIC, "harmonic"))

# standing techniques: what a word switches on, and what it ends
TECHNIQUES: tuple[tuple[re.Pattern[str], int, int], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), int(on), int(off))
    for pattern, on, off in (
        (r"\bpizz(icato|\.|\b)", A.PIZZICATO, A.COL_LEGNO),
        (r"\bcol\s+legno", A.COL_LEGNO, A.PIZZICATO),
        (r"\b(coll['’ ]\s*)?arco\b", 0, A.PIZZICATO | A.COL_LEGNO),
        (r"\bsenza\s+sord|\bvia\s+sord|\bopen\b|\bmutes?\s+off|\bunmuted\b", 0, A.MUTED),
        (r"\bcon\s+sord|\bmit\s+d(ä|ae)mpfer|\bmuted\b|\bwith\s+mutes?\b|\bgestopft\b", A.MUTED, 0),
        (r"\bsul\s+pont", A.SUL_PONTICELLO, 0),
        (r"\b(ord(inario|\.|\b)|nat(urale|\.)|norm(ale|\.)|modo\s+ord)", 0, A.SUL_PONTICELLO | A.COL_LEGNO),
    )
)
# hits on picture and timecode over the system: what a hit is called ("The door bursts open") plays nothing
PICTURE = re.compile(r"^\s*(HIT \d+:|\d\d:\d\d:\d\d[:;]\d\d)")
STANDING = int(A.PIZZICATO | A.MUTED | A.SUL_PONTICELLO | A.COL_LEGNO)
# what the writer prints where a standing technique begins and ends
TECHNIQUE_WORDS = (
    (int(A.PIZZICATO), "pizz.", "arco"),
    (int(A.COL_LEGNO), "col legno", "arco"),
    (int(A.MUTED), "con sord.", "senza sord."),
    (int(A.SUL_PONTICELLO), "sul pont.", "ord."),
)

TEMPO_WORDS = re.compile(
    r"^\W*(molto |poco |un poco |più |piu |meno |assai |tempo )*"
    r"(allegr|adag|andant|presti?ss?|presto|larg|vivac|viv[oa]\b|moderat|lent[oa]\b|grave\b|maestos|animat|"
    r"rit(\.|en|ard|\b)|rall|accel|string(\.|end)|a tempo|tempo (i|1|primo|prim)|mosso|meno mosso|più mosso|"
    r"calando|sostenut|agitat|con brio|con moto|slow|fast|moderate)",
    re.IGNORECASE,
)
JUMP_WORDS = re.compile(
    r"^\W*(d\.?\s*c\.?\b|d\.?\s*s\.?(?!\w)|da capo|dal segno|fine\b|to coda\b|al coda\b|"
    r".{0,40}\b(da capo|dal segno|d\. ?c\.|d\. ?s\.))",
    re.IGNORECASE,
)
GRADUAL = re.compile(r"\b(cresc|crescendo|decresc|dim(in)?\b|diminuendo)", re.IGNORECASE)

# glyph of a metronome mark's beat unit, its MusicXML name, its length in quarters
BEAT_UNITS = (
    ("𝅜", "breve", 8.0),
    ("𝅝", "whole", 4.0),
    ("𝅗𝅥", "half", 2.0),
    ("♩", "quarter", 1.0),
    ("♪", "eighth", 0.5),
    ("𝅘𝅥𝅯", "16th", 0.25),
    ("𝅘𝅥𝅰", "32nd", 0.125),
)
_NUMBER = r"[^()=]{0,12}?\d+([.,]\d+)?[^()=]{0,12}"
PER_MINUTE = re.compile(_NUMBER)  # "72", "72,5", "c. 100-104"
METRONOME = re.compile(
    r"^(?P<words>.*?)\s*(?P<open>\()?(?P<unit>" + "|".join(glyph for glyph, _, _ in BEAT_UNITS) + r")(?P<dots>\.*)"
    rf" = (?P<number>{_NUMBER})\)?$",
    re.DOTALL,
)

# chord kinds and their suffix; the first with a suffix is the one a suffix is read as
CHORD_KINDS = (
    ("major", ""),
    ("minor", "m"),
    ("augmented", "+"),
    ("diminished", "dim"),
    ("dominant", "7"),
    ("major-seventh", "maj7"),
    ("minor-seventh", "m7"),
    ("diminished-seventh", "dim7"),
    ("augmented-seventh", "+7"),
    ("half-diminished", "m7b5"),
    ("major-minor", "m(maj7)"),
    ("major-sixth", "6"),
    ("minor-sixth", "m6"),
    ("dominant-ninth", "9"),
    ("major-ninth", "maj9"),
    ("minor-ninth", "m9"),
    ("dominant-11th", "11"),
    ("major-11th", "maj11"),
    ("minor-11th", "m11"),
    ("dominant-13th", "13"),
    ("major-13th", "maj13"),
    ("minor-13th", "m13"),
    ("suspended-second", "sus2"),
    ("suspended-fourth", "sus4"),
    ("Neapolitan", "N6"),
    ("Italian", "It+6"),
    ("French", "Fr+6"),
    ("German", "Ger+6"),
    ("pedal", "pedal"),
    ("power", "5"),
    ("Tristan", "Tristan"),
    ("none", "N.C."),
    ("other", "?"),
)
ACCIDENTALS = {-2: "bb", -1: "b", 0: "", 1: "#", 2: "##"}
DEGREE = re.compile(r"\((add|alt|no)(bb|b|##|#)?(\d+)\)")
CHORD_TEXT = re.compile(r"^([A-G])(bb|b|##|#)?(.*?)(?:/([A-G])(bb|b|##|#)?)?$")

# General MIDI drum keys: name, display position on a five-line staff, notehead
DRUMS: dict[int, tuple[str, str, str]] = {
    35: ("Acoustic Bass Drum", "E4", ""),
    36: ("Bass Drum", "F4", ""),
    37: ("Side Stick", "C5", "x"),
    38: ("Snare Drum", "C5", ""),
    39: ("Hand Clap", "C5", "x"),
    40: ("Electric Snare", "C5", ""),
    41: ("Low Floor Tom", "G4", ""),
    42: ("Closed Hi-Hat", "G5", "x"),
    43: ("High Floor Tom", "A4", ""),
    44: ("Pedal Hi-Hat", "D4", "x"),
    45: ("Low Tom", "B4", ""),
    46: ("Open Hi-Hat", "G5", "circle-x"),
    47: ("Low-Mid Tom", "B4", ""),
    48: ("High-Mid Tom", "D5", ""),
    49: ("Crash Cymbal", "A5", "x"),
    50: ("High Tom", "E5", ""),
    51: ("Ride Cymbal", "F5", "x"),
    52: ("China Cymbal", "B5", "x"),
    53: ("Ride Bell", "F5", "diamond"),
    54: ("Tambourine", "E5", "triangle"),
    55: ("Splash Cymbal", "B5", "x"),
    56: ("Cowbell", "E5", "triangle"),
    57: ("Crash Cymbal 2", "A5", "x"),
    58: ("Vibraslap", "E5", "diamond"),
    59: ("Ride Cymbal 2", "F5", "x"),
    60: ("High Bongo", "E5", ""),
    61: ("Low Bongo", "C5", ""),
    62: ("Mute High Conga", "E5", "x"),
    63: ("Open High Conga", "E5", ""),
    64: ("Low Conga", "C5", ""),
    65: ("High Timbale", "E5", ""),
    66: ("Low Timbale", "C5", ""),
    67: ("High Agogo", "E5", "triangle"),
    68: ("Low Agogo", "C5", "triangle"),
    69: ("Cabasa", "E5", "x"),
    70: ("Maracas", "E5", "x"),
    71: ("Short Whistle", "E5", ""),
    72: ("Long Whistle", "E5", ""),
    73: ("Short Guiro", "C5", "x"),
    74: ("Long Guiro", "C5", "x"),
    75: ("Claves", "E5", "x"),
    76: ("High Wood Block", "E5", "triangle"),
    77: ("Low Wood Block", "C5", "triangle"),
    78: ("Mute Cuica", "E5", "x"),
    79: ("Open Cuica", "E5", ""),
    80: ("Mute Triangle", "E5", "x"),
    81: ("Triangle", "E5", "triangle"),
}
# drum keys that music21 knows; a part that begins with another makes it warn
KNOWN_DRUMS = frozenset({*range(35, 39), *range(40, 51), 54, 56, 57, 58, *range(60, 69), 70, 71, 72, 76, 77, 80, 81})
# words in an instrument's name -> drum key, the more telling first
DRUM_WORDS = (
    ("triangle", 81),
    ("tambourine", 54),
    ("bass drum", 35),
    ("gran cassa", 35),
    ("grosse caisse", 35),
    ("kick", 36),
    ("side stick", 37),
    ("snare", 38),
    ("side drum", 38),
    ("cymbal", 49),
    ("piatti", 49),
    ("becken", 49),
    ("crash", 49),
    ("ride", 51),
    ("hi-hat", 42),
    ("hihat", 42),
    ("tam-tam", 52),
    ("gong", 52),
    ("wood block", 76),
    ("woodblock", 76),
    ("temple block", 77),
    ("cowbell", 56),
    ("claves", 75),
    ("maracas", 70),
    ("shaker", 70),
    ("bongo", 60),
    ("conga", 63),
    ("timbale", 65),
    ("guiro", 73),
    ("whistle", 71),
    ("clap", 39),
    ("tom", 45),
    ("drum", 38),
)
# words in an instrument's name -> General MIDI program (0..127), the more telling first; used where a file names none
PROGRAM_WORDS = (
    ("piccolo", 72), ("flute", 73), ("flauto", 73), ("flöte", 73), ("english horn", 69), ("cor anglais", 69),
    ("oboe", 68), ("clarinet", 71), ("klarinette", 71), ("contrabassoon", 70), ("bassoon", 70), ("fagott", 70),
    ("soprano sax", 64), ("alto sax", 65), ("tenor sax", 66), ("baritone sax", 67), ("sax", 65), ("recorder", 74),
    ("horn", 60), ("corno", 60), ("trumpet", 56), ("tromba", 56), ("cornet", 56), ("trombone", 57), ("tuba", 58),
    ("euphonium", 58), ("timpani", 47), ("pauken", 47), ("glockenspiel", 9), ("vibraphone", 11), ("marimba", 12),
    ("xylophone", 13), ("tubular bell", 14), ("celesta", 8), ("harpsichord", 6), ("cembalo", 6), ("harp", 46),
    ("organ", 19), ("accordion", 21), ("electric guitar", 27), ("guitar", 24), ("bass guitar", 33), ("banjo", 105),
    ("violoncello", 42), ("cello", 42), ("contrabass", 43), ("double bass", 43), ("contrabbass", 43), ("violin", 40),
    ("viola", 41), ("soprano", 52), ("alto", 52), ("tenor", 52), ("baritone", 52), ("voice", 52), ("choir", 52),
    ("chorus", 52), ("vocal", 52), ("piano", 0), ("strings", 48), ("basso", 43), ("bass", 43),
)  # fmt: skip


def program_of(name: str) -> int:
    """The General MIDI program an instrument's name suggests; 0 (piano) where it says nothing."""
    lower = name.lower()
    return next((program for word, program in PROGRAM_WORDS if word in lower), 0)


def drum_key_of(name: str) -> int:
    """The General MIDI drum key an instrument's name suggests; 0 where it says nothing."""
    lower = name.lower()
    return next((key for word, key in DRUM_WORDS if word in lower), 0)


def transposition_fifths(chromatic: int, diatonic: int) -> int:
    """Places on the line of fifths from written to sounding: -2 for a clarinet in B flat."""
    return 7 * chromatic - 12 * diatonic
