"""Wishes for some bars: the players asked for have the role there, and everything else stays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import orchestration_builders as builders
import pytest

from rescore_music.errors import TemplateError
from rescore_music.orchestration import orchestrate, with_seams
from rescore_music.structure import Role
from rescore_music.template import SectionWish, Template, load_template


def asking(*wishes: SectionWish) -> Template:
    return replace(builders.template(), sections=wishes)


def test_phrases_end_where_the_wish_does_and_nothing_else_changes() -> None:
    score, analysis = builders.cue(4)  # phrases of four bars
    cut = with_seams(analysis, score, (SectionWish(6, 9, Role.MELODY, ("oboe",)),))
    starts = [p.start // builders.BAR for p in cut.phrases]
    assert starts == [0, 4, 5, 8, 9, 12]
    assert [p.label for p in cut.phrases] == ["A", "A'", "A'", "B", "B", "A"]
    assert cut.phrases[-1].end == analysis.phrases[-1].end
    onsets = score.notes["onset"]
    sounding = analysis.note_roles(onsets) != int(Role.REST)
    assert np.array_equal(cut.note_roles(onsets)[sounding], analysis.note_roles(onsets)[sounding])
    assert with_seams(analysis, score, (SectionWish(5, 8, Role.BASS, ("tuba",)),)) is analysis


def test_a_line_without_an_onset_in_the_piece_rests_there() -> None:
    score, analysis = builders.cue(1)
    early = score.replace(notes=score.notes[(score.notes["part"] != 3) | (score.notes["onset"] < builders.BAR)])
    known = replace(
        analysis,
        line_of=early.notes["part"].astype(np.int32),
        voices=np.zeros(len(early.notes), np.int16),
    )
    cut = with_seams(known, early, (SectionWish(3, 4, Role.MELODY, ("oboe",)),))
    assert cut.roles[3].tolist() == [int(Role.HARMONY), int(Role.REST)]


@pytest.mark.parametrize("words", [("oboe",), ("trumpet",), ("clarinet-bb", "bassoon"), ("cello",)])
def test_the_tune_goes_to_whom_it_is_asked_for(words: tuple[str, ...]) -> None:
    score, analysis = builders.cue(6)
    forces = asking(SectionWish(9, 16, Role.MELODY, words))
    cut = with_seams(analysis, score, forces.sections)
    for take in orchestrate(score, forces, analysis=cut, n=3):
        leads = {
            forces.forces.seats[a.seat].instrument.id
            for a in take.assignments
            if not a.doubling and a.line == 0 and 8 * builders.BAR <= cut.phrases[a.phrase].start < 16 * builders.BAR
        }
        assert leads
        assert all(name.startswith(words) for name in leads)
        assert not any("asked for" in item.what for item in take.log)


def test_what_cannot_be_done_is_told() -> None:
    score, analysis = builders.cue(4)

    def said(wish: SectionWish) -> str:
        forces = asking(wish)
        cut = with_seams(analysis, score, forces.sections)
        log = orchestrate(score, forces, analysis=cut, n=1)[0].log
        return " ".join(item.what for item in log if item.what.startswith("bars"))

    assert "cannot play all of the melody" in said(SectionWish(1, 4, Role.MELODY, ("snare-drum",)))
    assert "these forces have none" in said(SectionWish(1, 4, Role.MELODY, ("choir",)))
    assert "there is no melody" in said(SectionWish(90, 99, Role.MELODY, ("oboe",)))
    assert said(SectionWish(1, 4, Role.MELODY, ("oboe",))) == ""


def test_wishes_are_read_from_a_template_and_from_the_caller(tmp_path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(
        "version: 1\nforces: symphony\nstyle: march\noverrides:\n  sections:\n"
        "    - {bars: 17-24, role: melody, give: [horn-f]}\n"
    )
    more = {"sections": [{"bars": 3, "role": "counter-melody", "give": ["woodwind", "viola"]}]}
    assert load_template(file, more).sections == (
        SectionWish(17, 24, Role.MELODY, ("horn-f",)),
        SectionWish(3, 3, Role.COUNTER_MELODY, ("woodwind", "viola")),
    )


@pytest.mark.parametrize(
    ("wish", "what"),
    [
        ({"bars": "24-17", "role": "melody", "give": ["horn-f"]}, "end before they begin"),
        ({"bars": "some", "role": "melody", "give": ["horn-f"]}, "no bar"),
        ({"bars": 1, "role": "tune", "give": ["horn-f"]}, "not allowed"),
        ({"bars": 1, "role": "melody", "give": ["horm"]}, "horm"),
        ({"bars": 1, "role": "melody", "give": []}, "at least 1"),
    ],
)
def test_a_wrong_wish_is_refused_in_one_line(wish: dict[str, object], what: str) -> None:
    with pytest.raises(TemplateError, match=what) as caught:
        load_template("symphony/march", {"sections": [wish]})
    assert "\n" not in str(caught.value)
