"""Text of MIDI files: told apart by all strings of a file together, never mojibake where the evidence is clear."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from midi_files import SCALE, meta, midi, track

from rescore_music.io.encoding import Encodings, decode_name, decode_text
from rescore_music.io.midi.read import read_midi

# names as sequencers show them, one file a row
FILES = {
    "german": ("cp1252", ["Flöte", "Klavier rechts", "Kontrabaß", "Hörner in F", "Große Trommel", "Bratsche"]),
    "french": ("cp1252", ["Flûte traversière", "Hautbois", "Timbales", "Mélodie", "Caisse claire", "Chœur"]),
    "spanish": ("cp1252", ["Percusión", "Guitarra española", "Bajo", "Título: Mañana", "Violín", "Corazón"]),
    "portuguese": ("cp1252", ["Percussão", "Violão", "Canção sem nome", "Baixo", "Refrão"]),
    "swedish": ("cp1252", ["Spår 1", "Spår 2", "Blås", "Stråkar", "Trummor"]),
    "danish": ("cp1252", ["Fløjte", "Trompet", "Bækken", "Kør", "Strygere"]),
    "rights": ("cp1252", ["Copyright © 2010 Somebody", "Piano", "Bass"]),
    "german, DOS": ("cp850", ["Flöte", "Hörner", "Streicher", "Bässe", "Für Elise", "Große Trommel"]),
    "french, Macintosh": ("mac_roman", ["Flûte", "Mélodie", "Trompette bouchée", "Prélude nº 2", "Chœur"]),
    "polish": ("cp1250", ["Skrzypce", "Wiolonczela", "Fortepian", "Bęben wielki", "Pieśń wieczorna", "Flet głośny"]),
    "czech": ("cp1250", ["Housle", "Příčná flétna", "Klavír", "Bicí nástroje", "Žesťové nástroje", "Píseň"]),
    "hungarian": ("cp1250", ["Hegedű", "Zongora", "Kürt", "Ütőhangszerek", "Nagybőgő", "Fuvola"]),
    "russian": ("cp1251", ["Фортепиано", "Скрипка", "Бас", "Ударные", "Флейта", "Мелодия"]),
    "russian, capitals": ("cp1251", ["МЕЛОДИЯ", "БАРАБАНЫ", "БАС ГИТАРА", "ХОР"]),
    "ukrainian": ("cp1251", ["Скрипка", "Сопілка", "Бандура", "Пісня про рушник", "Ударні"]),
    "russian, Unix": ("koi8_r", ["Фортепиано", "Скрипка", "Бас", "Ударные", "Подмосковные вечера"]),
    "russian, DOS": ("cp866", ["Фортепиано", "Скрипка", "Бас", "Ударные", "Подмосковные вечера"]),
    "japanese": ("cp932", ["ピアノ右手", "弦楽器", "ベース", "ドラム", "メロディー", "第一楽章"]),
    "japanese, few kana": ("cp932", ["音色設定", "旋律", "伴奏", "打楽器"]),
    "japanese, halfwidth": ("cp932", ["ﾋﾟｱﾉ", "ﾄﾞﾗﾑ", "ｽﾄﾘﾝｸﾞｽ", "ﾍﾞｰｽ"]),
    "japanese, Unix": ("euc_jp", ["ピアノ", "ストリングス", "主旋律", "ベースギター"]),
    "chinese": ("gbk", ["钢琴", "小提琴", "二胡", "贝斯", "鼓组", "主旋律"]),
    "chinese, sentence": ("gbk", ["月亮代表我的心", "作曲：佚名", "伴奏"]),
    "chinese, traditional": ("big5", ["鋼琴", "小提琴", "電貝斯", "主旋律", "月亮代表我的心"]),
    "korean": ("cp949", ["피아노", "바이올린", "드럼", "베이스 기타", "멜로디", "현악 합주"]),
    "korean, song": ("cp949", ["고향의 봄", "보컬", "아리랑", "코러스"]),
    "unicode": ("utf-8", ["Flöte", "ピアノ", "Скрипка", "钢琴"]),
    "unicode, one name": ("utf-8", ["Hörner", "Piano"]),
    "wide unicode": ("utf-16", ["Flöte", "ピアノ"]),
}
# a name by itself: long enough to speak for itself
SINGLE = [
    ("cp1252", "Flöte"),
    ("cp1252", "Träume"),
    ("cp1252", "Café noir"),
    ("cp1252", "ÅÄÖ"),
    ("cp1251", "Скрипка"),
    ("cp1251", "Бас"),
    ("koi8_r", "Фортепиано"),
    ("cp932", "ピアノ"),
    ("cp932", "尺八ソロ"),
    ("gbk", "小提琴"),
    ("gbk", "钢琴"),
    ("big5", "小提琴獨奏"),
    ("cp949", "피아노"),
    ("cp949", "드럼"),
    ("euc_jp", "ストリングス"),
    ("cp1250", "Příčná flétna"),
]


def right(encoding: str, names: list[str]) -> list[bool]:
    data = [name.encode(encoding) for name in names]
    encodings = Encodings(data)
    return [encodings.line(d) == name for d, name in zip(data, names, strict=True)]


@pytest.mark.parametrize("kind", FILES)
def test_the_names_of_a_file_are_read_as_they_were_written(kind: str) -> None:
    encoding, names = FILES[kind]
    wrong = [name for name, ok in zip(names, right(encoding, names), strict=True) if not ok]
    assert wrong == []


@pytest.mark.parametrize(("encoding", "name"), SINGLE)
def test_a_single_name_is_read_as_it_was_written(encoding: str, name: str) -> None:
    assert decode_name(name.encode(encoding)) == name


def general_detector(data: list[bytes]) -> str:
    """What a detector made for whole documents says of the same bytes."""
    from charset_normalizer import from_bytes

    best = from_bytes(b"\n".join(data)).best()
    return "ascii" if best is None else best.encoding


def test_a_detector_for_documents_reads_fewer_of_these_files() -> None:
    pytest.importorskip("charset_normalizer")
    ours = theirs = 0
    for encoding, names in FILES.values():
        if encoding == "utf-16":
            continue
        data = [name.encode(encoding) for name in names]
        ours += all(right(encoding, names))
        found = general_detector(data)
        theirs += [d.decode(found, "replace") for d in data] == names
    assert ours > theirs


@given(st.lists(st.binary(max_size=40), max_size=8))
def test_any_strings_are_some_printable_text(strings: list[bytes]) -> None:
    encodings = Encodings(strings)
    for data in strings:
        text = encodings.text(data)
        assert all(c in "\n\r\t" or ord(c) >= 32 for c in text)
        text.encode("utf-8")


def test_a_long_flood_of_text_costs_no_more_than_a_page() -> None:
    start = time.process_time()
    encodings = Encodings(bytes((0x80 + i % 127, 0x81 + i % 113)) * 1000 for i in range(200))
    assert encodings.name
    assert time.process_time() - start < 2


def test_a_file_in_one_encoding_names_its_parts_markers_and_words_in_it() -> None:
    body = meta(3, "弦楽器".encode("cp932")) + meta(6, "間奏".encode("cp932")) + meta(5, "愛 ".encode("cp932")) + SCALE
    score = read_midi(midi(track(meta(3, "ピアノ".encode("cp932")) + SCALE), track(body)))
    assert [p.name for p in score.parts] == ["ピアノ", "弦楽器"]
    assert [m.text for m in score.markers] == ["間奏"]
    assert [m.text for m in score.marks if m.kind == "lyric"] == ["愛"]


def test_a_string_that_speaks_clearly_against_its_file_is_read_for_itself() -> None:
    names = [name.encode("cp932") for name in ("ピアノ", "ベース", "ドラムセット")]
    encodings = Encodings([*names, "Copyright © 2006 Somebody".encode("cp1252"), "Flöte".encode()])
    assert encodings.name == "cp932"
    assert encodings.line("Copyright © 2006 Somebody".encode("cp1252")) == "Copyright © 2006 Somebody"
    assert encodings.line("Flöte".encode()) == "Flöte"


def test_two_letters_that_are_also_utf8_follow_their_file() -> None:
    chinese = ["联通", "小提琴", "主旋律", "钢琴"]
    assert right("gbk", chinese) == [True] * 4


def test_escape_sequences_and_wide_text_are_told_by_their_own_grammar() -> None:
    assert decode_text("ピアノ".encode("iso2022_jp")) == "ピアノ"
    assert decode_name("Piano".encode("utf-16-le")) == "Piano"
    assert decode_name("Piano".encode("utf-16-be")) == "Piano"
    assert decode_name(b"Piano\0") == "Piano"
