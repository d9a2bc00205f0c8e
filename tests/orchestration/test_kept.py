"""A part that is kept stands in the result note for note, and nobody else is given its lines."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import orchestration_builders as builders
import pytest

from rescore_music.errors import TemplateError
from rescore_music.orchestration import orchestrate
from rescore_music.score import CONTROL, NOTE, Mark
from rescore_music.template import load_template


def test_the_tune_stays_with_its_player_and_the_rest_is_orchestrated() -> None:
    score, analysis = builders.cue()
    controls = np.zeros(1, CONTROL)
    controls[0] = (960, 0, 64, 127)
    score = score.replace(controls=controls, marks=(Mark(0, "text", "dolce", 0),))
    forces = replace(builders.template(), keep=("tune",))
    take = orchestrate(score, forces, analysis=analysis, n=1)[0]
    assert all(a.line != 0 for a in take.assignments)
    made = take.score
    last = len(made.parts) - 1
    assert made.parts[last] == score.parts[0]
    mine, theirs = made.notes[made.notes["part"] == last].copy(), score.notes[score.notes["part"] == 0].copy()
    mine["part"] = 0
    assert np.array_equal(mine, theirs)
    assert any(m.text == "dolce" and m.part == last for m in made.marks)
    assert (960, last, 64, 127) in [tuple(row) for row in made.controls.tolist()]
    assert next(i for i in take.log if i.what == "kept as it is").count == len(theirs)
    assert not any(i.lost and "Tune" in i.where for i in take.log)


def test_every_note_knows_where_it_came_from() -> None:
    score, analysis = builders.cue()
    take = orchestrate(score, replace(builders.template(), keep=("Tune", "3")), analysis=analysis, n=1)[0]
    known = take.origin >= 0
    assert len(take.origin) == len(take.score.notes)
    assert np.array_equal(take.score.notes["onset"][known], score.notes["onset"][take.origin[known]])
    kept = take.score.notes["part"] >= len(take.score.parts) - 2
    for name in NOTE.names or ():
        if name != "part":
            assert np.array_equal(take.score.notes[name][kept], score.notes[name][take.origin[kept]])
    assert set(score.notes["part"][take.origin[kept]].tolist()) == {0, 2}


def test_percussion_can_be_kept_too() -> None:
    score, analysis = builders.cue()
    take = orchestrate(score, replace(builders.template(builders.STRINGS), keep=("Drums",)), analysis=analysis, n=1)[0]
    drums = [i for i, p in enumerate(take.score.parts) if p.percussion]
    assert len(drums) == 1
    assert (take.score.notes["part"] == drums[0]).sum() == (score.notes["part"] == 5).sum()


def test_a_part_that_is_not_there_is_one_clear_line() -> None:
    score, analysis = builders.cue()
    with pytest.raises(TemplateError, match="no part 'Tuna' to keep") as caught:
        orchestrate(score, replace(builders.template(), keep=("Tuna",)), analysis=analysis)
    assert "Tune" in str(caught.value)
    with pytest.raises(TemplateError, match="nothing to orchestrate"):
        orchestrate(score, replace(builders.template(), keep=tuple("123456")), analysis=analysis)
    assert load_template("symphony/march", {"keep": ["Tune", "3"]}).keep == ("Tune", "3")
