"""Write docs/template.schema.json from the models: run `python docs/make_schema.py` after changing them."""

from __future__ import annotations

import json
from pathlib import Path

from rescore_music.template.schema import json_schema

TARGET = Path(__file__).with_name("template.schema.json")


def text() -> str:
    """The schema as it stands in the file."""
    return json.dumps(json_schema(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
