"""YAML with places: a template file as plain values, and the line and column of every key.

Only the safe loader is used, on files of limited size, depth and expansion; a key given twice is refused, because YAML
would silently keep the last. Lines and columns are counted from 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from rescore_music.errors import TemplateError

MAX_BYTES = 256 * 1024
MAX_DEPTH = 16
MAX_NODES = 20_000  # counted after aliases are expanded
MAX_DIGITS = 40  # of a whole number; in base 60 or 16 a long one cannot even be printed

try:
    from yaml import CSafeLoader as _Loader  # ten times faster; absent where PyYAML was built without libyaml
except ImportError:
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]

Keys = tuple[str | int, ...]


def key_path(keys: Keys) -> str:
    """("seats", 3, "instrument") -> "seats[3].instrument"."""
    text = ""
    for key in keys:
        text += f"[{key}]" if isinstance(key, int) else f".{key}" if text else str(key)
    return text


@dataclass(frozen=True, eq=False)
class Document:
    """One parsed file: its values and where they stand."""

    path: Path
    data: Any
    node: yaml.Node

    def place(self, keys: Keys, *, key: bool = False) -> tuple[int, int]:
        """Line and column of a value (of its key, with `key`), or of the nearest thing around it that exists."""
        node, mark = self.node, self.node.start_mark
        for step in keys:
            found = _child(node, step)
            if found is None:
                break
            name, node = found
            mark = name.start_mark if key else node.start_mark
        return mark.line + 1, mark.column + 1

    def error(self, what: str, keys: Keys = (), *, cure: str = "", key: bool = False) -> TemplateError:
        """An error that tells file, line, column and key path."""
        line, column = self.place(keys, key=key)
        where = f"line {line}, column {column}" + (f", {key_path(keys)}" if keys else "")
        return TemplateError(what, file=shown(self.path), where=where, cure=cure)


def shown(path: Path) -> str:
    """A path as an error tells it: shipped files from `templates/` on, wherever they are installed."""
    from rescore_music.resources import templates_dir

    root = templates_dir()
    return f"templates/orchestration/{path.relative_to(root).as_posix()}" if path.is_relative_to(root) else str(path)


def _child(node: yaml.Node, step: str | int) -> tuple[yaml.Node, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        return next((pair for pair in node.value if pair[0].value == str(step)), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step]
    return None


def read(path: Path) -> Document:
    """Read a template file; unchanged files are parsed once.

    Raises
    ------
    TemplateError
        If it cannot be read, is no YAML mapping, or is too large.
    """
    try:
        about = path.stat()
        if about.st_size > MAX_BYTES:
            raise TemplateError(f"larger than a template may be ({about.st_size} bytes)", file=shown(path))
        return _parsed(path, about.st_mtime_ns, about.st_size)
    except OSError as error:
        raise TemplateError(f"cannot be read: {error.strerror}", file=shown(path)) from error


@lru_cache(maxsize=256)
def _parsed(path: Path, changed_ns: int, size: int) -> Document:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise TemplateError("is not UTF-8 text", file=shown(path), where=f"byte {error.start}") from error
    try:
        _check_depth(text, path)
        loader = _Loader(text)
        node = loader.get_single_node()
        if not isinstance(node, yaml.MappingNode):
            raise TemplateError("holds no keys", file=shown(path), cure="a template is a mapping: version, title ...")
        _expanded(node, {}, path)
        return Document(path, loader.construct_document(node), node)
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(error, path) from error
    except (yaml.YAMLError, ValueError) as error:  # a date that does not exist is a ValueError of PyYAML's
        raise TemplateError(f"is no YAML: {error}", file=shown(path)) from error


def _syntax_error(error: yaml.MarkedYAMLError, path: Path) -> TemplateError:
    mark = error.problem_mark or error.context_mark
    where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
    return TemplateError(f"is no YAML: {error.problem or error.context}", file=shown(path), where=where)


def _check_depth(text: str, path: Path) -> None:
    """Refuse deep nesting before the recursive parts of PyYAML meet it."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                where = f"line {event.start_mark.line + 1}" if event.start_mark else ""
                raise TemplateError(f"nested more than {MAX_DEPTH} deep", file=shown(path), where=where)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _expanded(node: yaml.Node, known: dict[int, int], path: Path) -> int:
    """Nodes under a node with aliases expanded; refuses duplicate keys, loops and explosions."""
    if id(node) in known:
        count = known[id(node)]
        if count < 0:
            raise TemplateError("an alias contains itself", file=shown(path), where=f"line {node.start_mark.line + 1}")
        return count
    known[id(node)] = -1
    count = 1
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for name, value in node.value:
            if isinstance(name, yaml.ScalarNode) and name.value in seen:
                where = f"line {name.start_mark.line + 1}, column {name.start_mark.column + 1}"
                raise TemplateError(f"'{name.value}' is given twice", file=shown(path), where=where)
            seen.add(str(name.value))
            count += _expanded(name, known, path) + _expanded(value, known, path)
    elif isinstance(node, yaml.SequenceNode):
        count += sum(_expanded(item, known, path) for item in node.value)
    elif node.tag.endswith(":int") and len(node.value) > MAX_DIGITS:
        where = f"line {node.start_mark.line + 1}, column {node.start_mark.column + 1}"
        raise TemplateError(f"a number of more than {MAX_DIGITS} digits", file=shown(path), where=where)
    if count > MAX_NODES:
        raise TemplateError(f"more than {MAX_NODES} values once its aliases are expanded", file=shown(path))
    known[id(node)] = count
    return count
