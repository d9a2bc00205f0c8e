"""From names, files and changes to a `Template`: find the YAML, check it, merge the changes, build the values.

Changes come in layers, a preset's own first, the caller's last: mappings are merged (RFC 7386), lists replaced, seats
addressed by their id. Each layer is checked by itself, where it stands, and the merged whole once more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from pydantic import BaseModel

from rescore_music.errors import TemplateError
from rescore_music.instruments import Instrument, instrument, near
from rescore_music.resources import templates_dir
from rescore_music.structure import Role
from rescore_music.template import Doubling, Forces, Louder, RoleStyle, Seat, SectionWish, Style, Template
from rescore_music.template.check import Problem, check
from rescore_music.template.located import Document, Keys, key_path, read
from rescore_music.template.pattern_file import Patterns
from rescore_music.template.schema import (
    ForcesBody,
    ForcesFile,
    Overrides,
    PresetFile,
    RoleModel,
    SeatModel,
    SectionModel,
    StyleBody,
    StyleFile,
)

_FOLDERS = {"forces": "forces", "style": "styles", "preset": "presets"}


def resolve(name_or_path: str | Path, overrides: Mapping[str, Any]) -> Template:
    """A template by name or path, with the caller's changes; see `template.load_template`."""
    text, changes = str(name_or_path), _nested(overrides)
    path = _as_file(name_or_path)
    if path is not None:
        return _preset(path, text, changes)
    forces, slash, style = text.rpartition("/") if _as_file(text.rpartition("/")[0]) else text.partition("/")
    if slash:
        who, players, _ = _side("forces", forces, text)
        how, manner, seats = _side("style", style, text)
        return _build(who, how, [*players, *manner, _Layer(changes)], text, "", seats)
    shipped = _folder("preset") / f"{text}.yaml"
    if _is_id(text) and shipped.is_file():
        return _preset(shipped, text, changes)
    _unknown(text)


def _as_file(name: str | Path) -> Path | None:
    path = Path(name)
    return path if isinstance(name, Path) or path.suffix.casefold() in (".yaml", ".yml") else None


def _folder(kind: str) -> Path:
    return templates_dir() / _FOLDERS[kind]


def _ids(kind: str) -> list[str]:
    return sorted(path.stem for path in _folder(kind).glob("*.yaml"))


def _is_id(text: str) -> bool:
    return text.replace("-", "").isalnum()  # nothing that leaves the folder


def _shipped(kind: str, id: str, asked: str) -> Path:
    path = _folder(kind) / f"{id}.yaml"
    if not _is_id(id) or not path.is_file():
        raise TemplateError(f"template '{asked}': unknown {kind} '{id}'", cure=near(id, _ids(kind)))
    return path


def _side(kind: str, word: str, asked: str) -> tuple[_Part, list[_Layer], tuple[str, ...]]:
    """Forces or a style by its id, or those of a preset or a file with their changes: "swing/march".

    The last are the seats that a preset's style may speak of though other forces do not have them.
    """
    path = _as_file(word) or _folder("preset") / f"{word}.yaml"
    if word in _ids(kind) or not path.is_file() or not (_is_id(word) or _as_file(word)):
        return _Part(kind, read(_shipped(kind, word, asked))), [], ()
    document = read(path)
    layers = [_Layer(document.data.get("overrides") or {}, document)]
    try:
        patterns = _patterns(_named(document, "style"), layers)
        check(PresetFile, document.data, seats=_any_seats(document), patterns=patterns)
    except Problem as problem:
        raise _located(document, problem) from None
    part = _named(document, kind)
    if part is None:
        raise document.error(f"a template names {kind} too")
    changes = (document.data.get("overrides") or {}).get(kind)
    return part, [_Layer({kind: changes}, document)] if changes else [], _any_seats(document)


def _any_seats(document: Document) -> tuple[str, ...]:
    return _seat_ids(_named(document, "forces"), [_Layer(document.data.get("overrides") or {}, document)])


def _unknown(text: str) -> NoReturn:
    forces, styles, presets = _ids("forces"), _ids("style"), _ids("preset")
    if text in forces:
        what, cure = f"template '{text}' is forces without a style", f"name a style too: {text}/{styles[0]}"
    elif text in styles:
        what, cure = f"template '{text}' is a style without forces", f"name forces too: {forces[0]}/{text}"
    else:
        what, cure = f"unknown template '{text}'", near(text, presets + forces + styles)
    raise TemplateError(what, cure=cure)


class _Part:
    """Forces or a style: its values, and where they stand in a document (`base`: the keys above them)."""

    def __init__(self, kind: str, document: Document, base: Keys = ()) -> None:
        self.kind, self.document, self.base = kind, document, base
        self.data: Any = document.data[base[0]] if base else document.data

    def model(self) -> type[BaseModel]:
        if self.kind == "forces":
            return ForcesBody if self.base else ForcesFile
        return StyleBody if self.base else StyleFile

    def check(self, seats: tuple[str, ...], patterns: Patterns | None = None) -> None:
        try:
            check(self.model(), self.data, seats=seats, patterns=patterns)
        except Problem as problem:
            raise _located(self.document, problem, self.base) from None

    @property
    def id(self) -> str:
        return self.document.path.stem


@dataclass(frozen=True)
class _Layer:
    """Changes, and the document they stand in (None: the caller's)."""

    data: dict[str, Any]
    document: Document | None = None

    def error(self, problem: Problem) -> TemplateError:
        if self.document is not None:
            return _located(self.document, problem, ("overrides",))
        return TemplateError(problem.what, file="overrides", where=key_path(problem.keys), cure=problem.cure)


def _located(document: Document, problem: Problem, base: Keys = ()) -> TemplateError:
    return document.error(problem.what, base + problem.keys, cure=problem.cure, key=problem.key)


def _preset(path: Path, name: str, changes: dict[str, Any]) -> Template:
    document = read(path)
    if not {"forces", "style"} & set(document.data):
        kind = "forces" if "seats" in document.data else "style" if "roles" in document.data else ""
        if kind:
            other = "style: romantic-film" if kind == "forces" else "forces: symphony"
            cure = f"write a file with 'version: 1', '{kind}: {path.name}' and '{other}'"
            alone = "forces" if kind == "forces" else "a style"
            raise document.error(f"holds {alone} alone; a template names both forces and a style", cure=cure)
    forces, style = _named(document, "forces"), _named(document, "style")
    layers = [_Layer(document.data.get("overrides") or {}, document), _Layer(changes)]
    try:
        check(PresetFile, document.data, seats=_seat_ids(forces, layers), patterns=_patterns(style, layers))
    except Problem as problem:
        raise _located(document, problem) from None
    if forces is None or style is None:
        raise document.error("a template names both forces and a style")
    return _build(forces, style, layers, name, str(path))


def _named(document: Document, kind: str) -> _Part | None:
    """The forces or style that a preset names, points to or holds; None where it says nothing usable."""
    given = document.data.get(kind)
    if isinstance(given, dict):
        return _Part(kind, document, (kind,))
    if not isinstance(given, str):
        return None
    beside = _as_file(given)
    try:
        return _Part(kind, read(document.path.parent / beside if beside else _shipped(kind, given, given)))
    except TemplateError as error:
        if beside and (document.path.parent / beside).is_file():
            raise  # the named file is there, and its error tells where in it
        what = f"unknown {kind} '{given}'" if beside is None else f"{kind} file '{given}' {error.what}"
        raise document.error(what, (kind,), cure=error.cure) from None


def _seat_ids(forces: _Part | None, layers: list[_Layer]) -> tuple[str, ...]:
    """Seat ids that a style may speak of; from unchecked values, so anything else is passed over."""
    listed = forces.data.get("seats") if forces is not None else None
    ids = [seat.get("id") for seat in listed if isinstance(seat, dict)] if isinstance(listed, list) else []
    for layer in layers:
        changed = layer.data.get("forces") if isinstance(layer.data, dict) else None
        seats = changed.get("seats") if isinstance(changed, dict) else None
        ids += list(seats) if isinstance(seats, dict) else []
    return tuple(id for id in ids if isinstance(id, str))


def _patterns(style: _Part | None, layers: list[_Layer]) -> Patterns:
    """The patterns that a style may name; from unchecked values, like the seats."""
    sources: list[tuple[Any, Document | None, Keys]] = []
    if style is not None and isinstance(style.data, dict):
        sources.append((style.data.get("patterns"), style.document, (*style.base, "patterns")))
    for layer in layers:
        changed = layer.data.get("style") if isinstance(layer.data, dict) else None
        if isinstance(changed, dict):
            sources.append((changed.get("patterns"), layer.document, ("overrides", "style", "patterns")))
    return Patterns(sources)


def _build(
    forces: _Part, style: _Part, layers: list[_Layer], name: str, source: str, also: tuple[str, ...] = ()
) -> Template:
    seats, patterns = _seat_ids(forces, layers) + also, _patterns(style, layers)
    forces.check(seats)
    style.check(seats, patterns)
    who: dict[str, Any] = {key: value for key, value in forces.data.items() if key != "version"}
    how: dict[str, Any] = {key: value for key, value in style.data.items() if key != "version"}
    asked: list[SectionWish] = []
    keep: list[str] = []
    for layer in layers:
        try:
            changes = check(Overrides, layer.data, seats=seats, patterns=patterns)
        except Problem as problem:
            raise layer.error(problem) from None
        asked += [_section(wish) for wish in changes.sections]
        keep += changes.keep
        who = _with_seats(who, layer)
        how = _merged(how, layer.data.get("style", {}))
    try:
        players = check(ForcesBody, who, seats=seats)
        manner = check(StyleBody, how, seats=seats, patterns=patterns)
    except Problem as problem:
        where = f"with its overrides, {key_path(problem.keys)}"
        if problem.keys[:1] == ("seats",) and len(problem.keys) > 1:
            where += f" ({who['seats'][problem.keys[1]]['id']})"
        raise TemplateError(problem.what, file=name, where=where, cure=problem.cure) from None
    return Template(
        name,
        _forces(players, forces.id),
        _style(manner, style.id, patterns),
        source,
        tuple(asked),
        tuple(dict.fromkeys(keep)),
    )


def _section(model: SectionModel) -> SectionWish:
    first, _, last = model.bars.partition("-")
    return SectionWish(int(first), int(last or first), Role[model.role.upper().replace("-", "_")], tuple(model.give))


def _nested(changes: Mapping[str, Any]) -> dict[str, Any]:
    """{"style.density": 0.9} -> {"style": {"density": 0.9}}."""
    nested: dict[str, Any] = {}
    for key, value in changes.items():
        *above, last = str(key).split(".")
        for word in reversed([*above, last]):
            value = {word: value}
        nested = _merged(nested, value)
    return nested


def _merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(old)
    for key, value in new.items():
        inside = merged.get(key)
        both = isinstance(value, Mapping) and isinstance(inside, Mapping)
        merged[key] = _merged(inside, value) if both else value  # type: ignore[arg-type]
    return merged


def _with_seats(forces: dict[str, Any], layer: _Layer) -> dict[str, Any]:
    """Forces with some seats changed, removed (None) or added."""
    changes = layer.data.get("forces", {})
    seats = {seat["id"]: seat for seat in forces["seats"]}
    for id, change in changes.get("seats", {}).items():
        if id in seats:
            seats[id] = None if change is None else _merged(seats[id], change)
        elif change and change.get("instrument"):
            seats = _inserted(seats, {"id": id, **change})
        else:
            problem = Problem(("forces", "seats", id), f"there is no seat '{id}'", near(id, seats), True, 0)
            raise layer.error(problem)
    merged = _merged(forces, {key: value for key, value in changes.items() if key != "seats"})
    return merged | {"seats": [seat for seat in seats.values() if seat is not None]}


def _inserted(seats: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """A seat put where its instrument stands in a full score."""
    order = instrument(new["instrument"]).score_order
    rows = [row for row in seats.values() if row is not None]
    place = sum(instrument(row["instrument"]).score_order <= order for row in rows)
    return {row["id"]: row for row in [*rows[:place], new, *rows[place:]]}


def _forces(model: ForcesBody, id: str) -> Forces:
    return Forces(id, model.title or id, model.description.strip(), tuple(_seat(seat) for seat in model.seats))


def _seat(model: SeatModel) -> Seat:
    player = instrument(model.instrument)
    return Seat(
        id=model.id,
        instrument=player,
        name=model.name or player.name,
        abbreviation=model.abbreviation if model.abbreviation is not None else player.abbreviation,
        players=model.players or 1,
        divisi=model.divisi or _divisi(player, model.players or 1),
        pan=float(model.pan or 0.0),
        gain=float(model.gain or 0.0),
        program=model.program,
        bank=model.bank,
        lowest=model.lowest,
        highest=model.highest,
    )


def _divisi(player: Instrument, players: int) -> int:
    """Different notes a seat may sound at once, where the forces do not say."""
    if player.family in ("keyboard", "plucked", "percussion", "electronic") or player.polyphony >= 4:
        return player.polyphony
    if player.family == "strings":
        return 1 if players == 1 else 2
    return min(players, 4)


# plain dicts: a mapping proxy cannot be pickled, and batch workers are sent templates
def _style(model: StyleBody, id: str, patterns: Patterns) -> Style:
    roles: dict[Role, RoleStyle] = {}
    for role in Role:
        if role is not Role.REST:
            roles[role] = _role(getattr(model.roles, role.name.lower()))
    named = {word for own in roles.values() for word in (own.pattern, *(louder.pattern for louder in own.louder))}
    return Style(
        id=id,
        title=model.title or id,
        description=model.description.strip(),
        roles=roles,
        weights=dict(model.weights),
        targets=dict(model.targets),
        percussion=model.percussion,
        contrast=float(model.contrast),
        density=float(model.density),
        dynamics_span=float(model.dynamics_span),
        swing=float(model.swing),
        ornaments=tuple(dict.fromkeys(model.ornaments)),
        patterns={word: patterns.built(word) for word in sorted(named - {"keep"})},
    )


def _role(model: RoleModel) -> RoleStyle:
    return RoleStyle(
        prefer={name: float(wish) for name, wish in model.prefer.items()},
        register=model.register_,
        articulation=model.articulation,
        dynamics=float(model.dynamics),
        pattern=model.pattern,
        pattern_unit=_unit(model.pattern_unit),
        duration=float(model.duration),
        doublings=tuple(
            Doubling(wish.interval, tuple(wish.prefer), float(wish.weight), float(wish.from_intensity))
            for wish in model.doublings
        ),
        louder=tuple(
            sorted(
                (Louder(float(to.from_intensity), to.pattern, _unit(to.pattern_unit)) for to in model.louder),
                key=lambda to: to.from_intensity,
            )
        ),
    )


def _unit(quarters: float | None) -> float | None:
    return None if quarters is None else float(quarters)
