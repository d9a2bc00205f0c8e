"""A result as files: score.mid, score.musicxml, mix.wav, stems/, report.json, report.html in one folder.

Everything is written beside the goal and moved in at the end, report.json last: a folder whose report.json tells the
request's provenance is whole, whatever killed the run before.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rescore_music.errors import WriteError

if TYPE_CHECKING:
    from rescore_music.audio import Rendering
    from rescore_music.pipeline import Result
    from rescore_music.score import Score

REPORT = "report.json"
_BESIDE = ".rescore-"
OWN = ("score.mid", "score.musicxml", "mix.wav", "stems", "report.html", REPORT)  # moved in this order


@contextmanager
def delivering(out: str | Path | None) -> Iterator[Callable[[Result], None]]:
    """Yield a function that puts a result into the folder `out` (or does nothing when it is None).

    The folder is proved writable before the work starts; if the work fails, nothing is left behind.

    Raises
    ------
    WriteError
        If the folder cannot be made or written.
    """
    if out is None:
        yield lambda result: None
        return
    goal = Path(out)
    made = _make(goal)
    try:
        with tempfile.TemporaryDirectory(prefix=_BESIDE, dir=goal) as beside:
            yield lambda result: _deliver(result, Path(beside), goal)
    except BaseException:  # an interrupt too must leave nothing behind
        for folder in made:
            shutil.rmtree(folder, ignore_errors=True)
        raise


def _make(goal: Path) -> list[Path]:
    """Make the folder; return the outermost folder that was made, to be taken back on failure."""
    missing = [p for p in (goal, *goal.parents) if not p.exists()]
    try:
        goal.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=goal):
            pass
    except OSError as error:
        for folder in missing[-1:]:
            shutil.rmtree(folder, ignore_errors=True)
        raise WriteError(
            f"cannot write into this folder: {error.strerror or error}", file=goal, cure="choose another with -o"
        ) from error
    return missing[-1:]


def _deliver(result: Result, beside: Path, goal: Path) -> None:
    from rescore_music.io import write_audio, write_score
    from rescore_music.view.report import report_html

    write_score(result.score, beside / "score.mid", sound_map=result.settings.sound_map)
    write_score(_annotated(result), beside / "score.musicxml")
    if result.rendering is not None:
        write_audio(result.rendering, beside / "mix.wav")
        write_stems(result.rendering, beside / "stems")
    (beside / "report.html").write_text(report_html(result), encoding="utf-8")
    (beside / REPORT).write_text(
        json.dumps(report(result), indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8"
    )
    (goal / REPORT).unlink(missing_ok=True)  # the old report must not vouch for new files
    for name in OWN:
        old, new = goal / name, beside / name
        if old.is_dir():
            shutil.rmtree(old)
        elif name != REPORT:
            old.unlink(missing_ok=True)
        if new.exists():
            new.replace(old)
    for left in goal.glob(f"{_BESIDE}*"):  # by a run that was killed
        if left != beside:
            shutil.rmtree(left, ignore_errors=True)


def _annotated(result: Result) -> Score:
    """The score as it is rehearsed: rehearsal marks at its sections, hits and timecode where it was synced."""
    from rescore_music.view.annotations import with_hits, with_rehearsal_marks

    score = with_rehearsal_marks(result.score, result.analysis)
    if result.synced is None:
        return score
    cues = result.cues
    if cues is None:
        return with_hits(score, result.synced)
    return with_hits(score, result.synced, rate=cues.rate, start=cues.start)


def write_stems(rendering: Rendering, folder: Path) -> list[Path]:
    """Write one WAV a part, numbered in score order; returns the paths.

    Raises
    ------
    WriteError
        If the folder cannot be made or written.
    """
    from rescore_music.audio import Audio
    from rescore_music.io import write_audio

    _make(folder)
    paths = []
    for number, (name, samples) in enumerate(rendering.stems.items(), 1):
        paths.append(folder / f"{number:02d}-{file_name(name)}.wav")
        write_audio(Audio(samples, rendering.rate), paths[-1])
    return paths


def file_name(text: str) -> str:
    """A part's name as a file name: letters, digits, dots and dashes."""
    return re.sub(r"[^\w.-]+", "-", text).strip("-.") or "part"


def report(result: Result) -> dict[str, Any]:
    """The result as one JSON object: docs/report.schema.json tells its fields."""
    from rescore_music.view.decisions import rows_of

    score, source = result.score, result.source
    seats = result.template.forces.seats
    return {
        "version": 1,
        "provenance": dict(result.provenance),
        "request": {
            "cue": result.path,
            "sections": [
                {"bars": f"{s.first}-{s.last}", "role": s.role.name.lower().replace("_", "-"), "give": list(s.give)}
                for s in result.template.sections
            ],
            "keep": list(result.template.keep),
        },
        "seconds": {stage: round(seconds, 4) for stage, seconds in result.seconds.items()},
        "source": _summary(source),
        "result": _summary(score),
        "import_log": [_item(i) for i in source.import_log],
        "orchestration_log": [_item(i) for i in result.chosen.log],
        "assignments": [
            {
                "phrase": a.phrase,
                "line": a.line,
                "seat": seats[a.seat].id,
                "octaves": a.octaves,
                "doubling": a.doubling,
            }
            for a in result.chosen.assignments
        ],
        **rows_of(result),
        "candidates": [
            {
                "first_rank": c.rank,
                "cost": c.cost,
                "terms": dict(c.terms),
                "rescored": c.rescored,
                "features": dict(c.features),
            }
            for c in result.candidates
        ],
        "second_pass": None if result.second_pass is None else result.second_pass.as_dict(),
        "sync": None if result.synced is None else result.synced.as_dict(),
        "quality": result.quality.as_dict(),
        "audio": None
        if result.rendering is None
        else {
            "backend": result.rendering.backend,
            "rate": result.rendering.rate,
            "seconds": len(result.rendering.mix) / result.rendering.rate,
            "stems": list(result.rendering.stems),
            "notices": list(result.rendering.notices),
        },
    }


def _summary(score: Any) -> dict[str, Any]:
    return {
        "title": score.metadata.title,
        "composer": score.metadata.composer,
        "notes": len(score.notes),
        "parts": [p.name for p in score.parts],
        "bars": len(score.bars) - 1,
        "seconds": score.duration,
        "digest": score.digest(),
    }


def _item(item: Any) -> dict[str, Any]:
    return {"where": item.where, "what": item.what, "count": item.count, "lost": item.lost}
