"""Files that lie: what benchmarks/fuzz.py changes in whole files, and the whole files it starts from.

Every mutation is a function of a file, other files of its kind and a random number generator, so that a file is known
by seed and number alone. Two thirds of the changes know the format (events of MIDI, elements of MusicXML, members of an
archive, cells of a table), the others bytes only.
"""

from __future__ import annotations

import copy
import io
import random
import zipfile
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from lxml import etree

from rescore_music.resources import samples_dir, templates_dir

Bytes = bytes | bytearray
MIB = 1 << 20

# -- whole files -----------------------------------------------------------------------------------------------------

# suffix -> share of the campaign in per cent; what goes through music21 costs fifty times the rest
SHARES = {".mid": 42, ".musicxml": 30, ".mxl": 12, ".yaml": 7, ".csv": 7, ".abc": 1, ".krn": 1}

CSV = (
    "timecode,label,weight,kind,tolerance,lands\n00:00:02:00,Door,1,hard,0.5,downbeat\n"
    "00:00:05:12,Kiss,0.5,soft,12,beat\n# a remark\n00:00:09:03,,,,,motif:A\n00:00:12:00,End,2,hard,,end\n"
)


def seeds(suffix: str, data: Path | None) -> list[tuple[str, bytes]]:
    """(name, content) of the whole files of one kind: shipped with the product or music21, and of `data` if it is."""
    paths = sorted(_whole(suffix, data), key=lambda path: (path.name, path.stat().st_size))
    found = [(path.name, path.read_bytes()) for path in paths]
    if suffix == ".csv":
        found.append(("written.csv", CSV.encode()))
    if suffix == ".mxl":
        found += [(f"{name}.mxl", _archive(content)) for name, content in seeds(".musicxml", None)[::3]]
    return found


def _whole(suffix: str, data: Path | None) -> list[Path]:
    import music21

    root = Path(music21.__file__).parent
    if suffix == ".mid":
        paths = list(samples_dir().glob("*.mid"))
        if data:
            paths += [*(data / "midi_conformance").glob("*.mid"), *(data / "game_midi").glob("*.mid")]
        return [path for path in paths if path.stat().st_size < 12_000]
    if suffix == ".musicxml":
        suite = root / "musicxml" / "lilypondTestSuite"
        return [*suite.glob("*.xml"), *suite.glob("*.musicxml"), *samples_dir().glob("*.musicxml")]
    if suffix == ".mxl":
        paths = [*(root / "musicxml" / "lilypondTestSuite").glob("*.mxl")]
        if data:
            paths += [p for p in (data / "openscore_orchestra").glob("*.mxl") if p.stat().st_size < 80_000]
        return paths
    if suffix == ".yaml":
        return list(templates_dir().rglob("*.yaml"))
    if suffix == ".csv":
        return list(samples_dir().glob("*.csv"))
    found = sorted(p for p in (root / "corpus").rglob(f"*{suffix}") if p.stat().st_size < 2000)
    return found[:: max(1, len(found) // 60)]


# -- what every format may suffer --------------------------------------------------------------------------------------

NUMBERS = (
    *("0", "-1", "1", "2", "3", "7", "64", "127", "128", "255", "256", "480", "32767", "65535", "65536", "99991"),
    *(str(2**31 - 1), str(2**31), str(2**32), str(2**63 - 1), str(2**63), str(-(2**63) - 1), "1" + "0" * 30),
    *("1e9", "1e99", "1e308", "1e999", "-1e999", "1e-9", "1e-320", "nan", "inf", "-inf", "0.1", "1/3", "1_000"),
    *("٣", "0x10", "3+2", "3+2/8", ".", "-", "+", "1:59", "0b1", "", " ", "½", "\u200b", "9" * 5000),
)
TOKENS = {
    ".mid": (
        *(b"MThd", b"MTrk", b"\0\0\0\6", b"\xff\x2f\0", b"\xff\x51\3\7\xa1\x20", b"\xff\x51\3\0\0\0", b"\xff\x51\0"),
        *(b"\xff\x58\4\4\2\x18\x08", b"\xff\x58\4\0\0\0\0", b"\xff\x58\4\xff\xff\xff\xff", b"\xff\x59\2\x80\xff"),
        *(b"\xff\x54\5\x60\0\0\0\0", b"\xff\x20\1\x0f", b"\xff\x21\1\xff", b"\xff\x05\x08@LENG\\\\/", b"\xff\x7f\0"),
        *(b"\xf0\x05\x7e\x7f\x09\x01\xf7", b"\xf7\0", b"\xf0\xff\xff\xff\x7f", b"\xff\xff\xff\x7f", b"\x80\x80\x80\0"),
        *(b"\xb0\x65\0\0\xb0\x64\0\0\xb0\6\x7f", b"\xb9\0\x7f", b"\x90\x3c\x7f", b"\x80\x3c\0", b"\xe0\x7f\x7f"),
        *(b"RIFF\xff\xff\xff\xffRMIDdata", b"\xff\x03\x02\x1b[", b"\xff\x01\x04\x82\xa0\x82\xa2"),
    ),
    ".xml": (
        *(b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b"&b;", b"&#0;", b"&#x1b;", b"&#xD800;", b"]]>", b"<![CDATA[", b"<!--"),
        *(b"<?xml version='1.1'?>", b"<chord/>", b"<grace/>", b"<cue/>", b"<rest measure='yes'/>", b"<backup>"),
        *(b"<duration>-9</duration>", b"<divisions>0</divisions>", b"<tie type='start'/>", b"</measure><measure>"),
        *(b"<xi:include href='/etc/passwd'/>", b"xmlns='x'", b"\xff\xfe", b"\xef\xbb\xbf", b"\0", b"<staff>9</staff>"),
    ),
    ".yaml": (
        *(b"&a ", b"*a", b"<<: *a", b"!!python/object:os.system ", b"!!binary x", b"!!set {", b"? ", b"- ", b"[", b"{"),
        *(b"|\n", b">\n", b"\t", b"---\n", b"...\n", b"%YAML 9.9\n", b'"\\e[2J"'),
        *(b"1e999", b".nan", b"~", b"!!float x"),
    ),
    ".csv": (b'"', b",", b";", b"\t", b"\n", b"\r", b"\0", b"\x1b[2J", b"99:99:99:99", b"motif:", b"#", b"\xff", b"-"),
    ".abc": (
        *(b"X:1\n", b"K:", b"K:C transpose=99\n", b"M:0/0\n", b"M:9999/1\n", b"L:0\n", b"L:1/99999\n", b"Q:1/4=0\n"),
        *(b"|:", b":|", b"[1", b"(3", b"(9:1:9", b"{", b"}", b"[CEG"),
        *(b"C9999999", b"C/////////", b"V:9\n", b"w: a-b_*"),
        *(b"I:", b"U:", b"%%score (", b"z9999", b"Z9999", b"x", b"&", b"!"),
        *(b'"', b"\\\n", b"^^^^C", b",,,,,,,,,", b"''''"),
    ),
    ".krn": (
        *(b"**kern\n", b"**\t**\n", b"*^\n", b"*v\t*v\n", b"*+\n", b"*-\n", b"*x\t*x\n"),
        *(b"*M0/0\n", b"*M4/0\n", b"=\n"),
        *(b"*k[]\n", b"*MM0\n", b"*MM99999999\n", b"*ITr9\n", b"0c"),
        *(b"99999999c", b"4.........c", b"00000r", b"%", b"3%2c"),
        *(b"[4c", b"4c]", b"4qc", b"\t", b".\n", b"!!!OTL: \x1b[2J\n", b"*>A\n"),
        *(b"*>[A,A,A]\n", b"*clefX9\n", b"4cc##--n"),
    ),
}  # fmt: skip
TOKENS[".musicxml"] = TOKENS[".xml"]


def mutate(suffix: str, content: bytes, others: Sequence[tuple[str, bytes]], rng: random.Random) -> bytes:
    """One mutated file."""
    if rng.random() < 0.004:
        return _grown(content, rng)
    if rng.random() < 0.7:
        content = STRUCTURED[suffix](content, others, rng)
        if rng.random() < 0.85:
            return content
    return _damaged(suffix, content, others, rng)


def _damaged(suffix: str, content: bytes, others: Sequence[tuple[str, bytes]], rng: random.Random) -> bytes:
    """Bytes flipped, set, cut, doubled, moved, spliced with another file's, tokens put in."""
    out = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 3, 5, 8, 16))):
        place = rng.randrange(len(out) + 1)
        size = min(len(out) - place, int(rng.expovariate(1 / 24)) + 1)
        change = rng.randrange(9)
        if change == 0 and place < len(out):
            out[place] ^= 1 << rng.randrange(8)
        elif change == 1:
            out[place : place + size] = rng.randbytes(size)
        elif change == 2:
            del out[place : place + size]
        elif change == 3:
            out[place:place] = out[place : place + size] * rng.choice((1, 1, 2, 50))
        elif change == 4:
            other = rng.choice(others)[1]
            start = rng.randrange(len(other) + 1)
            out[place : place + size] = other[start : start + int(rng.expovariate(1 / 200)) + 1]
        elif change == 5 and suffix in TOKENS:
            out[place : place + rng.choice((0, 0, size))] = rng.choice(TOKENS[suffix])
        elif change == 6:
            out[place : place + 4] = rng.choice((b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x80\0\0\0"))
        elif change == 7 and rng.random() < 0.3:
            del out[place:]
        else:
            target = rng.randrange(len(out) + 1)
            out[target:target] = out[place : place + size]
    return bytes(out)


def _grown(content: bytes, rng: random.Random) -> bytes:
    """A stretch of the file many times over: up to a few MiB."""
    start = rng.randrange(len(content) + 1)
    piece = content[start : start + int(rng.expovariate(1 / 400)) + 1]
    size = rng.choice((1 << 14, 1 << 17, 1 << 20, 3 << 20))
    return content[:start] + piece * max(1, size // max(1, len(piece))) + content[start:]


# -- MIDI ----------------------------------------------------------------------------------------------------------


def variable(value: int) -> bytes:
    """A variable-length quantity."""
    out = [value & 0x7F]
    while value := value >> 7:
        out.append(value & 0x7F | 0x80)
    return bytes(reversed(out))


def _event(rng: random.Random) -> bytes:
    delta = variable(rng.choice((0, 0, 0, 1, 24, 96, 480, 1920, 1 << 14, 1 << 21, (1 << 28) - 1)))
    kind = rng.randrange(8)
    if kind < 4:
        status = rng.randrange(0x80, 0xF0)
        return delta + bytes((status, rng.randrange(128), *([] if 0xC0 <= status < 0xE0 else [rng.randrange(128)])))
    if kind == 4:
        return delta + b"\xf0" + variable(size := rng.randrange(20)) + rng.randbytes(size)
    if kind == 5:
        return delta + rng.choice(TOKENS[".mid"])
    number = rng.choice((1, 3, 4, 5, 6, 7, 0x20, 0x21, 0x2F, 0x51, 0x51, 0x54, 0x58, 0x58, 0x59, 0x7F))
    data = rng.randbytes(rng.choice((0, 1, 2, 3, 4, 5, 8, 200)))
    return delta + bytes((0xFF, number)) + variable(len(data)) + data


def _midi(content: bytes, others: Sequence[tuple[str, bytes]], rng: random.Random) -> bytes:
    """The header says other things; tracks lost, doubled, swapped with other files'; events anywhere."""
    head, tracks = content[:14].ljust(14, b"\0"), content.split(b"MTrk")[1:]
    tracks = [track[4:] for track in tracks]
    for _ in range(rng.choice((1, 1, 2, 4))):
        change = rng.randrange(7)
        if change == 0:
            place = rng.choice((8, 10, 12, 12))
            value = rng.choice((0, 1, 2, 3, 96, 255, 480, 32767, 32768, 59176, 65535, rng.randrange(65536)))
            head = head[:place] + value.to_bytes(2) + head[place + 2 :]
        elif change == 1 and tracks:
            tracks.insert(rng.randrange(len(tracks) + 1), rng.choice(tracks))
        elif change == 2 and tracks:
            tracks.pop(rng.randrange(len(tracks)))
        elif change == 3:
            tracks += [t[4:] for t in rng.choice(others)[1].split(b"MTrk")[1:]]
        elif change == 4 and tracks and rng.random() < 0.05:
            tracks *= rng.choice((10, 100))
        elif tracks:
            i = rng.randrange(len(tracks))
            place = rng.randrange(len(tracks[i]) + 1) if rng.random() < 0.7 else 0
            events = b"".join(_event(rng) for _ in range(rng.choice((1, 2, 5, 20))))
            tracks[i] = tracks[i][:place] + events + tracks[i][place:]
    lying = rng.random() < 0.1
    return head + b"".join(
        b"MTrk" + (rng.getrandbits(32) if lying else len(track)).to_bytes(4) + track for track in tracks
    )


# -- MusicXML ------------------------------------------------------------------------------------------------------


@cache
def _tree(content: bytes) -> etree._Element | None:
    try:
        return etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True))
    except (etree.XMLSyntaxError, ValueError):
        return None


def _musicxml(content: bytes, others: Sequence[tuple[str, bytes]], rng: random.Random) -> bytes:
    """Well-formed, and absurd: elements lost, doubled, moved, renamed, nested, grafted; any number, any text."""
    whole = _tree(content)
    if whole is None:
        return content
    root = copy.deepcopy(whole)
    for _ in range(rng.choice((1, 1, 2, 4, 8))):
        elements = [e for e in root.iter() if isinstance(e.tag, str)]
        one, other = rng.choice(elements), rng.choice(elements)
        above = one.getparent()
        change = rng.randrange(10)
        if change < 3:
            leaves = [e for e in elements if not len(e)]
            rng.choice(leaves).text = _legal(rng.choice(NUMBERS)) if rng.random() < 0.8 else other.text
        elif change == 3 and one.attrib:
            one.set(rng.choice(sorted(one.attrib)), _legal(rng.choice(NUMBERS)))
        elif above is None:
            continue
        elif change == 4:
            above.remove(one)
        elif change == 5:
            for _ in range(rng.choice((1, 1, 2, 30))):
                above.insert(above.index(one), copy.deepcopy(one))
        elif change == 6 and one is not other and one not in other.iterancestors():
            other.append(one)
        elif change == 7:
            one.tag = other.tag
        elif change == 8:
            for _ in range(rng.choice((1, 3, 100, 300))):
                one = etree.SubElement(one, one.tag)
        else:
            donor = _tree(rng.choice(others)[1])
            if donor is not None:
                grafts = [e for e in donor.iter() if isinstance(e.tag, str) and e is not donor]
                above.insert(above.index(one), copy.deepcopy(rng.choice(grafts)))
    encoding = rng.choice(("utf-8", "utf-8", "utf-8", "utf-16", "iso-8859-1"))
    return etree.tostring(root, xml_declaration=True, encoding=encoding)


def _legal(text: str) -> str:
    return text if text.isprintable() else "\u200b"


# -- archives --------------------------------------------------------------------------------------------------------


def _archive(score: bytes) -> bytes:
    return packed([("META-INF/container.xml", container("score.xml")), ("score.xml", score)])


def packed(members: Sequence[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip archive; names may come twice and lead anywhere."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in members:
            info = zipfile.ZipInfo(name)
            info.compress_type = method
            archive.NameToInfo.pop(name, None)  # doubled members without a warning
            archive.writestr(info, data)
    return buffer.getvalue()


def container(path: str) -> bytes:
    """META-INF/container.xml that names a score."""
    root = etree.Element("container")
    etree.SubElement(etree.SubElement(root, "rootfiles"), "rootfile").set("full-path", path)
    return etree.tostring(root)


PLACES = ("score.xml", "a/b.xml", "../up.xml", "/abs.xml", "C:\\x.xml", "x.xml/", "é.xml", "META-INF/container.xml", "")


def _mxl(content: bytes, others: Sequence[tuple[str, bytes]], rng: random.Random) -> bytes:
    """Another score inside, another container, members lost, doubled, packed otherwise, archives in archives."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [(name, archive.read(name)) for name in archive.namelist()]
    except (zipfile.BadZipFile, OSError, ValueError, KeyError):
        return content
    for _ in range(rng.choice((1, 1, 2, 3))):
        change, i = rng.randrange(7), rng.randrange(len(members))
        name, data = members[i]
        if change < 3 and data:
            inner = _musicxml if rng.random() < 0.6 and len(data) < 200_000 else partial_damage
            donors = [("", data)]
            members[i] = (name, inner(data, donors, rng))
        elif change == 3:
            members[i] = (rng.choice(PLACES), data)
        elif change == 4:
            members.insert(i, (rng.choice((name, *PLACES)), rng.choice((data, content, b"", b"<score-partwise/>"))))
        elif change == 5 and len(members) > 1:
            members.pop(i)
        else:
            members.insert(0, ("META-INF/container.xml", container(rng.choice(PLACES))))
    methods = (zipfile.ZIP_DEFLATED, zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
    out = bytearray(packed(members, rng.choice(methods)))
    if rng.random() < 0.1:  # flags of the first member: encrypted, patched, strongly encrypted
        for header, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
            at = out.find(header)
            out[at + place : at + place + 2] = rng.choice((1, 0x20, 0x40, 0x800, 0xFFFF)).to_bytes(2, "little")
    return bytes(out)


def partial_damage(content: bytes, others: Sequence[tuple[str, bytes]], rng: random.Random) -> bytes:
    """Byte damage to XML, as a structured change of an archive's member."""
    return _damaged(".xml", content, others, rng)


# -- text ------------------------------------------------------------------------------------------------------------


def _lines(content: bytes, others: Sequence[tuple[str, bytes]], rng: random.Random) -> bytes:
    """Lines lost, doubled, swapped, indented, taken from other files; words replaced by numbers of any kind."""
    lines = content.decode("utf-8", "replace").splitlines(keepends=True) or [""]
    for _ in range(rng.choice((1, 2, 4, 8))):
        i, j = rng.randrange(len(lines)), rng.randrange(len(lines))
        change = rng.randrange(7)
        if change == 0 and len(lines) > 1:
            lines.pop(i)
        elif change == 1:
            lines.insert(j, lines[i])
        elif change == 2:
            lines[i], lines[j] = lines[j], lines[i]
        elif change == 3:
            lines[i] = rng.choice((" ", "  ", "    ", "\t")) + lines[i]
        elif change == 4:
            other = rng.choice(others)[1].decode("utf-8", "replace").splitlines(keepends=True) or [""]
            lines.insert(i, rng.choice(other))
        else:
            marks = " ,:;\t[]{}|/="
            cuts = [k for k, c in enumerate(lines[i]) if c in marks] + [0, len(lines[i])]
            a, b = sorted((rng.choice(cuts), rng.choice(cuts)))
            lines[i] = lines[i][: a + 1] + rng.choice(NUMBERS) + lines[i][b:]
    return "".join(lines).encode("utf-8", "surrogatepass")


STRUCTURED: dict[str, Callable[[bytes, Sequence[tuple[str, bytes]], random.Random], bytes]] = {
    ".mid": _midi,
    ".musicxml": _musicxml,
    ".mxl": _mxl,
    ".yaml": _lines,
    ".csv": _lines,
    ".abc": _lines,
    ".krn": _lines,
}
