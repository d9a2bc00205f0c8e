"""What a template file may say, as pydantic models: the source of docs/template.schema.json and of located errors.

Imported only when a template is loaded. Conventions: dynamics and gains dB, registers octaves, pattern units quarters,
pitches sounding (MIDI number or scientific name).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    TypeAdapter,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from rescore_music.instruments import FAMILIES, instruments, near, pitch_number
from rescore_music.template.pattern_schema import PatternBody, PatternFile, StrictModel

# the first pass's costs that a style may weight, and the second pass's wishes it may set, with their units
COSTS = (
    "range",
    "tessitura",
    "register",
    "power",
    "agility",
    "breath",
    "wish",
    "idiom",
    "masking",
    "crossing",
    "polyphony",
    "dropped",
    "blend",
    "doubling",
    "density",
    "continuity",
    "contrast",
    "leap",
    "workload",
    "chance",
    "asked",
)
TARGETS = {
    "brightness": "spectral centroid of the mix, Hz",
    "melody_margin": "melody above the rest in its critical bands, dB",
    "width": "stereo width, 0 mono to 1 wide",
    "loudness_range": "loudness range, LU",
}
# switching off "range" or "dropped" would make a score unplayable or incomplete, so factors stay positive
_FACTOR = (0.1, 5.0)


def _stems() -> tuple[str, ...]:
    """First words that several instrument ids share: "trumpet" means all trumpets."""
    return tuple(sorted({id.split("-")[0] for id in instruments()}))


def _known(kind: str, word: str, known: tuple[str, ...]) -> str:
    if word not in known:
        raise PydanticCustomError(
            "unknown", "unknown {kind} '{word}'", {"kind": kind, "word": word, "cure": near(word, known)}
        )
    return word


def _instrument(word: str) -> str:
    return _known("instrument", word, tuple(instruments()))


def _colour(word: str, info: ValidationInfo) -> str:
    seats = tuple((info.context or {}).get("seats", ()))
    return _known("family or instrument", word, (*FAMILIES, *instruments(), *_stems(), *seats))


def _pattern(word: str, info: ValidationInfo) -> str:
    known = (info.context or {}).get("patterns")  # unknown to a schema alone
    return word if known is None else _known("pattern", word, ("keep", *known))


def _cost(word: str) -> str:
    return _known("cost", word, COSTS)


def _target(word: str) -> str:
    return _known("target", word, tuple(TARGETS))


def _pitch(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return pitch_number(value)
    except ValueError:
        raise PydanticCustomError(
            "pitch", "'{word}' is no pitch", {"word": value, "cure": "write C4, F#3, Bb1"}
        ) from None


InstrumentId = Annotated[str, AfterValidator(_instrument), Field(json_schema_extra={"enum": [*instruments()]})]
Colour = Annotated[str, AfterValidator(_colour)]
CostName = Annotated[str, AfterValidator(_cost), Field(json_schema_extra={"enum": [*COSTS]})]
TargetName = Annotated[str, AfterValidator(_target), Field(json_schema_extra={"enum": [*TARGETS]})]
SlugName = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
Pitch = Annotated[
    int,
    BeforeValidator(_pitch),
    Field(ge=0, le=127),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 0, "maximum": 127},
                {"type": "string", "pattern": "^[A-G](#|b)*-?[0-9]$"},
            ]
        }
    ),
]
Articulation = Literal["", "legato", "staccato", "tenuto", "accent", "marcato", "pizzicato", "tremolo", "spiccato"]
PatternName = Annotated[str, AfterValidator(_pattern), Field(max_length=60)]
Ornament = Literal["cadential-trill", "grace-notes"]
Percussion = Literal["keep", "light", "drop"]
Share = Annotated[float, Field(ge=0, le=1)]
Factor = Annotated[float, Field(ge=_FACTOR[0], le=_FACTOR[1])]


Name = Annotated[str, Field(min_length=1, max_length=200)]


def _branch(value: Any) -> str:
    return "<name>" if isinstance(value, str) else "<inline>"


class SeatChanges(StrictModel):
    """One staff group: an instrument and who plays it. Changes name only what they change."""

    instrument: InstrumentId | None = Field(
        default=None, description="Id of the instrument table (docs/instruments.md)."
    )
    name: Annotated[str, Field(min_length=1, max_length=60)] | None = Field(
        default=None, description="As printed in the score; the instrument's own by default."
    )
    abbreviation: Annotated[str, Field(max_length=20)] | None = Field(
        default=None, description="As printed from the second system on."
    )
    players: Annotated[int, Field(ge=1, le=200)] | None = Field(
        default=None, description="Players who share the seat; 1 by default."
    )
    divisi: Annotated[int, Field(ge=1, le=16)] | None = Field(
        default=None,
        description="Different notes the seat may sound at once. Default: 1 for a soloist; a note a player, up to 4, "
        "for winds and voices; 2 for a string section; the polyphony of keyboards, plucked and percussion.",
    )
    pan: Annotated[float, Field(ge=-1, le=1)] | None = Field(
        default=None, description="Place on stage as the audience hears it, -1 left to 1 right."
    )
    gain: Annotated[float, Field(ge=-24, le=24)] | None = Field(
        default=None, description="dB on top of the instrument's own power."
    )
    program: Annotated[int, Field(ge=0, le=127)] | None = Field(
        default=None, description="General MIDI program that sounds instead of the instrument's."
    )
    bank: Annotated[int, Field(ge=0, le=16383)] | None = Field(default=None, description="Bank (MSB * 128 + LSB).")
    lowest: Pitch | None = Field(
        default=None, description="Narrower than the instrument's own range, e.g. by hardware: lowest sounding pitch."
    )
    highest: Pitch | None = Field(default=None, description="Highest sounding pitch.")


class SeatModel(SeatChanges):
    """One staff group: an instrument and who plays it."""

    id: SlugName = Field(description="Unique in these forces; styles, presets and overrides speak of the seat by it.")
    instrument: InstrumentId = Field(description="Id of the instrument table (docs/instruments.md).")

    @model_validator(mode="after")
    def _range(self) -> SeatModel:
        table = instruments()[self.instrument]
        low = table.lowest if self.lowest is None else max(self.lowest, table.lowest)
        high = table.highest if self.highest is None else min(self.highest, table.highest)
        if low > high:
            raise PydanticCustomError("range", "no pitch is left between 'lowest' and 'highest'", {})
        return self


class ForcesBody(StrictModel):
    """Who plays."""

    title: Annotated[str, Field(max_length=80)] = Field(default="", description="Name for people.")
    description: Annotated[str, Field(max_length=1000)] = Field(
        default="", description="Who plays, and after which model."
    )
    seats: Annotated[list[SeatModel], Field(min_length=1, max_length=64)] = Field(
        description="In score order, from the top."
    )

    @model_validator(mode="after")
    def _unique(self) -> ForcesBody:
        for attribute in ("id", "name"):
            seen: set[str] = set()
            for seat in self.seats:
                word = getattr(seat, attribute) or instruments()[seat.instrument].name
                if word in seen:
                    raise PydanticCustomError(
                        "twice",
                        "two seats have the {attribute} '{word}'",
                        {"attribute": attribute, "word": word, "cure": "give each its own"},
                    )
                seen.add(word)
        return self


class ForcesFile(ForcesBody):
    """A file in forces/."""

    version: Literal[1] = Field(description="Version of this format.")
    title: Annotated[str, Field(min_length=1, max_length=80)] = Field(description="Name for people.")
    description: Annotated[str, Field(min_length=1, max_length=1000)] = Field(
        description="Who plays, and after which model."
    )


class DoublingModel(StrictModel):
    """A wish to reinforce a role at an interval, on some colours, from an intensity on."""

    interval: Annotated[int, Field(ge=-36, le=36)] = Field(
        default=0, description="Semitones above the line; 0 is unison, 12 the octave above."
    )
    prefer: list[Colour] = Field(
        default_factory=list, description="Families, instruments or seats, the most wished for first; empty means any."
    )
    weight: Share = Field(default=0.5, description="Eagerness, 0 to 1.")
    from_intensity: Share = Field(
        default=0.0, description="Intensity of the phrase (0 to 1) from which on it is wished."
    )


class LouderModel(StrictModel):
    """Another pattern from an intensity on."""

    from_intensity: Share = Field(description="Intensity of the phrase (0 to 1) from which on it holds.")
    pattern: PatternName = Field(description="Its name.")
    pattern_unit: Annotated[float, Field(gt=0, le=8)] | None = Field(default=None, description="Quarters a step.")


class RoleModel(StrictModel):
    """How a style treats one role."""

    prefer: dict[Colour, Annotated[float, Field(ge=-1, le=1)]] = Field(
        default_factory=dict,
        description="Family, instrument or seat -> wish, -1 (avoid) to 1 (seek); the most particular word counts.",
    )
    # `register` itself is a method of pydantic's metaclass
    register_: Annotated[int, Field(ge=-3, le=3)] = Field(
        default=0, alias="register", description="Octaves by which the line is wished higher."
    )
    articulation: Articulation = Field(default="", description="Used where the source says nothing.")
    dynamics: Annotated[float, Field(ge=-24, le=12)] = Field(
        default=0.0, description="dB against the melody's level in the source."
    )
    pattern: PatternName = Field(
        default="keep", description="Figuration: a shipped pattern or one of the style's; keep is the source's own."
    )
    pattern_unit: Annotated[float, Field(gt=0, le=8)] | None = Field(
        default=None, description="Quarters a step, for patterns that go round; the pattern's own by default."
    )
    louder: Annotated[list[LouderModel], Field(max_length=8)] = Field(
        default_factory=list, description="Other patterns from an intensity on."
    )
    duration: Annotated[float, Field(ge=0.05, le=1.5)] = Field(
        default=1.0, description="Scales note lengths; 0.5 is detached."
    )
    doublings: Annotated[list[DoublingModel], Field(max_length=8)] = Field(
        default_factory=list, description="Wishes to reinforce the role, the strongest first."
    )


class RolesModel(StrictModel):
    """The six roles; a role that is left out is treated plainly."""

    melody: RoleModel = Field(default_factory=lambda: RoleModel())
    counter_melody: RoleModel = Field(default_factory=lambda: RoleModel(), alias="counter-melody")
    bass: RoleModel = Field(default_factory=lambda: RoleModel())
    harmony: RoleModel = Field(default_factory=lambda: RoleModel())
    figuration: RoleModel = Field(default_factory=lambda: RoleModel())
    percussion: RoleModel = Field(default_factory=lambda: RoleModel())

    @field_validator("*", mode="after")
    @classmethod
    def _suits(cls, model: RoleModel, info: ValidationInfo) -> RoleModel:
        known: Mapping[str, tuple[str, ...]] = (info.context or {}).get("patterns") or {}
        role = str(info.field_name).replace("_", "-")
        for word in (model.pattern, *(louder.pattern for louder in model.louder)):
            if word != "keep" and role in ("melody", "counter-melody"):
                told = {"role": role, "cure": "leave the pattern out, or write keep"}
                raise PydanticCustomError("suits", "a {role} keeps its own notes", told)
            suits = known.get(word, ())
            if suits and role not in suits:
                told = {"word": word, "suits": " and ".join(suits), "role": role, "cure": "choose another, or keep"}
                raise PydanticCustomError("suits", "the pattern '{word}' is for {suits}, not for {role}", told)
        return model


class StyleBody(StrictModel):
    """How they play."""

    title: Annotated[str, Field(max_length=80)] = Field(default="", description="Name for people.")
    description: Annotated[str, Field(max_length=1000)] = Field(
        default="", description="Two lines: what makes the style so."
    )
    roles: RolesModel = Field(default_factory=lambda: RolesModel())
    weights: dict[CostName, Factor] = Field(default_factory=dict, description="Cost of the first pass -> factor.")
    targets: dict[TargetName, float] = Field(default_factory=dict, description="Wish of the second pass -> value.")
    percussion: Percussion = Field(default="keep", description="The source's percussion: kept, thinned or dropped.")
    contrast: Share = Field(default=0.5, description="Wish to change colours between differently labelled phrases.")
    density: Share = Field(default=0.7, description="Share of the seats that play at full intensity.")
    dynamics_span: Annotated[float, Field(ge=0, le=3)] = Field(
        default=1.0, description="Scales the source's dynamic range."
    )
    swing: Annotated[float, Field(ge=0.5, le=0.75)] = Field(
        default=0.5, description="Where in the beat the second of two even quavers falls: 0.5 straight, 0.67 a triplet."
    )
    ornaments: Annotated[list[Ornament], Field(max_length=8)] = Field(
        default_factory=list, description="What players of the style add to the tune."
    )
    patterns: Annotated[
        dict[
            SlugName,
            Annotated[Annotated[Name, Tag("<name>")] | Annotated[PatternBody, Tag("<inline>")], Discriminator(_branch)],
        ],
        Field(max_length=64),
    ] = Field(default_factory=dict, description="The style's own patterns: written out, or a file beside this one.")


class StyleFile(StyleBody):
    """A file in styles/."""

    version: Literal[1] = Field(description="Version of this format.")
    title: Annotated[str, Field(min_length=1, max_length=80)] = Field(description="Name for people.")
    description: Annotated[str, Field(min_length=1, max_length=1000)] = Field(
        description="Two lines: what makes the style so."
    )
    roles: RolesModel = Field(description="How each role is treated.")


class ForcesChanges(StrictModel):
    """Changes to forces, seat by seat."""

    title: Annotated[str, Field(max_length=80)] | None = None
    description: Annotated[str, Field(max_length=1000)] | None = None
    seats: dict[SlugName, SeatChanges | None] = Field(
        default_factory=dict,
        description="Seat id -> what changes; null removes it; a new id with an instrument adds a seat.",
    )


def _bars(value: Any) -> Any:
    text = str(value)
    first, _, last = text.partition("-")
    numbers = [word.strip() for word in (first, last or first)]
    if not all(word.isascii() and word.isdigit() and len(word) < 6 for word in numbers):
        raise PydanticCustomError("bars", "'{word}' is no bar or span of bars", {"word": text, "cure": "write 17-24"})
    if not int(numbers[0]) <= int(numbers[1]):
        raise PydanticCustomError("bars", "bars {word} end before they begin", {"word": text, "cure": "write 17-24"})
    return text


class SectionModel(StrictModel):
    """Bars of one cue in which a role is asked to be in certain players' hands."""

    bars: Annotated[str, BeforeValidator(_bars)] = Field(
        description='Bars as printed (an upbeat is 0), both included: "17-24" or "17".'
    )
    role: Literal["melody", "counter-melody", "bass", "harmony", "figuration"] = Field(description="The role.")
    give: Annotated[list[Colour], Field(min_length=1, max_length=8)] = Field(
        description="Families, instruments or seats that are to have it."
    )


class Overrides(StrictModel):
    """What a preset changes. Mappings are merged, lists replaced."""

    forces: ForcesChanges = Field(default_factory=lambda: ForcesChanges())
    style: StyleBody = Field(default_factory=lambda: StyleBody())
    sections: Annotated[list[SectionModel], Field(max_length=200)] = Field(
        default_factory=list, description="Wishes for some bars of one cue; those of the caller come after the file's."
    )
    keep: Annotated[list[Annotated[str, Field(min_length=1, max_length=200)]], Field(max_length=64)] = Field(
        default_factory=list, description="Parts of the cue, by name or number from 1, that stay as they are."
    )


class PresetFile(StrictModel):
    """A file in presets/, or the user's own template: forces and style by name, by file or written out, and changes."""

    version: Literal[1] = Field(description="Version of this format.")
    title: Annotated[str, Field(max_length=80)] = Field(default="", description="Name for people.")
    description: Annotated[str, Field(max_length=1000)] = Field(default="", description="What it is for.")
    forces: Annotated[
        Annotated[Name, Tag("<name>")] | Annotated[ForcesBody, Tag("<inline>")], Discriminator(_branch)
    ] = Field(description="Id of shipped forces, a file beside this one (my-band.yaml), or forces written out.")
    style: Annotated[Annotated[Name, Tag("<name>")] | Annotated[StyleBody, Tag("<inline>")], Discriminator(_branch)] = (
        Field(description="Id of a shipped style, a file beside this one, or a style written out.")
    )
    overrides: Overrides = Field(default_factory=lambda: Overrides(), description="Changes to both.")


MODELS: dict[str, type[StrictModel]] = {
    "forces": ForcesFile,
    "style": StyleFile,
    "preset": PresetFile,
    "pattern": PatternFile,
}
INLINE: dict[str, type[StrictModel]] = {"forces": ForcesBody, "style": StyleBody}


def json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of every kind of template file."""
    schema = TypeAdapter[Any](ForcesFile | StyleFile | PresetFile | PatternFile).json_schema(by_alias=True)
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "rescore-music orchestration template",
        "description": "Forces (who plays), a style (how they play), a preset that names one of each, or a pattern.",
    }
    return head | schema
