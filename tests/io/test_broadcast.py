"""Broadcast wave: read back by wavinfo (chunks) and libsndfile (samples), both strangers to the writer."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import soundfile
from wavinfo import WavInfoReader

from rescore_music.audio import Audio
from rescore_music.errors import WriteError
from rescore_music.io.broadcast import Broadcast, time_reference
from rescore_music.io.wav import read_audio, write_audio
from rescore_music.timecode import RATES, Timecode

SOUND = Audio(np.random.default_rng(7).uniform(-0.9, 0.9, (48001, 2)).astype(np.float32))


@pytest.mark.parametrize("rate", RATES, ids=str)
@pytest.mark.parametrize("sample_rate", [44100, 48000, 96000])
def test_time_reference_is_the_frame_in_samples(tmp_path, rate, sample_rate):
    # the count of labels by hand: nominal frames, less those dropped each minute but the tenth
    label = "10:59:59:14"
    count = (10 * 3600 + 59 * 60 + 59) * rate.nominal + 14 - rate.dropped * (659 - 65)
    exact = Fraction(count) / rate.fps * sample_rate
    start = Timecode.parse(label, rate)
    path = write_audio(Audio(SOUND.samples, sample_rate), tmp_path / "a.wav", broadcast=Broadcast(start))
    read = WavInfoReader(str(path), info_encoding="utf-8")
    assert abs(read.bext.time_reference - exact) <= Fraction(1, 2)
    assert read.bext.time_reference == time_reference(start, sample_rate)
    assert read.bext.originator_ref == start.label
    if sample_rate == 48000 and rate.fps in (Fraction(24000, 1001), 24, 25, 30, 48, 50, 60):
        assert read.bext.time_reference == exact


def test_an_hour_of_pulled_down_timecode_is_longer_than_an_hour():
    assert time_reference(Timecode.parse("01:00:00:00", "23.976"), 48000) == 172_972_800
    assert time_reference(Timecode.parse("01:00:00:00", "24"), 48000) == 172_800_000
    assert time_reference(Timecode.parse("01:00:00;00", "29.97df"), 48000) == 172_799_827  # 3599.9964 s
    assert time_reference(Timecode.parse("23:59:59:59", "60"), 192000) > 1 << 33  # more than 32 bits


def test_what_is_said_and_marked_is_read_back(tmp_path):
    hits = ((0.0, "start"), (0.25, "Tür fällt zu"), (0.98, "end"), (7.0, "beyond"))
    start = Timecode.parse("01:02:03;04", "29.97df")
    said = Broadcast(start, "1m3 Chase & <Flight>", "Scoring", hits, "2026-01-31")
    path = write_audio(SOUND, tmp_path / "a.wav", broadcast=said)
    read = WavInfoReader(str(path), info_encoding="utf-8")
    assert read.bext.description == "1m3 Chase & <Flight>"
    assert read.bext.originator == "Scoring"
    assert read.bext.originator_date == "2026-01-31"
    assert read.bext.version == 1
    places = {cue.name: cue.position for cue in read.cues.cues}
    labels = {label.name: label.text for label in read.cues.labels}
    found = {labels[name]: place for name, place in places.items()}
    assert found == {"start": 0, "Tür fällt zu": 12000, "end": 47040, "beyond": 48001}
    tree = read.ixml.xml_str()
    assert "30000/1001" in tree
    assert ">DF<" in tree
    assert "Chase &amp; &lt;Flight&gt;" in tree
    back, hz = soundfile.read(path, dtype="float32")
    assert hz == 48000
    assert np.max(np.abs(back - SOUND.samples)) <= 2**-23


@pytest.mark.parametrize(("frames", "channels", "subtype"), [(3, 1, "PCM_24"), (4, 2, "PCM_16"), (0, 2, "FLOAT")])
def test_odd_lengths_are_padded_and_samples_stay(tmp_path, frames, channels, subtype):
    sound = Audio(SOUND.samples[:frames, :channels])
    plain = read_audio(write_audio(sound, tmp_path / "plain.wav", subtype=subtype))
    said = Broadcast(Timecode.parse("01:00:00:00", "25"), "", markers=((0.0, "ab"), (0.0, "a")))
    path = write_audio(sound, tmp_path / "a.wav", subtype=subtype, broadcast=said)
    assert np.array_equal(read_audio(path).samples, plain.samples)
    data = path.read_bytes()
    assert int.from_bytes(data[4:8], "little") == len(data) - 8
    assert [label.text for label in WavInfoReader(str(path)).cues.labels] == ["a", "ab"]
    assert write_audio(sound, tmp_path / "b.wav", subtype=subtype, broadcast=said).read_bytes() == data


def test_only_wav_tells_its_place(tmp_path):
    with pytest.raises(WriteError, match=r"\.wav"):
        write_audio(SOUND, tmp_path / "a.flac", broadcast=Broadcast(Timecode.parse("01:00:00:00", "25")))
