"""The page without a browser: asked, run, shown, and its errors in one line."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import rescore_music as rm
from rescore_music.resources import app_file, samples_dir

PAGE = str(app_file())


@pytest.fixture
def page() -> AppTest:
    test = AppTest.from_file(PAGE, default_timeout=120).run()
    assert not test.exception
    return test


def ask(page: AppTest, *, sample: str = "hero_theme.mid", forces: str = "wind-quintet", style: str = "baroque") -> None:
    """Fill in the form for a silent take."""
    page.selectbox(key="sample").set_value(sample)
    page.selectbox(key="forces").set_value(forces)
    page.selectbox(key="style").set_value(style)
    page.toggle(key="audio").set_value(False)
    page.number_input(key="n").set_value(2)
    page.run()


def test_the_page_opens_with_the_samples_and_all_templates(page):
    assert [f for f in page.selectbox(key="sample").options if "theme" in f]
    shipped = rm.templates()
    assert page.selectbox(key="forces").options == [about.title for about in shipped.forces.values()]
    assert page.selectbox(key="style").options == [about.title for about in shipped.styles.values()]
    told = [c.value for c in page.caption]
    assert shipped.forces["symphony"].description in told
    assert shipped.styles["romantic-film"].description in told


def test_a_sample_becomes_a_take_with_everything_to_read(page):
    ask(page)
    page.button(key="go").click().run()
    assert not page.exception
    assert not page.error
    take = page.session_state["take"]
    assert take.result.template.name == "wind-quintet/baroque"
    assert [tab.label for tab in page.tabs] == [
        "Listen and compare", "The cue", "Score", "Quality", "Who plays what", "How it was chosen", "Take it away",
    ]  # fmt: skip
    assert take.sheets[1].startswith("<svg")
    assert "Melody: " in take.inspection.read_text(encoding="utf-8")
    metrics = {m.label: m.value for m in page.metric}
    assert metrics["Parts"] == f"1 → {len(take.result.score.parts)}"
    for file in ("score.mid", "score.musicxml", "report.html", "report.json"):
        assert (take.folder / file).stat().st_size > 500
    assert not (take.folder / "mix.wav").exists()


def test_the_take_outlives_a_rerun_and_turns_its_pages(page):
    ask(page)
    page.button(key="go").click().run()
    first = page.session_state["take"]
    assert first.page_count > 1
    page.number_input(key="page").set_value(2).run()
    assert not page.exception
    assert page.session_state["take"] is first
    assert first.sheets[2].startswith("<svg")
    assert first.sheets[2] != first.sheets[1]


def test_the_chase_meets_its_hits(page):
    ask(page, sample="chase.mid", forces="brass-band", style="epic-hybrid")
    page.toggle(key="hits").set_value(True)
    page.button(key="go").click().run()
    assert not page.exception
    assert {m.label: m.value for m in page.metric}["Hits landed"] == "8 of 8"
    assert "Picture" in [tab.label for tab in page.tabs]


def test_a_preset_names_forces_and_style(page):
    page.segmented_control(key="way").set_value("Preset").run()
    shipped = rm.templates()
    name = next(iter(shipped.presets))
    page.selectbox(key="preset").set_value(name)
    page.toggle(key="audio").set_value(False)
    page.button(key="go").click().run()
    assert not page.exception
    assert page.session_state["take"].result.template.forces.id == shipped.presets[name]["forces"]


def test_an_uploaded_cue_is_read_under_its_own_name(page):
    page.selectbox(key="sample").set_value("My own file").run()
    assert page.button(key="go").disabled
    short = (samples_dir() / "pixel_loop.mid").read_bytes()
    page.file_uploader(key="upload").set_value([("my cue.mid", short, "audio/midi")])
    page.toggle(key="audio").set_value(False)
    page.run()
    page.button(key="go").click().run()
    assert not page.exception
    assert page.session_state["take"].result.source.metadata.source.endswith("my cue.mid")


@pytest.mark.parametrize(
    ("name", "data"), [("empty.mid", b""), ("letter.mid", b"Dear composer,"), ("broken.musicxml", b"<score-partwise>")]
)
def test_bad_files_give_one_line(page, name, data):
    page.selectbox(key="sample").set_value("My own file").run()
    page.file_uploader(key="upload").set_value([(name, data, "application/octet-stream")]).run()
    page.button(key="go").click().run()
    assert not page.exception
    (error,) = page.error
    assert error.value.startswith(name)
    assert "\n" not in error.value
    assert "take" not in page.session_state


def test_a_bad_spotting_list_gives_one_line_too(page):
    ask(page)
    page.file_uploader(key="spotting").set_value([("hits.csv", b"when,what\nnow,this\n", "text/csv")]).run()
    page.button(key="go").click().run()
    assert not page.exception
    (error,) = page.error
    assert "hits.csv" in error.value


def test_an_error_leaves_with_the_next_take(page):
    page.selectbox(key="sample").set_value("My own file").run()
    page.file_uploader(key="upload").set_value([("empty.mid", b"", "audio/midi")]).run()
    page.button(key="go").click().run()
    assert page.error
    ask(page, sample="pixel_loop.mid", forces="chiptune", style="eight-bit")
    page.button(key="go").click().run()
    assert not page.error
    assert "take" in page.session_state


def test_sound_is_compared_at_one_loudness(tmp_path):
    import soundfile

    from rescore_music.loudness import loudness

    page = AppTest.from_file(PAGE, default_timeout=120).run()
    score = rm.read_score(samples_dir() / "pixel_loop.mid")
    rm.write_score(score.slice(0, int(score.bars[6])), tmp_path / "short.mid")
    page.selectbox(key="sample").set_value("My own file").run()
    page.file_uploader(key="upload").set_value([("short.mid", (tmp_path / "short.mid").read_bytes(), "audio/midi")])
    page.selectbox(key="forces").set_value("chiptune")
    page.selectbox(key="style").set_value("eight-bit")
    page.number_input(key="n").set_value(2)
    page.number_input(key="top").set_value(1)
    page.run()
    page.button(key="go").click().run()
    assert not page.exception
    assert not page.error
    take = page.session_state["take"]
    levels = []
    for path in (take.source_sound, take.result_sound):
        samples, rate = soundfile.read(path, dtype="float32")
        levels.append(loudness(samples, rate).integrated)
    assert levels[0] == pytest.approx(levels[1], abs=0.1)
    assert (take.folder / "mix.wav").exists()


def test_everything_is_packed_once(tmp_path):
    from rescore_music.page.showing import packed

    (tmp_path / "stems").mkdir()
    (tmp_path / "stems" / "01-Flute.wav").write_bytes(b"RIFF" * 100)
    (tmp_path / "score.mid").write_bytes(b"MThd")
    with zipfile.ZipFile(io.BytesIO(packed(tmp_path))) as archive:
        assert sorted(archive.namelist()) == ["score.mid", "stems/01-Flute.wav"]
        assert archive.read("stems/01-Flute.wav") == b"RIFF" * 100


def test_the_sessions_folder_goes_with_the_session(page):
    ask(page)
    page.button(key="go").click().run()
    folder = Path(page.session_state["folder"].name)
    assert (folder / "out" / "score.mid").exists()
    page.session_state["folder"].cleanup()
    assert not folder.exists()


# -- the picture -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def scene(tmp_path_factory) -> Path:
    """A video of three shots of 40 frames at 25 a second, from 01:00:00:00."""
    import av
    import numpy as np

    path = tmp_path_factory.mktemp("scene") / "scene.mov"
    rng = np.random.default_rng(1)
    shots = [np.kron(rng.integers(0, 256, (18, 32, 3)), np.ones((4, 4, 1))).astype(np.uint8) for _ in range(3)]
    with av.open(str(path), "w") as out:
        out.metadata["timecode"] = "01:00:00:00"
        stream = out.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 128, 72, "yuv420p"
        for k in range(120):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(shots[k // 40], format="rgb24")))
        out.mux(stream.encode(None))
    return path


def test_a_video_is_watched_and_its_cuts_are_met(page, scene):
    ask(page, sample="pixel_loop.mid", forces="chiptune", style="eight-bit")
    page.file_uploader(key="video").set_value([("scene.mov", scene.read_bytes(), "video/quicktime")]).run()
    assert not page.exception
    assert not page.error
    found = page.session_state["spotted"].cues
    assert [found.timecode(hit) for hit in found.hits] == ["01:00:01:15", "01:00:03:05"]
    assert "The picture and its hits" in [s.value for s in page.subheader]
    assert any("2 of 2 hits land" in e.label for e in page.expander)
    page.button(key="go").click().run()
    assert not page.exception
    take = page.session_state["take"]
    assert [hit.timecode for hit in take.result.synced.hits] == ["01:00:01:15", "01:00:03:05"]
    assert "Picture" in [tab.label for tab in page.tabs]
    assert take.video is not None
    assert take.picture is None
    assert take.picture_note == "The take has no sound."


def test_edited_rows_become_the_hits_that_are_asked_for(tmp_path):
    from rescore_music.page.picture import cues_of, rows_of

    cues = rm.read_cues(samples_dir() / "chase_hits.csv", "24")
    assert cues_of(rows_of(cues), cues) == cues
    rows = rows_of(cues)[1:]
    rows[0]["timecode"] = "00:00:01:00"
    rows.append({"timecode": None, "label": "not yet"})
    rows.append({"timecode": "00:00:30:00", "label": "new", "weight": float("nan")})
    edited = cues_of(rows, cues)
    assert len(edited.hits) == len(cues.hits)
    assert edited.hits[0].frame == 24
    assert ("new", 1.0) in [(hit.label, hit.weight) for hit in edited.hits]


@pytest.mark.parametrize(
    ("cell", "value", "words"),
    [
        ("timecode", "soon", "row 2: 'soon'"),
        ("kind", "maybe", "row 2"),
        ("weight", -1.0, "row 2"),
        ("lands", "x", "row 2"),
    ],
)
def test_a_bad_cell_is_told_with_its_row(cell, value, words):
    from rescore_music.page.picture import cues_of, rows_of

    cues = rm.read_cues(samples_dir() / "chase_hits.csv", "24")
    rows = rows_of(cues)
    rows[1][cell] = value
    with pytest.raises(rm.RescoreError, match=words):
        cues_of(rows, cues)


def test_the_take_is_put_under_the_picture(tmp_path, scene):
    import av

    score = rm.read_score(samples_dir() / "pixel_loop.mid")
    rm.write_score(score.slice(0, int(score.bars[4])), tmp_path / "short.mid")
    page = AppTest.from_file(PAGE, default_timeout=120).run()
    page.selectbox(key="sample").set_value("My own file").run()
    page.file_uploader(key="upload").set_value([("short.mid", (tmp_path / "short.mid").read_bytes(), "audio/midi")])
    page.file_uploader(key="video").set_value([("scene.mov", scene.read_bytes(), "video/quicktime")])
    page.selectbox(key="forces").set_value("chiptune")
    page.selectbox(key="style").set_value("eight-bit")
    page.number_input(key="n").set_value(1)
    page.number_input(key="top").set_value(1)
    page.run()
    page.button(key="go").click().run()
    assert not page.exception
    assert not page.error
    take = page.session_state["take"]
    assert take.picture_note == ""
    with av.open(str(take.picture)) as scored:
        assert scored.streams.video[0].frames == 120
        assert len(scored.streams.audio) == 1
    assert rm.watch(take.picture).start.label == "01:00:00:00"


def test_a_video_that_is_none_gives_one_line(page):
    page.file_uploader(key="video").set_value([("letter.mp4", b"Dear editor,", "video/mp4")]).run()
    assert not page.exception
    (error,) = page.error
    assert error.value.startswith("letter.mp4")
    assert "\n" not in error.value


def hits_of(folder: Path) -> Path:
    """Five hits that tempo alone meets with steps that are heard."""
    rows = "".join(f"00:00:{t},At {t},1,hard,0.5,downbeat\n" for t in ("05:20", "13:10", "17:03", "25:19", "36:08"))
    spans = "00:00:06:00,He speaks,,dialogue,,00:00:09:00\n"
    path = folder / "hits.csv"
    path.write_text("timecode,label,weight,kind,tolerance,lands\n" + rows + spans)
    return path


def blocks(page: AppTest) -> str:
    return "".join(html.value for html in page.get("html"))


def test_three_ways_to_meet_the_hits_stand_side_by_side(page, tmp_path):
    ask(page, sample="chase.mid", forces="chiptune", style="eight-bit")
    page.file_uploader(key="spotting").set_value(("hits.csv", hits_of(tmp_path).read_bytes(), "text/csv")).run()
    assert not page.exception
    shown = blocks(page)
    for words in ("One constant tempo", "A tempo from hit to hit", "One curve for all hits", "He speaks"):
        assert words in shown
    (chosen,) = page.session_state["solutions"].values()
    constant, piecewise, joint = chosen.ways
    assert constant.max_step_percent == 0
    assert constant.mean_frames_off > 2
    assert joint.within_a_frame == piecewise.within_a_frame == 1
    assert joint.max_step_percent < piecewise.max_step_percent


def test_a_runner_up_with_other_bars_is_chosen_and_orchestrated(page, tmp_path):
    ask(page, sample="chase.mid", forces="chiptune", style="eight-bit")
    page.file_uploader(key="spotting").set_value(("hits.csv", hits_of(tmp_path).read_bytes(), "text/csv")).run()
    page.segmented_control(key="edits").set_value("meters").run()
    assert not page.exception
    assert "Bars that changed" in blocks(page)
    (choice,) = [box for box in page.selectbox if box.label == "Solution"]
    assert choice.options[0].startswith("The best")
    choice.set_value(1).run()
    assert not page.exception
    chosen = list(page.session_state["solutions"].values())[-1]
    page.button(key="go").click().run()
    assert not page.exception
    result = page.session_state["take"].result
    assert result.settings.runner_up == 1
    assert result.settings.edits == "meters"
    assert [h.tick for h in result.synced.hits] == [h.tick for h in chosen.hits]
    assert result.synced.edits == chosen.edits
    assert "Other ways to land" in (page.session_state["take"].folder / "report.html").read_text(encoding="utf-8")


def test_a_choice_among_solutions_does_not_outlive_its_hits(page, tmp_path):
    ask(page, sample="chase.mid", forces="chiptune", style="eight-bit")
    page.file_uploader(key="spotting").set_value(("hits.csv", hits_of(tmp_path).read_bytes(), "text/csv")).run()
    next(box for box in page.selectbox if box.label == "Solution").set_value(2).run()
    assert page.session_state["solution"][3] == 2
    page.selectbox(key="sample").set_value("hero_theme.mid").run()
    assert not page.exception
    assert page.session_state["solution"][3] == 0
