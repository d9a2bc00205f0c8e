"""Templates: every combination loads, says something of its own, and mistakes are told where they stand."""

from __future__ import annotations

import json
import os
import pickle
import runpy
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from rescore_music.errors import TemplateError
from rescore_music.instruments import FAMILIES, instruments
from rescore_music.resources import templates_dir
from rescore_music.structure import Role
from rescore_music.template import Catalogue, Seat, Template, load_template, templates
from rescore_music.template.schema import COSTS, TARGETS, json_schema

CATALOGUE: Catalogue = templates()
ROLES = [role for role in Role if role is not Role.REST]
PRESET = "version: 1\nforces: symphony\nstyle: baroque\n"
BAND = "version: 1\nforces:\n  seats:\n    - {id: lead, instrument: violin}\n"

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def _write(text: str | bytes, name: str = "mine.yaml") -> Path:
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return _write


def refusal(name: str | Path, overrides: dict[str, Any] | None = None) -> str:
    with pytest.raises(TemplateError) as caught:
        load_template(name, overrides)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# -- what is shipped ----------------------------------------------------------------------------------------------


def test_the_promised_forces_and_styles_are_there() -> None:
    assert {"symphony", "string-orchestra", "wind-quintet", "brass-band", "chamber-nine", "chiptune"} <= set(
        CATALOGUE.forces
    )
    assert {"romantic-film", "baroque", "minimalist", "epic-hybrid", "eight-bit"} <= set(CATALOGUE.styles)
    assert len(CATALOGUE.presets) >= 6
    assert len(CATALOGUE.names()) == len(CATALOGUE.forces) * len(CATALOGUE.styles)
    json.dumps(dict(CATALOGUE.presets))


def test_every_combination_loads() -> None:
    for name in CATALOGUE.names():
        found = load_template(name)
        assert (found.name, f"{found.forces.id}/{found.style.id}") == (name, name)
        assert set(found.style.roles) == set(ROLES)


@pytest.mark.parametrize("name", CATALOGUE.presets)
def test_every_preset_loads_by_name_and_by_path(name: str) -> None:
    found = load_template(name)
    assert found.name == name
    again = load_template(templates_dir() / "presets" / f"{name}.yaml")
    assert (again.forces, again.style) == (found.forces, found.style)
    assert CATALOGUE.presets[name]["forces"] == found.forces.id
    assert CATALOGUE.presets[name]["style"] == found.style.id


@pytest.mark.parametrize("kind", ["forces", "styles", "presets", "patterns"])
def test_each_is_described_in_two_lines_of_its_own(kind: str) -> None:
    about = getattr(CATALOGUE, kind)
    for entry in about.values():
        lines = entry.description.split("\n")
        assert len(lines) == 2
        assert all(40 <= len(line) <= 130 for line in lines), entry.title
    assert len({entry.title for entry in about.values()}) == len(about)
    assert len({entry.description for entry in about.values()}) == len(about)


@pytest.mark.parametrize("id", CATALOGUE.forces)
def test_forces_can_be_seated(id: str) -> None:
    seats = load_template(f"{id}/baroque").forces.seats
    assert len({seat.id for seat in seats}) == len({seat.name for seat in seats}) == len(seats)
    for seat in seats:
        assert 1 <= seat.divisi <= seat.players * seat.instrument.polyphony
        assert seat.low < seat.high or seat.instrument.percussion
        assert -1 <= seat.pan <= 1
    melodic = [seat for seat in seats if not seat.instrument.percussion]
    assert min(seat.low for seat in melodic) <= 48, "someone must reach a bass"
    assert max(seat.high for seat in melodic) >= 72, "someone must reach a tune"


def test_symphony_is_what_its_name_says() -> None:
    seats = {seat.id: seat for seat in load_template("symphony/romantic-film").forces.seats}
    winds = ["flutes", "oboes", "clarinets", "bassoons"]
    assert [seats[id].players for id in winds] == [2, 2, 2, 2]
    assert seats["horns-1"].players + seats["horns-2"].players == 4
    assert seats["trumpets"].players == 3
    assert seats["trombones"].players + seats["bass-trombone"].players == 3
    assert [seat.instrument.score_order for seat in seats.values()] == sorted(
        seat.instrument.score_order for seat in seats.values()
    )


def test_chiptune_has_four_voices_within_the_hardware() -> None:
    seats = load_template("chiptune/eight-bit").forces.seats
    assert len(seats) == 4
    assert all(seat.divisi == 1 and seat.players == 1 for seat in seats)
    clock = 1_789_773  # NTSC; pulse period 16 (t + 1) clocks, triangle 32 (t + 1), t at most 2047
    for seat, divider in zip(seats[:3], (16, 16, 32), strict=True):
        assert 440 * 2 ** ((seat.low - 69) / 12) >= clock / (divider * 2048)
        assert 440 * 2 ** ((seat.low - 1 - 69) / 12) < clock / (divider * 2048)


@pytest.mark.parametrize("id", CATALOGUE.styles)
def test_a_style_speaks_of_colours_that_exist_and_of_every_role(id: str) -> None:
    style = load_template(f"symphony/{id}").style
    stems = {name.split("-")[0] for name in instruments()}
    for role in ROLES:
        treatment = style.roles[role]
        words = [*treatment.prefer, *(word for doubling in treatment.doublings for word in doubling.prefer)]
        assert set(words) <= {*FAMILIES, *instruments(), *stems}
        assert treatment.prefer or role is Role.PERCUSSION
    assert "brightness" in style.targets
    assert style.roles[Role.HARMONY].dynamics < style.roles[Role.MELODY].dynamics + 0.1


def test_styles_differ_in_more_than_their_names() -> None:
    styles = [load_template(f"symphony/{id}").style for id in CATALOGUE.styles]

    def character(role: Role) -> set[str]:
        keys = ("articulation", "pattern", "pattern_unit", "duration", "dynamics", "register")
        return {repr([getattr(style.roles[role], key) for key in keys]) for style in styles}

    for role in (Role.BASS, Role.HARMONY):
        assert len(character(role)) >= 0.75 * len(styles)
    assert len({repr(sorted(style.roles[Role.MELODY].prefer.items())) for style in styles}) == len(styles)
    assert len({repr(sorted(style.targets.items())) for style in styles}) == len(styles)


def test_costs_are_those_of_the_first_pass() -> None:
    from rescore_music.orchestration import costs

    assert set(COSTS) == set(costs.NAMES)


# -- a user's own file --------------------------------------------------------------------------------------------


def test_a_file_may_name_both(write: Write) -> None:
    path = write(PRESET)
    found, shipped = load_template(path), load_template("symphony/baroque")
    assert (found.forces, found.style) == (shipped.forces, shipped.style)
    assert found.name == str(path)
    assert load_template(found.name) == found == load_template(found)


def test_a_file_may_hold_both(write: Write) -> None:
    found = load_template(
        write(
            BAND + "    - {id: low, instrument: cello, players: 4, lowest: D2}\n"
            "style:\n  roles: {melody: {prefer: {lead: 1, strings: 0.2}, register: 1}}\n  density: 1\n"
        )
    )
    low = found.forces.seats[1]
    assert (low.name, low.low, low.players, low.divisi) == ("Violoncello", 38, 4, 2)
    assert found.style.roles[Role.MELODY].prefer == {"lead": 1.0, "strings": 0.2}
    assert found.style.roles[Role.MELODY].register == 1
    assert found.style.density == 1.0


def test_a_file_may_point_to_files_beside_it(write: Write) -> None:
    write("version: 1\ntitle: Duo\ndescription: Two.\nseats:\n  - {id: a, instrument: flute}\n", "duo.yaml")
    found = load_template(write("version: 1\nforces: duo.yaml\nstyle: minimalist\n"))
    assert [seat.instrument.id for seat in found.forces.seats] == ["flute"]
    assert found.forces.id == "duo"


def test_a_shipped_file_copied_elsewhere_says_the_same(write: Write) -> None:
    for kind, id in (("forces", "brass-band"), ("styles", "minimalist")):
        write((templates_dir() / kind / f"{id}.yaml").read_bytes(), f"{id}.yaml")
    found = load_template(write("version: 1\nforces: brass-band.yaml\nstyle: minimalist.yaml\n"))
    shipped = load_template("brass-band/minimalist")
    assert (found.forces, found.style) == (shipped.forces, shipped.style)


def test_anchors_are_fine_in_moderation(write: Write) -> None:
    text = BAND + "style:\n  roles:\n    melody: &sung {articulation: legato}\n    bass: *sung\n"
    roles = load_template(write(text)).style.roles
    assert roles[Role.BASS] == roles[Role.MELODY]


# -- changes ------------------------------------------------------------------------------------------------------


def seats_of(found: Template) -> dict[str, Seat]:
    return {seat.id: seat for seat in found.forces.seats}


def test_changes_touch_only_what_they_name() -> None:
    plain = load_template("symphony/baroque")
    changed = load_template(plain, {"style": {"roles": {"melody": {"prefer": {"horn": 0.9}}}, "density": 0.9}})
    assert changed.style.density == 0.9
    assert changed.style.roles[Role.MELODY].prefer == {**plain.style.roles[Role.MELODY].prefer, "horn": 0.9}
    assert changed.style.roles[Role.BASS] == plain.style.roles[Role.BASS]
    assert changed.forces == plain.forces
    assert load_template("symphony/baroque") == plain, "a template read before must not change with it"


def test_dotted_keys_are_the_same_as_nested_ones() -> None:
    dotted = load_template("symphony/baroque", {"style.roles.bass.register": -1, "style.contrast": 0.1})
    nested = load_template("symphony/baroque", {"style": {"roles": {"bass": {"register": -1}}, "contrast": 0.1}})
    assert dotted == nested


def test_seats_are_changed_removed_and_added_in_score_order() -> None:
    changes = {"tuba": None, "flutes": {"players": 3}, "piano": {"instrument": "piano"}}
    seats = seats_of(load_template("symphony/baroque", {"forces": {"seats": changes}}))
    assert "tuba" not in seats
    assert seats["flutes"].players == 3
    order = list(seats)
    assert order.index("harp") < order.index("piano") < order.index("violins-1")
    assert seats["piano"].divisi == instruments()["piano"].polyphony


def test_a_style_may_speak_of_a_seat_of_these_forces() -> None:
    found = load_template("symphony/baroque", {"style.roles.melody.prefer": {"violins-2": 1.0}})
    assert found.style.roles[Role.MELODY].prefer["violins-2"] == 1.0
    assert "'violins-2'" in refusal("wind-quintet/baroque", {"style.roles.melody.prefer": {"violins-2": 1.0}})


def test_a_preset_and_the_caller_stack() -> None:
    assert "taiko" in seats_of(load_template("trailer"))
    found = load_template("trailer", {"forces": {"seats": {"taiko": None}}, "style.density": 0.5})
    assert "taiko" not in seats_of(found)
    assert "choir" in seats_of(found)
    assert found.style.density == 0.5


def test_templates_travel_to_other_processes() -> None:
    for name in ("symphony/romantic-film", "trailer"):
        assert pickle.loads(pickle.dumps(load_template(name))) == load_template(name)


def test_the_same_template_reads_the_same_in_two_processes() -> None:
    code = "import hashlib\nfrom rescore_music.template import load_template\n"
    code += "print(hashlib.sha256(repr(load_template('trailer')).encode()).hexdigest())"
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1


# -- mistakes, and where they stand -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("nobody/baroque", "unknown forces 'nobody' (known: "),
        ("symphony/nothing", "unknown style 'nothing'"),
        ("symfony/baroque", "(did you mean 'symphony'?)"),
        ("symphony", "forces without a style (name a style too: symphony/"),
        ("baroque", "a style without forces"),
        ("romantic", "did you mean 'romantic-film'?"),
        ("trailr", "did you mean 'trailer'?"),
        ("../forces/symphony", "unknown forces '..'"),
        ("symphony/../styles/baroque", "unknown style"),
        ("missing.yaml", "missing.yaml: cannot be read"),
        ("", "unknown template ''"),
    ],
)
def test_unknown_names(name: str, told: str) -> None:
    assert told in refusal(name)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("forces: symphony\nstyle: baroque\n", "line 1, column 1: 'version' is missing"),
        ("version: 2\nforces: symphony\nstyle: baroque\n", "line 1, column 10, version: 2 is not 1"),
        ("version: 1\nforces: symphony\n", "'style' is missing"),
        (
            "version: 1\nforces: symfony\nstyle: baroque\n",
            "line 2, column 9, forces: unknown forces 'symfony' (did you",
        ),
        ("version: 1\nforces: 3\nstyle: baroque\n", "line 2, column 9, forces: should be a name or a mapping, not 3"),
        ("version: 1\nforces: bund.yaml\nstyle: baroque\n", "line 2, column 9, forces: forces file 'bund.yaml' cannot"),
        (PRESET + "styel: waltz\n", "line 4, column 1, styel: unknown key 'styel' (did you mean 'style'"),
        (
            BAND.replace("violin", "vioiln") + "style: baroque\n",
            "line 4, column 30, forces.seats[0].instrument: unknown instrument 'vioiln' (did you mean 'violin'",
        ),
        (
            BAND.replace("}", ", playrs: 2}") + "style: baroque\n",
            "line 4, column 38, forces.seats[0].playrs: unknown key 'playrs' (did you mean 'players'?)",
        ),
        (
            BAND.replace("}", ", players: 0}") + "style: baroque\n",
            "line 4, column 47, forces.seats[0].players: should be greater than or equal to 1, not 0",
        ),
        (
            BAND.replace("}", ", players: yes}") + "style: baroque\n",
            "forces.seats[0].players: should be a valid integer, not True",
        ),
        (BAND.replace("}", ", lowest: H4}") + "style: baroque\n", "'H4' is no pitch (write C4, F#3, Bb1)"),
        (BAND.replace("}", ", lowest: C8}") + "style: baroque\n", "no pitch is left between 'lowest' and 'highest'"),
        (BAND + "    - {id: lead, instrument: viola}\nstyle: baroque\n", "two seats have the id 'lead'"),
        (BAND + "    - {id: second, instrument: violin}\nstyle: baroque\n", "two seats have the name 'Violin'"),
        (BAND.replace(", instrument: violin", "") + "style: baroque\n", "forces.seats[0]: 'instrument' is missing"),
        (
            BAND + "style:\n  roles: {melody: {articulation: legatto}}\n",
            "line 6, column 34, style.roles.melody.articulation: 'legatto' is not allowed here (did you mean 'legato'",
        ),
        (
            BAND + "style:\n  roles: {counter_melody: {}}\n",
            "style.roles.counter_melody: unknown key 'counter_melody' (did you mean 'counter-melody'",
        ),
        (
            BAND + "style:\n  roles: {melody: {prefer: {strngs: 1}}}\n",
            "line 6, column 29, style.roles.melody.prefer.strngs: unknown family or instrument 'strngs' (did you mean",
        ),
        (BAND + "style:\n  weights: {blnd: 2}\n", "style.weights.blnd: unknown cost 'blnd' (did you mean 'blend'?)"),
        (BAND + "style:\n  targets: {brightnes: 2}\n", "unknown target 'brightnes' (did you mean 'brightness'?)"),
        (BAND + "style:\n  roles: [1]\n", "line 6, column 10, style.roles: should be a mapping, not a list"),
        (BAND + "style: {density: 3}\n", "line 5, column 18, style.density: should be less than or equal to 1, not 3"),
        (BAND + "style: {density: .nan}\n", "style.density: should be a finite number"),
        (BAND + "style: {density: 3, contrast: 4}\n", "(and 1 more)"),
        (
            PRESET + "overrides:\n  style:\n    roles:\n      melody: {dynamics: loud}\n",
            "line 7, column 26, overrides.style.roles.melody.dynamics: should be a valid number, not 'loud'",
        ),
        (
            PRESET + "overrides:\n  forces:\n    seats: {tubs: null}\n",
            "line 6, column 13, overrides.forces.seats.tubs: there is no seat 'tubs' (did you mean 'tuba'?)",
        ),
        (PRESET + "version: 1\n", "line 4, column 1: 'version' is given twice"),
        ("version: 1\nseats:\n  - {id: a, instrument: flute}\n", "holds forces alone"),
        ("version: 1\nroles: {}\n", "holds a style alone"),
    ],
)
def test_mistakes_are_told_with_line_column_and_key(text: str, told: str, write: Write) -> None:
    message = refusal(write(text))
    assert "mine.yaml: line " in message
    assert told in message


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "holds no keys"),
        ("- a\n", "holds no keys"),
        ("version: [1\nforces", "is no YAML"),
        ("version: 1\n---\nversion: 1\n", "is no YAML"),
        ("a: &a [*a]\n", "an alias contains itself"),
        ("[" * 5000, "nested more than 16 deep"),
        ("a: !!python/object/apply:os.getcwd []\n", "could not determine a constructor"),
        ("a: 2024-99-99\n", "is no YAML"),
        (b"\xff\xfe\x00a", "is not UTF-8 text"),
        ("#" * 300_000, "larger than a template may be"),
        (
            "a: &a [x, x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\n"
            "c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]\nd: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]\n"
            "e: [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d]\n",
            "once its aliases are expanded",
        ),
    ],
)
def test_what_is_no_template_is_refused_quickly(text: str | bytes, told: str, write: Write) -> None:
    started = time.process_time()
    assert told in refusal(write(text))
    assert time.process_time() - started < 1.0


def test_mistakes_of_the_caller_are_told_by_key() -> None:
    assert refusal("symphony/baroque", {"style.densty": 1}).startswith("overrides: style.densty: unknown key")
    assert "there is no seat 'tubba' (did you mean 'tuba'?)" in refusal(
        "symphony/baroque", {"forces": {"seats": {"tubba": None}}}
    )
    assert "seats[9] (tuba): no pitch is left" in refusal("symphony/baroque", {"forces.seats.tuba.lowest": "C7"})


def test_shipped_files_are_named_from_templates_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for folder in ("forces", "styles", "presets"):
        (tmp_path / folder).mkdir()
    (tmp_path / "forces" / "duo.yaml").write_text("version: 1\ntitle: Duo\ndescription: x\nseats:\n  - {id: a}\n")
    (tmp_path / "styles" / "plain.yaml").write_text("version: 1\ntitle: P\ndescription: x\nroles: {}\n")
    for module in ("resources", "template.resolving"):
        monkeypatch.setattr(f"rescore_music.{module}.templates_dir", lambda: tmp_path)
    assert refusal("duo/plain").startswith("templates/orchestration/forces/duo.yaml: line 5, column 5, seats[0]:")


# -- the published schema -----------------------------------------------------------------------------------------


def test_the_published_schema_is_current() -> None:
    path = Path(__file__).resolve().parent.parent / "docs" / "template.schema.json"
    assert json.loads(path.read_text(encoding="utf-8")) == json_schema(), "run python docs/make_schema.py"


def test_all_shipped_files_follow_the_schema_and_faults_do_not() -> None:
    from jsonschema import Draft202012Validator

    Draft202012Validator.check_schema(json_schema())
    validator = Draft202012Validator(json_schema())
    files = sorted(templates_dir().rglob("*.yaml"))
    assert len(files) == sum(map(len, (CATALOGUE.forces, CATALOGUE.styles, CATALOGUE.presets, CATALOGUE.patterns)))
    for path in files:
        validator.validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    for fault in (
        "version: 2\nforces: symphony\nstyle: baroque\n",
        "version: 1\nforces: symphony\n",
        PRESET + "styel: x\n",
        BAND.replace("violin", "vioiln") + "style: baroque\n",
        BAND + "style: {weights: {blnd: 1}}\n",
        BAND + "style: {roles: {melody: {articulation: legatto}}}\n",
    ):
        assert not validator.is_valid(yaml.safe_load(fault)), fault


def test_units_of_targets_are_told() -> None:
    assert all("," in meaning for meaning in TARGETS.values())


# -- time ---------------------------------------------------------------------------------------------------------


def test_a_template_loads_in_a_few_hundredths_of_a_second() -> None:
    load_template("symphony/romantic-film")  # pydantic is imported once
    from rescore_music.template.located import _parsed

    best = float("inf")
    for _ in range(5):
        _parsed.cache_clear()
        started = time.process_time()
        load_template("symphony/romantic-film")
        best = min(best, time.process_time() - started)
    assert best < 0.1


def test_importing_templates_imports_neither_pydantic_nor_yaml() -> None:
    code = "import sys, rescore_music.template; print({'pydantic', 'yaml'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


@pytest.mark.parametrize("name", ["templates.md", "instruments.md"])
def test_the_tables_in_the_docs_are_current(name: str) -> None:
    docs = Path(__file__).resolve().parent.parent / "docs"
    made: dict[str, Any] = runpy.run_path(str(docs / "make_tables.py"))
    assert (docs / name).read_text(encoding="utf-8") == made["PAGES"][name](), "run python docs/make_tables.py"
