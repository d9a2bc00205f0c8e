"""What a pattern may say, as pydantic models, and the `Pattern` that comes of it.

Imported only when a template is loaded. The language itself stands in template/pattern.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from rescore_music.instruments import near
from rescore_music.structure import Role
from rescore_music.template.pattern import (
    DRUM_FIGURE,
    DRUMS,
    FIGURE,
    MAX_TOKENS,
    RUNS,
    DrumLevel,
    Figure,
    Pattern,
    parse,
)


class StrictModel(BaseModel):
    """What every model of a template file is: no unknown keys, no values of another kind, no infinities."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, populate_by_name=False)


SuitedRole = Literal["bass", "harmony", "figuration", "percussion"]


def _figured_roles() -> list[SuitedRole]:
    return ["harmony", "figuration"]


def _figure(text: str) -> str:
    if text in RUNS:
        return text
    if len(text.split()) > MAX_TOKENS:
        raise PydanticCustomError("figure", "a figure of more than {most} tokens", {"most": MAX_TOKENS, "cure": ""})
    try:
        parse(text)
    except ValueError as error:
        raise PydanticCustomError(
            "figure", "{what}", {"what": str(error), "cure": "tokens are . - x u 1 -1 1+3 R T F S A with ' , ! ?"}
        ) from None
    return text


def _by_bar(text: str) -> str:
    if text in RUNS:
        raise PydanticCustomError("figure", "'{word}' has no length of its own", {"word": text, "cure": "use a cycle"})
    return _figure(text)


def _drum_figure(text: str) -> str:
    words = [word for word in text.split() if word != "|"]
    wrong = next((word for word in words if word not in (".", "x", "x!", "x?")), None)
    if wrong is not None or not words or len(words) > MAX_TOKENS:
        told = {"word": wrong or text, "cure": "drums know x x! x? and ."}
        raise PydanticCustomError("figure", "'{word}' is no figure for a drum", told)
    return text


def _drum(word: str) -> str:
    if word not in DRUMS:
        raise PydanticCustomError("drum", "unknown drum '{word}'", {"word": word, "cure": near(word, tuple(DRUMS))})
    return word


def _meter(word: str) -> str:
    numerator, _, denominator = word.partition("/")
    if not (numerator.isdecimal() and 1 <= int(numerator) <= 32 and denominator in ("1", "2", "4", "8", "16", "32")):
        raise PydanticCustomError("meter", "'{word}' is no meter", {"word": word, "cure": "write 4/4, 6/8"})
    return word


def _named(value: Any) -> Any:
    """Numbers of voices as words: YAML reads 3 as a number, JSON knows names only."""
    return {str(key): figure for key, figure in value.items()} if isinstance(value, dict) else value


Voices = Literal["1", "2", "3", "4", "5", "6", "7", "8", "any"]
_RUN = "|".join(RUNS)
Cycle = Annotated[
    str,
    AfterValidator(_figure),
    Field(min_length=1, max_length=400, json_schema_extra={"pattern": rf"^(?:{_RUN})$|{FIGURE}"}),
]
ByBar = Annotated[
    str, AfterValidator(_by_bar), Field(min_length=1, max_length=400, json_schema_extra={"pattern": FIGURE})
]
DrumLine = Annotated[
    str, AfterValidator(_drum_figure), Field(min_length=1, max_length=400, json_schema_extra={"pattern": DRUM_FIGURE})
]
DrumName = Annotated[str, AfterValidator(_drum), Field(json_schema_extra={"enum": [*DRUMS]})]
Meter = Annotated[str, AfterValidator(_meter), Field(json_schema_extra={"pattern": r"^[1-9][0-9]?/(1|2|4|8|16|32)$"})]
Drums = Annotated[dict[DrumName, DrumLine], Field(min_length=1)]
Share = Annotated[float, Field(ge=0, le=1)]
_GROUPS = "Figures for two beats, three beats and one dotted beat: every other meter is built of them."


class GroupsModel(StrictModel):
    """Figures out of which every meter is built."""

    two: ByBar = Field(description="Two beats.")
    three: ByBar = Field(description="Three beats.")
    compound: ByBar = Field(description="One dotted beat.")


class DrumGroupsModel(StrictModel):
    """Drums out of which every meter is built."""

    two: Drums = Field(description="Two beats.")
    three: Drums = Field(description="Three beats.")
    compound: Drums = Field(description="One dotted beat.")


class DrumLevelModel(StrictModel):
    """What the drums play from an intensity on."""

    from_intensity: Share = Field(default=0.0, description="Intensity of the phrase (0 to 1) from which on it is so.")
    bars: dict[Meter, Drums] = Field(default_factory=dict, description="Meter -> drum -> figure for a whole bar.")
    groups: DrumGroupsModel | None = Field(default=None, description=_GROUPS)

    @model_validator(mode="after")
    def _something(self) -> DrumLevelModel:
        if not self.bars and self.groups is None:
            raise PydanticCustomError("range", "neither 'bars' nor 'groups' say what is played", {})
        return self


class OpeningModel(StrictModel):
    """A stroke at the start of a phrase."""

    drum: DrumName = Field(description="Which drum.")
    from_intensity: Share = Field(default=0.6, description="Intensity of the phrase from which on it is struck.")


class PatternBody(StrictModel):
    """One way to set a role in motion: which note of a chord comes when, and how hard."""

    title: Annotated[str, Field(max_length=80)] = Field(default="", description="Name for people.")
    description: Annotated[str, Field(max_length=1000)] = Field(default="", description="Two lines: how it sounds.")
    texture: Literal["held", "struck", "broken", "drums"] = Field(
        description="Notes held to the next harmony, struck in a rhythm, a chord's voices in turn, or drums."
    )
    roles: Annotated[list[SuitedRole], Field(min_length=1)] = Field(
        default_factory=_figured_roles, description="Which roles it suits."
    )
    cycle: Annotated[Cycle | dict[Voices, Cycle] | None, BeforeValidator(_named)] = Field(
        default=None, description="A figure that goes round from each new chord on, or one by number of voices."
    )
    unit: Annotated[float, Field(gt=0, le=8)] = Field(default=0.5, description="Quarters a step of the cycle.")
    bars: dict[Meter, ByBar] = Field(default_factory=dict, description="Meter -> figure for a whole bar.")
    groups: GroupsModel | None = Field(default=None, description=_GROUPS)
    gather: bool = Field(
        default=False, description="Chords struck again and again in the source are one chord before the figure."
    )
    tremolo: bool = Field(default=False, description="Long notes tremble, on instruments that can.")
    articulation: Literal["", "staccato", "tenuto", "accent"] = Field(
        default="", description="Written at each note of the figure."
    )
    spread: Annotated[float, Field(ge=0, le=0.2)] = Field(
        default=0.0, description="Seconds from string to string of a strummed chord, down on the beat, up off it."
    )
    levels: Annotated[list[DrumLevelModel], Field(max_length=8)] = Field(
        default_factory=list, description="Drums by intensity, the quietest first."
    )
    fill: DrumLevelModel | None = Field(default=None, description="Drums in the last bar of a phrase.")
    opening: OpeningModel | None = Field(default=None, description="A stroke at the start of a phrase.")

    @model_validator(mode="after")
    def _says_something(self) -> PatternBody:
        rhythm = bool(self.cycle or self.bars or self.groups)
        wrong = ""
        if self.texture == "drums":
            wrong = "'levels' are missing" if not self.levels else "drums have no pitches" if rhythm else ""
            if not wrong and self.roles != ["percussion"]:
                wrong = "drums suit the role percussion alone"
        elif self.levels or self.fill or self.opening or "percussion" in self.roles:
            wrong = "only the texture drums is for percussion"
        elif self.texture in ("struck", "broken") and not rhythm:
            wrong = "neither 'cycle' nor 'bars' and 'groups' say what is played"
        elif self.cycle and (self.bars or self.groups):
            wrong = "a pattern goes by 'cycle' or by 'bars' and 'groups', not both"
        elif self.bars and not self.groups:
            wrong = "'groups' are missing: they serve meters that 'bars' do not name"
        if wrong:
            raise PydanticCustomError("range", "{what}", {"what": wrong})
        return self


class PatternFile(PatternBody):
    """A file in patterns/."""

    version: Literal[1] = Field(description="Version of this format.")
    title: Annotated[str, Field(min_length=1, max_length=80)] = Field(description="Name for people.")
    description: Annotated[str, Field(min_length=1, max_length=1000)] = Field(description="Two lines: how it sounds.")


def pattern_of(id: str, model: PatternBody) -> Pattern:
    """The checked values as a `Pattern`."""
    cycle = {"any": model.cycle} if isinstance(model.cycle, str) else model.cycle or {}
    return Pattern(
        id=id,
        title=model.title or id,
        description=model.description.strip(),
        texture=model.texture,
        roles=tuple(Role[name.upper()] for name in model.roles),
        cycle={0 if voices == "any" else int(voices): text for voices, text in cycle.items()},
        unit=float(model.unit),
        bars={_key(meter): parse(text) for meter, text in model.bars.items()},
        groups={} if model.groups is None else {k: parse(v) for k, v in model.groups.model_dump().items()},
        gather=model.gather,
        tremolo=model.tremolo,
        articulation=model.articulation,
        spread=float(model.spread),
        levels=tuple(sorted((_level(level) for level in model.levels), key=lambda level: level.from_intensity)),
        fill=None if model.fill is None else _level(model.fill),
        opening=None if model.opening is None else (DRUMS[model.opening.drum], float(model.opening.from_intensity)),
    )


def _key(meter: str) -> tuple[int, int]:
    numerator, _, denominator = meter.partition("/")
    return int(numerator), int(denominator)


def _level(model: DrumLevelModel) -> DrumLevel:
    groups: dict[str, Any] = {} if model.groups is None else model.groups.model_dump()
    return DrumLevel(
        float(model.from_intensity),
        {_key(meter): _drums(lines) for meter, lines in model.bars.items()},
        {name: _drums(lines) for name, lines in groups.items()},
    )


def _drums(lines: Mapping[str, str]) -> dict[int, Figure]:
    return {DRUMS[name]: parse(text) for name, text in lines.items()}
