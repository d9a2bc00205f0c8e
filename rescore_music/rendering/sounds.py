"""Which sounds there are: the default SoundFont, and the preset that stands in for one a SoundFont lacks."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from rescore_music.errors import RenderError
from rescore_music.rendering.soundfont import SoundFont

PERCUSSION_BANK = 128


def default_sounds() -> Path:
    """The General MIDI SoundFont that stands inside the pretty_midi package (TimGM6mb, Tim Brechbill, GPL-2).

    It is used where it is, never copied.

    Raises
    ------
    RenderError
        If the package or the file in it is missing.
    """
    spec = importlib.util.find_spec("pretty_midi")  # finding does not import it
    if spec is not None and spec.origin:
        path = Path(spec.origin).parent / "TimGM6mb.sf2"
        if path.is_file():
            return path
    raise RenderError(
        "the default sounds (TimGM6mb.sf2 inside the pretty_midi package) are not installed",
        cure="pip install pretty_midi, or name a SoundFont with sounds=",
    )


def find_preset(font: SoundFont, program: int, bank: int, percussion: bool) -> tuple[int, int] | None:
    """The (bank, program) of the preset that plays a program: itself, or the nearest there is.

    `bank` is MSB * 128 + LSB as in `score.PROGRAM`; SoundFont banks are 0 to 127, 128 for percussion. Asked in turn:
    the MSB's bank, the LSB's, bank 0; then the program's General MIDI family (eights), nearest first; for percussion
    the kit's family head, then the standard kit. None where the SoundFont has nothing of the kind.
    """
    if percussion:
        wanted = [(PERCUSSION_BANK, p) for p in (program, program & ~7, 0)]
    else:
        banks = dict.fromkeys([bank >> 7, bank & 127, 0])
        family = sorted(range(program & ~7, (program & ~7) + 8), key=lambda p: (abs(p - program), p))
        wanted = [(b, program) for b in banks] + [(0, p) for p in family]
    for key in wanted:
        if key in font.presets:
            return key
    rest = [key for key in font.presets if (key[0] == PERCUSSION_BANK) == percussion]
    return min(rest, key=lambda key: (abs(key[1] - program), key[0], key[1]), default=None)
