"""The voice engine against sounds whose answer is known: where notes start, how high, how loud, how long."""

from __future__ import annotations

import numpy as np
import pytest
from hearing import GAIN, RATE, cents, controls, db, level, pitch, score
from soundfont_file import KEY_RANGE, VEL_RANGE, Preset, Sample, impulse, sine, span, steady, write_soundfont

from rescore_music.rendering import render
from rescore_music.rendering import soundfont as sf
from rescore_music.score import BEND, PROGRAM, Part
from rescore_music.tempo import TempoMap

A4 = 440.0


@pytest.fixture(scope="module")
def tone(tmp_path_factory):
    path = tmp_path_factory.mktemp("fonts") / "tone.sf2"
    return write_soundfont(path, [sine(69)], [Preset([(0, {sf.SAMPLE_MODES: 1})])])


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    path = tmp_path_factory.mktemp("fonts") / "steady.sf2"
    return write_soundfont(path, [steady()], [Preset([(0, {sf.SAMPLE_MODES: 1})])])


def font(tmp_path, generators, sample=None, **preset):
    sample = sample or steady()
    return write_soundfont(tmp_path / "f.sf2", [sample], [Preset([(0, {sf.SAMPLE_MODES: 1} | generators)], **preset)])


@pytest.mark.parametrize("rate", [44100, 48000, 96000])
@pytest.mark.parametrize("us", [500_000.0, 413_793.0, 333_333.0, 1_234_567.0])
def test_every_onset_stands_on_its_sample(tmp_path, us, rate):
    ticks = [0, 1, 479, 480, 1003, 1919, 2880, 4801, 6007]
    clicks = write_soundfont(tmp_path / "f.sf2", [impulse(rate)], [Preset([(0, {})])])
    tempo = TempoMap.from_events([(0, us), (960, us * 1.07), (2000, us * 0.61)], 480)
    piece = score([(t, 100, 60, 127, 0) for t in ticks], tempo=tempo)
    sound = render(piece, sounds=clicks, sample_rate=rate).mix
    expected = np.round(tempo.seconds(ticks) * rate).astype(int)
    assert np.array_equal(np.flatnonzero(sound[:, 0]), expected)


def test_a_ramped_tempo_moves_onsets_exactly(tmp_path):
    clicks = write_soundfont(tmp_path / "f.sf2", [impulse()], [Preset([(0, {})])])
    tempo = TempoMap(np.array([0, 3840]), np.array([600_000.0, 400_000.0]), np.array([400_000.0, 400_000.0]))
    ticks = np.arange(0, 7680, 240)
    sound = render(score([(int(t), 60, 60, 127, 0) for t in ticks], tempo=tempo), sounds=clicks).mix
    assert np.array_equal(np.flatnonzero(sound[:, 0] > 0.02), np.round(tempo.seconds(ticks) * RATE).astype(int))


def test_pitch_over_five_octaves(tone):
    keys = list(range(36, 97))
    sound = render(score([(i * 480, 470, k, 100, 0) for i, k in enumerate(keys)]), sounds=tone).mix
    heard = [pitch(sound, i * 0.5 + 0.05, i * 0.5 + 0.45) for i in range(len(keys))]
    expected = [A4 * 2 ** ((k - 69) / 12) for k in keys]
    assert np.max(np.abs(cents(np.array(heard), np.array(expected)))) < 0.2


@pytest.mark.parametrize(
    ("generators", "key", "expected"),
    [
        ({sf.SCALE_TUNING: 50}, 81, 600.0),
        ({sf.SCALE_TUNING: 0}, 40, 0.0),
        ({sf.COARSE_TUNE: -7}, 69, -700.0),
        ({sf.FINE_TUNE: 33}, 69, 33.0),
        ({sf.ROOT_KEY: 57}, 69, 1200.0),
        ({sf.FIXED_KEY: 74}, 30, 500.0),
    ],
)
def test_tuning_generators(tmp_path, generators, key, expected):
    sounds = font(tmp_path, generators, sine(69))
    sound = render(score([(0, 960, key, 100, 0)]), sounds=sounds).mix
    assert cents(pitch(sound, 0.1, 0.9), A4) == pytest.approx(expected, abs=0.2)


def test_sample_rate_and_pitch_correction(tmp_path):
    sample = sine(69, rate=32000)
    sample.correction = -20
    sound = render(score([(0, 960, 69, 100, 0)]), sounds=font(tmp_path, {}, sample)).mix
    assert cents(pitch(sound, 0.1, 0.9), A4) == pytest.approx(-20.0, abs=0.2)


@pytest.mark.parametrize(
    ("before", "bend", "expected"),
    [
        ([], 8191, 200.0),
        ([], -8192, -200.0),
        ([(0, 0, 101, 0), (0, 0, 100, 0), (0, 0, 6, 12)], -8192, -1200.0),
        ([(0, 0, 101, 0), (0, 0, 100, 0), (0, 0, 6, 7), (0, 0, 38, 50)], 8191, 750.0),
        # a non-registered parameter is not the bend range
        ([(0, 0, 99, 0), (0, 0, 98, 0), (0, 0, 6, 12)], -8192, -200.0),
        ([(0, 0, 101, 0), (0, 0, 100, 1), (0, 0, 6, 96), (0, 0, 38, 0)], 0, 50.0),
        ([(0, 0, 101, 0), (0, 0, 100, 2), (0, 0, 6, 61)], 0, -300.0),
    ],
)
def test_bend_and_channel_tuning(tone, before, bend, expected):
    piece = score(
        [(0, 960, 69, 100, 0)], controls=controls(*before), bends=np.array([(0, 0, bend)] if bend else [], BEND)
    )
    assert cents(pitch(render(piece, sounds=tone).mix, 0.1, 0.9), A4) == pytest.approx(expected, abs=0.3)


def test_a_bend_moves_a_sounding_note(tone):
    piece = score([(0, 1920, 69, 100, 0)], bends=np.array([(960, 0, 4096)], BEND))
    sound = render(piece, sounds=tone).mix
    assert cents(pitch(sound, 0.1, 0.9), A4) == pytest.approx(0.0, abs=0.1)
    assert cents(pitch(sound, 1.1, 1.9), A4) == pytest.approx(100.0, abs=0.1)
    assert np.max(np.abs(np.diff(sound[round(0.98 * RATE) : round(1.02 * RATE), 0]))) < 0.0065  # no click


@pytest.mark.parametrize(("velocity", "law"), [(127, 0.0), (100, -4.152), (64, -11.906), (20, -32.110), (1, -84.152)])
def test_velocity_law(plain, velocity, law):
    sound = render(score([(0, 480, 60, 127, 0), (960, 480, 60, velocity, 0)]), sounds=plain).mix
    assert db(level(sound, 1.1, 1.4) / level(sound, 0.1, 0.4)) == pytest.approx(law, abs=0.1)


@pytest.mark.parametrize("number", [7, 11])
def test_volume_and_expression_law(plain, number):
    rows = [(i * 480, 480, 60, 100, 0) for i in range(3)]
    piece = score(rows, controls=controls((0, 0, number, 100), (480, 0, number, 50), (960, 0, number, 127)))
    sound = render(piece, sounds=plain).mix
    assert db(level(sound, 0.6, 0.9) / level(sound, 0.1, 0.4)) == pytest.approx(-12.04, abs=0.05)
    assert db(level(sound, 1.1, 1.4) / level(sound, 0.1, 0.4)) == pytest.approx(40 * np.log10(1.27), abs=0.05)


def test_level_of_one_voice(plain):
    sound = render(score([(0, 480, 60, 127, 0)]), sounds=plain).mix
    assert level(sound, 0.1, 0.4) == pytest.approx(0.5 * GAIN / np.sqrt(2), rel=1e-3)


def test_attenuation_counts_for_two_fifths(tmp_path, plain):
    quiet = render(score([(0, 480, 60, 127, 0)]), sounds=font(tmp_path, {sf.ATTENUATION: 100})).mix
    loud = render(score([(0, 480, 60, 127, 0)]), sounds=plain).mix
    assert db(level(quiet, 0.1, 0.4) / level(loud, 0.1, 0.4)) == pytest.approx(-4.0, abs=0.02)


def test_panning_keeps_the_power(plain):
    values = [0, 20, 40, 64, 90, 110, 127]
    rows = [(i * 480, 480, 60, 127, 0) for i in range(len(values))]
    piece = score(rows, controls=controls(*((i * 480, 0, 10, v) for i, v in enumerate(values))))
    sound = render(piece, sounds=plain).mix
    left = np.array([level(sound, i * 0.5 + 0.1, i * 0.5 + 0.4, 0) for i in range(len(values))])
    right = np.array([level(sound, i * 0.5 + 0.1, i * 0.5 + 0.4, 1) for i in range(len(values))])
    assert np.allclose(left**2 + right**2, (0.5 * GAIN) ** 2, rtol=1e-3)
    assert np.all(np.diff(right) > 0)
    assert right[0] < 1e-6
    assert left[-1] < 1e-6
    assert left[3] == pytest.approx(right[3])


def test_a_zone_pan_and_channel_pan_add(tmp_path):
    sounds = font(tmp_path, {sf.PAN: -500})
    sound = render(score([(0, 480, 60, 127, 0)]), sounds=sounds).mix
    assert np.max(np.abs(sound[:, 1])) < 1e-6
    centred = render(score([(0, 480, 60, 127, 0)], controls=controls((0, 0, 10, 127))), sounds=sounds).mix
    assert level(centred, 0.1, 0.4, 0) == pytest.approx(level(centred, 0.1, 0.4, 1), rel=1e-3)


def timecents(seconds):
    return round(1200 * np.log2(seconds))


def test_volume_envelope_times(tmp_path):
    times = {sf.VOL_DELAY: 0.1, sf.VOL_ATTACK: 0.2, sf.VOL_HOLD: 0.15, sf.VOL_DECAY: 1.0, sf.VOL_RELEASE: 2.0}
    sounds = font(tmp_path, {kind: timecents(s) for kind, s in times.items()} | {sf.VOL_SUSTAIN: 300})
    sound = render(score([(0, 1920, 60, 127, 0)]), sounds=sounds).mix[:, 0] / (0.5 * GAIN / np.sqrt(2))
    at = lambda s: float(sound[round(s * RATE)])  # noqa: E731
    assert np.flatnonzero(sound)[0] == pytest.approx(0.1 * RATE, abs=40)
    assert at(0.2) == pytest.approx(0.5, abs=0.01)  # the attack is linear in amplitude
    assert at(0.3005) == pytest.approx(1.0, abs=0.01)
    assert at(0.44) == pytest.approx(1.0, abs=0.001)
    assert db(at(0.55)) == pytest.approx(-10.0, abs=0.15)  # the decay is linear in dB: 100 dB a second
    assert db(at(0.65)) == pytest.approx(-20.0, abs=0.15)
    assert db(at(1.5)) == pytest.approx(-30.0, abs=0.01)
    assert db(at(2.4)) == pytest.approx(-50.0, abs=0.15)  # the release: 50 dB a second
    assert db(at(2.8)) == pytest.approx(-70.0, abs=0.15)


def test_key_scales_hold_and_decay(tmp_path):
    generators = {sf.VOL_DECAY: 0, sf.VOL_SUSTAIN: 1000, sf.KEY_TO_VOL_DECAY: 100, sf.SCALE_TUNING: 0}
    sounds = font(tmp_path, generators)
    sound = render(score([(0, 480, 60, 127, 0), (960, 480, 72, 127, 0)]), sounds=sounds).mix[:, 0]

    def fall(start):
        return db(sound[round((start + 0.3) * RATE)] / sound[round((start + 0.1) * RATE)])

    assert fall(0.0) == pytest.approx(-20.0, abs=0.1)
    assert fall(1.0) == pytest.approx(-40.0, abs=0.2)  # an octave up decays twice as fast


def test_release_inside_the_attack_starts_where_it_stands(tmp_path):
    sounds = font(tmp_path, {sf.VOL_ATTACK: 0, sf.VOL_RELEASE: 0})
    sound = render(score([(0, 480, 60, 127, 0)]), sounds=sounds).mix[:, 0] / (0.5 * GAIN / np.sqrt(2))
    assert sound[round(0.4999 * RATE)] == pytest.approx(0.5, abs=0.005)
    assert db(sound[round(0.6 * RATE)] / sound[round(0.5 * RATE)]) == pytest.approx(-10.0, abs=0.1)


@pytest.mark.parametrize("key", [57, 60, 64, 76])
def test_a_loop_has_no_seam(tone, key):
    sound = render(score([(0, 4800, key, 127, 0)]), sounds=tone).mix[:, 0].astype(float)
    body = sound[4800 : 4 * RATE]
    w = 2 * np.pi * A4 * 2 ** ((key - 69) / 12) / RATE
    # a pure sine satisfies x[n+1] + x[n-1] = 2 cos(w) x[n]; a click would not
    rest = body[2:] + body[:-2] - 2 * np.cos(w) * body[1:-1]
    assert np.max(np.abs(rest)) < 3e-4 * np.max(np.abs(body))


def test_loop_modes(tmp_path):
    data = np.concatenate([np.full(4800, 0.25), np.full(4800, 0.5), np.full(4800, 0.1)])
    heard = {}
    for mode in (0, 1, 3):
        sample = Sample(data, loop=(5000, 9000))
        sounds = write_soundfont(
            tmp_path / f"{mode}.sf2",
            [sample],
            [Preset([(0, {sf.SAMPLE_MODES: mode, sf.VOL_RELEASE: 2400})])],
        )
        heard[mode] = render(score([(0, 960, 60, 127, 0)]), sounds=sounds).mix[:, 0] / (0.5 * GAIN / np.sqrt(2))
    assert np.all(heard[0][14410:] == 0)  # once through
    assert heard[1][round(0.95 * RATE)] == pytest.approx(1.0, abs=0.01)  # round and round
    after = round(1.15 * RATE)  # let go: mode 1 loops on, mode 3 leaves the loop for the rest and its end
    assert heard[1][after] > 0.3
    assert heard[3][round(0.95 * RATE)] == pytest.approx(1.0, abs=0.01)
    left = heard[3][round(1.0 * RATE) + 4400 : round(1.0 * RATE) + 4600]
    assert np.max(left) < 0.2
    assert np.all(heard[3][round(1.0 * RATE) + 9700 :] == 0)


def test_the_pedal_holds_until_it_rises(plain):
    piece = score([(0, 240, 60, 127, 0)], controls=controls((120, 0, 64, 127), (1440, 0, 64, 0)), length=1920)
    sound = render(piece, sounds=plain).mix
    full = level(sound, 0.05, 0.2)
    assert level(sound, 1.3, 1.49) == pytest.approx(full, rel=1e-3)
    assert level(sound, 1.6, 1.9) < 1e-4


def test_half_a_pedal_value_below_64_is_up(plain):
    piece = score([(0, 240, 60, 127, 0)], controls=controls((120, 0, 64, 63)), length=960)
    assert level(render(piece, sounds=plain).mix, 0.4, 0.9) < 1e-4


def test_striking_a_held_key_again_lets_the_first_go(plain):
    rows = [(0, 240, 60, 127, 0), (480, 240, 60, 127, 0)]
    piece = score(rows, controls=controls((0, 0, 64, 127), (1440, 0, 64, 0)), length=1920)
    sound = render(piece, sounds=plain).mix
    assert level(sound, 0.8, 1.4) == pytest.approx(level(sound, 0.1, 0.4), rel=1e-3)


def test_sostenuto_holds_only_what_was_down(plain):
    rows = [(0, 240, 60, 127, 0), (480, 240, 64, 127, 0)]
    caught = score(rows, controls=controls((120, 0, 66, 127), (1920, 0, 66, 0)), length=1920)
    sound = render(caught, sounds=plain).mix
    one = level(sound, 0.3, 0.45)
    assert level(sound, 0.55, 0.7) == pytest.approx(2 * one, rel=1e-2)
    assert level(sound, 0.9, 1.9) == pytest.approx(one, rel=1e-2)


def test_exclusive_class_chokes(tmp_path):
    zones = [
        (0, {KEY_RANGE: span(46, 46), sf.EXCLUSIVE_CLASS: 1, sf.SAMPLE_MODES: 1}),
        (1, {KEY_RANGE: span(42, 42), sf.EXCLUSIVE_CLASS: 1}),
    ]
    sounds = write_soundfont(tmp_path / "f.sf2", [steady(), impulse()], [Preset(zones, bank=128)])
    drums = (Part("Kit", percussion=True),)
    alone = render(score([(0, 1920, 46, 127, 0)], who=drums), sounds=sounds).mix
    choked = render(score([(0, 1920, 46, 127, 0), (480, 480, 42, 127, 0)], who=drums), sounds=sounds).mix
    assert level(alone, 0.8, 1.0) > 0.01
    assert level(choked, 0.3, 0.45) == pytest.approx(level(alone, 0.3, 0.45))
    assert level(choked, 0.8, 1.0) < 1e-4


def test_zones_by_key_and_velocity(tmp_path):
    levels = [0.1, 0.2, 0.4]
    samples = [Sample(np.full(4800, x), loop=(100, 4700)) for x in levels]
    zones = [
        (0, {KEY_RANGE: span(0, 59), sf.SAMPLE_MODES: 1}),
        (1, {KEY_RANGE: span(60, 127), VEL_RANGE: span(0, 63), sf.SAMPLE_MODES: 1}),
        (2, {KEY_RANGE: span(60, 127), VEL_RANGE: span(64, 127), sf.SAMPLE_MODES: 1}),
    ]
    sounds = write_soundfont(tmp_path / "f.sf2", samples, [Preset(zones, common={sf.SCALE_TUNING: 0})])
    rows = [(0, 480, 59, 127, 0), (960, 480, 60, 63, 0), (1920, 480, 60, 64, 0)]
    sound = render(score(rows), sounds=sounds).mix
    gains = [GAIN * (v / 127) ** 2 / np.sqrt(2) for v in (127, 63, 64)]
    heard = [level(sound, t + 0.1, t + 0.4) / g for t, g in zip((0, 1, 2), gains, strict=True)]
    assert np.allclose(heard, levels, rtol=2e-3)


def test_global_zones_give_way_and_presets_add(tmp_path):
    preset = Preset(
        [(0, {sf.SAMPLE_MODES: 1}), (0, {KEY_RANGE: span(72, 72), sf.SAMPLE_MODES: 1, sf.COARSE_TUNE: 0})],
        common={sf.COARSE_TUNE: 5},
        over={sf.FINE_TUNE: 25, KEY_RANGE: span(69, 127)},
        over_common={sf.FINE_TUNE: 10, sf.COARSE_TUNE: 1},
    )
    sounds = write_soundfont(tmp_path / "f.sf2", [sine(69)], [preset])
    zones = sf.open_soundfont(sounds).zones(0, 0)
    assert zones["generators"][:, sf.COARSE_TUNE].tolist() == [6, 1]  # the local zone is over the global one
    assert zones["generators"][:, sf.FINE_TUNE].tolist() == [25, 25]  # preset: local over global, then added
    assert zones["key_low"].tolist() == [69, 72]
    sound = render(score([(0, 960, 69, 127, 0)]), sounds=sounds).mix
    assert cents(pitch(sound, 0.1, 0.9), A4) == pytest.approx(625.0, abs=0.2)


def test_programs_change_inside_a_part(tmp_path):
    presets = [Preset([(0, {sf.SAMPLE_MODES: 1})]), Preset([(0, {sf.SAMPLE_MODES: 1, sf.COARSE_TUNE: 12})], program=5)]
    sounds = write_soundfont(tmp_path / "f.sf2", [sine(69)], presets)
    piece = score([(0, 480, 69, 100, 0), (480, 480, 69, 100, 0)], programs=np.array([(480, 0, 5, 0)], PROGRAM))
    sound = render(piece, sounds=sounds).mix
    assert cents(pitch(sound, 0.05, 0.45), A4) == pytest.approx(0, abs=0.5)
    assert cents(pitch(sound, 0.55, 0.95), A4) == pytest.approx(1200, abs=0.5)


def test_low_pass_and_vibrato(tmp_path):
    def noise_bands(generators):
        data = np.random.default_rng(1).uniform(-0.5, 0.5, 48000)
        sounds = font(tmp_path, generators, Sample(data, loop=(10, 47990)))
        sound = render(score([(0, 1920, 60, 127, 0)]), sounds=sounds).mix[: 2 * RATE, 0]
        power = np.abs(np.fft.rfft(sound.astype(float))) ** 2
        f = np.fft.rfftfreq(2 * RATE, 1 / RATE)
        return [db(np.sqrt(power[(f > a) & (f < b)].mean())) for a, b in ((50, 200), (950, 1050), (3900, 4100))]

    cutoff = round(1200 * np.log2(1000 / 8.176))
    open_, closed = noise_bands({}), noise_bands({sf.FILTER_FC: cutoff})
    low, corner, high = (c - o for c, o in zip(closed, open_, strict=True))
    assert low == pytest.approx(0.0, abs=0.1)
    assert corner == pytest.approx(-3.0, abs=0.3)
    assert high == pytest.approx(-24.3, abs=0.7)  # two octaves above: 12 dB an octave
    sounds = font(tmp_path, {sf.VIB_LFO_TO_PITCH: 50, sf.VIB_LFO_FREQ: round(1200 * np.log2(5 / 8.176))}, sine(69))
    sound = render(score([(0, 1920, 69, 127, 0)]), sounds=sounds).mix
    tops = [cents(pitch(sound, t + 0.03, t + 0.07), A4) for t in (0.4, 0.6, 0.8)]
    bottoms = [cents(pitch(sound, t + 0.13, t + 0.17), A4) for t in (0.4, 0.6, 0.8)]
    assert np.mean(tops) == pytest.approx(40, abs=6)  # the mean of a triangle about its top
    assert np.mean(bottoms) == pytest.approx(-40, abs=6)


def test_the_modulation_wheel_brings_vibrato(tone):
    still = render(score([(0, 1920, 69, 127, 0)]), sounds=tone).mix
    wheel = render(score([(0, 1920, 69, 127, 0)], controls=controls((0, 0, 1, 127))), sounds=tone).mix
    spread = [np.ptp([cents(pitch(s, t, t + 0.04), A4) for t in np.arange(0.2, 1.8, 0.03)]) for s in (still, wheel)]
    assert spread[0] < 1.0
    assert 50 < spread[1] < 110


def test_modulation_envelope_moves_pitch(tmp_path):
    generators = {sf.MOD_ENV_TO_PITCH: 1200, sf.MOD_DECAY: 0, sf.MOD_SUSTAIN: 1000}
    sound = render(score([(0, 2400, 69, 127, 0)]), sounds=font(tmp_path, generators, sine(69))).mix
    assert cents(pitch(sound, 0.48, 0.52), A4) == pytest.approx(600, abs=10)  # half-way down after half a second
    assert cents(pitch(sound, 1.2, 2.0), A4) == pytest.approx(0, abs=0.2)


def test_interpolation_is_clean(tmp_path):
    n = np.arange(48000)
    data = 0.5 * np.sin(2 * np.pi * 5000 / 48000 * n)
    sounds = font(tmp_path, {sf.FINE_TUNE: 37}, Sample(data, loop=(960, 48000 - 960)))
    sound = render(score([(0, 1440, 60, 127, 0)]), sounds=sounds).mix[4800 : 4800 + 32768, 0].astype(float)
    spectrum = np.abs(np.fft.rfft(sound * np.blackman(len(sound)))) ** 2
    top = int(np.argmax(spectrum))
    signal = spectrum[top - 6 : top + 7].sum()
    assert 10 * np.log10(signal / (spectrum[20:].sum() - signal)) > 45


def test_a_lifted_zone_fills_what_velocity_leaves(tmp_path, plain):
    rows = [(0, 480, 60, 60, 0)]
    lifted = render(score(rows), sounds=font(tmp_path, {sf.ATTENUATION: -100})).mix
    assert db(level(lifted, 0.1, 0.4) / level(render(score(rows), sounds=plain).mix, 0.1, 0.4)) == pytest.approx(
        4.0, abs=0.02
    )
    loudest = render(score([(0, 480, 60, 127, 0)]), sounds=font(tmp_path, {sf.ATTENUATION: -200})).mix
    assert level(loudest, 0.1, 0.4) == pytest.approx(0.5 * GAIN / np.sqrt(2), rel=1e-3)
