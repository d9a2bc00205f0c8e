"""Hostile files: whatever comes, a value or one RescoreError of one line, within a few seconds and a gigabyte.

A small run with every test; `make fuzz` runs the same with RESCORE_FUZZ times as many examples and another seed each
time. tests/io/test_midi_read.py mutates the bytes of MIDI files; here are well-formed files that say absurd things, and
the other formats.
"""

from __future__ import annotations

import copy
import io
import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from midi_files import SCALE, SEEDS, meta, midi, track

from rescore_music.cues import Cues
from rescore_music.errors import LONGEST, ReadError, RescoreError, TemplateError
from rescore_music.io import read_score
from rescore_music.io.limits import TEXT
from rescore_music.io.midi.read import read_midi
from rescore_music.io.musicxml.read import read_musicxml
from rescore_music.io.spotting import read_cues
from rescore_music.resources import templates_dir
from rescore_music.score import Score
from rescore_music.template import Template, load_template

TIMES = int(os.environ.get("RESCORE_FUZZ", "0"))
SECONDS = 5.0  # of processor time for one file


def examples(count: int) -> Callable[[Any], Any]:
    """Hypothesis settings: `count` examples, always the same ones; in a long run many more, never the same."""
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]
    return settings(
        max_examples=count * max(TIMES, 1),
        derandomize=not TIMES,
        deadline=None,
        database=None,
        suppress_health_check=slow,
    )


def survives(read: Callable[[Any], Any], source: Any, kind: type) -> Any:
    """The value read, or None where it was refused in one line; anything else is a failure."""
    start = time.process_time()
    value = None
    try:
        value = read(source)
    except RescoreError as error:
        line = str(error)
        assert line
        assert "\n" not in line
        assert len(line) <= LONGEST
    else:
        assert isinstance(value, kind)
    assert time.process_time() - start < SECONDS
    return value


def sound(score: Score | None) -> None:
    """A score that was read can be looked at: bars, seconds and what sounds."""
    if score is not None:
        assert np.all(score.ends <= score.length)
        assert np.all(np.diff(score.bars) > 0)
        assert np.all(np.isfinite(score.tempo.seconds(score.notes["onset"])))
        assert len(score.sounding()) == len(score.notes)


# numbers that files should not hold, as text
ABSURD = st.one_of(
    st.sampled_from(
        ["0", "-1", "1", "2", "3", "5", "7", "127", "128", "255", "256", "32767", "65535", "65536", "99991"]
    ),
    st.sampled_from([str(2**31 - 1), str(2**31), str(2**32), str(2**63 - 1), str(2**63), str(-(2**63) - 1)]),
    st.sampled_from(["1e9", "1e99", "1e308", "1e999", "-1e999", "nan", "inf", "-inf", "NaN", "0.1", "1/3", "1_000"]),
    st.sampled_from(["٣", "0x10", "3+2", ".", "-", "+", "1:59", "0b1"]),
    st.sampled_from(["", " ", "9" * 5000, "1." + "0" * 5000 + "1", "\u200b", "½"]),
    st.integers(-(10**30), 10**30).map(str),
    st.floats().map(repr),
)

# -- MIDI ----------------------------------------------------------------------------------------------------------


def _length(value: int) -> bytes:
    out = [value & 0x7F]
    while value := value >> 7:
        out.append(value & 0x7F | 0x80)
    return bytes(reversed(out))


DELTAS = st.sampled_from([0, 0, 0, 1, 96, 127, 128, 16383, 2**21, 2**28 - 1])
MESSAGES = st.one_of(
    st.tuples(st.just(0x51), st.binary(max_size=4)),  # tempo, of any length
    st.tuples(st.just(0x58), st.binary(max_size=5)),  # meter
    st.tuples(st.just(0x59), st.binary(max_size=3)),  # key
    st.tuples(st.just(0x54), st.binary(max_size=6)),  # SMPTE offset
    st.tuples(st.sampled_from([0x20, 0x21]), st.binary(max_size=2)),  # channel and port prefix
    st.tuples(st.integers(0, 127), st.binary(max_size=20)),
    st.tuples(
        st.sampled_from([1, 3, 4, 5, 6, 7]), st.sampled_from([b"@L", b"@T", b"\\", b"/-", b"\xff" * 300, b"a" * 9000])
    ),
).map(lambda m: b"\xff" + bytes([m[0]]) + _length(len(m[1])) + m[1])
CHANNEL = st.tuples(st.integers(0x80, 0xEF), st.integers(0, 127), st.integers(0, 127)).map(
    lambda m: bytes(m[:2] if 0xC0 <= m[0] < 0xE0 else m)
)
SYSEX = st.binary(max_size=12).map(lambda data: b"\xf0" + _length(len(data)) + data)
BODIES = st.lists(st.tuples(DELTAS, st.one_of(MESSAGES, CHANNEL, SYSEX)), max_size=30).map(
    lambda events: b"".join(_length(delta) + message for delta, message in events)
)


@examples(150)
@given(st.lists(BODIES, max_size=4), st.integers(0, 3), st.integers(0, 65535), st.booleans())
def test_midi_messages_of_any_content_read_or_are_refused(
    bodies: list[bytes], kind: int, division: int, salvage: bool
) -> None:
    data = midi(track(SCALE), *map(track, bodies), kind=kind, division=division)
    sound(survives(lambda data: read_midi(data, salvage=salvage), data, Score))


@pytest.mark.parametrize("us", [0, 1, 2**24 - 1])
@pytest.mark.parametrize("division", [1, 0x7FFF, 0xE250])
def test_the_slowest_and_fastest_tempo_give_finite_times(us: int, division: int) -> None:
    sound(read_midi(midi(track(meta(0x51, us.to_bytes(3)) + SCALE), division=division)))


def test_long_text_is_cut_in_midi() -> None:
    score = read_midi(midi(track(b"\x00\xff\x06" + _length(10**6) + b"a" * 10**6 + SCALE)))
    assert len(score.markers[0].text) <= TEXT


# -- MusicXML ------------------------------------------------------------------------------------------------------

# small files that together hold most of what MusicXML has
NAMES = (
    *("01d", "11d", "11h", "13c", "14a", "21f", "23d", "24a", "24e", "31a", "31c", "33a", "33d"),
    *("33i", "41c", "42a", "43d", "45b", "46d", "46g", "61k", "71f", "72c", "73a", "99d"),
)


@cache
def scores() -> tuple[bytes, ...]:
    import music21

    folder = Path(music21.__file__).parent / "musicxml" / "lilypondTestSuite"
    return tuple(path.read_bytes() for name in NAMES for path in sorted(folder.glob(name + "*.xml")))


def _mutated(data: bytes, changes: list[tuple[str, int, int, str]]) -> bytes:
    """A well-formed document with elements removed, doubled, moved, renamed, nested or told something absurd."""
    root = etree.fromstring(data)
    for what, first, second, text in changes:
        elements = [e for e in root.iter() if isinstance(e.tag, str)]
        one, other = elements[first % len(elements)], elements[second % len(elements)]
        above = one.getparent()
        if what == "text":
            leaves = [e for e in elements if not len(e)]
            leaves[first % len(leaves)].text = text
        elif what == "attribute" and one.attrib:
            one.set(sorted(one.attrib)[second % len(one.attrib)], text)
        elif above is None:
            continue
        elif what == "remove":
            above.remove(one)
        elif what == "double":
            above.insert(above.index(one), copy.deepcopy(one))
        elif what == "move" and one not in other.iterancestors() and one is not other:
            other.append(one)
        elif what == "rename":
            one.tag = other.tag
        elif what == "nest":
            for _ in range(second % 200):
                one = etree.SubElement(one, one.tag)
    return etree.tostring(root)


CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["text", "text", "text", "attribute", "remove", "double", "move", "rename", "nest"]),
        st.integers(0, 5000),
        st.integers(0, 5000),
        ABSURD,
    ),
    min_size=1,
    max_size=8,
)
PLACES = st.integers(0, len(NAMES) - 1)


@examples(150)
@given(PLACES, CHANGES)
def test_musicxml_that_says_absurd_things_reads_or_is_refused(
    place: int, changes: list[tuple[str, int, int, str]]
) -> None:
    sound(survives(read_musicxml, _mutated(scores()[place % len(scores())], changes), Score))


@pytest.mark.parametrize("element", ["staff", "voice", "duration", "octave"])
@pytest.mark.parametrize("number", ["1e99", "1e18", "9" * 30, "-1e99"])
def test_a_number_that_no_column_holds_is_not_believed(element: str, number: str) -> None:
    whole = '<score-partwise><part-list><score-part id="P"><part-name/></score-part></part-list><part id="P"><measure>'
    pitch = "<note><pitch><step>C</step><octave>4</octave></pitch><duration>1</duration><staff>1</staff></note>"
    root = etree.fromstring(whole + pitch + pitch + "</measure></part></score-partwise>")
    found = root.find(f".//{element}")
    if found is None:
        found = etree.SubElement(root.find(".//note"), element)
    found.text = number
    sound(survives(read_musicxml, etree.tostring(root), Score))


@pytest.mark.parametrize("divisions", ["1e-320", "1e-9", "1e99", "inf", "nan", "-1"])
def test_divisions_that_divide_nothing_are_ignored_and_told(divisions: str) -> None:
    score = read_musicxml(
        f'<score-partwise><part-list/><part id="P"><measure><attributes><divisions>{divisions}</divisions></attributes>'
        "<note><pitch><step>C</step><octave>4</octave></pitch><duration>1</duration></note>"
        "</measure></part></score-partwise>".encode()
    )
    sound(score)
    assert any(item.what.startswith("divisions that are no number") for item in score.import_log)


def _damaged(data: bytes, changes: list[tuple[int, int]], cut: int, inserted: bytes) -> bytes:
    out = bytearray(data)
    for place, value in changes:
        out[place % len(out)] = value
    place = cut % len(out)
    return bytes(out[:place]) + inserted + bytes(out[place:])


BYTES = (st.lists(st.tuples(st.integers(0, 60_000), st.integers(0, 255)), max_size=8), st.integers(0, 60_000))


@examples(60)
@given(PLACES, *BYTES, st.binary(max_size=8))
def test_damaged_musicxml_reads_or_is_refused(
    place: int, changes: list[tuple[int, int]], cut: int, inserted: bytes
) -> None:
    sound(survives(read_musicxml, _damaged(scores()[place % len(scores())], changes, cut, inserted), Score))


@examples(60)
@given(st.lists(st.integers(1, 2**31), min_size=2, max_size=12), st.lists(ABSURD, min_size=1, max_size=4))
def test_divisions_without_a_common_measure_read_or_are_refused(divisions: list[int], durations: list[str]) -> None:
    bars = "".join(
        f"<measure><attributes><divisions>{d}</divisions></attributes>"
        + "".join(
            f"<note><pitch><step>C</step><octave>4</octave></pitch><duration>{n}</duration></note>"
            for n in (d, *durations)
        )
        + "</measure>"
        for d in divisions
    )
    head = '<score-partwise><part-list><score-part id="P"><part-name/></score-part></part-list>'
    sound(survives(read_musicxml, f'{head}<part id="P">{bars}</part></score-partwise>'.encode(), Score))


# -- MXL -----------------------------------------------------------------------------------------------------------


def _packed(entries: list[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in entries:
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return buffer.getvalue()


def _container(path: str) -> bytes:
    root = etree.Element("container")
    etree.SubElement(etree.SubElement(root, "rootfiles"), "rootfile").set("full-path", path)
    return etree.tostring(root)


MEMBERS = st.sampled_from(
    [
        "score.xml",
        "META-INF/container.xml",
        "a/b.musicxml",
        "../up.xml",
        "/abs.xml",
        "C:\\x.xml",
        "x.xml/",
        "é.xml",
        "a" * 300,
    ]
)


@examples(60)
@given(
    st.lists(st.tuples(MEMBERS, PLACES, st.booleans()), max_size=5, unique_by=lambda m: m[0]),
    MEMBERS,
    st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]),
    *BYTES,
)
def test_archives_of_any_content_read_or_are_refused(
    members: list[tuple[str, int, bool]],
    named: str,
    method: int,
    changes: list[tuple[int, int]],
    cut: int,
) -> None:
    whole = scores()
    entries = [(name, whole[place % len(whole)] if good else b"\0<score") for name, place, good in members]
    data = _packed([("META-INF/container.xml", _container(named)), *(e for e in entries if "META" not in e[0])], method)
    sound(survives(read_musicxml, data, Score))
    sound(survives(read_musicxml, _damaged(data, changes, cut, b""), Score))


def test_an_archive_whose_directory_points_before_its_start_is_damaged() -> None:
    data = bytearray(_packed([("META-INF/container.xml", _container("é.xml"))]))
    end = data.rindex(b"PK\x05\x06")
    data[end + 16 : end + 20] = (int.from_bytes(data[end + 16 : end + 20], "little") + 256).to_bytes(4, "little")
    with pytest.raises(ReadError, match="damaged"):
        read_musicxml(bytes(data))


# -- templates and spotting notes ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hostile")


COUNT = iter(range(10**9))  # a new name each time: template files are remembered by name and time


def _file(folder: Path, suffix: str, data: bytes) -> Path:
    path = folder / f"{next(COUNT)}{suffix}"
    path.write_bytes(data)
    return path


PRESET = (
    "version: 1\ntitle: Mine\nforces:\n  title: Band\n  seats:\n    - {id: lead, instrument: violin, players: 2,"
    " pan: 0.5, gain: -3, lowest: G3, highest: E7}\n    - {id: low, instrument: cello, players: 4, divisi: 2}\n"
    "style:\n  density: 0.5\n  contrast: 0.5\n  weights: {blend: 2}\n  targets: {brightness: 1500}\n  roles:\n"
    "    melody: &sung {articulation: legato, dynamics: 1, prefer: {lead: 1.0}, duration: 1.0}\n    bass: *sung\n"
)
WORDS = [word for word in PRESET.replace("{", " ").replace("}", " ").replace(",", " ").split() if word != "-"]
NODES = st.recursive(
    st.one_of(
        ABSURD, st.sampled_from(WORDS), st.sampled_from(["~", "yes", "2024-99-99", "!!binary x", "*a", "? x", "<<: *a"])
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(lambda items: "[" + ", ".join(items) + "]"),
        st.lists(st.tuples(st.sampled_from(WORDS), inner), max_size=4).map(
            lambda items: "{" + ", ".join(f"{key.strip(':')}: {value}" for key, value in items) + "}"
        ),
        inner.map(lambda text: f"&a {text}"),
    ),
    max_leaves=8,
)


@examples(150)
@given(st.lists(st.tuples(st.integers(0, 200), NODES), max_size=4), *BYTES)
def test_templates_of_any_content_load_or_are_refused(
    folder: Path, said: list[tuple[int, str]], changes: list[tuple[int, int]], cut: int
) -> None:
    text = PRESET
    for place, node in said:
        text = text.replace(WORDS[place % len(WORDS)], node, 1)
    survives(load_template, _file(folder, ".yaml", text.encode()), Template)
    if changes:
        survives(load_template, _file(folder, ".yaml", _damaged(text.encode(), changes, cut, b"")), Template)


@pytest.mark.parametrize("number", ["1" + ":59" * 60_000, "0x" + "f" * 100_000, "9" * 100_000])
def test_numbers_too_long_to_print_are_refused(folder: Path, number: str) -> None:
    with pytest.raises(TemplateError, match="line 1, column 10: a number of more than"):
        load_template(_file(folder, ".yaml", f"version: {number}\n".encode()))


@examples(20)
@given(st.integers(0, 1000), *BYTES)
def test_damaged_shipped_templates_load_or_are_refused(
    folder: Path, place: int, changes: list[tuple[int, int]], cut: int
) -> None:
    shipped = sorted(templates_dir().rglob("*.yaml"))
    data = shipped[place % len(shipped)].read_bytes()
    survives(load_template, _file(folder, ".yaml", _damaged(data, changes, cut, b"")), Template)


@examples(150)
@given(
    st.lists(
        st.tuples(
            st.one_of(
                ABSURD, st.sampled_from(["00:00:01:00", "99:99:99:99", "00:00:01;02", "٠٠:٠٠:٠١:٠٠", "-1:00:00:00"])
            ),
            st.text(max_size=6),
            ABSURD,
            st.one_of(ABSURD, st.sampled_from(["hard", "SOFT", "motif:", "motif:A"])),
            ABSURD,
        ),
        max_size=6,
    ),
    st.sampled_from(",;\t"),
    st.sampled_from(["24", "29.97df", "23.976"]),
    *BYTES,
)
def test_spotting_notes_of_any_content_read_or_are_refused(
    folder: Path, rows: list[tuple[str, ...]], separator: str, rate: str, changes: list[tuple[int, int]], cut: int
) -> None:
    lines = [("timecode", "label", "weight", "lands", "tolerance"), *rows]
    data = "\n".join(separator.join(row) for row in lines).encode("utf-8", "surrogatepass")
    for source in (data, _damaged(data, changes, cut, b"")):
        cues = survives(lambda path: read_cues(path, rate), _file(folder, ".csv", source), Cues)
        assert cues is None or np.all(np.isfinite(cues.seconds))


def test_a_message_quotes_no_page_of_text(folder: Path) -> None:
    path = _file(folder, ".csv", b"timecode\n" + b"9" * 100_000 + b"\n")
    with pytest.raises(
        ReadError, match=r"line 2, column timecode: '999.* \.\.\. 999.*' is not a timecode \(write "
    ) as caught:
        read_cues(path, 24)
    assert len(str(caught.value)) <= LONGEST


@examples(60)
@given(
    st.sampled_from([".mid", ".xml", ".mxl", ".musicxml", ".kar", ""]),
    st.one_of(st.binary(max_size=200), st.sampled_from([*SEEDS, b"<score-partwise/>", b"PK\x03\x04", b"MThd"])),
)
def test_any_file_under_any_name_reads_or_is_refused(folder: Path, suffix: str, data: bytes) -> None:
    path = _file(folder, suffix, data)
    sound(survives(read_score, path, Score))
    path.unlink()


# -- bombs: small files that would grow ------------------------------------------------------------------------------

HEAD = '<score-partwise><part-list><score-part id="P"><part-name/></score-part></part-list><part id="P"><measure>'
NOTE = "<note><pitch><step>C</step><octave>4</octave></pitch><duration>{}</duration></note>"
TAIL = "</measure></part></score-partwise>"


def _bombs() -> dict[str, bytes]:
    deep = "<a>" * 200_000
    blanks = b" " * (1 << 20)
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("x.xml", "w") as out,
    ):
        out.write(b"<score-partwise>")
        for _ in range(300):
            out.write(blanks)
    aliases = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12)
    )
    header = b"MThd\x00\x00\x00\x06\x00\x01\xff\xff\x00\x60"
    sysex = b"\x00\xf0\xff\xff\xff\x7f\x00"
    far = b"\xff\xff\xff\x7f\x90\x3c\x40\xff\xff\xff\x7f\x80\x3c\x40"
    listed = "".join(f'<score-part id="P{i}"><part-name>x</part-name></score-part>' for i in range(100_000))
    return {
        "packed.mxl": packed.getvalue(),
        "many.mxl": _packed([(f"{i}.xml", b"") for i in range(5000)], zipfile.ZIP_STORED),
        "deep.xml": (HEAD + deep).encode(),
        "attributes.xml": ("<score-partwise " + " ".join(f'a{i}=""' for i in range(300_000)) + "/>").encode(),
        "text.xml": (HEAD + NOTE.format(1) + "<direction><direction-type><words>" + "x" * 9_000_000 +
                     "</words></direction-type></direction>" + TAIL).encode(),
        "duration.xml": (HEAD + NOTE.format("9" * 18) + TAIL).encode(),
        "digits.xml": (HEAD + NOTE.format("9" * 100_000) + TAIL).encode(),
        "parts.xml": f"<score-partwise><part-list>{listed}</part-list></score-partwise>".encode(),
        "bars.xml": (HEAD + NOTE.format(1) + "</measure>" + "<measure/>" * 500_000 + TAIL[10:]).encode(),
        "tracks.mid": header + b"MTrk\xff\xff\xff\xff" + SCALE,
        "empty-tracks.mid": header + b"MTrk\0\0\0\0" * 65535,
        "sysex.mid": midi(track(sysex)),
        "far.mid": midi(track(far * 1000), division=1),
        "late-meters.mid": midi(track(b"\xff\xff\xff\x7f\xff\x58\x04\x01\x07\x18\x08" * 500 + SCALE)),
        "aliases.yaml": aliases.encode(),
        "deep.yaml": b"{a: " * 50_000,
        "digits.yaml": b"version: " + b"9" * 200_000,
        "times.yaml": b"version: 1" + b":59" * 60_000,
        "merge.yaml": b"a: &a {b: 1}\nc: {<<: [" + b"*a, " * 50_000 + b"]}\n",
        "wide.csv": b"timecode,label\n" + b"," * 5_000_000,
        "quote.csv": b'timecode,label\n00:00:01:00,"' + b"x" * 5_000_000,
        "digits.csv": b"timecode,weight\n00:00:01:00," + b"9" * 100_000,
    }  # fmt: skip


WATCH = """
import resource, sys, time
from pathlib import Path
import rescore_music.io.midi.read, rescore_music.io.musicxml.read, lxml.etree, yaml, pydantic
from rescore_music.errors import RescoreError
from rescore_music.io import read_score
from rescore_music.io.spotting import read_cues
from rescore_music.template import load_template
load_template("symphony/baroque")
pages = int(Path("/proc/self/statm").read_text().split()[0])
resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + (1 << 30),) * 2)
readers = {".yaml": load_template, ".csv": lambda path: read_cues(path, 24)}
for path in sorted(Path(sys.argv[1]).iterdir()):
    start = time.process_time()
    try:
        told = type(readers.get(path.suffix, read_score)(path)).__name__
    except RescoreError as error:
        told = f"refused {str(error).count(chr(10))} {len(str(error)) <= 900}"
    except BaseException as error:
        told = f"{type(error).__name__}: {str(error)[:100]}"
    print(path.name, round(time.process_time() - start, 2), told, sep="\\t", flush=True)
"""


@pytest.mark.skipif(not Path("/proc/self/statm").is_file(), reason="memory is measured through /proc")
def test_bombs_are_refused_within_a_gigabyte_and_ten_seconds(tmp_path: Path) -> None:
    bombs = _bombs()
    for name, data in bombs.items():
        (tmp_path / name).write_bytes(data)
    run = subprocess.run(
        [sys.executable, "-c", WATCH, tmp_path], capture_output=True, text=True, timeout=300, check=False
    )
    rows = [line.split("\t") for line in run.stdout.splitlines()]
    assert [row[0] for row in rows] == sorted(bombs), run.stdout + run.stderr  # none ended the process
    wrong = [row for row in rows if row[2] not in ("Score", "Template", "Cues", "refused 0 True") or float(row[1]) > 10]
    assert not wrong
