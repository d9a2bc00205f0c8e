"""Who plays what: the assignments as a table that a conductor can check against the score."""

from __future__ import annotations

from rescore_music.structure import Role
from rescore_music.view.casting import casting, line_names, phrase_heads


def table(result):
    return casting(result.source, result.analysis, result.template, result.chosen.assignments)


def test_every_phrase_has_its_melody_and_bass_cast(quintet):
    cast = table(quintet)
    roles = quintet.analysis.roles
    for p in range(len(quintet.analysis.phrases)):
        there = {duty.role for row in cast.duties for duty in row[p]}
        wanted = {Role(int(r)) for r in roles[:, p]} & {Role.MELODY, Role.BASS}
        assert wanted <= there


def test_every_part_of_the_score_has_a_row(quintet):
    assert {p.name for p in quintet.score.parts} <= set(table(quintet).seats)


def test_a_line_that_rests_is_not_cast(quintet):
    cast = table(quintet)
    for row in cast.duties:
        for p, cell in enumerate(row):
            assert all(quintet.analysis.roles[d.line, p] == d.role != Role.REST for d in cell)


def test_heads_tile_the_bars(quintet):
    heads = phrase_heads(quintet.source, quintet.analysis)
    assert len(set(heads)) == len(heads) == len(quintet.analysis.phrases)
    assert heads[0].startswith("A, bar")
    assert heads[-1].endswith(str(len(quintet.source.bars) - 1))


def test_rows_are_for_reading(quintet):
    cast = table(quintet)
    rows = cast.rows()
    assert [r["Seat"] for r in rows] == list(cast.seats)
    assert any("Melody:" in text for row in rows for text in row.values())
    assert len(line_names(quintet.source, quintet.analysis)) == len(quintet.analysis.lines)
