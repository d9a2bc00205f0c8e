"""What a sound map's file may say: types and bounds of every key. Used by `sound_map` alone."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from rescore_music.instruments import pitch_number


def _key(value: object) -> int:
    if isinstance(value, str):
        return pitch_number(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError("a keyswitch is a note name (C0) or a MIDI number")


def _several(value: object) -> object:
    return value if isinstance(value, list) else [value]


Value = Annotated[int, Field(ge=0, le=127)]
Controller = Annotated[int, Field(ge=0, le=119)]  # the others are channel modes: they end notes
Keyswitch = Annotated[int, BeforeValidator(_key), Field(ge=0, le=127)]
Milliseconds = Annotated[float, Field(ge=0, le=1000)]


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Velocity(_Closed):
    """How much louder than written."""

    scale: Annotated[float, Field(ge=0.1, le=4.0)] = 1.0
    add: Annotated[int, Field(ge=-126, le=126)] = 0


class Technique(_Closed):
    """How one articulation is called."""

    program: Value | None = None
    bank: int = Field(0, ge=0, le=16383)
    keyswitch: Annotated[list[Keyswitch], BeforeValidator(_several), Field(max_length=4)] = []
    controls: dict[Controller, Value] = {}
    velocity: Velocity = Velocity()
    length: float | None = Field(None, gt=0, le=4.0)
    latency: Milliseconds | None = None


class Follow(_Closed):
    """A controller that follows loudness."""

    controller: Controller
    softest: Value = 1
    loudest: Value = 127


class UseOf(_Closed):
    """One entry of `instruments`."""

    plays: Annotated[list[str], Field(alias="for", min_length=1)]
    articulations: dict[str, Technique] = Field(min_length=1)
    dynamics: Follow | None = None
    latency: Milliseconds = 0.0


class SoundMapFile(_Closed):
    """A whole file."""

    version: Literal[1]
    title: str = Field(min_length=1, max_length=200)
    about: str = Field("", max_length=1000)
    switch_lead: Milliseconds = 20.0
    keyswitch_velocity: int = Field(100, ge=1, le=127)
    instruments: list[UseOf] = Field(min_length=1)
