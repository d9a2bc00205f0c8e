"""What `rescore` wrote, read back for the stage: score, sound and where the hits landed.

Conventions: the folder of `rescore -o`: score.mid, score.musicxml, mix.wav, stems/ and report.json, whose hits are
ticks of score.mid.
Without report.json the hits are held against the score.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from rescore_music.audio import Rendering
from rescore_music.errors import ReadError
from rescore_music.io import read_bytes, read_score
from rescore_music.io.wav import read_audio
from rescore_music.score import Score
from rescore_music.syncing.result import Landing, Skipped


@dataclass(frozen=True, eq=False)
class Rescored:
    """A folder's content.

    `hits` is None where the folder does not tell; `written` is the score as `rescore` printed it, hits and timecode
    over the system, where it synced one; `start` the timecode of its first sample, where syncing moved it.
    """

    score: Score
    rendering: Rendering | None
    hits: tuple[Landing, ...] | None
    skipped: tuple[Skipped, ...] = ()
    written: Score | None = None
    start: str = ""


def read_rescored(folder: str | Path) -> Rescored:
    """Read a folder that `rescore` wrote.

    Raises
    ------
    ReadError
        If there is no score.mid in it, or a file is damaged.
    """
    place = Path(folder)
    if not (place / "score.mid").is_file():
        raise ReadError("there is no score.mid in this folder", file=place, cure="name a folder that rescore wrote")
    score = read_score(place / "score.mid")
    hits, skipped, names, start = _told(place / "report.json")
    rendering = None
    if (place / "mix.wav").is_file():
        mix, paths = read_audio(place / "mix.wav"), sorted((place / "stems").glob("*.wav"))
        if len(names) != len(paths):
            names = [(path.stem.partition("-")[2] or path.stem).replace("-", " ") for path in paths]
        stems = {name: read_audio(path).samples for name, path in zip(names, paths, strict=True)}
        rendering = Rendering(mix.samples, stems, mix.rate)
    printed = place / "score.musicxml"
    written = read_score(printed) if hits is not None and printed.is_file() else None
    return Rescored(score, rendering, hits, skipped, written, start)


def _told(report: Path) -> tuple[tuple[Landing, ...] | None, tuple[Skipped, ...], list[str], str]:
    """Landings, skipped hits, names of the stems, and the start."""
    if not report.is_file():
        return None, (), [], ""
    try:
        said = json.loads(read_bytes(report))
        sync, names = said["sync"], [str(name) for name in (said["audio"] or {}).get("stems", ())]
        if sync is None:
            return None, (), names, ""
        hits, skipped = _made(Landing, sync["hits"]), _made(Skipped, sync["skipped"])
        return hits, skipped, names, str(sync.get("start") or "")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ReadError("this is no report of rescore", file=report, cure="rescore again, or take it away") from error


def _made(kind: Any, rows: list[dict[str, Any]]) -> tuple[Any, ...]:
    names = {field.name for field in fields(kind)}
    return tuple(kind(**{key: value for key, value in row.items() if key in names}) for row in rows)
