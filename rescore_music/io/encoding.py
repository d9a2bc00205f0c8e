"""Text from files that do not say how it is encoded.

MIDI names no encoding. Files hold ASCII, UTF-8, Shift-JIS (Japanese sequencers) and Windows Latin. UTF-8 is told by
its own grammar. Shift-JIS is told by lead bytes 0x81 to 0x9F, which are control codes in Latin-1 and hold all kana and
the common kanji; two adjacent accented letters of a western name never look like that. The rest is Latin.
"""

from __future__ import annotations

import re

from rescore_music.io.limits import TEXT

_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")
_HALFWIDTH = re.compile(rb"[\x20-\x40\x5b-\x60\x7b-\x7e]*(?:[\xa1-\xdf]{3,}[\x20-\x40\x5b-\x60\x7b-\x7e]*)+")


def decode_text(data: bytes) -> str:
    """Text without control characters, at most `limits.TEXT` long; never fails.

    Examples
    --------
    >>> decode_text("Flöte".encode()), decode_text("Flöte".encode("latin-1")), decode_text("笛".encode("shift_jis"))
    ('Flöte', 'Flöte', '笛')
    """
    return _CONTROLS.sub("", _decode(data[: 4 * TEXT]))[:TEXT]


def decode_name(data: bytes) -> str:
    """Text on one line, its white space collapsed: a name or title."""
    return " ".join(decode_text(data).split())


def _decode(data: bytes) -> str:
    if data.isascii():
        return data.decode("ascii")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    try:
        text = data.decode("cp932")  # Shift-JIS with the extensions that Japanese files use
        if _is_japanese(data, text):
            return text
    except UnicodeDecodeError:
        pass
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _is_japanese(data: bytes, text: str) -> bool:
    # half-width kana hold letters in 0xB1 to 0xBF, where Latin has signs; "ÅÄÖ" has none
    if _HALFWIDTH.fullmatch(data) and any(0xB1 <= byte <= 0xBF for byte in data):
        return True
    wide = [c for c in text if ord(c) > 0xFF]
    leads = sum(c.encode("cp932")[0] <= 0x9F for c in wide if not 0xFF61 <= ord(c) <= 0xFF9F)
    # "Piano…" in Windows Latin holds one byte of the lead range; a Japanese name holds letters of its script
    return leads > 0 and any("\u3040" <= c <= "\u30ff" or "\u4e00" <= c <= "\u9fff" for c in wide)
