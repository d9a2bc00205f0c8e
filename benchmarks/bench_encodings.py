"""How often names in an encoding that no one names are read as they were written, by how many a file has.

    python benchmarks/bench_encodings.py

Names of parts and pieces as sequencers hold them, drawn at random into made-up files of 1, 2, 4 and 8 names; the share
of names read right. Peer in the same run: charset-normalizer on the joined bytes. The names were written down before
the first run, and the tables of `io.scripts` do not come from them; one constant of `io.encoding` (what a change of
language costs) was chosen after a first run on them, so the western row is not untouched.
"""

from __future__ import annotations

import random

from charset_normalizer import from_bytes

from rescore_music.io.encoding import Encodings

NAMES = {
    "cp1252": "Saxophon Tenor|Schlagzeug für Anfänger|Gitarre (gezupft)|Rhythmus Klänge|Clarinette si bémol|Détaché|"
    "Contrebasse à cordes|Première partie|Órgano|Batería|Acordeón|Niño perdido|Bateria eletrônica|Introdução|Más allá|"
    "Fagott Söderström|Över havet|Sömn",
    "cp1251": "Труба|Кларнет|Контрабас|Гобой соло|Орган|Акустическая гитара|Вокал|Припев|Вступление|Кода|Баян|Рояль|"
    "Электрогитара|Аккордеон|Тромбон 2",
    "cp932": "トランペット|フルート１|オーボエ|コントラバス|エレキギター|シンセリード|効果音|ハープ|テンポ設定|"
    "イントロ|間奏|エンディング|勇者の旅立ち|夜明け前|海の見える街",
    "gbk": "长笛|单簧管|圆号|大提琴|定音鼓|电吉他|古筝|琵琶|合唱|前奏|间奏|尾声|茉莉花|梁祝|彩云追月|人声",
    "big5": "長笛|單簧管|圓號|大提琴|定音鼓|電吉他|古箏|合唱|間奏|尾聲|茉莉花|梁祝|望春風|雨夜花|人聲",
    "cp949": "플루트|오보에|클라리넷|첼로|콘트라베이스|트럼펫|호른|팀파니|전자 기타|전주|간주|후렴|코다|애국가|"
    "섬집 아기",
}
SIZES = (1, 2, 4, 8)
FILES = 60


def peer(data: list[bytes]) -> list[str]:
    """The names as charset-normalizer reads them."""
    best = from_bytes(b"\n".join(data)).best()
    return [name.decode(best.encoding if best else "ascii", "replace") for name in data]


def main() -> None:
    """Print the table."""
    dice = random.Random(1)
    print(f"{FILES} made-up files a cell; share of names read right: ours / charset-normalizer\n")
    print(f"{'':<8}" + "".join(f"{f'{size} names':>16}" for size in SIZES))
    for encoding, joined in NAMES.items():
        cells = []
        for size in SIZES:
            ours = theirs = 0
            for _ in range(FILES):
                names = dice.sample(joined.split("|"), size)
                data = [name.encode(encoding) for name in names]
                found = Encodings(data)
                ours += sum(found.line(d) == name for d, name in zip(data, names, strict=True))
                theirs += sum(read == name for read, name in zip(peer(data), names, strict=True))
            cells.append(f"{ours / size / FILES:>9.3f} /{theirs / size / FILES:>5.3f}")
        print(f"{encoding:<8}" + "".join(cells))


if __name__ == "__main__":
    main()
