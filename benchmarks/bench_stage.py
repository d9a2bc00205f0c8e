"""What goes to stage and dub, measured in the files by other readers: python benchmarks/bench_stage.py [--seconds 4].

Method. At each frame rate a scene of the film that samples/make_clip.py draws is encoded with a start timecode, a cue
with a bending tempo is held against hits at random frames, and everything is delivered. Then, as others read it:

    BWF       wavinfo's time reference minus the samples since midnight of the start's frame, by its own label count
    click     onsets in click.wav (soundfile) minus the nearest sample of each beat, in exact fractions of the tempo map
    MIDI      markers in score.mid (mido) minus the tempo map, in frames
    mov, mp4  the music in the muxed video as PyAV decodes it: samples that differ from mix.wav in one whole number of
              samples (cross-correlation; the PCM must also be equal sample for sample)
    picture   packets of picture.mov that differ from the clip's, in bytes or time
    punch     first frame of each punch in the decoded streamers.mp4, minus the frame of its hit; and the frame on
              which the bar|beat and timecode read as drawn

Cost. Peer: PyAV decoding and encoding the same clip with the same settings, without this project, in the same run; by
processor time (best of seven, by turns) and bytes. The drawn film is flat and packs to little, so marks weigh more
than on a real one.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import mido
import numpy as np
import soundfile
from wavinfo import WavInfoReader

from rescore_music.audio import Rendering
from rescore_music.cues import Cues, Hit
from rescore_music.rendering import render
from rescore_music.resources import samples_dir
from rescore_music.score import Score
from rescore_music.stage.burn import QUALITY, burn
from rescore_music.stage.deliver import stage_cue
from rescore_music.stage.mux import mux
from rescore_music.stage.settings import Staged, StageSettings
from rescore_music.stage.streamers import Overlay, flash_frames, overlay
from rescore_music.tempo import TempoMap
from rescore_music.timecode import RATES, FrameRate, Timecode

sys.path.insert(0, str(samples_dir()))

LABEL = "10:03:58:12"
BEFORE = 1  # seconds of picture before the music
SAMPLE_RATE = 48000
ROUNDS = 7


def label_count(rate: FrameRate) -> int:
    """Frames to LABEL since midnight, minute by minute as the standard tells it."""
    hours, minutes, seconds, frames = (int(field) for field in LABEL.split(":"))
    dropped = sum(rate.dropped for minute in range(1, hours * 60 + minutes + 1) if minute % 10)
    return ((hours * 60 + minutes) * 60 + seconds) * rate.nominal + frames - dropped


def music(seconds: float) -> Score:
    """The chase's beginning under a tempo that steps and glides."""
    from rescore_music.io import read_score

    score = read_score(samples_dir() / "chase.mid")
    score = score.slice(0, int(score.bars[max(int(seconds / 1.6), 1)]))
    quarter = score.ticks_per_quarter
    us = np.array([391234.5, 372345.6, 398765.4])
    tempo = TempoMap(np.array([0, 3, 9]) * quarter, us, np.array([391234.5, 398765.4, 398765.4]), quarter)
    return score.replace(tempo=tempo.stepped(until=score.length))


def clip(path: Path, rate: FrameRate, frames: int, first: Timecode) -> Path:
    """The film's beginning at a rate."""
    import make_clip

    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=rate.fps, options={"crf": "24", "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        stream.metadata["timecode"] = file.metadata["timecode"] = first.label
        for number in range(frames):
            film = int(number / rate.fps * 24) + 200  # runs through a cut
            frame = av.VideoFrame.from_ndarray(make_clip.picture(film), format="rgb24")
            frame.pts, frame.time_base = number, 1 / rate.fps
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path


# -- other readers -------------------------------------------------------------------------------------------------


def click_off(staged: Staged) -> int:
    """Largest distance in samples of a click's onset from its beat."""
    samples = np.abs(soundfile.read(staged.files["click.wav"], dtype="float64")[0])
    quiet = np.convolve(samples, np.ones(960), "full")[: len(samples)] - samples < 1e-3
    onsets = np.flatnonzero((samples > 0.2) & quiet)
    score = staged.led.score
    tempo, quarter = score.tempo, score.ticks_per_quarter
    beats = [
        tick
        for bar, end in zip(score.bars[:-1].tolist(), score.bars[1:].tolist(), strict=True)
        if bar >= staged.led.warning
        for tick in range(bar, end, score.beat_ticks(bar))
    ]
    exact, starts = [], [*tempo.ticks.tolist(), 1 << 60]
    for tick in beats:
        total = Fraction(0)
        for at, end, us in zip(starts, starts[1:], tempo.us.tolist(), strict=False):
            total += Fraction(us) * max(min(tick, end) - at, 0)
        exact.append(round(total / quarter / 1_000_000 * SAMPLE_RATE))
    if len(onsets) != len(exact):
        return 1 << 30
    return int(np.abs(onsets - np.array(exact)).max())


def midi_off(staged: Staged, score: Score, rate: FrameRate) -> float:
    """Largest distance in frames of a marker from the tempo map."""
    file = mido.MidiFile(file=io.BytesIO(staged.files["score.mid"].read_bytes()))
    tempo, now, found = 500000, Fraction(0), []
    for message in file.tracks[0]:
        now += Fraction(message.time * tempo, file.ticks_per_beat * 1_000_000)
        if message.type == "set_tempo":
            tempo = message.tempo
        elif message.type == "marker" and "hit" in message.text:
            found.append(float(now))
    exact = [float(score.seconds(hit.tick)) for hit in staged.hits]
    return float(np.abs(np.array(found) - exact).max() * float(rate.fps))


def heard(path: Path) -> np.ndarray:
    """First channel of a video's sound from its first picture on."""
    with av.open(str(path)) as file:
        blocks = [f.to_ndarray() for f in file.decode(audio=0)]
    if blocks[0].dtype.kind == "f":
        return np.concatenate(blocks, axis=1)[0].astype(np.float64)
    return np.concatenate(blocks, axis=1).reshape(-1, 2)[:, 0] / float(1 << 31)


def lag(late: np.ndarray, sound: np.ndarray) -> int:
    """Samples by which one sound is late against another."""
    size = len(late) + len(sound)
    product = np.fft.rfft(late, size) * np.conj(np.fft.rfft(sound, size))
    best = int(np.argmax(np.fft.irfft(product, size)))
    return best if best <= size // 2 else best - size


def packets(path: Path) -> list[tuple[bytes, Fraction]]:
    """Bytes and time of every packet of the picture."""
    with av.open(str(path)) as file:
        stream = file.streams.video[0]
        return [(bytes(p), p.pts * stream.time_base) for p in file.demux(stream) if p.pts is not None]


def luma(path: Path) -> np.ndarray:
    """Every picture's luma, shape (pictures, 360, 640)."""
    with av.open(str(path)) as file:
        return np.stack([f.to_ndarray(format="yuv420p")[:360] for f in file.decode(video=0)]).astype(np.int16)


def punches_off(plain: np.ndarray, drawn: np.ndarray, wanted: list[int], unit: int) -> int:
    """Largest distance in frames of a punch from its hit; a missing or surplus punch counts a thousand."""
    y, x = np.ogrid[:360, :640]
    disc = np.hypot(x - 320, y - 180) < 36
    lit = np.abs(drawn - plain)[:, disc].mean(axis=1) > 20  # a streamer passing behind makes 10
    found = np.flatnonzero(lit & ~np.concatenate([[False], lit[:-1]]))
    if len(found) != len(wanted):
        return 1000
    lengths = [int(np.argmin(np.append(lit[k:], False))) for k in found]
    return int(max(np.abs(found - wanted).max(), np.abs(np.array(lengths) - 2 * unit).max()))


def counts_off(drawn: np.ndarray, marks: Overlay, first: int) -> int:
    """Pictures whose foot is more like that of a neighbour's bar|beat and timecode than like its own."""
    from rescore_music.stage.drawing import Pen, picture_of

    pen, feet = Pen(640, 360), {}
    for frame in range(first - 1, first + len(drawn) + 1):
        buffer = np.full(640 * 360 * 3 // 2, 20, np.uint8)
        pen.draw(picture_of(buffer, 640, 360), Overlay(marks.rate, (), (), marks.beats, marks.counts), frame)
        feet[frame] = (buffer[: 640 * 360].reshape(360, 640)[315:] > 140).astype(np.float64).ravel()
    wrong = 0
    for k, picture in enumerate(drawn[:, 315:]):
        ink = (picture > 140).astype(np.float64).ravel()
        alike = [float(np.corrcoef(ink, feet[first + k + d])[0, 1]) for d in (-1, 0, 1)]
        wrong += int(np.argmax(alike)) != 1
    return wrong


# -- one rate ------------------------------------------------------------------------------------------------------


def measured(rate: FrameRate, seconds: float, score: Score, sound: Rendering, seed: int, folder: Path) -> list[float]:
    """One row of the table."""
    start = Timecode(label_count(rate), rate)
    first = start + -BEFORE * rate.nominal
    frames = round((seconds + BEFORE) * rate.fps)
    unit = flash_frames(rate)
    rng = np.random.default_rng(seed)
    room = np.arange(4 * unit, frames - BEFORE * rate.nominal - 4 * unit, 6 * unit)
    chosen = sorted(rng.choice(room, 4, replace=False).tolist())
    hits = tuple(Hit(start.frame + f, f"hit {f}", lands="eighth") for f in chosen)
    cues = Cues(rate, start, hits)
    film = clip(folder / "clip.mp4", rate, frames, first)
    asked = StageSettings(pages=False, seconds=1.0)
    staged = stage_cue(score, cues, folder / "out", rendering=sound, video=film, settings=asked)
    reference = WavInfoReader(str(staged.files["mix.wav"])).bext.time_reference
    whole = Fraction(label_count(rate)) / rate.fps * SAMPLE_RATE
    mix = soundfile.read(staged.files["mix.wav"], dtype="float64")[0][:, 0]
    late = round(BEFORE * rate.nominal / rate.fps * SAMPLE_RATE)
    in_mov = heard(staged.files["picture.mov"])
    mux(film, sound, folder / "out" / "picture.mp4", at=BEFORE * rate.nominal / rate.fps)
    in_mp4 = heard(folder / "out" / "picture.mp4")
    equal = np.array_equal(in_mov[late : late + len(mix)], mix)
    pairs = zip(packets(film), packets(staged.files["picture.mov"]), strict=True)
    changed = sum(a != b for a, b in pairs)
    plain, drawn = luma(film), luma(staged.files["streamers.mp4"])
    wanted = [BEFORE * rate.nominal, *(BEFORE * rate.nominal + f for f in chosen)]
    marks = overlay(staged.led, cues, staged.hits, seconds=1.0)
    return [
        float(reference - round(whole)),
        click_off(staged),
        midi_off(staged, score, rate),
        lag(in_mov, mix) - late + (0 if equal else 1000),
        lag(in_mp4, mix) - late,
        changed,
        punches_off(plain, drawn, wanted, unit),
        counts_off(drawn, marks, first.frame),
    ]


def cost(film: Path, folder: Path, sound: Rendering, marks: Overlay, first: Timecode) -> None:
    """Drawing against encoding alone, and copying against reading."""

    def encoded_alone(goal: Path) -> None:
        with av.open(str(film)) as source, av.open(str(goal), "w") as file:
            picture = source.streams.video[0]
            picture.thread_type = "AUTO"
            stream = file.add_stream("libx264", rate=picture.average_rate, options=QUALITY)
            stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
            for frame in source.decode(picture):
                file.mux(stream.encode(frame))
            file.mux(stream.encode(None))

    bare = Overlay(marks.rate, timecode=False)
    works: tuple[Callable[[], object], ...] = (
        lambda: encoded_alone(folder / "alone.mp4"),
        lambda: burn(film, bare, folder / "plain.mp4", first=first),
        lambda: burn(film, marks, folder / "drawn.mp4", first=first),
        lambda: mux(film, sound, folder / "copied.mov"),
    )
    best = [1e9] * len(works)
    for _ in range(ROUNDS):  # by turns, so that a busy minute falls on all
        for k, work in enumerate(works):
            begin = time.process_time()
            work()
            best[k] = min(best[k], time.process_time() - begin)
    alone, plain, drawn, copied = best
    names = ("alone.mp4", "plain.mp4", "drawn.mp4", "copied.mov")
    size = {name: (folder / name).stat().st_size for name in names}
    rows = (("nothing drawn", plain, "plain.mp4"), ("everything drawn", drawn, "drawn.mp4"))
    for what, spent, name in rows:
        ratio = size[name] / size["alone.mp4"]
        print(f"{what}, over decoding and encoding alone: {spent / alone:.2f} x CPU, {ratio:.2f} x bytes")
    print(f"picture copied under new sound, over the same: {copied / alone:.3f} x CPU")
    beyond = size["copied.mov"] - film.stat().st_size - len(sound.mix) * 6
    print(f"bytes of the copy beyond the clip and its PCM: {beyond / size['copied.mov']:.2%}")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=4.0, help="of music at each rate")
    seconds = parser.parse_args().seconds
    score = music(seconds)
    sound = render(score, sample_rate=SAMPLE_RATE)
    cut = round(seconds * SAMPLE_RATE)
    sound = Rendering(sound.mix[:cut], {name: stem[:cut] for name, stem in list(sound.stems.items())[:2]}, SAMPLE_RATE)
    heads = ("BWF", "click", "MIDI", "mov", "mp4", "picture", "punch", "counts")
    units = ("samples", "samples", "frames", "samples", "samples", "packets", "frames", "pictures")
    print(f"{'off by':<10}" + "".join(f"{head:>10}" for head in heads))
    print(f"{'rate':<10}" + "".join(f"{unit:>10}" for unit in units))
    worst = np.zeros(len(heads))
    with tempfile.TemporaryDirectory() as place:
        for seed, rate in enumerate(RATES):
            folder = Path(place) / rate.name
            folder.mkdir()
            row = measured(rate, seconds, score, sound, seed, folder)
            worst = np.maximum(worst, np.abs(row))
            print(f"{rate.name:<10}" + "".join(f"{v:>10.1e}" if 0 < abs(v) < 1 else f"{v:>10.0f}" for v in row))
        print(f"{'worst':<10}" + "".join(f"{v:>10.1e}" if 0 < v < 1 else f"{v:>10.0f}" for v in worst))
        film = Path(place) / "24" / "clip.mp4"
        rate = FrameRate.parse("24")
        start = Timecode(label_count(rate), rate)
        cues = Cues(rate, start, tuple(Hit(start.frame + f, lands="eighth") for f in (20, 50, 80)))
        from rescore_music.stage.landings import landings
        from rescore_music.stage.lead import lead_in

        marks = overlay(lead_in(score, rate), cues, landings(score, cues))
        cost(film, Path(place), sound, marks, start + -24)
    if np.any(worst[[0, 1, 3, 4, 5, 6, 7]] > 0) or worst[2] > 1e-4:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
