"""The first pass: who gets which line, and that each decision can be told."""

from __future__ import annotations

import pickle
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import orchestration_builders as builders
import pytest

from rescore_music.candidate import Candidate
from rescore_music.errors import TemplateError
from rescore_music.orchestration import build_lattice, orchestrate
from rescore_music.orchestration.costs import NAMES, TABLE
from rescore_music.orchestration.placement import TUTTI
from rescore_music.orchestration.search import k_best_paths
from rescore_music.score import Score
from rescore_music.structure import Analysis, Role
from rescore_music.template import Doubling, Forces, RoleStyle, Template, load_template

Cue = tuple[Score, Analysis]
MELODY, COUNTER, BASS, CHORDS, RUNS, DRUMS = range(6)


def seats_of(candidate: Candidate, template: Template, line: int, phrase: int, *, doubling: bool = False) -> list[str]:
    return [
        template.forces.seats[a.seat].instrument.id
        for a in candidate.assignments
        if (a.line, a.phrase, a.doubling) == (line, phrase, doubling)
    ]


def test_every_cost_has_a_name_a_weight_and_a_meaning() -> None:
    assert len(set(NAMES)) == len(TABLE)
    assert all(cost.weight > 0 and len(cost.meaning) > 20 for cost in TABLE)


def test_terms_sum_to_cost_and_come_best_first(small_cue: Cue) -> None:
    score, analysis = small_cue
    takes = orchestrate(score, builders.template(), analysis=analysis, n=12)
    assert len(takes) == 12
    assert [c.rank for c in takes] == list(range(12))
    for take in takes:
        assert set(take.terms) == set(NAMES)
        assert take.cost == pytest.approx(sum(take.terms.values()))
    costs = [c.cost for c in takes]
    assert costs == sorted(costs)


def test_the_first_is_the_best_path_of_the_lattice(small_cue: Cue) -> None:
    score, analysis = small_cue
    template = builders.template()
    net = build_lattice(score, template, analysis)
    _, best = k_best_paths(net.states.total, net.arcs, 1)
    assert orchestrate(score, template, analysis=analysis, n=3)[0].cost == pytest.approx(float(best[0]))


def test_an_orchestrator_would_sign_the_symphony(small_cue: Cue) -> None:
    score, analysis = small_cue
    template = load_template("symphony/romantic-film")
    take = orchestrate(score, template, analysis=analysis, n=1)[0]
    for phrase in range(6):
        tune = seats_of(take, template, MELODY, phrase)
        assert tune
        assert set(tune) <= {"violin", "flute", "oboe", "clarinet-bb", "horn-f", "cello", "trumpet-c"}
        assert set(seats_of(take, template, BASS, phrase)) <= {"cello", "double-bass", "bassoon", "tuba"}
        assert "timpani" not in {template.forces.seats[a.seat].instrument.id for a in take.assignments}
    loud = {a.seat for a in take.assignments if a.phrase == 3}
    quiet = {a.seat for a in take.assignments if a.phrase == 0}
    assert len(loud) > len(quiet)


def test_wind_quintet_bass_is_the_bassoon(small_cue: Cue) -> None:
    score, analysis = small_cue
    template = load_template("wind-quintet/baroque")
    take = orchestrate(score, template, analysis=analysis, n=1)[0]
    for phrase in range(6):
        assert seats_of(take, template, BASS, phrase) == ["bassoon"]
        assert seats_of(take, template, MELODY, phrase)[0] in ("flute", "oboe", "clarinet-bb", "horn-f")


def test_melody_and_bass_are_never_dropped_where_seats_are_few(small_cue: Cue) -> None:
    score, analysis = small_cue
    template = load_template("chiptune/eight-bit")
    for take in orchestrate(score, template, analysis=analysis, n=6):
        for phrase in range(6):
            assert seats_of(take, template, MELODY, phrase)
            assert seats_of(take, template, BASS, phrase)
            assert take.terms["dropped"] > 0  # four voices cannot play six lines


def test_pitched_lines_never_go_to_unpitched_seats_nor_drums_to_pitched(small_cue: Cue) -> None:
    score, analysis = small_cue
    for rows in (builders.SYMPHONY, builders.CHIPTUNE):
        template = builders.template(rows)
        for take in orchestrate(score, template, analysis=analysis, n=8):
            for a in take.assignments:
                assert template.forces.seats[a.seat].instrument.percussion == (a.line == DRUMS)


def test_contrast_changes_the_tune_s_colour_where_the_form_moves_on(small_cue: Cue) -> None:
    score, analysis = small_cue
    bold = builders.template(contrast=1.0, weights={"contrast": 4.0})
    plain = builders.template(contrast=0.0)

    def changes(template: Template) -> int:
        take = orchestrate(score, template, analysis=analysis, n=1)[0]
        tunes = [seats_of(take, template, MELODY, p) for p in range(6)]
        return sum(a != b for a, b in pairwise(tunes))

    assert changes(bold) > changes(plain) == 0


def test_a_style_s_wish_is_heard(small_cue: Cue) -> None:
    score, analysis = small_cue
    roles = {role: RoleStyle() for role in Role if role >= 0} | {
        Role.MELODY: RoleStyle(prefer={"oboe": 1.0, "strings": -1.0})
    }
    template = builders.template(roles=roles)
    take = orchestrate(score, template, analysis=analysis, n=1)[0]
    assert all(seats_of(take, template, MELODY, p) == ["oboe"] for p in (0, 4))


def test_doublings_wait_for_their_intensity(small_cue: Cue) -> None:
    score, analysis = small_cue
    rule = Doubling(12, ("flute",), 1.0, 0.6)
    roles = {role: RoleStyle() for role in Role if role >= 0} | {Role.MELODY: RoleStyle(doublings=(rule,))}
    template = builders.template(roles=roles, density=1.0)
    take = orchestrate(score, template, analysis=analysis, n=1)[0]
    assert "flute" not in seats_of(take, template, MELODY, 0, doubling=True)
    doubled = [a for a in take.assignments if a.phrase == 3 and a.doubling and a.line == MELODY]
    carrier = next(a for a in take.assignments if a.phrase == 3 and a.line == MELODY and not a.doubling)
    assert [a.octaves - carrier.octaves for a in doubled if template.forces.seats[a.seat].id == "flute.1"] == [1]


@pytest.mark.parametrize("semitones", [2, 12, -12])
def test_transposed_cue_keeps_a_sensible_cast(semitones: int) -> None:
    score, analysis = builders.cue(transpose=semitones)
    template = load_template("symphony/romantic-film")
    take = orchestrate(score, template, analysis=analysis, n=1)[0]
    for phrase in range(6):
        for line in (MELODY, BASS):
            (seat,) = {a.seat for a in take.assignments if (a.line, a.phrase, a.doubling) == (line, phrase, False)}
            notes = score.notes[(score.notes["part"] == line) & (score.notes["onset"] // builders.PHRASE == phrase)]
            octaves = next(a.octaves for a in take.assignments if (a.line, a.phrase, a.seat) == (line, phrase, seat))
            middle = float(notes["pitch"].mean()) + 12 * octaves
            player = template.forces.seats[seat].instrument
            assert player.comfortable_low - 5 <= middle <= player.comfortable_high + 5


def test_candidates_differ_in_who_leads_and_accompanies(small_cue: Cue) -> None:
    score, analysis = small_cue
    template = builders.template()
    takes = orchestrate(score, template, analysis=analysis, n=8)
    cast = [
        {
            (a.phrase, a.line, template.forces.seats[a.seat].instrument.id)
            for a in t.assignments
            if not a.doubling and a.line != DRUMS
        }
        for t in takes
    ]
    for i, one in enumerate(cast):
        for other in cast[:i]:
            assert len(one ^ other) >= 3
    assert len({t.score.digest() for t in takes}) == len(takes)


def test_a_seed_decides_between_equals(small_cue: Cue) -> None:
    score, analysis = small_cue
    template = builders.template()
    first = orchestrate(score, template, analysis=analysis, n=4, seed=1)
    again = orchestrate(score, template, analysis=analysis, n=4, seed=1)
    other = orchestrate(score, template, analysis=analysis, n=4, seed=2)
    assert [t.assignments for t in first] == [t.assignments for t in again]
    assert [dict(t.terms) for t in first] != [dict(t.terms) for t in other]


def test_same_seed_same_bytes_in_another_process(small_cue: Cue) -> None:
    score, analysis = small_cue
    here = orchestrate(score, builders.template(), analysis=analysis, n=3, seed=7)
    code = (
        "import orchestration_builders as b\n"
        "from rescore_music.orchestration import orchestrate\n"
        "s, a = b.cue()\n"
        "print(*[t.score.digest() for t in orchestrate(s, b.template(), analysis=a, n=3, seed=7)])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parent
    )
    assert done.stdout.split() == [t.score.digest() for t in here]


def test_candidates_survive_pickling(small_cue: Cue) -> None:
    score, analysis = small_cue
    take = orchestrate(score, builders.template(), analysis=analysis, n=2)[1]
    copy = pickle.loads(pickle.dumps(take))
    assert copy.score.digest() == take.score.digest()
    assert np.array_equal(copy.origin, take.origin)


def test_one_phrase_one_line_and_silence() -> None:
    score, analysis = builders.cue(phrases=1)
    assert orchestrate(score, builders.template(builders.QUINTET), analysis=analysis, n=4)[0].score.parts
    empty = Score(parts=score.parts, length=builders.PHRASE)
    silent = builders.known_analysis(empty, 1, ((60, 64, 67),) * 4)
    take = orchestrate(empty, builders.template(), analysis=silent, n=3)[0]
    assert not len(take.score.notes)
    # a score of rests has all its staves
    assert len(take.score.parts) == len(builders.SYMPHONY)


def test_forces_without_seats_are_refused(small_cue: Cue) -> None:
    score, analysis = small_cue
    bare = Template("bare", Forces("bare", "", "", ()), builders.template().style)
    with pytest.raises(TemplateError, match="no seats"):
        orchestrate(score, bare, analysis=analysis)


def test_in_a_tutti_the_better_seat_leads_the_tune_and_the_other_reinforces(small_cue: Cue) -> None:
    score, analysis = small_cue
    net = build_lattice(score, load_template("symphony/romantic-film"), analysis)
    m, place, st = net.material, net.placement, net.states
    met = 0
    for p in np.flatnonzero(m.intensity > TUTTI):
        tune = int(m.table[p, 0])
        assert m.role[tune] == int(Role.MELODY)
        for q in np.flatnonzero(np.isfinite(st.total[p])):
            lead = int(st.choice[p, q, 0])
            beside = np.flatnonzero(st.doublings.column[p, q] == 0)
            home = int(place.octave[tune, lead])
            for seat in beside[st.doublings.octaves[p, q, beside] == home]:
                if int(place.octave[tune, seat]) == home and (st.choice[p, q] == lead).sum() == 1:
                    met += 1
                    assert place.total[tune, lead] <= place.total[tune, seat]
    assert met
