"""Features of sound: what must go up goes up."""

import numpy as np
import pytest

from rescore_music.rescoring import listening
from rescore_music.rescoring.features import against_targets, listen
from rescore_music.score import Part, Score, note_rows

RATE = 32000


def tone(frequency, level=0.1, seconds=2.0, partials=8, fall=0.6):
    t = np.arange(round(seconds * RATE)) / RATE
    wave = sum(fall**k * np.sin(2 * np.pi * frequency * (k + 1) * t) for k in range(partials))
    return np.stack([wave, wave], axis=-1).astype(np.float32) * np.float32(level)


def chord(*pitches, **options):
    return sum(tone(440 * 2 ** ((p - 69) / 12), **options) for p in pitches)


def bands(samples):
    return listening.band_powers(*listening.spectrogram(samples, RATE))


def test_a_full_scale_sine_is_one_band():
    powers = bands(tone(1000, level=1.0, partials=1)).mean(axis=1)
    assert int(powers.argmax()) == 8  # 920 to 1080 Hz
    assert powers[8] > 0.95 * powers.sum()


@pytest.mark.parametrize("pitch", [48, 67, 84])
def test_muting_the_melody_lowers_its_margin_step_by_step(pitch):
    rest = bands(chord(48, 55, 60, 64))
    melody = chord(pitch)
    found = [
        listening.melody_against_rest(bands(melody * np.float32(10 ** (gain / 20))), rest) for gain in range(-30, 7, 3)
    ]
    for name in ("melody_margin", "melody_audible"):
        values = [f[name] for f in found]
        assert values == sorted(values)
        assert values[0] < values[-1]
    assert all(0 <= f["melody_audible"] <= 1 for f in found)


def test_level_of_everything_does_not_matter():
    melody, rest = chord(72), chord(48, 55, 60)
    loud = listening.melody_against_rest(bands(melody), bands(rest))
    soft = listening.melody_against_rest(bands(melody * np.float32(0.05)), bands(rest * np.float32(0.05)))
    assert soft == pytest.approx(loud, rel=1e-3)


def test_a_melody_apart_in_register_is_heard_better_than_one_inside_the_chord():
    rest = bands(chord(48, 55, 60, 64))
    inside = listening.melody_against_rest(bands(chord(60)), rest)
    above = listening.melody_against_rest(bands(chord(88)), rest)
    assert above["melody_audible"] > inside["melody_audible"] + 0.1


def test_alone_and_absent():
    silence = np.zeros((RATE, 2), np.float32)
    alone = listening.melody_against_rest(bands(chord(72, seconds=1.0)), bands(silence))
    assert alone["melody_margin"] == pytest.approx(listening.MARGIN_LIMIT, abs=6)
    assert alone["melody_audible"] == pytest.approx(1, abs=0.01)
    assert listening.melody_against_rest(bands(silence), bands(chord(48, seconds=1.0))) == {}
    assert listening.colour(*listening.spectrogram(silence, RATE)) == {}
    assert listening.dynamics(silence, RATE) == {}


def test_darker_sound_is_less_bright_and_muddier():
    values = []
    for fall in (0.8, 0.6, 0.4, 0.2):
        values.append(listening.colour(*listening.spectrogram(chord(55, 60, 64, fall=fall), RATE)))
    bright = [v["brightness"] for v in values]
    mud = [v["mud"] for v in values]
    assert bright == sorted(bright, reverse=True)
    assert mud == sorted(mud)
    assert listening.colour(*listening.spectrogram(tone(1000, partials=1), RATE))["brightness"] == pytest.approx(
        1000, rel=0.02
    )


def test_balance_is_highest_between_equals():
    even = listening.family_balance({"strings": bands(chord(60)), "brass": bands(chord(60))})["balance"]
    assert even == pytest.approx(1)
    gains = [
        listening.family_balance({"a": bands(chord(60)), "b": bands(chord(60, level=g))})["balance"]
        for g in (0.1, 0.03, 0.01)
    ]
    assert gains == sorted(gains, reverse=True)
    assert listening.family_balance({"a": bands(chord(60))}) == {"balance": 1.0}


def test_crest_of_a_sine_is_three_decibels():
    assert listening.dynamics(tone(997, partials=1), RATE)["crest"] == pytest.approx(3.01, abs=0.1)


def test_the_right_harmony_is_recognized():
    def notes(*pitches):
        return Score(notes=note_rows([(0, 1920, p, 80, 0) for p in pitches]), parts=(Part(),))

    power, _ = listening.spectrogram(chord(60, 64, 67), RATE)
    right = listening.harmony_heard(power, RATE, notes(60, 64, 67))["harmony_heard"]
    octave = listening.harmony_heard(power, RATE, notes(72, 76, 55))["harmony_heard"]
    wrong = listening.harmony_heard(power, RATE, notes(61, 66, 70))["harmony_heard"]
    assert octave == pytest.approx(right)
    assert right > 0.75 > wrong + 0.2
    drums = Score(notes=note_rows([(0, 1, 36, 80, 0)]), parts=(Part(percussion=True),))
    assert listening.harmony_heard(power, RATE, drums) == {}


def test_listen_gathers_every_feature():
    stems = [chord(48, 55), chord(76)]
    score = Score(notes=note_rows([(0, 1920, p, 80, 0) for p in (48, 55, 76)]), parts=(Part(),))
    found = listen(stems[0] + stems[1], stems, (False, True), ("strings", "brass"), RATE, score)
    assert set(found) == {
        "melody_margin", "melody_audible", "balance", "brightness", "mud", "crest", "harmony_heard",
    }  # fmt: skip
    assert all(isinstance(v, float) and np.isfinite(v) for v in found.values())


def test_targets():
    features = {"melody_margin": 1.0, "brightness": 1000.0}
    assert against_targets(features, {"melody_margin": 5, "brightness": 2000}) == {
        "melody_short": 4,
        "brightness_off": 1,
    }
    assert against_targets(features, {"melody_margin": 0}) == {"melody_short": 0, "brightness_off": 0}
    assert against_targets({}, {"brightness": 2000}) == {}
