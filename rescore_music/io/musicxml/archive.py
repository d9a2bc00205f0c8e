"""From a MusicXML file to its root element: packed or plain, and never trusting it.

A .mxl file is a zip archive whose `META-INF/container.xml` names the score inside. Nothing is unpacked to disk; sizes
are limited while reading, because the size an archive declares can lie. XML is parsed without entities, external
files or network; a document that declares entities of its own is refused, since no notation program writes one. What is
a little wrong is mended (`mending`).

References
----------
MusicXML 4.0, "Compressed .MXL files" (W3C Community Group Final Report, 2021).
"""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from typing import TYPE_CHECKING
from urllib.parse import unquote

from rescore_music.errors import ReadError
from rescore_music.io.limits import ARCHIVE_BYTES, ARCHIVE_ENTRIES, ARCHIVE_RATIO, ARCHIVE_RATIO_FREE, XML_NODES
from rescore_music.io.markup import parsed
from rescore_music.io.musicxml.mending import mended

if TYPE_CHECKING:
    from lxml.etree import _Element

_SCORES = (".xml", ".musicxml")


def root_element(data: bytes, file: str, told: Counter[str] | None = None) -> _Element:
    """The `score-partwise` or `score-timewise` element of a MusicXML file.

    Parameters
    ----------
    data : bytes
        The whole file, packed or plain.
    file : str
        Its name for messages.
    told : Counter, optional
        Takes what was mended, with counts.

    Raises
    ------
    ReadError
        If it is no archive, no XML, no score, or hostile.
    """
    root = _parse(unpacked(data, file), file, told)
    if isinstance(root.tag, str) and root.tag.startswith("{"):
        for element in root.iter():
            if isinstance(element.tag, str):
                element.tag = element.tag.rpartition("}")[2]
    if root.tag not in ("score-partwise", "score-timewise"):
        what = f"this is XML, but not a MusicXML score (its root is <{str(root.tag)[:40]}>)"
        raise ReadError(what, file=file, cure="export the music as MusicXML")
    return root


def unpacked(data: bytes, file: str) -> bytes:
    """The plain XML of a file, packed or plain.

    Raises
    ------
    ReadError
        If the archive is damaged, hostile, or holds no score.
    """
    return _unpack(data, file) if data[:4] == b"PK\x03\x04" else data


def _parse(data: bytes, file: str, told: Counter[str] | None = None) -> _Element:
    head = data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not head.startswith(b"<") and data[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        raise ReadError("this is not MusicXML: it does not begin with '<'", file=file, cure="export it as MusicXML")
    if b"<!ENTITY" in data[: 1 << 16]:
        raise _entities(file)
    # a tree is twenty times its file, so its size is told before it is built; a short file cannot be too large
    if 2 * len(data) > XML_NODES and data.count(b"<") + 2 * data.count(b"=") > XML_NODES:
        what = f"more than {XML_NODES:,} tags and attributes, too much for one score"
        raise ReadError(what, file=file, cure="split the file")
    try:
        root, entities = parsed(data, file)
    except ReadError as malformed:
        sound, repairs = mended(data)
        try:
            root, entities = parsed(sound if repairs else b"", file)
        except ReadError:
            raise malformed from None  # which says where the file itself goes wrong
        if told is not None:
            told.update(repairs)
    if entities:
        raise _entities(file)
    return root


def _entities(file: str) -> ReadError:
    return ReadError("the document declares XML entities, which scores have no use for", file=file, cure="remove them")


def _unpack(data: bytes, file: str) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
            if len(names) > ARCHIVE_ENTRIES:
                raise ReadError(f"the archive holds {len(names)} files, more than {ARCHIVE_ENTRIES}", file=file)
            inner = _read_entry(archive, _score_name(archive, names, file), len(data), file)
    except _damage() as error:
        raise ReadError(f"the .mxl archive is damaged: {error}", file=file, cure="export it again") from None
    if inner[:4] == b"PK\x03\x04":
        raise ReadError("the archive holds another archive where its score should be", file=file, cure="unpack it")
    return inner


def _damage() -> tuple[type[Exception], ...]:
    """What zipfile raises at archives with wrong bytes; the codecs' errors derive from nothing in common."""
    import struct
    import zlib

    try:
        from lzma import LZMAError
    except ImportError:  # a Python built without it cannot meet its error
        LZMAError = zlib.error  # type: ignore[misc, assignment]
    zipped = (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError, EOFError, OSError)
    return (*zipped, ValueError, KeyError, IndexError, struct.error, zlib.error, LZMAError)


def _score_name(archive: zipfile.ZipFile, names: list[str], file: str) -> str:
    """The member that the container names first as a score, else the first that may be one."""
    members = {_plain(name): name for name in reversed(names)}  # as some programs write it, and others mean it
    container = members.get(_plain("META-INF/container.xml"))
    said = _root_files(_parse(_read_entry(archive, container, 0, file), file)) if container else []
    if not said:  # some programs forget the container
        inside = [n for n in names if n.lower().endswith(_SCORES) and not _plain(n).startswith("meta-inf/")]
        if not inside:
            raise ReadError("the archive holds no score", file=file, cure="export it again")
        return inside[0]
    for name in (said[0], unquote(said[0])):
        if name.startswith(("/", "\\")) or ".." in name.replace("\\", "/").split("/") or ":" in name:
            what = "the archive's container names a path outside the archive"
            raise ReadError(what, file=file, cure="do not trust it")
        if found := name if name in names else members.get(_plain(name)):
            return found
    raise ReadError(f"the archive's container names {said[0][:80]!r}, which is not in it", file=file)


def _root_files(container: _Element) -> list[str]:
    """Paths of the container's root files, scores before other renditions."""
    files = [e for e in container.iter() if str(e.tag).rpartition("}")[2] == "rootfile" and e.get("full-path")]
    files.sort(key=lambda e: "musicxml" not in e.get("media-type", "musicxml"))
    return [e.get("full-path", "") for e in files]


def _plain(name: str) -> str:
    return name.replace("\\", "/").removeprefix("./").casefold()


def _read_entry(archive: zipfile.ZipFile, name: str, packed: int, file: str) -> bytes:
    method = archive.getinfo(name).compress_type
    if method not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # zipfile unpacks the others whole, at any size
        raise ReadError(f"{name[:80]!r} is packed by method {method}, not deflated", file=file, cure="export it again")
    limit = max(ARCHIVE_RATIO_FREE, min(ARCHIVE_BYTES, packed * ARCHIVE_RATIO))
    with archive.open(name) as entry:
        data = entry.read(limit + 1)
    if len(data) > limit:
        raise ReadError(f"{name[:80]!r} unpacks to more than {limit >> 20} MiB, too much for its size", file=file)
    return data
