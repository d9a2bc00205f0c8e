"""What is written is valid MusicXML: checked against the 3.1 schema that partitura ships.

The one thing written that 3.1 does not know, `direction/@system`, came with 4.0 and is taken off before the check. The
schema imports two small ones by address; they stand here so that nothing is fetched.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
from lxml import etree

import rescore_music as rm
from rescore_music.io.musicxml.write import musicxml_bytes
from rescore_music.resources import samples_dir

XS = "http://www.w3.org/2001/XMLSchema"
XML = "http://www.w3.org/XML/1998/namespace"
XLINK = "http://www.w3.org/1999/xlink"
ATTRIBUTES = {
    "xml": (XML, {"lang": "language", "space": "NCName"}),
    "xlink": (XLINK, dict.fromkeys(("href", "type", "role", "title", "show", "actuate"), "string")),
}


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> etree.XMLSchema:
    folder = tmp_path_factory.mktemp("schema")
    for name, (space, attributes) in ATTRIBUTES.items():
        rows = "".join(f'<xs:attribute name="{key}" type="xs:{kind}"/>' for key, kind in attributes.items())
        text = f'<xs:schema xmlns:xs="{XS}" targetNamespace="{space}">{rows}</xs:schema>'
        (folder / f"{name}.xsd").write_text(text)
    package = find_spec("partitura")
    assert package is not None
    assert package.origin is not None
    tree = etree.parse(str(Path(package.origin).parent / "assets" / "musicxml.xsd"))
    for found in tree.iterfind(f"{{{XS}}}import"):
        found.set("schemaLocation", f"{'xml' if found.get('namespace') == XML else 'xlink'}.xsd")
    tree.write(str(folder / "musicxml.xsd"))
    return etree.XMLSchema(etree.parse(str(folder / "musicxml.xsd")))


def complaints(schema: etree.XMLSchema, score: rm.Score) -> list[str]:
    root = etree.fromstring(musicxml_bytes(score))
    for direction in root.iter("direction"):
        direction.attrib.pop("system", None)
    schema.validate(root)
    return [f"line {e.line}: {e.message}" for e in schema.error_log]


@pytest.mark.parametrize("template", ["symphony/romantic-film", "brass-band/epic-hybrid", "chiptune/eight-bit"])
@pytest.mark.parametrize("cue", ["hero_theme.mid", "chase.mid", "love_theme.musicxml", "pixel_loop.mid"])
def test_what_is_orchestrated_is_valid(cue: str, template: str, schema: etree.XMLSchema) -> None:
    score = rm.orchestrate(rm.read_score(samples_dir() / cue), template, 1)[0].score
    assert complaints(schema, score) == []


def test_real_scores_are_written_valid(shared_data: Path, schema: etree.XMLSchema) -> None:
    paths = [shared_data / "openscore_orchestra" / f"{name}.mxl" for name in ("Beethoven_Op.21_3", "Bach_BWV.1048_2")]
    paths += sorted((shared_data / "game_midi").glob("*.mid"))[::35]
    for path in paths:
        assert complaints(schema, rm.read_score(path)) == [], path.name


def test_the_check_can_fail(schema: etree.XMLSchema) -> None:
    root = etree.fromstring(b'<score-partwise version="4.0"><part-list/></score-partwise>')
    assert not schema.validate(root)
