"""XML that a program wrote a little wrong: characters XML has no room for, bytes of another encoding, text around it.

Exports of older notation programs hold vertical tabs and other control characters in their texts, say UTF-8 and mean
Windows Latin, leave a lone ampersand, or stand between blanks and zeros. What they mean is plain; each repair is told.
A document that cannot be parsed as it stands is mended once, and parsed again by the same rules.
"""

from __future__ import annotations

import re

from rescore_music.io.limits import XML_MENDED

_BREAK = re.compile("[\x0b\x0c]|&#(?:11|12|x0?[bBcC]);")  # how word processors break a line
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_REFERENCE = re.compile(r"&#(?:(\d{1,9})|x([0-9A-Fa-f]{1,8}));")
_AMPERSAND = re.compile(r"&(?![A-Za-z_][\w.-]*;|#\d+;|#x[0-9A-Fa-f]+;)")
_STRAY = re.compile("[\udc80-\udcff]")
_DECLARED = re.compile(rb"^<\?xml[^>]*encoding\s*=\s*[\"']([A-Za-z0-9._-]+)[\"']")


def mended(data: bytes) -> tuple[bytes, dict[str, int]]:
    """The document with what can be mended, and what was, with counts; empty where nothing was.

    Parameters
    ----------
    data : bytes
        In UTF-8, said or unsaid; documents in other encodings come back as they are.
    """
    start, end = data.find(b"<"), data.rfind(b">") + 1
    inside = data[start:end]
    said = _DECLARED.match(inside[:256])
    if start < 0 or len(data) > XML_MENDED or (said and said.group(1).upper() not in (b"UTF-8", b"UTF8")):
        return data, {}
    if b"\0" in inside[:64]:  # two bytes a character
        return data, {}
    around = len(data[:start].removeprefix(b"\xef\xbb\xbf")) + len(data[end:].strip())
    text, stray = _STRAY.subn(_windows_latin, inside.decode("utf-8", "surrogateescape"))
    text, breaks = _BREAK.subn(" ", text)
    text, control = _CONTROL.subn("", text)
    control += breaks + sum(not _legal(found) for found in _REFERENCE.finditer(text))
    text = _REFERENCE.sub(_legal, text)
    text, ampersands = _AMPERSAND.subn("&amp;", text)
    repairs = (
        ("bytes before or after the document, skipped", around),
        ("bytes that are not UTF-8, read as Windows Latin", stray),
        ("characters that XML has no room for, left out", control),
        ("ampersands that begin nothing, taken as written", ampersands),
    )
    return text.encode("utf-8"), {what: count for what, count in repairs if count}


def _windows_latin(found: re.Match[str]) -> str:
    return bytes((ord(found.group()) - 0xDC00,)).decode("cp1252", "replace")


def _legal(found: re.Match[str]) -> str:
    """A character reference, or nothing where XML has no such character."""
    code = int(found[1]) if found[1] else int(found[2], 16)
    legal = code in (9, 10, 13) or 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or 0x10000 <= code <= 0x10FFFF
    return found.group() if legal else ""
