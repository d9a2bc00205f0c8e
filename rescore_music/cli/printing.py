"""What the commands print: results on stdout, progress on stderr, nothing that a terminal would obey."""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # typing costs as much to import as everything else here
if TYPE_CHECKING:
    from typing import Any, TextIO


def say(text: object, *, file: TextIO | None = None, flush: bool = False) -> None:
    """Print what may quote files: nothing that a terminal would obey."""
    from rescore_music.errors import printable

    print(printable(str(text)), file=file, flush=flush)


def say_json(value: Any) -> None:
    """Print a value as JSON."""
    import json

    text = json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False)
    # JSON leaves a terminal some controls to obey
    say("".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text))


def say_measures(quality: Any) -> None:
    """Print the measures, one a line."""
    for m in quality.measures:
        value = "-" if m.value is None else f"{m.value:.4g}" if isinstance(m.value, float) else str(m.value)
        say(f"{m.name:<34} {value:>10} {m.unit}")


def progress(stage: str, share: float) -> None:
    """Tell on stderr what is being done."""
    say(f"[{share:4.0%}] {stage}", file=sys.stderr, flush=True)


def first_line(about: Any) -> str:
    """The first line of what a catalogue entry says."""
    text = about if isinstance(about, str) else getattr(about, "description", about)
    return str(text).strip().split("\n")[0]
