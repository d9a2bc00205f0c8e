"""An earlier result as the start of another: same forces, other style; same style, other forces; wishes stay."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import rescore_music as rm
from rescore_music.cli import main
from rescore_music.earlier import read_earlier
from rescore_music.errors import ReadError, TemplateError
from rescore_music.structure import Role
from rescore_music.template import SectionWish, load_template, recast

SAMPLES = Path(__file__).resolve().parent.parent / "samples"


def run(*words: str | Path) -> int | str | None:
    with pytest.raises(SystemExit) as ended:
        main([*map(str, words), "--no-audio", "-q", "-n", "2"])
    return ended.value.code


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("earlier")
    shutil.copy(SAMPLES / "chase.mid", folder / "chase.mid")
    out = folder / "out"
    assert run("rescore", folder / "chase.mid", "-t", "swing", "--give", "5-8:melody:trombone", "-o", out) == 0
    return out


def told(out: Path) -> dict:
    return json.loads((out / "report.json").read_text(encoding="utf-8"))


def test_the_same_forces_in_another_style(first: Path, tmp_path: Path) -> None:
    assert run("rescore", first, "--style", "march", "-o", tmp_path) == 0
    then, now = told(first), told(tmp_path)
    assert now["provenance"]["template"] == "swing/march"
    assert now["provenance"]["source_digest"] == then["provenance"]["source_digest"]
    assert now["request"]["sections"] == then["request"]["sections"]
    assert load_template("swing/march").forces == load_template("swing").forces
    assert load_template("swing/march").style == load_template("big-band/march").style
    # what was asked for holds in the new style too: bars 5 to 8 begin a phrase, and trombones have the tune there
    score = rm.read_score(tmp_path / "score.mid")
    assert "Trombones" in {part.name for part in score.parts}


def test_the_same_style_for_other_forces_and_a_part_kept(first: Path, tmp_path: Path) -> None:
    assert run("rescore", first, "--forces", "wind-quintet", "--keep", "1", "-o", tmp_path) == 0
    now = told(tmp_path)
    assert now["provenance"]["template"] == "wind-quintet/swing"
    log = [item["what"] for item in now["orchestration_log"]]
    assert "kept as it is" in log
    assert any(line.startswith("bars 5-8: trombone asked for") for line in log)
    again = read_earlier(tmp_path)  # once more from there
    assert again.template.sections == (SectionWish(5, 8, Role.MELODY, ("trombone",)),)
    assert again.template.keep == ("1",)


def test_keep_and_give_work_together() -> None:
    score = rm.read_score(SAMPLES / "chase.mid")
    lead = int(np.bincount(score.notes["part"][score.pitched]).argmax())
    wishes = {"sections": [{"bars": "1-4", "role": "melody", "give": ["oboe"]}], "keep": ["2"]}
    assert lead != 1
    template = load_template("symphony/heroic-game", wishes)
    take = rm.orchestrate(score, template, n=1)[0]
    names = [part.name for part in take.score.parts]
    kept = take.score.notes[take.score.notes["part"] == len(names) - 1]
    own = score.notes[score.notes["part"] == 1]
    assert np.array_equal(kept["onset"], own["onset"])
    assert np.array_equal(kept["pitch"], own["pitch"])
    analysis = rm.analyze(score)
    tune = (
        analysis.leading(score.notes, Role.MELODY) & (score.notes["onset"] < score.bars[4]) & (score.notes["part"] != 1)
    )
    oboes = take.origin[take.score.notes["part"] == names.index("Oboes")]
    assert np.isin(np.flatnonzero(tune), oboes).mean() > 0.9


def test_the_cue_is_found_beside_the_folder_when_both_have_moved(first: Path, tmp_path: Path) -> None:
    shutil.copytree(first.parent, tmp_path / "moved")
    out = tmp_path / "moved" / "out"
    report = told(out)
    report["request"]["cue"] = "/nowhere/chase.mid"
    (out / "report.json").write_text(json.dumps(report))
    assert read_earlier(out).path.resolve() == (tmp_path / "moved" / "chase.mid").resolve()
    (tmp_path / "moved" / "chase.mid").write_bytes((SAMPLES / "hero_theme.mid").read_bytes())
    with pytest.raises(ReadError, match="has changed since"):
        read_earlier(out)
    (tmp_path / "moved" / "chase.mid").unlink()
    with pytest.raises(ReadError, match="not where it was"):
        read_earlier(out)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"provenance": {}, "request": 3}', "nonsense"])
def test_what_is_no_result_is_one_line(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "report.json").write_text(text)
    assert run("rescore", tmp_path, "--style", "march", "-o", tmp_path / "out") == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_recasting_names_what_can_be_loaded_again() -> None:
    swing = load_template("swing")
    assert recast(swing) is swing
    march = recast(swing, style="march")
    assert (march.name, march.forces) == ("swing/march", swing.forces)
    assert replace(load_template(march.name), source=swing.source) == march
    both = recast(march, forces="bandstand", style="tango")
    assert replace(both, source="") == load_template("bandstand/tango")
    assert recast(load_template("symphony/horror"), style="lullaby") == load_template("symphony/lullaby")
    # a preset's style speaks of its own seats: other forces simply have none of them
    assert load_template("symphony/bandstand").style.roles[Role.MELODY].prefer["solo-cornets"] == 1.0
    with pytest.raises(TemplateError, match="unknown style 'mars'"):
        recast(swing, style="mars")


def test_a_file_of_ones_own_is_recast_too(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("version: 1\nforces: string-quartet\nstyle: baroque\noverrides: {forces: {seats: {viola: null}}}\n")
    mine = recast(load_template(path), style="tango")
    assert [seat.id for seat in mine.forces.seats] == ["violin-1", "violin-2", "cello"]
    assert load_template(mine.name).forces == mine.forces


def test_a_full_score_to_two_hands_and_back(shared_data: Path) -> None:
    """Symphony to piano and from there to a symphony orchestra again: tune and bass arrive, what is dropped is told."""
    whole = rm.read_score(shared_data / "openscore_orchestra" / "Beethoven_Op.92_2.mxl")
    score = whole.slice(0, int(whole.bars[40]))
    for name in ("piano-solo/classical", "symphony/romantic-film"):
        analysis = rm.analyze(score)
        take = rm.orchestrate(score, name, n=1, analysis=analysis)[0]
        have = set(zip(take.score.notes["onset"].tolist(), (take.score.notes["pitch"] % 12).tolist(), strict=True))
        for role in (Role.MELODY, Role.BASS):
            own = score.notes[analysis.leading(score.notes, role)]
            assert all((on, p % 12) in have for on, p in zip(own["onset"].tolist(), own["pitch"].tolist(), strict=True))
        lost = len(score.notes) - len(np.unique(take.origin[take.origin >= 0]))
        assert lost == sum(item.count for item in take.log if item.lost)
        score = take.score
