"""The straight line on the shipped cues and on real music: what it promises a musician."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

import rescore_music as rm
from rescore_music.cues import Cues, Hit
from rescore_music.resources import samples_dir

FORCES = ("symphony", "string-orchestra", "wind-quintet", "brass-band", "chamber-nine", "chiptune")
STYLES = ("romantic-film", "baroque", "minimalist", "epic-hybrid", "eight-bit")
SILENT = rm.Settings(n=4, audio=False)


def kept(result: rm.Result, role: rm.Role) -> float:
    """Share of the notes a role is heard by whose tick and pitch class sound in the result."""
    source, score = result.source, result.score
    of = result.analysis.leading(source.notes, role)

    def keys(notes: np.ndarray) -> np.ndarray:
        return notes["onset"].astype(np.int64) * 12 + notes["pitch"] % 12

    return float(np.isin(keys(source.notes[of]), keys(score.notes)).mean()) if of.any() else 1.0


def check_promises(result: rm.Result) -> None:
    score = result.score
    assert kept(result, rm.Role.MELODY) == 1.0
    assert kept(result, rm.Role.BASS) == 1.0
    seats = {seat.name: seat for seat in result.template.forces.seats}
    for i, part in enumerate(score.parts):
        pitches = score.notes["pitch"][score.part_notes(i)]
        if len(pitches) and not part.percussion:
            assert seats[part.name].low <= pitches.min()
            assert pitches.max() <= seats[part.name].high
    sounding = np.unique(result.chosen.origin[result.chosen.origin >= 0])
    lost = len(result.source.notes) - len(sounding)
    assert lost <= sum(item.count for item in result.chosen.log if item.lost)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("forces", FORCES)
def test_all_thirty_combinations_keep_tune_and_bass(forces: str, style: str) -> None:
    check_promises(rm.rescore(samples_dir() / "chase.mid", template=f"{forces}/{style}", settings=SILENT))


@pytest.mark.parametrize("name", ["hero_theme.mid", "love_theme.musicxml", "pixel_loop.mid"])
def test_every_sample_for_every_forces(name: str) -> None:
    for forces in FORCES:
        check_promises(rm.rescore(samples_dir() / name, template=f"{forces}/romantic-film", settings=SILENT))


def test_beethoven_for_symphony_orchestra() -> None:
    from music21 import converter, corpus

    from rescore_music.io.musicxml.write import musicxml_bytes

    path = next(p for p in corpus.getWork("beethoven/opus18no1/movement1") if p.suffix == ".mxl")
    result = rm.rescore(path, template="symphony/romantic-film", settings=SILENT)
    check_promises(result)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = converter.parseData(musicxml_bytes(result.score).decode(), format="musicxml")
    assert len(again.parts) >= len(result.score.parts)


def test_real_game_cues_for_three_templates(shared_data: Path) -> None:
    cues = sorted((shared_data / "game_midi").glob("*.mid"))[::40]
    assert len(cues) > 4
    for cue in cues:
        for template in ("symphony/romantic-film", "wind-quintet/baroque", "chiptune/eight-bit"):
            check_promises(rm.rescore(cue, template=template, settings=SILENT))


@pytest.mark.parametrize("forces", ["symphony", "wind-quintet"])
def test_a_cue_of_drums_alone_is_kept_or_told(forces: str, tmp_path: Path) -> None:
    from rescore_music.score import note_rows

    drums = rm.Score(
        notes=note_rows([(240 * i, 120, 38, 90, 0) for i in range(16)]), parts=(rm.Part("Drums", percussion=True),)
    )
    result = rm.rescore(drums, template=f"{forces}/romantic-film", out=tmp_path / "out", settings=rm.Settings(top=0))
    check_promises(result)
    assert len(result.score.notes) == (16 if forces == "symphony" else 0)
    assert (tmp_path / "out" / "score.musicxml").exists()


RUN = """
import sys, rescore_music as rm
settings = rm.Settings(n=6, top=2, seed=3)
rm.rescore(sys.argv[1], template="chamber-nine/romantic-film", out=sys.argv[2], settings=settings)
"""


def digests(folder: Path) -> dict[str, str]:
    names = ("score.mid", "score.musicxml", "mix.wav")  # the reports tell the seconds spent
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}


def test_two_processes_give_the_same_bytes(tmp_path: Path) -> None:
    cue = samples_dir() / "pixel_loop.mid"
    for name in ("one", "two"):
        subprocess.run([sys.executable, "-c", RUN, str(cue), str(tmp_path / name)], check=True)
    assert digests(tmp_path / "one") == digests(tmp_path / "two")
    report = json.loads((tmp_path / "one" / "report.json").read_text())
    assert report["provenance"]["source"] == "pixel_loop.mid"
    assert report["second_pass"]
    stems = sorted((tmp_path / "one" / "stems").iterdir())
    assert len(stems) == len(report["audio"]["stems"])


def test_stems_sum_to_the_mix() -> None:
    result = rm.rescore(
        samples_dir() / "pixel_loop.mid", template="chiptune/eight-bit", settings=rm.Settings(n=2, top=0)
    )
    assert result.rendering is not None
    total = np.sum([s.astype(np.float64) for s in result.rendering.stems.values()], axis=0)
    assert np.abs(total - result.rendering.mix).max() < 1e-5


def test_the_public_face_is_all_there() -> None:
    for name in rm.__all__:
        assert getattr(rm, name) is not None
    assert set(rm._PUBLIC) | {"__version__"} == set(rm.__all__)
    with pytest.raises(AttributeError):
        rm.no_such_name  # noqa: B018


def test_cue_notes_are_printed_and_neither_played_nor_orchestrated():
    from rescore_music.io.midi.read import read_midi
    from rescore_music.io.midi.write import midi_bytes
    from rescore_music.score import Articulation, note_rows

    score = rm.read_score(samples_dir() / "pixel_loop.mid")
    cue = note_rows([(0, 480, 61, 80, 0), (480, 480, 63, 80, 0)])
    cue["articulation"] = int(Articulation.CUE)
    with_cue = score.replace(notes=np.concatenate([score.notes, cue]))
    assert len(with_cue.played.notes) == len(score.notes)
    assert score.played is score
    assert midi_bytes(with_cue) == midi_bytes(score)
    assert len(read_midi(midi_bytes(with_cue)).notes) == len(score.notes)
    silent = rm.render(score.replace(notes=cue), sample_rate=22050)
    assert not np.any(silent.mix)
    one = rm.orchestrate(with_cue, "wind-quintet/baroque", 1)[0].score
    assert one == rm.orchestrate(score, "wind-quintet/baroque", 1)[0].score


def test_bars_may_be_edited_for_the_hits_of_a_re_scored_cue() -> None:
    """Five hits that tempo alone meets only with steps that are heard; one odd bar does it."""
    seconds = (5.833, 13.417, 17.125, 25.792, 36.333)
    cues = Cues.from_hits([Hit(round(s * 24), lands="downbeat", tolerance=0.5) for s in seconds], 24)
    cue, template = samples_dir() / "chase.mid", "chiptune/eight-bit"
    plain = rm.rescore(cue, template=template, cues=cues, settings=rm.Settings(n=1, audio=False))
    edited = rm.rescore(cue, template=template, cues=cues, settings=rm.Settings(n=1, audio=False, edits="meters"))
    assert plain.synced is not None
    assert edited.synced is not None
    assert not plain.synced.edits
    assert edited.synced.edits
    assert edited.synced.max_step_percent < plain.synced.max_step_percent / 2
    for result in (plain, edited):
        ticks = [hit.tick for hit in result.synced.hits]
        assert np.abs(result.score.seconds(ticks) * 24 - [h.frame for h in cues.hits]).max() <= 0.5
    assert edited.score.length != plain.score.length
    assert np.array_equal(edited.score.bars, edited.synced.score.bars)
    assert edited.provenance != plain.provenance


def test_bar_edits_without_hits_are_refused() -> None:
    with pytest.raises(rm.RescoreError, match="hits on picture alone"):
        rm.rescore(samples_dir() / "chase.mid", template="chiptune/eight-bit", settings=rm.Settings(edits="bars"))
