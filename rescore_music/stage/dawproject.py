"""A DAWproject: the session for any program that reads the open exchange format of Bitwig and PreSonus.

A zip of project.xml and metadata.xml with the sounds inside (up to `EMBEDDED` bytes together; beyond, and for the
video always, they are told by their names beside the file). The timeline is in beats; sounds are clips whose content
is in seconds, so they are not stretched when the tempo moves. Tempo and meters are automation that holds.

The format has no timecode: where the session lies on the reel stands in its first marker.

Source: DAWPROJECT format 1.0, Project.xsd and MetaData.xsd (MIT).
"""

from __future__ import annotations

import io
import zipfile
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rescore_music import __version__
from rescore_music.elements import LogItem
from rescore_music.errors import WriteError
from rescore_music.io.files import atomic_write
from rescore_music.stage.session import Item, Session

if TYPE_CHECKING:
    from lxml.etree import _Element

EMBEDDED = 64 << 20  # bytes of sound that are put inside: four minutes of stereo, where stems are twenty times that
_DATE = (1980, 1, 1, 0, 0, 0)  # the same session gives the same bytes


def write_dawproject(session: Session, path: str | Path) -> tuple[LogItem, ...]:
    """Write a .dawproject; returns what lies outside it.

    Parameters
    ----------
    session : Session
        Its sounds' files lie in the goal's folder.
    path : path

    Raises
    ------
    WriteError
        If a sound's file is missing, or the file cannot be written.
    """
    path = Path(path)
    try:
        sizes = {item.file: (path.parent / item.file).stat().st_size for item in session.sounds}
    except OSError as error:
        raise WriteError(f"a sound of the session is missing: {error.strerror}", file=error.filename) from error
    inside = sum(sizes.values()) <= EMBEDDED
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        _add(archive, "project.xml", _bytes(_project(session, inside)))
        _add(archive, "metadata.xml", _bytes(_metadata(session)))
        for name in sizes if inside else ():
            _add(archive, f"audio/{name}", (path.parent / name).read_bytes())
    atomic_write(path, out.getvalue())
    outside = (0 if inside else len(session.sounds)) + bool(session.video)
    what = "files that are not inside but told by their names: keep the folder together"
    return (LogItem(path.name, what, outside),) if outside else ()


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    entry = zipfile.ZipInfo(name, _DATE)
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, data, compresslevel=1)


def _bytes(root: _Element) -> bytes:
    from lxml import etree

    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True, pretty_print=True)


def _element(parent: _Element | None, tag: str, /, **values: Any) -> _Element:
    from lxml import etree

    said = {key: _text(value) for key, value in values.items() if value is not None}
    return etree.Element(tag, said) if parent is None else etree.SubElement(parent, tag, said)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float | Fraction):
        return repr(float(value))
    return "".join(c if c.isprintable() else " " for c in str(value))


def _metadata(session: Session) -> _Element:
    root, told = _element(None, "MetaData"), session.led.score.metadata
    for name, text in (("Title", session.title), ("Composer", told.composer), ("Copyright", told.rights)):
        if text:
            _element(root, name).text = _text(text)
    _element(root, "Comment").text = f"Starts at {session.start.label}, {session.start.rate} frames a second"
    return root


def _project(session: Session, inside: bool) -> _Element:
    steps = session.steps()
    numerator, denominator = next((s.meter for s in steps if s.meter), (4, 4))
    root = _element(None, "Project", version="1.0")
    _element(root, "Application", name="rescore-music", version=__version__)
    transport = _element(root, "Transport")
    _element(transport, "Tempo", id="tempo", name="Tempo", unit="bpm", value=steps[0].bpm, min=1.0, max=999.0)
    _element(transport, "TimeSignature", id="meter", numerator=numerator, denominator=denominator)
    items = [*session.sounds, *([session.video] if session.video else [])]
    structure = _element(root, "Structure")
    for number, item in enumerate(items):
        kind = "audio" if item.rate else "video"
        track = _element(structure, "Track", id=f"track{number}", name=item.name, contentType=kind, loaded=True)
        channel = {"audioChannels": item.channels, "destination": "master", "role": "regular", "solo": False}
        _strip(_element(track, "Channel", id=f"channel{number}", **channel), f"channel{number}", item)
    track = _element(structure, "Track", id="mastertrack", name="Master", contentType="audio", loaded=True)
    _strip(_element(track, "Channel", id="master", audioChannels=2, role="master", solo=False), "master")
    _arrangement(_element(root, "Arrangement", id="arrangement"), session, items, inside)
    _element(root, "Scenes")
    return root


def _strip(channel: _Element, name: str, item: Item | None = None) -> None:
    """Mute, pan and volume; the video's sound, which is the score again, is turned down."""
    volume = 0.0 if item and not item.rate else 1.0
    _element(channel, "Mute", id=f"{name}mute", name="Mute", value=bool(item and item.muted))
    _element(channel, "Pan", id=f"{name}pan", name="Pan", unit="normalized", value=0.5, min=0.0, max=1.0)
    _element(channel, "Volume", id=f"{name}volume", name="Volume", unit="linear", value=volume, min=0.0, max=2.0)


def _arrangement(root: _Element, session: Session, items: list[Item], inside: bool) -> None:
    lanes = _element(root, "Lanes", id="lanes", timeUnit="beats")
    for number, item in enumerate(items):
        lane = _element(lanes, "Lanes", id=f"lane{number}", track=f"track{number}")
        _clip(_element(lane, "Clips", id=f"clips{number}"), session, item, number, inside)
    quarter = session.led.score.ticks_per_quarter
    markers = _element(root, "Markers", id="markers", timeUnit="beats")
    for place in session.places:
        _element(markers, "Marker", time=place.tick / quarter, name=place.text)
    tempo = _element(root, "TempoAutomation", id="tempoautomation", timeUnit="beats", unit="bpm")
    _element(tempo, "Target", parameter="tempo")
    meter = _element(root, "TimeSignatureAutomation", id="meterautomation", timeUnit="beats")
    _element(meter, "Target", parameter="meter")
    for step in session.steps():
        _element(tempo, "RealPoint", time=step.tick / quarter, value=step.bpm, interpolation="hold")
        if step.meter:
            numerator, denominator = step.meter
            point = {"numerator": numerator, "denominator": denominator}
            _element(meter, "TimeSignaturePoint", time=step.tick / quarter, **point)


def _clip(lane: _Element, session: Session, item: Item, number: int, inside: bool) -> None:
    tempo, quarter = session.led.score.tempo, session.led.score.ticks_per_quarter
    begin = max(item.position, Fraction(0))
    first = float(tempo.ticks_at(float(begin))) / quarter
    last = float(tempo.ticks_at(float(begin + item.seconds - item.hidden))) / quarter
    clip = _element(
        lane,
        "Clip",
        time=first,
        duration=last - first,
        contentTimeUnit="seconds",
        playStart=item.hidden,
        name=item.name,
    )
    media = {"channels": item.channels, "sampleRate": item.rate or 48000, "duration": item.seconds}
    name = "Audio" if item.rate else "Video"
    content = _element(clip, name, id=f"media{number}", timeUnit="seconds", algorithm="raw", **media)
    if inside and item.rate:
        _element(content, "File", path=f"audio/{item.file}")
    else:
        _element(content, "File", path=item.file, external=True)
