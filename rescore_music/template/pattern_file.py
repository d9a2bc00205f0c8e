"""Patterns by name: the shipped ones, and those a style or a preset brings, written out or in a file beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from rescore_music.errors import TemplateError
from rescore_music.instruments import near
from rescore_music.resources import templates_dir
from rescore_music.template.check import Problem, check
from rescore_music.template.located import Document, Keys, read
from rescore_music.template.pattern import KEEP, Pattern
from rescore_music.template.pattern_schema import PatternBody, PatternFile, pattern_of

_DEFAULT = ("harmony", "figuration")


class Patterns(Mapping[str, tuple[str, ...]]):
    """Every pattern that a style may name -> the roles it suits. Shipped files are read when they are asked for."""

    def __init__(self, sources: Iterable[tuple[Any, Document | None, Keys]]) -> None:
        """`sources`: a style's unchecked `patterns`, the document it stands in, and the keys above it there."""
        self._own: dict[str, tuple[Any, Document | None, Keys]] = {}
        for mapping, document, base in sources:
            if isinstance(mapping, dict):
                self._own |= {str(name): (body, document, base) for name, body in mapping.items()}
        self._files: dict[str, tuple[Any, Document]] = {}

    def __getitem__(self, name: str) -> tuple[str, ...]:
        if name in self._own:
            body = self._own[name][0]
            if isinstance(body, str):
                body = self._beside(name)[0]
        elif name in _shipped():
            body = read(_shipped()[name]).data
        else:
            raise KeyError(name)
        roles = body.get("roles", _DEFAULT) if isinstance(body, dict) else ()
        return tuple(str(role) for role in roles) if isinstance(roles, list | tuple) else ()

    def __iter__(self) -> Iterator[str]:
        return iter({**_shipped(), **self._own})

    def __len__(self) -> int:
        return len({**_shipped(), **self._own})

    def _beside(self, name: str) -> tuple[Any, Document]:
        """The values of a pattern in a file of its own, checked."""
        if name not in self._files:
            file, document, base = self._own[name]
            path = Path(file) if document is None else document.path.parent / file
            try:
                found = read(path)
            except TemplateError as error:
                if document is None or path.is_file():
                    raise
                what = f"pattern file '{file}' {error.what}"
                raise document.error(what, (*base, name), cure=error.cure) from None
            self._files[name] = (_checked(found), found)
        return self._files[name]

    def built(self, name: str) -> Pattern:
        """A pattern that is known to be sound."""
        if name == "keep":
            return KEEP
        if name not in self._own:
            return shipped_pattern(name)
        body = self._own[name][0]
        if isinstance(body, str):
            return pattern_of(name, PatternFile.model_validate(self._beside(name)[0]))
        return pattern_of(name, PatternBody.model_validate(body))


def _shipped() -> dict[str, Path]:
    return _listed(templates_dir() / "patterns")


@lru_cache(maxsize=4)
def _listed(folder: Path) -> dict[str, Path]:
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def _checked(document: Document) -> Any:
    try:
        check(PatternFile, document.data)
    except Problem as problem:
        raise document.error(problem.what, problem.keys, cure=problem.cure, key=problem.key) from None
    return document.data


def shipped_pattern(name: str) -> Pattern:
    """A pattern of templates/orchestration/patterns by its name.

    Raises
    ------
    TemplateError
        If there is none of this name, or its file says something it may not.
    """
    if name == "keep":
        return KEEP
    path = _shipped().get(name)
    if path is None:
        raise TemplateError(f"unknown pattern '{name}'", cure=near(name, ("keep", *_shipped())))
    return _built(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=256)
def _built(path: Path, changed_ns: int) -> Pattern:
    document = read(path)
    return pattern_of(path.stem, PatternFile.model_validate(_checked(document)))
