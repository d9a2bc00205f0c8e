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
from rescore_music.syncing.result import Landing, Passage, Skipped


@dataclass(frozen=True, eq=False)
class Rescored:
    """A folder's content.

    `hits` is None where the folder does not tell; `written` is the score as `rescore` printed it, hits and timecode
    over the system, where it synced one; `start` the timecode of its first sample, where syncing moved it;
    `remarks` what syncing did to bars and spans.
    """

    score: Score
    rendering: Rendering | None
    hits: tuple[Landing, ...] | None
    skipped: tuple[Skipped, ...] = ()
    written: Score | None = None
    start: str = ""
    remarks: tuple[str, ...] = ()


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
    told = _told(place / "report.json")
    rendering = None
    if (place / "mix.wav").is_file():
        mix, paths = read_audio(place / "mix.wav"), sorted((place / "stems").glob("*.wav"))
        names = list(told.names)
        if len(names) != len(paths):
            names = [(path.stem.partition("-")[2] or path.stem).replace("-", " ") for path in paths]
        stems = {name: read_audio(path).samples for name, path in zip(names, paths, strict=True)}
        rendering = Rendering(mix.samples, stems, mix.rate)
    printed = place / "score.musicxml"
    written = read_score(printed) if told.hits is not None and printed.is_file() else None
    return Rescored(score, rendering, told.hits, told.skipped, written, told.start, told.remarks)


@dataclass(frozen=True)
class _Told:
    """What report.json says: see `Rescored`; `names` are those of the stems."""

    hits: tuple[Landing, ...] | None = None
    skipped: tuple[Skipped, ...] = ()
    names: tuple[str, ...] = ()
    start: str = ""
    remarks: tuple[str, ...] = ()


def _told(report: Path) -> _Told:
    if not report.is_file():
        return _Told()
    try:
        said = json.loads(read_bytes(report))
        sync, names = said["sync"], tuple(str(name) for name in (said["audio"] or {}).get("stems", ()))
        if sync is None:
            return _Told(names=names)
        passages = _made(Passage, sync.get("passages", ()))
        remarks = (*(str(edit) for edit in sync.get("edits", ())), *(str(passage) for passage in passages))
        hits, skipped = _made(Landing, sync["hits"]), _made(Skipped, sync["skipped"])
        return _Told(hits, skipped, names, str(sync.get("start") or ""), remarks)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ReadError("this is no report of rescore", file=report, cure="rescore again, or take it away") from error


def _made(kind: Any, rows: list[dict[str, Any]]) -> tuple[Any, ...]:
    names = {field.name for field in fields(kind)}
    return tuple(kind(**{key: value for key, value in row.items() if key in names}) for row in rows)
