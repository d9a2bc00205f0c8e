"""The command: every sub-command has help, bad input is one line and exit code 2, the main job writes what it says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from rescore_music.cli import main, parser
from rescore_music.resources import samples_dir

CHASE = samples_dir() / "chase.mid"


def run(*words: object) -> int:
    with pytest.raises(SystemExit) as stopped:
        main([str(w) for w in words])
    return int(stopped.value.code or 0)


def commands() -> list[str]:
    return sorted(parser()._subparsers._group_actions[0].choices)  # argparse has no public way to list them


@pytest.mark.parametrize("name", commands())
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(name, "--help") == 0
    assert len(capsys.readouterr().out.splitlines()) > 3


def test_every_command_is_in_the_readme() -> None:
    readme = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
    assert [name for name in commands() if f"rescore-music {name}" not in readme] == []


def test_help_imports_neither_numpy_nor_typing_heavyweights() -> None:
    code = "import sys; from rescore_music.cli import parser; parser(); print(sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not {"numpy", "yaml", "pydantic", "music21"} & set(loaded.split("'"))


def cut(path: Path) -> bytes:
    data = CHASE.read_bytes()
    return data[: len(data) * 2 // 3]


NO_NOTES = """<?xml version="1.0"?>
<score-partwise version="4.0">
<part-list><score-part id="P1"><part-name>Flute</part-name></score-part></part-list>
<part id="P1"><measure number="1"><attributes><divisions>1</divisions></attributes>
<note><rest/><duration>4</duration></note></measure></part>
</score-partwise>"""

BAD = {
    "empty.mid": b"",
    "text.mid": b"Dear Hans, please find the cue attached.\n",
    "cut.mid": None,
    "silent.musicxml": NO_NOTES.encode(),
    "broken.musicxml": b"<score-partwise><part>",
    "picture.png": b"\x89PNG\r\n",
    "missing.mid": "absent",
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_line_and_nothing_is_written(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cue, out = tmp_path / name, tmp_path / "out"
    data = BAD[name]
    if data != "absent":
        cue.write_bytes(cut(cue) if data is None else data)
    assert run("rescore", cue, "--template", "string-orchestra/baroque", "-o", out, "--no-audio", "-q") == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.splitlines()) == 1
    assert name in said.err
    assert "Traceback" not in said.err
    assert not out.exists()


@pytest.mark.parametrize("template", ["nobody/baroque", "symphony/nothing", "symfony/baroque", "symphony"])
def test_an_unknown_template_is_one_line(template: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("rescore", CHASE, "--template", template, "-o", tmp_path / "out", "-q") == 2
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("in the way")
    assert run("rescore", CHASE, "--template", "symphony/baroque", "-o", tmp_path / "file" / "out", "-q") == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert (tmp_path / "file").read_text() == "in the way"


def test_usage_errors_are_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("rescore", CHASE) == 2
    assert run("rescore", CHASE, "-o", tmp_path, "-n", "0") == 2
    assert run("nonsense") == 2


def test_the_main_job_without_audio(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    hits = samples_dir() / "chase_hits.csv"
    words = ("rescore", CHASE, "-t", "symphony/romantic-film", "-o", out, "--no-audio", "--cues", hits, "--rate", "24")
    assert run(*words, "--json") == 0
    said = capsys.readouterr()
    report = json.loads(said.out)
    assert report == json.loads((out / "report.json").read_text())
    assert sorted(p.name for p in out.iterdir()) == ["report.html", "report.json", "score.mid", "score.musicxml"]
    assert report["sync"]["hits"]
    assert all(h["landed"] and abs(h["residual_frames"]) <= 0.5 for h in report["sync"]["hits"] if h["kind"] == "hard")
    assert "[  0%] read" in said.err


def test_templates_inspect_and_motifs_print_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("templates", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert {"symphony", "string-orchestra", "wind-quintet", "brass-band", "chamber-nine", "chiptune"} <= set(
        found["forces"]
    )
    assert {"romantic-film", "baroque", "minimalist", "epic-hybrid", "eight-bit"} <= set(found["styles"])
    assert run("inspect", CHASE, "--json") == 0
    cue = json.loads(capsys.readouterr().out)
    assert cue["notes"] > 100
    assert any("melody" in p["roles"] for p in cue["phrases"])
    assert run("motifs", CHASE, "--json") == 0
    assert json.loads(capsys.readouterr().out)


def test_sync_prints_the_hits_as_promised(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "synced.mid"
    words = ("sync", CHASE, "--cues", samples_dir() / "chase_hits.csv", "--rate", "24", "-o", out, "--json")
    assert run(*words) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found) >= {"hits", "tempo", "max_step_percent", "max_deviation_percent", "skipped"}
    wanted = {"label", "target_s", "tick", "bar", "beat", "residual_frames", "kind", "landed"}
    assert all(wanted <= set(h) for h in found["hits"])
    import mido

    midi = mido.MidiFile(str(out))
    at = {}
    for track in midi.tracks[:1]:
        tick, seconds, us = 0, 0.0, 500_000
        changes = []
        for message in track:
            tick += message.time
            if message.type == "set_tempo":
                changes.append((tick, message.tempo))
        for hit in found["hits"]:
            last, seconds, us = 0, 0.0, 500_000
            for place, tempo in changes:
                if place >= hit["tick"]:
                    break
                seconds += (place - last) * us / midi.ticks_per_beat / 1e6
                last, us = place, tempo
            at[hit["label"]] = seconds + (hit["tick"] - last) * us / midi.ticks_per_beat / 1e6
    for hit in found["hits"]:
        assert abs(at[hit["label"]] - hit["target_s"]) * 24 == pytest.approx(abs(hit["residual_frames"]), abs=1e-3)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("made")
    words = ("--no-audio", "-q", "--give", "5-8:melody:oboe", "--keep", "2")
    assert run("rescore", CHASE, "-t", "chamber-nine/classical", *words, "-o", out) == 0
    return out


def test_what_was_asked_for_is_done(made: Path) -> None:
    report = json.loads((made / "report.json").read_text(encoding="utf-8"))
    kept = [item for item in report["orchestration_log"] if item["what"] == "kept as it is"]
    assert len(kept) == 1
    leads = {
        d["seat"]
        for d in report["decisions"]
        if d["role"] == "melody" and report["phrases"][d["phrase"]].endswith("bars 5–8")
    }
    assert leads <= {"Oboe"}


def test_explain_reads_the_folder_and_its_report(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("explain", made) == 0
    text = capsys.readouterr().out
    assert "Melody (" in text
    assert "Next best: " in text
    assert run("explain", made / "report.json", "--json") == 0
    assert json.loads(capsys.readouterr().out)[0]["phrase"] == 0


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"phrases": ["A"], "decisions": [1], "lines": []}'])
def test_explain_refuses_what_is_no_report(content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "report.json").write_text(content)
    assert run("explain", tmp_path) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize("wish", ["5-8", "8-5:melody:oboe", "5-8:tune:oboe", "5-8:melody:oboi"])
def test_a_wrong_wish_is_one_line(wish: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("rescore", CHASE, "--give", wish, "-o", tmp_path / "out") == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_convert_notates_unfolds_and_prints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from rescore_music.io import read_score

    out = tmp_path / "chase.musicxml"
    assert run("convert", CHASE, "--quantize", "--unfold", "--rehearsal", "--parts", tmp_path / "parts", "-o", out) == 0
    told = capsys.readouterr().out.split("\n")
    written = read_score(out)
    assert len(list((tmp_path / "parts").glob("*.musicxml"))) == len(written.parts)
    assert told[0] == str(out)
    assert any(mark.kind == "rehearsal" for mark in written.marks)
    page = tmp_path / "chase.pdf"
    assert run("convert", CHASE, "-o", page) == 0
    assert page.read_bytes().startswith(b"%PDF")
    assert run("convert", CHASE, "-o", tmp_path / "chase.docx") == 2
    assert run("convert", CHASE, "--quantize", "--strength", "2", "-o", out) == 2


def test_a_sound_map_tells_the_library_of_articulations(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain, switched = tmp_path / "plain.mid", tmp_path / "switched.mid"
    assert run("convert", samples_dir() / "love_theme.musicxml", "-o", plain) == 0
    assert (
        run("convert", samples_dir() / "love_theme.musicxml", "--sound-map", "keyswitch-example", "-o", switched) == 0
    )
    assert switched.read_bytes() != plain.read_bytes()
    for words in (("convert",), ("rescore", "--no-audio", "-q")):
        assert run(*words, CHASE, "--sound-map", "nobody-has-it", "-o", tmp_path / "new.mid") == 2
        assert "nobody-has-it" in capsys.readouterr().err
        assert not (tmp_path / "new.mid").exists()


def test_bars_are_edited_for_hits_where_that_is_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spots = tmp_path / "hits.csv"
    rows = "".join(f"00:00:{t},,1,hard,0.5,downbeat\n" for t in ("05:20", "13:10", "17:03", "25:19", "36:08"))
    spots.write_text("timecode,label,weight,kind,tolerance,lands\n" + rows)
    words = ("rescore", CHASE, "-t", "chiptune/eight-bit", "-o", tmp_path / "out", "-n", "1", "--no-audio", "--json")
    words += ("--cues", spots, "--rate", "24", "--edits", "meters", "-q")
    assert run(*words) == 0
    told = json.loads(capsys.readouterr().out)["sync"]
    assert told["edits"]
    assert all(h["landed"] for h in told["hits"])
    assert run(*words, "--runner-up", "1") == 0
    other = json.loads(capsys.readouterr().out)["sync"]
    assert other["edits"] == told["alternatives"][0]["edits"] != told["edits"]
    assert run(*words, "--runner-up", "99") == 2
    assert "no runner-up 99" in capsys.readouterr().err
