"""render as others use it: stems and mix, the same bytes every time, what is silent, what is refused."""

from __future__ import annotations

import hashlib
import pickle
import subprocess
import sys
import time

import numpy as np
import pytest
from hearing import RATE, controls, score
from soundfont_file import KEY_RANGE, Preset, span, steady, write_soundfont

from rescore_music.errors import RenderError
from rescore_music.io import read_score
from rescore_music.rendering import default_sounds, render
from rescore_music.rendering import soundfont as sf
from rescore_music.score import Part

BAND = """
import hashlib
import numpy as np
from rescore_music.rendering import render
from rescore_music.score import CONTROL, Part, Score, note_rows

PROGRAMS = [73, 60, 48, 45, 0]

def band():
    rows = [(k * 240 + p * 7, 400, 48 + (k * (p + 3)) % 25, 60 + k % 40, p) for p in range(5) for k in range(16)]
    rows += [(k * 240, 120, 36 + k % 11, 90, 5) for k in range(16)]
    parts = [Part(f"part {p}", program=p) for p in PROGRAMS] + [Part("drums", percussion=True)]
    controls = np.array([(k * 480, p, 11, 70 + 5 * k) for k in range(8) for p in range(3)], CONTROL)
    return Score(notes=note_rows(rows), parts=tuple(parts), controls=controls)

def digest(rendering):
    h = hashlib.sha256(rendering.mix.tobytes())
    for name, stem in rendering.stems.items():
        h.update(name.encode() + stem.tobytes())
    return h.hexdigest()
"""
space: dict = {}
exec(BAND, space)
band, digest = space["band"], space["digest"]


def test_the_stems_sum_to_the_mix():
    piece = band()
    done = render(piece)
    assert list(done.stems) == [p.name for p in piece.parts]
    assert all(stem.shape == done.mix.shape and stem.dtype == np.float32 for stem in done.stems.values())
    assert done.mix.shape[1] == 2
    total = np.sum([stem.astype(np.float64) for stem in done.stems.values()], axis=0)
    assert np.max(np.abs(total - done.mix)) < 1e-6
    assert all(np.max(np.abs(stem)) > 1e-3 for stem in done.stems.values())
    assert len(done.silent) == 0


def test_same_bytes_whatever_the_threads():
    piece = band()
    digests = {digest(render(piece, threads=n)) for n in (1, 2, 5, None)}
    assert len(digests) == 1


def test_same_bytes_in_two_processes():
    call = [sys.executable, "-c", BAND + "\nprint(digest(render(band())))"]
    others = {subprocess.run(call, capture_output=True, text=True, check=True).stdout.strip() for _ in range(2)}
    assert others == {digest(render(band()))}


def test_a_rendering_crosses_processes():
    done = render(score([(0, 480, 60, 100, 0), (0, 480, 64, 100, 1)], parts=2))
    back = pickle.loads(pickle.dumps(done))
    assert digest(back) == digest(done)
    assert (back.rate, back.backend, back.notices) == (done.rate, done.backend, done.notices)
    assert not back.mix.flags.writeable


def test_names_that_occur_twice_stay_apart():
    rows = [(0, 480, 60, 100, p) for p in range(4)]
    who = (Part("Violin"), Part("Violin"), Part("Violin 2"), Part(""))
    done = render(score(rows, who=who))
    assert list(done.stems) == ["Violin", "Violin 2", "Violin 2 2", "Part 4"]


def test_a_part_alone_is_its_stem():
    piece = band()
    alone = render(piece.slice(0, piece.length, parts=[2]), tail=1.0)
    among = render(piece, tail=1.0)
    assert np.array_equal(alone.mix, among.stems["part 48"])


def test_moving_music_moves_sound():
    piece = band()
    later = piece.notes.copy()
    later["onset"] += 960
    events = piece.controls.copy()
    events["tick"] += 960
    a, b = render(piece, tail=0.5).mix, render(piece.replace(notes=later, controls=events), tail=0.5).mix
    shift = RATE
    # control curves are quantized to blocks of 64, and a second is a whole number of them
    assert np.array_equal(a[: len(b) - shift], b[shift : shift + len(a)])


def test_every_program_sounds():
    rows = [(0, 480, 60, 100, p) for p in range(128)]
    done = render(score(rows, who=tuple(Part(f"{p}", program=p) for p in range(128))), tail=0.2)
    assert len(done.silent) == 0
    assert done.notices == ()
    peaks = [float(np.max(np.abs(stem))) for stem in done.stems.values()]
    assert min(peaks) > 1e-3
    assert max(peaks) < 0.5


def test_the_drum_kit_sounds():
    keys = range(35, 82)
    done = render(score([(i * 240, 200, k, 100, 0) for i, k in enumerate(keys)], who=(Part("Kit", percussion=True),)))
    assert len(done.silent) == 0
    for i in range(len(keys)):
        assert np.max(np.abs(done.mix[i * 12000 : i * 12000 + 6000])) > 1e-3


def test_silent_notes_are_told(tmp_path):
    zone = {KEY_RANGE: span(50, 70), sf.SAMPLE_MODES: 1}
    sounds = write_soundfont(tmp_path / "f.sf2", [steady()], [Preset([(0, zone)])])
    rows = [(0, 480, 60, 100, 0), (480, 480, 71, 100, 0), (960, 480, 60, 0, 0), (1440, 480, 49, 100, 0)]
    rows += [(1920, 480, 60, 100, 0), (2880, 480, 61, 100, 0)]
    piece = score(rows, controls=controls((1920, 0, 7, 0), (2880, 0, 7, 90)))
    assert render(piece, sounds=sounds).silent.tolist() == [1, 2, 3, 4]


def test_a_missing_preset_is_replaced_and_told(tmp_path):
    presets = [Preset([(0, {sf.SAMPLE_MODES: 1})], program=p, bank=b) for p, b in ((40, 0), (0, 0))]
    sounds = write_soundfont(tmp_path / "f.sf2", [steady()], presets)
    who = (Part("Viola", program=41), Part("Piano", program=0, bank=8 << 7), Part("Kit", percussion=True))
    done = render(score([(0, 480, 60, 100, p) for p in range(3)], who=who), sounds=sounds)
    assert done.silent.tolist() == [2]
    assert done.notices == (
        "Viola: f.sf2 has no program 42; preset 0 plays instead",
        "Piano: f.sf2 has no program 1 of bank 8/0; preset 1 plays instead",
        "Kit: f.sf2 has no drum kit, so the part is silent",
    )


def test_other_banks_are_played(tmp_path):
    presets = [Preset([(0, {sf.SAMPLE_MODES: 1, sf.ATTENUATION: a})], bank=b) for b, a in ((0, 0), (8, 500))]
    sounds = write_soundfont(tmp_path / "f.sf2", [steady()], presets)
    who = (Part("a"), Part("b", bank=8 << 7), Part("c", bank=8))
    done = render(score([(0, 480, 60, 100, p) for p in range(3)], who=who), sounds=sounds)
    a, b, c = (float(np.max(stem)) for stem in done.stems.values())
    assert b == pytest.approx(a / 10, rel=1e-3)
    assert c == pytest.approx(a)  # the second half of a bank number names a map, as in GS
    assert done.notices == ()


def test_the_tail_rings_or_is_as_told():
    piece = score([(0, 480, 60, 100, 0)], who=(Part("Bell", program=14),))
    rings = render(piece).mix
    assert len(rings) > 0.6 * RATE
    assert np.max(np.abs(rings[-100:])) < 1e-4
    for tail in (0.0, 0.25, 3.0):
        cut = render(piece, tail=tail).mix
        assert len(cut) == round((0.5 + tail) * RATE)
        assert np.max(np.abs(cut[-1])) < 1e-4
    assert len(render(score([]), tail=0.0).mix) == 0


def test_an_excerpt_costs_little():
    piece = band().slice(0, 960)
    render(piece)
    start = time.process_time()
    for _ in range(10):
        render(piece, threads=1)
    assert (time.process_time() - start) / 10 < 0.25


def test_real_cues_are_sound(shared_data):
    for name in ("freedoom__d_e1m1.mid", "freedoom__d_dm09.mid"):
        piece = read_score(shared_data / "game_midi" / name)
        done = render(piece.slice(0, int(piece.tempo.ticks_at(20.0))))
        mix = done.mix.astype(np.float64)
        assert np.all(np.isfinite(mix))
        assert 0.02 < np.max(np.abs(mix)) < 1.0
        assert 0.003 < np.sqrt(np.mean(mix**2)) < 0.3
        assert np.all(np.abs(np.mean(mix, axis=0)) < 5e-3)  # what the sampled synth basses hold of it
        assert len(done.silent) <= 0.01 * len(piece.notes)


def test_refusals(tmp_path):
    piece = score([(0, 480, 60, 100, 0)])
    whole = default_sounds().read_bytes()
    bad = {
        "absent.sf2": None,
        "empty.sf2": b"",
        "text.sf2": b"This is not a SoundFont at all, but a text.",
        "short.sf2": whole[:100_000],
        "late.sf2": whole[:-50_000],
        "headless.sf2": whole[:12],
    }
    for name, data in bad.items():
        if data is not None:
            (tmp_path / name).write_bytes(data)
        with pytest.raises(RenderError) as caught:
            render(piece, sounds=tmp_path / name)
        assert name in str(caught.value)
        assert "\n" not in str(caught.value)
        assert caught.value.cure
    with pytest.raises(RenderError, match="sample rate"):
        render(piece, sample_rate=10)
    with pytest.raises(RenderError, match="tail"):
        render(piece, tail=-1)
    with pytest.raises(RenderError, match="back end"):
        render(piece, backend="harmonium")
    with pytest.raises(RenderError, match="limit"):
        render(piece.replace(length=480 * 2 * 60 * 61))
    with pytest.raises(RenderError, match="GiB"):
        render(score([(0, 480 * 2 * 60 * 30, 60, 100, p) for p in range(100)], parts=100))


def test_damaged_soundfonts_never_crash(tmp_path):
    zone = {KEY_RANGE: span(0, 127), sf.SAMPLE_MODES: 3, sf.FILTER_FC: 9000, sf.VIB_LFO_TO_PITCH: 20}
    path = write_soundfont(tmp_path / "f.sf2", [steady(0.01)], [Preset([(0, zone)])])
    whole, random = path.read_bytes(), np.random.default_rng(3)
    piece = score([(0, 48, 60, 100, 0), (24, 10, 100, 50, 0)])
    outcomes = set()
    for i in range(150):
        data = bytearray(whole)
        for at in random.integers(12, len(data), 3):
            data[at] = int(random.integers(256))
        mutant = tmp_path / f"{i}.sf2"
        mutant.write_bytes(bytes(data))
        try:
            outcomes.add(render(piece, sounds=mutant, threads=1).mix.shape[1])
        except RenderError:
            outcomes.add("refused")
    assert outcomes == {2, "refused"}


def test_digest_notices_a_change():
    piece = band()
    louder = piece.notes.copy()
    louder["velocity"][0] += 1
    assert digest(render(piece)) != digest(render(piece.replace(notes=louder)))
    assert (
        hashlib.sha256(render(piece).mix.tobytes()).hexdigest()
        == hashlib.sha256(render(piece).mix.tobytes()).hexdigest()
    )
