"""SoundFont files: 16 and 24 bits, compressed samples, and a file that changes under its name."""

from __future__ import annotations

import io
import os
import struct

import numpy as np
import soundfile
from hearing import score
from soundfont_file import Preset, Sample, steady, write_soundfont

from rescore_music.rendering import default_sounds, render
from rescore_music.rendering import soundfont as sf
from rescore_music.rendering.soundfont import Piece, open_soundfont
from rescore_music.rendering.sounds import find_preset


def piece_of(path, mode=0):
    font = open_soundfont(path)
    return font.piece(0, font.zones(0, 0)["generators"][0], mode in (1, 3))


def test_depth_of_samples(tmp_path):
    data = np.random.default_rng(0).uniform(-0.9, 0.9, 500)
    for wide, step in ((False, 2**-15), (True, 2**-23)):
        path = write_soundfont(tmp_path / f"{wide}.sf2", [Sample(data)], [Preset([(0, {})])], wide=wide)
        sound = piece_of(path).sound[Piece.FRONT : Piece.FRONT + 500]
        assert np.max(np.abs(sound - data)) <= 0.51 * step + 6e-8


def test_a_loop_goes_on_behind_its_end(tmp_path):
    data = np.arange(100) / 128
    path = write_soundfont(tmp_path / "f.sf2", [Sample(data, loop=(90, 95))], [Preset([(0, {sf.SAMPLE_MODES: 1})])])
    piece = piece_of(path, 1)
    assert (piece.length, piece.loop_start, piece.loop_end) == (95, 90, 95)
    behind = piece.sound[Piece.FRONT + 95 :] * 128
    assert np.allclose(behind, [90, 91, 92, 93, 94, 90, 91, 92])


def test_address_generators_move_the_ends(tmp_path):
    data = np.arange(200) / 256
    generators = {sf.START: 10, sf.END: -20, sf.LOOP_START: 3, sf.LOOP_END: -4, sf.SAMPLE_MODES: 1}
    path = write_soundfont(tmp_path / "f.sf2", [Sample(data, loop=(100, 150))], [Preset([(0, generators)])])
    looped, once = piece_of(path, 1), piece_of(path)
    assert (looped.loop_start, looped.loop_end, once.length) == (93, 136, 170)
    assert once.sound[Piece.FRONT] * 256 == 10


def test_vorbis_samples_sound_as_the_plain_ones(tmp_path):
    n = np.arange(24000)
    data = 0.5 * np.sin(2 * np.pi * 440 / 48000 * n)
    plain = write_soundfont(tmp_path / "a.sf2", [Sample(data, key=69)], [Preset([(0, {})])])
    ogg = io.BytesIO()
    soundfile.write(ogg, data, 48000, format="OGG", subtype="VORBIS")
    stream = ogg.getvalue() + b"\0" * (len(ogg.getvalue()) % 2)
    # the same file with the stream as its pool: offsets in bytes and the compressed flag, as MuseScore writes them
    whole = plain.read_bytes()
    pool = len(data) * 2 + 92
    at = whole.index(b"smpl")
    whole = whole[: at + 4] + struct.pack("<I", len(stream)) + stream + whole[at + 8 + pool :]
    head = whole.index(b"shdr") + 8
    header = list(struct.unpack_from("<20s5IBbHH", whole, head))
    header[1:5], header[9] = [0, len(ogg.getvalue()), 0, 0], 0x11
    whole = whole[:head] + struct.pack("<20s5IBbHH", *header) + whole[head + 46 :]
    lists = whole.index(b"sdta") - 4
    whole = whole[:lists] + struct.pack("<I", 12 + len(stream)) + whole[lists + 4 :]
    (tmp_path / "b.sf3").write_bytes(whole[:4] + struct.pack("<I", len(whole) - 8) + whole[8:])
    notes = score([(0, 400, 69, 100, 0)])
    a, b = (render(notes, sounds=tmp_path / name, tail=0).mix for name in ("a.sf2", "b.sf3"))
    assert np.corrcoef(a[:, 0], b[:, 0])[0, 1] > 0.999


def test_a_changed_file_is_read_again(tmp_path):
    path = write_soundfont(tmp_path / "f.sf2", [steady()], [Preset([(0, {})])])
    first = open_soundfont(path)
    assert open_soundfont(path) is first
    write_soundfont(path, [steady()], [Preset([(0, {})], program=9)])
    os.utime(path, ns=(1, 1))
    assert list(open_soundfont(path).presets) == [(0, 9)]


def test_the_default_sounds_hold_general_midi():
    font = open_soundfont(default_sounds())
    assert all((0, program) in font.presets for program in range(128))
    assert (128, 0) in font.presets
    assert font.preset_name(0, 0).startswith("Piano")
    assert all(len(font.zones(*key)) for key in font.presets)


def test_stand_ins_come_from_the_family():
    font = open_soundfont(default_sounds())
    assert find_preset(font, 40, 77 << 7, False) == (0, 40)
    assert find_preset(font, 1, 0, True)[0] == 128
