"""Text from files that do not say how it is encoded: which of a dozen encodings a file's strings were written in.

MIDI names no encoding. Files hold ASCII, UTF-8, and whatever the sequencer's machine used: Windows Latin, Shift-JIS,
the Cyrillic, Chinese and Korean code pages, and those of DOS and the Macintosh. UTF-8 and UTF-16 are told by their own
grammar. Of the others, each reads almost any bytes as *some* characters, so the question is which characters a person
would have written: every reading is given the logarithm of its likelihood, from the letters and characters frequent in
each script (`scripts`), the case of letters, and what stands beside what.

Convention: the evidence is pooled over all strings of a file (`Encodings`); a single string is read otherwise only
where it speaks clearly against the rest. Short single strings stay uncertain: two letters are two letters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from math import log

from rescore_music.io import scripts
from rescore_music.io.limits import TEXT

_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")
_POOLED = 4096  # bytes of a file's text that are weighed
_SWAY = 7.0  # nats by which a string must speak for another encoding than the rest of its file
_ASCII = -2.6  # a byte of plain text: a letter of some thirty
_NEVER = -14.0
_SWITCH = 3.0  # a line in another language than the others
_WIDE_SIGNS = frozenset(
    "　、。・ー「」『』（）【】《》〈〉！？：；，．～〜…‥―—“”‘’＃＆＋－／＝＊％♪★☆○●◎◇◆□■△▲▽▼→←↑↓♭♯〇々"
)

# natural logarithm of how often files of an encoding come by; the less common ones must earn it by their letters
_PRIORS = {
    "cp1252": 0.0,
    "cp932": -1.0,
    "cp1251": -2.5,
    "gbk": -2.5,
    "cp949": -2.5,
    "big5": -3.0,
    "cp1250": -2.0,
    "euc_jp": -4.0,
    "cp850": -4.5,
    "mac_roman": -5.0,
    "koi8_r": -4.5,
    "cp866": -5.0,
}


class Encodings:
    """How the strings of one file are encoded.

    Parameters
    ----------
    strings : iterable of bytes
        All texts of the file, in any order.
    said : str
        The encoding that the file itself names, as Python calls it; "" where it names none, as nearly all do.

    Attributes
    ----------
    name : str
        The encoding of the strings that are neither ASCII nor Unicode, as Python calls it; "" without any.
    """

    def __init__(self, strings: Iterable[bytes] = (), *, said: str = "") -> None:
        pooled, size = [], 0
        for data in dict.fromkeys(strings):
            if size < _POOLED and not data.isascii() and not _has_own_grammar(data):
                pooled.append(data[:_POOLED])
                size += len(data)
        whole = b"\n".join(pooled)
        totals = {name: prior + _likelihood(whole, name) for name, prior in _PRIORS.items()}
        self._sway = 3 * _SWAY if said else _SWAY
        self.name = said or (max(totals, key=lambda name: totals[name]) if pooled else "")

    def text(self, data: bytes) -> str:
        """Text without control characters, at most `limits.TEXT` long; never fails."""
        return _CONTROLS.sub("", self._decoded(data[: 4 * TEXT]))[:TEXT]

    def line(self, data: bytes) -> str:
        """Text on one line, its white space collapsed: a name or title."""
        return " ".join(self.text(data).split())

    def _decoded(self, data: bytes) -> str:
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            return data.decode("utf-16", "ignore")
        if data.isascii():
            if b"\x1b$" in data:
                return data.decode("iso2022_jp", "ignore")
            return _without_bom(data) or data.decode("ascii")
        wide = _without_bom(data)
        if wide:
            return wide
        if _is_utf8(data) and not (self.name and _is_short_utf8(data)):
            return data.decode("utf-8-sig")
        own = {name: prior + _likelihood(data, name) for name, prior in _PRIORS.items()}
        own[self.name or "cp1252"] += self._sway
        if _is_utf8(data):
            own["utf-8"] = self._sway + _likelihood(data, "utf-8")
        return data.decode(max(own, key=lambda name: own[name]), "replace").replace("\ufffd", "")


def decode_text(data: bytes) -> str:
    """A single text, judged by itself.

    Examples
    --------
    >>> decode_text("Flöte".encode()), decode_text("Flöte".encode("latin-1")), decode_text("笛の音".encode("shift_jis"))
    ('Flöte', 'Flöte', '笛の音')
    """
    return Encodings([data]).text(data)


def decode_name(data: bytes) -> str:
    """A single name or title on one line, judged by itself."""
    return Encodings([data]).line(data)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _is_short_utf8(data: bytes) -> bool:
    """Whether so little of it is beyond ASCII that another encoding's letters may look like UTF-8 by chance."""
    return sum(byte >= 0x80 for byte in data) <= 4 and not any(byte >= 0xE0 for byte in data)


def _has_own_grammar(data: bytes) -> bool:
    return data.startswith((b"\xff\xfe", b"\xfe\xff")) or bool(_without_bom(data)) or _is_utf8(data)


def _without_bom(data: bytes) -> str:
    """UTF-16 without a byte order mark, told by the zeros that every second byte of western text then is; else ""."""
    if len(data) < 4 or len(data) % 2 or b"\0" not in data:
        return ""
    low, high = data[0::2], data[1::2]
    for zeros, others, name in ((high, low, "utf-16-le"), (low, high, "utf-16-be")):
        if zeros.count(0) * 2 > len(zeros) and b"\0" not in others:
            return data.decode(name, "ignore")
    return ""


# -- likelihood ----------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def _likelihood(data: bytes, encoding: str) -> float:
    """Natural logarithm of how likely a person wrote these bytes in this encoding."""
    text = data.decode(encoding, "replace")
    cost, languages = _MODELS[encoding]
    total = _spelt(text, languages) if languages else 0.0
    for i, c in enumerate(text):
        if c < "\x80":
            total += _ASCII
        elif c == "\ufffd" or "\ue000" <= c <= "\uf8ff":
            total += 1.5 * _NEVER
        else:
            total += cost(text, i, c) + _rarity(c, encoding)
    return total


def _beside(text: str, i: int) -> tuple[str, str]:
    return text[i - 1] if i else " ", text[i + 1] if i + 1 < len(text) else " "


def _latin(text: str, i: int, c: str) -> float:
    """Latin letters, beside which one they are: mostly single ones among plain letters; signs stand at word edges."""
    before, after = _beside(text, i)
    if not c.isalpha() or c in "ªºƒˆµ":
        inside = before.isalpha() and after.isalpha() and c != "’"
        near = before.isalpha() or after.isalpha()
        if c in scripts.SIGNS or c == "\xa0":
            return _NEVER + 2 if inside else -5.0 if not near or c in "“”‘’«»„‚…®™°" else -8.0
        return _NEVER if near else -9.0
    out, small = 0.0, c.lower()
    if c != small and before.islower():
        out -= 5.0  # a capital inside a word
    elif c == small and before.isupper() and after.isupper():
        out -= 3.0
    if before > "\x7f" and before.isalpha():
        out -= 2.0 if c == small else 1.2
    return out


def _spelt(text: str, languages: tuple[frozenset[str], ...]) -> float:
    """What the letters beyond a to z cost: lines are mostly in one language, in which each letter is at home."""
    known = frozenset().union(*languages)
    costs = []
    for line in text.lower().split("\n"):
        letters = [c for c in line if c > "\x7f" and c.isalpha() and c not in "ªºƒˆµ"]
        if letters:
            foreign = [sum(-4.5 if c in known else -7.0 for c in letters if c not in own) for own in languages]
            costs.append([-4.0 * len(letters) + cost for cost in foreign])
    at_home = [max(line) for line in costs]
    return max(
        sum(max(line[i], best - _SWITCH) for line, best in zip(costs, at_home, strict=True))
        for i in range(len(languages))
    )


def _cyrillic(text: str, i: int, c: str) -> float:
    before, after = _beside(text, i)
    small = c.lower()
    if small in scripts.RUSSIAN:
        out = log(scripts.RUSSIAN[small] / 100)
    elif small in scripts.FURTHER_CYRILLIC:
        out = -6.5
    else:
        inside = before.isalpha() and after.isalpha()
        return _NEVER if inside or c not in scripts.SIGNS else -6.0
    if c != small:
        out -= 5.0 if before.islower() else 0.5
    elif before.isupper() and i > 1 and text[i - 2].isupper() and before > "\x7f":
        out -= 3.0  # a small letter after two capitals
    for neighbour in (before, after):
        if neighbour < "\x80" and neighbour.isalpha():
            out -= 3.0  # letters of two alphabets in one word
    return out


def _wide(common: frozenset[str], kana: float, hangul: float) -> Callable[[str, int, str], float]:
    """Double-byte characters; `kana` and `hangul` are what those of a frequent sort cost."""

    def cost(text: str, i: int, c: str) -> float:
        if c in common:
            return -5.6 if c < "\uac00" else hangul
        if "\u3041" <= c <= "\u30fc":
            return kana
        if "\uff61" <= c <= "\uff9f":
            before, after = _beside(text, i)
            alone = not any("\uff61" <= n <= "\uff9f" for n in (before, after))
            return _NEVER if alone else -4.6
        if c in _WIDE_SIGNS or "\uff10" <= c <= "\uff5a":
            return -7.0
        if "\uac00" <= c <= "\ud7a3":
            return -9.0
        return -9.5 if "\u4e00" <= c <= "\u9fff" else -12.0

    return cost


def _rarity(c: str, encoding: str) -> float:
    """What a character costs more because its code page puts it among the rare ones."""
    if not "\u4e00" <= c <= "\u9fff" and not "\uac00" <= c <= "\ud7a3":
        return 0.0
    code = c.encode(encoding)
    if encoding == "utf-8" or len(code) < 2:
        return 0.0
    lead, trail = code[0], code[1]
    if encoding == "cp932":
        return 0.0 if lead < 0x98 else -3.0
    if encoding == "big5":
        return 0.0 if lead < 0xC9 else -3.0
    if lead < 0xA1 or trail < 0xA1:
        return -5.0  # additions to the national standard
    last = {"gbk": 0xD7, "euc_jp": 0xCF, "cp949": 0xC8}[encoding]
    return 0.0 if lead <= last else -3.0


_NO_LANGUAGES: tuple[frozenset[str], ...] = ()
_JAPANESE = _wide(scripts.KANJI, -4.4, -12.0)
_MODELS: dict[str, tuple[Callable[[str, int, str], float], tuple[frozenset[str], ...]]] = {
    "utf-8": (_latin, scripts.WESTERN),
    "cp1252": (_latin, scripts.WESTERN),
    "cp850": (_latin, scripts.WESTERN),
    "mac_roman": (_latin, scripts.WESTERN),
    "cp1250": (_latin, scripts.CENTRAL),
    "cp1251": (_cyrillic, _NO_LANGUAGES),
    "koi8_r": (_cyrillic, _NO_LANGUAGES),
    "cp866": (_cyrillic, _NO_LANGUAGES),
    "cp932": (_JAPANESE, _NO_LANGUAGES),
    "euc_jp": (_JAPANESE, _NO_LANGUAGES),
    "gbk": (_wide(scripts.HANZI_SIMPLIFIED, -11.0, -12.0), _NO_LANGUAGES),
    "big5": (_wide(scripts.HANZI_TRADITIONAL, -11.0, -12.0), _NO_LANGUAGES),
    "cp949": (_wide(scripts.HANGUL, -11.0, -5.4), _NO_LANGUAGES),
}
