"""MusicXML that reaches out of its file: everything defusedxml forbids and every way out of an archive.

lxml is used with entities, network and DTD loading off, and what it cannot be told is looked for before and after
parsing; these tests hold what defusedxml promises (no entity declarations, no external reference, no DTD retrieval).
"""

from __future__ import annotations

import io
import stat
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from lxml import etree

from rescore_music.errors import ReadError, RescoreError
from rescore_music.io.limits import ARCHIVE_ENTRIES, ARCHIVE_RATIO_FREE
from rescore_music.io.musicxml.archive import root_element
from rescore_music.io.musicxml.read import read_musicxml

BODY = (
    '<score-partwise{attributes}><part-list><score-part id="P"><part-name>{name}</part-name></score-part></part-list>'
    '<part id="P"><measure><note><pitch><step>C</step><octave>4</octave></pitch><duration>1</duration></note></measure>'
    "</part></score-partwise>"
)


def score(*, head: str = "", name: str = "Flute", attributes: str = "") -> bytes:
    return (head + BODY.format(name=name, attributes=attributes)).encode()


def doctype(inside: str, system: str = "") -> str:
    return f"<!DOCTYPE score-partwise {f'SYSTEM {chr(34)}{system}{chr(34)} ' if system else ''}[{inside}]>"


LAUGHS = '<!ENTITY a0 "ha">' + "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 12))
QUADRATIC = f'<!ENTITY a "{"x" * 60_000}">'


# -- XML -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inside", "name"),
    [
        (LAUGHS, "&a11;"),
        (QUADRATIC, "&a;" * 60_000),
        ('<!ENTITY a "b">', "unused"),
        ('<!ENTITY a SYSTEM "file:///etc/passwd">', "&a;"),
        ('<!ENTITY a SYSTEM "http://localhost:9/x">', "&a;"),
        ('<!ENTITY a PUBLIC "x" "file:///etc/passwd">', "&a;"),
        ('<!ENTITY % a SYSTEM "file:///etc/passwd"> %a;', "x"),
        ('<!ENTITY a SYSTEM "x.gif" NDATA gif>', "x"),
    ],
    ids=["laughs", "quadratic", "one", "file", "network", "public", "parameter", "unparsed"],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "late", "utf-7"])
def test_a_document_with_entities_of_its_own_is_refused(inside: str, name: str, encoding: str) -> None:
    if encoding == "late":  # where a look at the first bytes does not reach
        data = score(head=f"<!--{' ' * 300_000}-->" + doctype(inside), name=name)
    elif encoding == "utf-7":  # where no look at bytes finds the declaration
        text = score(head=doctype(inside), name=name).decode()
        data = b'<?xml version="1.0" encoding="utf-7"?>' + text.replace("<!ENTITY", "+ADwAIQ-ENTITY").encode()
    else:
        data = score(head=doctype(inside), name=name).decode().encode(encoding)
    with pytest.raises(ReadError, match=r"declares XML entities|malformed XML"):
        read_musicxml(data)


@pytest.mark.parametrize("padding", [0, 300_000])
def test_entities_in_attributes_do_not_grow(padding: int) -> None:
    # libxml2 puts entities into attributes even where it is told to leave them alone
    head = f"<!--{' ' * padding}-->" + doctype(LAUGHS)
    with pytest.raises(ReadError, match=r"declares XML entities|malformed XML"):
        read_musicxml(score(head=head, attributes=' version="&a11;"'))


def test_undeclared_entities_are_malformed_and_characters_are_characters() -> None:
    with pytest.raises(ReadError, match="malformed XML"):
        read_musicxml(score(name="&nbsp;"))
    assert read_musicxml(score(name="Fl&#246;te &amp; Co")).parts[0].name == "Flöte & Co"


@pytest.fixture
def server() -> Iterator[tuple[str, list[str]]]:
    """A server that notes what is asked of it."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    http = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{http.server_port}", asked
    http.shutdown()
    thread.join()
    http.server_close()


def test_nothing_outside_is_asked_for(server: tuple[str, list[str]], tmp_path: Path) -> None:
    address, asked = server
    secret = tmp_path / "secret.txt"
    secret.write_text("TOP SECRET")
    outside = tmp_path / "partwise.dtd"
    outside.write_text('<!ATTLIST score-part abbreviation CDATA "TOP SECRET"><!ENTITY a "TOP SECRET">')
    include = "http://www.w3.org/2001/XInclude"
    documents = [
        score(head=doctype("", f"{address}/partwise.dtd")),
        score(head=doctype("", outside.as_uri())),
        score(head=f'<?xml-stylesheet href="{address}/style.xsl"?>'),
        score(attributes=f' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="a {address}/a"'),
        score(name=f'<xi:include xmlns:xi="{include}" href="{secret.as_uri()}" parse="text"/>'),
        score(name=f'<xi:include xmlns:xi="{include}" href="{address}/x"/>'),
        score(head=doctype("", outside.as_uri()), name="&a;"),
    ]
    for document in documents:
        said = ""
        try:
            said = repr(read_musicxml(document).parts) + etree.tostring(root_element(document, "x"), encoding="unicode")
        except RescoreError as error:
            said = str(error)
        assert said
        assert "SECRET" not in said.replace(secret.name, "")
    assert asked == []


def test_the_usual_doctype_is_no_reason_to_refuse() -> None:
    usual = (
        '<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN"'
        ' "http://www.musicxml.org/dtds/partwise.dtd">'
    )
    assert len(read_musicxml(score(head=usual)).notes) == 1


# -- archives --------------------------------------------------------------------------------------------------------


def container(path: str) -> tuple[str, bytes]:
    return (
        "META-INF/container.xml",
        f'<container><rootfiles><rootfile full-path="{path}"/></rootfiles></container>'.encode(),
    )


def packed(*members: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in members:
            info = zipfile.ZipInfo(name) if isinstance(name, str) else name
            archive.NameToInfo.pop(info.filename, None)  # names may come twice
            archive.writestr(info, data, method)
    return buffer.getvalue()


def test_a_plain_archive_reads_with_and_without_container() -> None:
    for members in ([container("a/b.xml"), ("a/b.xml", score())], [("x.xml", score())]):
        for method in (zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED):
            assert len(read_musicxml(packed(*members, method=method)).notes) == 1


@pytest.mark.parametrize(
    ("said", "member"),
    [
        ("a%20b.xml", "a b.xml"),  # written as an address
        ("./score.xml", "score.xml"),
        ("Score.XML", "score.xml"),  # packed where case means nothing
        ("music/score.xml", "music\\score.xml"),
    ],
)
def test_a_container_names_its_score_in_its_programs_own_way(said: str, member: str) -> None:
    assert len(read_musicxml(packed(container(said), (member, score()))).notes) == 1


def test_a_member_called_exactly_so_comes_before_one_called_nearly_so() -> None:
    members = (container("score.xml"), ("Score.xml", score(name="Oboe")), ("score.xml", score(name="Flute")))
    assert read_musicxml(packed(*members)).parts[0].name == "Flute"


def test_a_picture_of_the_score_that_comes_first_is_not_taken_for_it() -> None:
    said = (
        b'<container><rootfiles><rootfile full-path="s.pdf" media-type="application/pdf"/>'
        b'<rootfile full-path="s.xml" media-type="application/vnd.recordare.musicxml+xml"/></rootfiles></container>'
    )
    archive = packed(("META-INF/container.xml", said), ("s.pdf", b"%PDF-1.4"), ("s.xml", score()))
    assert len(read_musicxml(archive).notes) == 1


@pytest.mark.parametrize(
    "path", ["%2e%2e/score.xml", "%2Fscore.xml",
             "../score.xml", "a/../../score.xml", "/score.xml", "\\score.xml", "..\\score.xml", "C:\\score.xml",
             "file:///etc/passwd", "http://localhost/x.xml"],
)  # fmt: skip
def test_a_container_that_points_outside_is_refused_even_if_such_a_member_exists(path: str) -> None:
    inside = "score.xml" if "%" in path else path
    with pytest.raises(ReadError, match="names a path outside the archive"):
        read_musicxml(packed(container(path), (inside, score())))


def test_nothing_is_written_to_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    data = packed(("../up.xml", score()), ("/abs.xml", score()), container("x.xml"), ("x.xml", score()))
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "x.mxl").write_bytes(data)
    assert len(read_musicxml(tmp_path / "in" / "x.mxl").notes) == 1
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["x.mxl"]


def test_a_symbolic_link_inside_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "score.xml").write_bytes(score())
    link = zipfile.ZipInfo("score.xml")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with pytest.raises(ReadError, match="does not begin with '<'"):
        read_musicxml(packed(container("score.xml"), (link, str(tmp_path / "score.xml").encode())))


def test_an_archive_in_an_archive_is_no_score() -> None:
    inner = packed(("score.xml", score()))
    with pytest.raises(ReadError, match="holds another archive"):
        read_musicxml(packed(container("score.mxl"), ("score.mxl", inner)))


def test_of_members_of_one_name_one_is_read() -> None:
    data = packed(container("score.xml"), ("score.xml", b"<other/>"), ("score.xml", score()))
    assert len(read_musicxml(data).notes) == 1


@pytest.mark.parametrize("flag", [0x1, 0x20, 0x40], ids=["encrypted", "patched", "strong"])
def test_encrypted_members_are_refused(flag: int) -> None:
    data = bytearray(packed(("score.xml", score())))
    for header, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        at = data.index(header)
        data[at + place : at + place + 2] = flag.to_bytes(2, "little")
    with pytest.raises(ReadError, match=r"the \.mxl archive is damaged: .*(encrypted|patched|encryption)"):
        read_musicxml(bytes(data))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_packing_that_has_no_bound_is_refused(method: int) -> None:
    # 45 bytes of bzip2 hold 900 KB, and zipfile unpacks them at one go whatever it is asked for
    with pytest.raises(ReadError, match=f"packed by method {method}, not deflated"):
        read_musicxml(packed(("score.xml", score()), method=method))


@pytest.mark.parametrize("declared", [None, 100])
def test_a_member_that_grows_is_refused_whatever_size_it_declares(declared: int | None) -> None:
    data = bytearray(packed(("score.xml", b"<score-partwise>" + b" " * (ARCHIVE_RATIO_FREE * 2))))
    if declared is not None:
        for header, place in ((b"PK\3\4", 22), (b"PK\1\2", 24)):
            at = data.index(header)
            data[at + place : at + place + 4] = declared.to_bytes(4, "little")
    with pytest.raises(ReadError, match=r"unpacks to more than 4 MiB|damaged"):
        read_musicxml(bytes(data))


def test_a_container_that_grows_is_refused() -> None:
    name, data = container("score.xml")
    with pytest.raises(ReadError, match="unpacks to more than 4 MiB"):
        read_musicxml(packed((name, data + b" " * (ARCHIVE_RATIO_FREE * 2)), ("score.xml", score())))


def test_too_many_members_are_refused() -> None:
    members = [(f"{i}.xml", b"") for i in range(ARCHIVE_ENTRIES + 1)]
    with pytest.raises(ReadError, match=f"holds {ARCHIVE_ENTRIES + 1} files"):
        read_musicxml(packed(*members, method=zipfile.ZIP_STORED))
