"""Write the sample cues beside this file (or into --out): python samples/make_samples.py. Same bytes every time."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import chase
import hero_theme
import love_theme
import pixel_loop


def main() -> None:
    """Write the four cues and the chase's spotting list."""
    here = Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=here, help="folder to write into")
    folder: Path = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    for cue in (hero_theme, chase, love_theme, pixel_loop):
        print(cue.write(folder).name)
    print(chase.write_hits(folder).name)


if __name__ == "__main__":
    main()
