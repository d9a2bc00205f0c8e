"""What comes to the page from outside: hostile names and hostile files, within the limits of every reader."""

from __future__ import annotations

import io
import zipfile

import pytest
from streamlit.testing.v1 import AppTest

from rescore_music.page.running import plain
from rescore_music.page.session import safe_name
from rescore_music.resources import app_file


@pytest.fixture
def page():
    return AppTest.from_file(str(app_file()), default_timeout=120).run()


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("my cue.mid", "my cue.mid"),
        ("Flöte – 笛.musicxml", "Flöte – 笛.musicxml"),
        ("../../etc/cron.d/job.mid", "job.mid"),
        ("..\\..\\job.mid", "job.mid"),
        ("C:\\Users\\me\\job.mid", "job.mid"),
        ("..", "cue"),
        (".", "cue"),
        ("", "cue"),
        ("/", "cue"),
        ("a\x00b\x1b[2J.mid", "a-b-[2J.mid"),
        ("\u202edim.mid", "-dim.mid"),
        ("x" * 4000 + ".mid", "x" * 150 + ".mid"),
        ("笛" * 4000 + ".mid", "笛" * 50 + ".mid"),
    ],
)
def test_an_upload_stays_in_its_folder(name, kept, tmp_path):
    assert safe_name(name) == kept
    path = tmp_path / safe_name(name)
    path.write_bytes(b"")
    assert path.resolve().parent == tmp_path.resolve()


def bomb() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.xml", b"<score-partwise>" + b" " * (32 << 20))
    return packed.getvalue()


LAUGHS = b'<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><score-partwise>&b;</score-partwise>'


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("bomb.mxl", bomb(), "too much for its size"),
        ("laughs.xml", LAUGHS, "declares XML entities"),
        ("deep.xml", b"<score-partwise>" + b"<a>" * 100_000, "malformed XML"),
        ("tracks.mid", b"MThd\0\0\0\6\0\1\xff\xff\0\x60" + b"MTrk\0\0\0\0" * 9000, "more than 4096 tracks"),
        ("![x](http://localhost/x.png)\x1b[2J.mid", b"not music", "not"),
    ],
)
def test_hostile_uploads_give_one_line(page, name, data, words):
    page.selectbox(key="sample").set_value("My own file").run()
    page.file_uploader(key="upload").set_value([(name, data, "application/octet-stream")]).run()
    page.button(key="go").click().run()
    assert not page.exception
    (error,) = page.error
    assert words in error.value
    assert error.value.isprintable()
    assert "![" not in error.value
    assert "take" not in page.session_state


def test_text_on_the_page_is_text():
    assert plain("a.mid: bar 3 (cut it)") == "a.mid: bar 3 (cut it)"
    assert plain("![x](y) $z$ <b>") == r"!\[x\](y) \$z\$ \<b\>"
