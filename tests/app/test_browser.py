"""The page in a real Chromium: what only a browser can tell, such as whether a picture is seen and a file arrives.

Server and browser are started here, on a free port of this machine, and stopped again. Screenshots go to the test's
own folder (`--basetemp` keeps them).
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mido
import pytest

from rescore_music.resources import app_file

pytestmark = pytest.mark.browser
ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
RUN_MS = 300_000  # a busy machine with two cores


@pytest.fixture(scope="module")
def chromium() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found:
            return found
    message = "no Chromium on this machine: the page was not seen in a browser"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("server") / "log.txt"
    words = ["--server.headless", "true", "--browser.gatherUsageStats", "false", "--server.fileWatcherType", "none"]
    words += ["--server.address", "127.0.0.1", "--server.port", str(port)]
    with log.open("wb") as out:
        server = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", str(app_file()), *words], stdout=out, stderr=subprocess.STDOUT
        )
        try:
            url = f"http://127.0.0.1:{port}"
            wait(url, server, log)
            yield url
        finally:
            server.terminate()
            server.wait(20)


def wait(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    """Until the server answers."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    end = time.monotonic() + 90
    while time.monotonic() < end:
        if server.poll() is not None:
            break
        try:
            with opener.open(f"{url}/_stcore/health", timeout=2):
                return
        except OSError:
            time.sleep(0.3)
    pytest.fail(f"the page's server did not start: {log.read_text()[-600:]}")


@pytest.fixture(scope="module")
def page(chromium: str, address: str) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGS)
        tab = browser.new_page(viewport={"width": 1400, "height": 1000}, accept_downloads=True)
        failures: list[str] = []
        tab.on("pageerror", lambda error: failures.append(str(error)))
        tab.goto(address)
        tab.get_by_role("button", name="Re-orchestrate").wait_for(timeout=90_000)
        yield tab
        browser.close()
    assert not failures, failures


def choose(page: Any, label: str, option: str) -> None:
    page.get_by_role("combobox", name=label).click()
    page.get_by_role("option", name=option, exact=True).click()


def shot(page: Any, folder: Path, name: str) -> None:
    path = folder / f"{name}.png"
    page.screenshot(path=path, full_page=True)
    assert path.stat().st_size > 20_000, "a blank page"


def natural_size(page: Any, selector: str) -> list[tuple[int, int]]:
    """Sizes of the pictures that are shown, as the browser decoded them."""
    code = "all => all.filter(i => i.offsetParent).map(i => [i.naturalWidth, i.naturalHeight])"
    return [tuple(size) for size in page.locator(selector).evaluate_all(code)]


def test_a_sample_is_heard_read_and_taken_away(page: Any, tmp_path: Path) -> None:
    shot(page, tmp_path, "1-open")
    choose(page, "Cue", "Pixel loop, game console")
    choose(page, "Forces", "Chiptune, four voices")
    choose(page, "Style", "8-bit")
    page.get_by_role("button", name="Re-orchestrate").click()
    page.get_by_role("tab", name="Listen and compare").wait_for(timeout=RUN_MS)
    page.locator("audio").nth(1).wait_for(state="attached", timeout=60_000)

    ready = "audio => new Promise(done => { const tell = () => done([audio.duration, audio.error && audio.error.code]);"
    ready += " audio.readyState > 0 ? tell() : (audio.onloadedmetadata = audio.onerror = tell, audio.load()) })"
    for player in page.locator("audio").all():
        duration, error = player.evaluate(ready)
        assert error is None
        assert 50 < duration < 75

    page.wait_for_timeout(1500)
    rolls = natural_size(page, '[data-testid="stImage"] img')
    assert len(rolls) == 2
    assert all(wide > 0 and high > 0 for wide, high in rolls)
    shot(page, tmp_path, "2-listen")

    page.get_by_role("tab", name="The cue", exact=True).click()
    cue = page.frame_locator("iframe").last
    cue.get_by_role("heading", name="Who does what").wait_for()
    cue.locator("html[data-drawn='1']").wait_for(state="attached")
    shot(page, tmp_path, "2b-cue")
    with page.expect_download() as got:
        page.get_by_role("button", name="Analysis, HTML").click()
    assert got.value.suggested_filename == "pixel_loop-chiptune-eight-bit-analysis.html"

    page.get_by_role("tab", name="Score", exact=True).click()
    page.wait_for_timeout(1500)
    (sheet,) = natural_size(page, '[data-testid="stImage"] img')
    assert min(sheet) > 0
    shot(page, tmp_path, "3-score")

    page.get_by_role("tab", name="Quality", exact=True).click()
    assert page.get_by_role("rowheader", name="Melody kept", exact=True).is_visible()
    shot(page, tmp_path, "4-quality")

    page.get_by_role("tab", name="Who plays what").click()
    duty = page.locator(".rescore .duty.role-melody").last
    duty.wait_for()
    assert "rgb(213, 94, 0)" in duty.evaluate("d => getComputedStyle(d).borderLeftColor")
    shot(page, tmp_path, "5-casting")

    page.get_by_role("tab", name="Take it away").click()
    with page.expect_download() as got:
        page.get_by_role("button", name="Score, MIDI").click()
    got.value.save_as(tmp_path / "score.mid")
    assert got.value.suggested_filename == "pixel_loop-chiptune-eight-bit.mid"
    assert mido.MidiFile(tmp_path / "score.mid").length == pytest.approx(54.4, abs=1.5)
    with page.expect_download(timeout=60_000) as got:
        page.get_by_role("button", name="Stems, zip").click()
    got.value.save_as(tmp_path / "stems.zip")
    assert shutil.unpack_archive(tmp_path / "stems.zip", tmp_path / "stems") is None
    assert len(list((tmp_path / "stems").glob("*.wav"))) >= 3
    assert page.get_by_role("tab", name="Take it away").get_attribute("aria-selected") == "true", "no rerun"


def test_an_unreadable_upload_is_told_in_one_line(page: Any, tmp_path: Path) -> None:
    choose(page, "Cue", "My own file")
    bad = tmp_path / "letter.mid"
    bad.write_text("Dear composer,")
    uploader = page.get_by_test_id("stFileUploader").filter(has_text="MIDI, MusicXML")
    uploader.locator('input[type="file"]').set_input_files(bad)
    page.get_by_text("letter.mid").first.wait_for()
    go = page.get_by_role("button", name="Re-orchestrate")
    page.wait_for_timeout(1000)
    go.click()
    alert = page.get_by_test_id("stAlert")
    alert.wait_for(timeout=60_000)
    assert alert.inner_text().strip().startswith("letter.mid")
    shot(page, tmp_path, "6-error")


def test_a_video_is_seen_beside_its_hits(page: Any, tmp_path: Path) -> None:
    import av
    import numpy as np
    from playwright.sync_api import expect

    video = tmp_path / "scene.mp4"
    rng = np.random.default_rng(1)
    shots = [np.kron(rng.integers(0, 256, (18, 32, 3)), np.ones((8, 8, 1))).astype(np.uint8) for _ in range(2)]
    with av.open(str(video), "w") as out:
        stream: Any = out.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 256, 144, "yuv420p"
        for k in range(100):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(shots[k // 50], format="rgb24")))
        out.mux(stream.encode(None))
    page.reload()  # a page of its own, not that of the tests before
    page.get_by_role("button", name="Re-orchestrate").wait_for(timeout=90_000)
    choose(page, "Cue", "Pixel loop, game console")
    page.get_by_text("My video").click()
    uploader = page.get_by_test_id("stFileUploader").filter(has_text="The scene")
    uploader.locator('input[type="file"]').set_input_files(video)
    page.get_by_role("heading", name="The picture and its hits").wait_for(timeout=RUN_MS)
    page.get_by_text("1 of 1 hits land").wait_for(timeout=60_000)
    player = page.locator("video").first
    ready = "v => new Promise(done => { const tell = () => done([v.videoWidth, v.duration, v.error && v.error.code]);"
    ready += " v.readyState > 0 ? tell() : (v.onloadedmetadata = v.onerror = tell, v.load()) })"
    assert player.evaluate(ready) == [256, 4, None]
    table = page.get_by_test_id("stDataFrame")
    table.scroll_into_view_if_needed()
    # drawn on a canvas when it is in view; its cells are told to screen readers
    expect(table).to_contain_text("00:00:02:00", timeout=60_000)
    shot(page, tmp_path, "7-picture")
