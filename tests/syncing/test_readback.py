"""The MIDI file, read back independently: every hit is on its frame to a ten-thousandth."""

import mido
import numpy as np
import pytest

from rescore_music.cues import Cues, Hit, Span
from rescore_music.io import write_score
from rescore_music.score import Part, Score, note_rows
from rescore_music.structure import Analysis, Phrase
from rescore_music.syncing import sync
from rescore_music.tempo import TempoMap
from rescore_music.timecode import FrameRate, Timecode

TPQ = 480
NINE = ("23.976", "24", "25", "29.97df", "29.97ndf", "30", "48", "50", "60")


def seconds_in(path, ticks):
    """Times of ticks by the file's tempo events alone, as mido tells them."""
    song = mido.MidiFile(path)
    assert song.ticks_per_beat == TPQ
    events, at = [], 0
    for message in mido.merge_tracks(song.tracks):
        at += message.time
        if message.type == "set_tempo":
            events.append((at, message.tempo))
    out = []
    for tick in ticks:
        total, tempo, before = 0, 500_000, 0
        for place, new in events:
            if place >= tick:
                break
            total += (place - before) * tempo
            before, tempo = place, new
        out.append((total + (tick - before) * tempo) / (TPQ * 1e6))
    return np.array(out)


def music(quarters=300):
    rows = [(i * TPQ // 2, TPQ // 2, 60 + i % 12, 80, 0) for i in range(2 * quarters)]
    # the music's own tempo: a ritardando, and a tempo that is no whole number of microseconds
    tempo = TempoMap(
        np.array([0, 100 * TPQ, 108 * TPQ]), np.array([5e5, 6e7 / 117.3, 6.1e5]), np.array([5e5, 6.1e5, 6.1e5]), TPQ
    )
    return Score(notes=note_rows(rows), parts=(Part("Piano"),), tempo=tempo)


@pytest.mark.parametrize("name", NINE)
def test_hits_read_by_mido_at_nine_rates(tmp_path, name):
    rate = FrameRate.parse(name)
    rng = np.random.default_rng(5)
    start = Timecode.parse("01:00:00:00".replace(":00:00:00", ":00:00;00") if rate.drop else "01:00:00:00", rate)
    frames = [start.frame + rate.frame_at(float(s)) for s in np.cumsum(rng.uniform(4, 11, 12))]
    spans = (
        Span(frames[3] + 10, frames[3] + 70, "dialogue"),
        Span(frames[6] + 20, frames[6] + 60, "frozen"),
        Span(frames[8] + 24, frames[8] + 60, "hold"),
    )
    cues = Cues(rate, start, tuple(Hit(f, lands="eighth") for f in frames), spans)
    score = music()
    edges = list(range(0, score.length, 4 * 1920))
    count = len(score.notes)
    phrases = tuple(Phrase(a, min(a + 4 * 1920, score.length)) for a in edges)
    analysis = Analysis(np.zeros(count, np.int16), np.zeros(count, np.int32), (), phrases)
    synced = sync(score, cues, analysis=analysis, edits="bars")
    assert [h.timecode for h in synced.hits] == [Timecode(f, rate).label for f in frames]
    write_score(synced.score, tmp_path / "out.mid")
    read = seconds_in(tmp_path / "out.mid", [h.tick for h in synced.hits])
    wanted = np.array([float((f - start.frame) / rate.fps) for f in frames])
    assert np.abs(read - wanted).max() * float(rate.fps) < 1e-4
