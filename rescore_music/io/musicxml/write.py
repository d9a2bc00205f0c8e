"""Write a Score as MusicXML 4.0, for players and for programs.

Parts stand in score order, transposing instruments are written as their players read them, percussion on percussion
staves. The Score is not changed: where it comes from a performance, `notation.snap` decides what stands on paper, and
`written` tells how far that is from what is played. The bytes depend on the score alone: no dates.

What MusicXML does not keep: controllers, bends, markers, raw events, tempo ramps (sampled in steps of an eighth).

References
----------
MusicXML 4.0 (W3C Community Group Final Report, 2021).
"""

from __future__ import annotations

import io
import logging
import zipfile
from dataclasses import dataclass
from pathlib import Path

from rescore_music.errors import WriteError
from rescore_music.io.files import atomic_write
from rescore_music.io.limits import FILE_BYTES, WRITTEN_BARS, XML_NODES
from rescore_music.io.musicxml.bars import PartWriter
from rescore_music.io.musicxml.plan import loudness, plan_score
from rescore_music.io.musicxml.tables import DRUMS, KNOWN_DRUMS
from rescore_music.io.musicxml.wording import clean
from rescore_music.io.notation.players import player_texts
from rescore_music.io.notation.snap import Snapped, snap
from rescore_music.io.notation.spelling import spell
from rescore_music.score import LogItem, Mark, Part, Score

_log = logging.getLogger(__name__)
_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" '
    '"http://www.musicxml.org/dtds/partwise.dtd">\n'
)
_CONTAINER = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<container><rootfiles><rootfile full-path="score.musicxml" '
    b'media-type="application/vnd.recordare.musicxml+xml"/></rootfiles></container>\n'
)


@dataclass(frozen=True)
class Written:
    """A written score: its bytes, and what the notation changed. `moved_*` are in quarters."""

    data: bytes
    moved_max: float
    moved_mean: float
    log: tuple[LogItem, ...]


def write_musicxml(score: Score, path: str | Path) -> Path:
    """Write a score to .musicxml or .xml, or packed to .mxl.

    Raises
    ------
    WriteError
        If it has no parts, or the file cannot be written.
    """
    data = musicxml_bytes(score)
    if Path(path).suffix.lower() == ".mxl":
        data = _packed(data)
    return atomic_write(path, data)


def musicxml_bytes(score: Score) -> bytes:
    """The score as plain MusicXML.

    Raises
    ------
    WriteError
        If it has no parts.
    """
    return written(score).data


def written(score: Score) -> Written:
    """The score as plain MusicXML, and what the notation changed.

    Raises
    ------
    WriteError
        If it has no parts.
    """
    if not score.parts:
        raise WriteError("a score without parts cannot be written as notation", cure="add a part")
    if len(score.bars) * len(score.parts) > WRITTEN_BARS:
        what = f"{len(score.bars):,} bars of {len(score.parts)} parts are too many to be written as notation"
        raise WriteError(what, cure="write MIDI, or cut the empty end off")
    snapped = snap(score)
    plan = plan_score(score, snapped)
    spelling = spell(score)
    by_part: list[list[Mark]] = [[] for _ in score.parts]
    for m in score.marks:
        if 0 <= m.part < len(by_part):
            by_part[m.part].append(m)
        elif m.part < 0 and m.kind in ("dynamic", "hairpin"):
            for marks in by_part:
                marks.append(m)
        elif m.part < 0 and m.kind not in ("tempo", "rehearsal", "jump", "barline"):
            by_part[0].append(m)
    for i, marks in enumerate(by_part):
        marks += player_texts(score, i)
    writers = [PartWriter(score, snapped, plan, i, spelling, by_part[i]) for i in range(len(score.parts))]
    derived = [m for w in writers for m in w.hang.derived]
    plan.loud = loudness(score, [*score.marks, *derived])
    out = [_HEAD, '<score-partwise version="4.0">\n', _header(score), _part_list(score, writers)]
    for i, writer in enumerate(writers):
        out.append(f'<part id="P{i + 1}">\n')
        out += writer.measures()
        out.append("</part>\n")
    out.append("</score-partwise>\n")
    log = _told(snapped, writers)
    data = "".join(out).encode()
    if data.count(b"<") + 2 * data.count(b"=") > XML_NODES or len(data) > FILE_BYTES:
        what = f"{len(score.notes):,} notes in {len(score.bars) - 1:,} bars are too many for one MusicXML file"
        raise WriteError(what, cure="write MIDI, or fewer bars: what is written here can be read here")
    return Written(data, snapped.moved_max, snapped.moved_mean, log)


def _told(snapped: Snapped, writers: list[PartWriter]) -> tuple[LogItem, ...]:
    items = []
    if snapped.moved_max > 0:
        far, mean = snapped.moved_max, snapped.moved_mean
        what = f"onsets moved to the notational grid, by at most {far:.3f} and {mean:.4f} quarters on average"
        items.append(LogItem("notation", what, int(snapped.performed.sum())))
    if dropped := int(snapped.dropped.sum()):
        items.append(LogItem("notation", "notes left out that fall on one of the same pitch", dropped, True))
    if lost := sum(w.hang.lost for w in writers):
        items.append(LogItem("notation", "slurs and syllables without their notes, left out", lost))
    if unusual := sum(w.unusual for w in writers):
        items.append(LogItem("notation", "voices with durations that no tuplet holds, written note by note", unusual))
    for item in items:
        _log.info("%s: %s (%d)", item.where, item.what, item.count)
    return tuple(items)


def _packed(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (("META-INF/container.xml", _CONTAINER), ("score.musicxml", data)):
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return buffer.getvalue()


def _header(score: Score) -> str:
    meta = score.metadata
    extra = dict(meta.extra)
    out = ""
    number = extra.pop("work-number", "")
    movement_number = extra.pop("movement-number", "")
    movement = extra.pop("movement-title", "")
    work = (f"<work-number>{clean(number)}</work-number>" if number else "") + (
        f"<work-title>{clean(meta.title)}</work-title>" if meta.title else ""
    )
    out += f"<work>{work}</work>" if work else ""
    out += f"<movement-number>{clean(movement_number)}</movement-number>" if movement_number else ""
    out += f"<movement-title>{clean(movement)}</movement-title>" if movement else ""
    people = [("composer", meta.composer), *((k, v) for k, v in meta.extra if k in _CREATORS)]
    out += "<identification>"
    out += "".join(f'<creator type="{kind}">{clean(name)}</creator>' for kind, name in people if name)
    out += f"<rights>{clean(meta.rights)}</rights>" if meta.rights else ""
    out += "<encoding><software>rescore-music</software></encoding>"
    # a group-name would be printed beside the bracket
    names = "".join(
        f'<miscellaneous-field name="part-group-{number}">{clean(name)}</miscellaneous-field>'
        for number, (_, _, name) in enumerate(_groups(score), 1)
    )
    out += f"<miscellaneous>{names}</miscellaneous>" if names else ""
    out += "</identification>"
    return out + "\n"


_CREATORS = ("lyricist", "arranger", "poet", "translator", "transcriber")


def _groups(score: Score) -> list[tuple[int, int, str]]:
    """Brackets: (first part, last part, name)."""
    out: list[tuple[int, int, str]] = []
    for i, part in enumerate(score.parts):
        if part.group and out and out[-1][1] == i - 1 and out[-1][2] == part.group:
            out[-1] = (out[-1][0], i, part.group)
        elif part.group:
            out.append((i, i, part.group))
    return out


def _part_list(score: Score, writers: list[PartWriter]) -> str:
    starts: dict[int, str] = {}
    stops: dict[int, str] = {}
    for number, (first, last, _) in enumerate(_groups(score), 1):
        shape = "bracket" if last > first else "none"  # a family is bracketed, one instrument is not
        symbol = f"<group-symbol>{shape}</group-symbol><group-barline>yes</group-barline>"
        starts[first] = f'<part-group type="start" number="{number}">{symbol}</part-group>\n'
        stops[last] = f'<part-group type="stop" number="{number}"/>\n'
    parts = (
        starts.get(i, "") + _score_part(i, part, writers[i]) + stops.get(i, "") for i, part in enumerate(score.parts)
    )
    return "<part-list>\n" + "".join(parts) + "</part-list>\n"


def _score_part(number: int, part: Part, writer: PartWriter) -> str:
    id_ = f"P{number + 1}"
    out = f'<score-part id="{id_}"><part-name>{clean(part.name)}</part-name>'
    if part.abbreviation:
        out += f"<part-abbreviation>{clean(part.abbreviation)}</part-abbreviation>"
    bank = f"<midi-bank>{part.bank + 1}</midi-bank>" if part.bank else ""
    port = f'<midi-device port="{part.port + 1}"/>' if part.port else ""
    channel = f"<midi-channel>{min(part.channel, 15) + 1}</midi-channel>"
    program = f"<midi-program>{part.program + 1}</midi-program>"
    if part.percussion:
        index = writer.score.part_notes(number)
        keys = sorted(set(writer.score.notes["pitch"][index].tolist()), key=lambda k: (k not in KNOWN_DRUMS, k))
        channel = "<midi-channel>10</midi-channel>"
        names = "".join(_instrument(f"{id_}-I{k}", DRUMS.get(k, (f"Percussion {k}",))[0]) for k in keys)
        sounds = "".join(
            f'<midi-instrument id="{id_}-I{k}">{channel}{bank}{program}<midi-unpitched>{k + 1}</midi-unpitched>'
            "</midi-instrument>"
            for k in keys
        )
        if keys and keys[0] not in KNOWN_DRUMS:
            names = _instrument(f"{id_}-I128", part.name) + names
            sounds = f'<midi-instrument id="{id_}-I128">{channel}{bank}{program}</midi-instrument>{sounds}'
        return f"{out}{names}{port}{sounds}</score-part>\n"
    out += _instrument(f"{id_}-I1", part.name)
    return f'{out}{port}<midi-instrument id="{id_}-I1">{channel}{bank}{program}</midi-instrument></score-part>\n'


def _instrument(id_: str, name: str) -> str:
    return f'<score-instrument id="{id_}"><instrument-name>{clean(name)}</instrument-name></score-instrument>'
