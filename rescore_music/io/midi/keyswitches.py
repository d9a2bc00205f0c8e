"""The text event by which a track tells its keyswitches: notes that choose a sound and are no music.

`switching` writes it, `meta` reads it: "keyswitches: 12 13; sound map ...".
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_LINE = re.compile(rb"keyswitches:((?: \d{1,3})+);")


def keyswitch_line(keys: Iterable[int], title: str) -> bytes:
    """The text that declares these keys."""
    return f"keyswitches: {' '.join(map(str, keys))}; sound map {title}".encode()


def keyswitch_keys(data: bytes) -> frozenset[int]:
    """The keys that a text declares; empty for any other text."""
    found = _LINE.match(data)
    return frozenset(int(key) for key in found[1].split() if int(key) < 128) if found else frozenset()
