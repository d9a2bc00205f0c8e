"""Values held against the models of a template, and what is wrong with them in a musician's words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from rescore_music.instruments import near

Checked = TypeVar("Checked", bound=BaseModel)


class Problem(Exception):
    """The first thing wrong with some values: where, what, cure; `key` when the key itself is wrong."""

    def __init__(self, keys: tuple[str | int, ...], what: str, cure: str, key: bool, more: int) -> None:
        self.keys, self.cure, self.key = keys, cure, key
        self.what = what + (f" (and {more} more)" if more else "")
        super().__init__(self.what)


def check(
    model: type[Checked],
    data: Any,
    *,
    seats: tuple[str, ...] = (),
    patterns: Mapping[str, tuple[str, ...]] | None = None,
) -> Checked:
    """Values as a model; `seats` and `patterns` are the names they may speak of (patterns with the roles they suit).

    Raises
    ------
    Problem
        With the first error in reading order, in a musician's words.
    """
    try:
        return model.model_validate(data, context={"seats": seats, "patterns": patterns})
    except ValidationError as error:
        found = error.errors(include_url=False)
        raise _problem(model, found[0], len(found) - 1) from None


def _problem(model: type[BaseModel], error: ErrorDetails, more: int) -> Problem:
    context, kind, given = error.get("ctx", {}), error["type"], error["input"]
    # "[key]" marks an error in a mapping's key; "<name>" and "<inline>" are the union's branches
    keys = tuple(step for step in error["loc"] if step not in ("<name>", "<inline>", "[key]"))
    on_key = "[key]" in error["loc"] or kind == "extra_forbidden"
    cure = str(context.get("cure", ""))
    if kind == "extra_forbidden":
        return Problem(keys, f"unknown key '{keys[-1]}'", near(str(keys[-1]), _siblings(model, keys[:-1])), True, more)
    if kind == "missing":
        return Problem(keys[:-1], f"'{keys[-1]}' is missing", "", False, more)
    if kind == "literal_error":
        allowed = tuple(filter(None, re.findall(r"'([^']*)'", str(context["expected"]))))
        what = f"'{given}' is not allowed here" if allowed else f"{given!r} is not {context['expected']}"
        return Problem(keys, what, near(str(given), allowed) if allowed else "", False, more)
    if "cure" in context or kind in ("range", "twice"):
        return Problem(keys, error["msg"], cure, on_key, more)
    shown = "a mapping" if isinstance(given, dict) else "a list" if isinstance(given, list) else repr(given)
    message = error["msg"].replace("Input should be", "should be")
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        union = (error["loc"] or ("",))[-1] == "<inline>"
        message = "should be a name or a mapping" if union else "should be a mapping"
    return Problem(keys, f"{message[:1].lower()}{message[1:]}, not {shown}", "", on_key, more)


def _siblings(model: type[BaseModel], keys: tuple[str | int, ...]) -> tuple[str, ...]:
    """The keys that are known at a place of a model."""
    models: list[type[BaseModel]] = [model]
    for step in keys:
        inner: list[type[BaseModel]] = []
        for at in models:
            for name, field in at.model_fields.items():
                if step in (name, field.alias):
                    inner += _models_in(field.annotation)
        models = inner or models  # a list index or a free key does not change the model
    return tuple(dict.fromkeys(field.alias or name for at in models for name, field in at.model_fields.items()))


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for part in get_args(annotation) for found in _models_in(part)]
