"""Everything that a cue needs on the recording stage and at the dub, into one folder.

    score.mid           the cue: tempo map, markers at the hits, SMPTE offset of its first tick
    session.mid         the same with its free bars and the click
    click.mid click.wav the click alone, from the first free bar
    mix.wav stems/      broadcast waves: their place on the reel, markers at the hits
    score.musicxml .pdf the written score with hits and timecode over the system
    cue_sheet.csv .html bar, beat, timecode, hit, how far off
    session.rpp .dawproject .otio
    picture.mov         the video with the new score, its picture copied
    streamers.mp4       the video with streamers, punches, flutters, bars and timecode burnt in, and the new score

Conventions: the cue's first sample is at `cues.start`; sessions begin with the free bars, a whole number of frames
before it. All is written beside its goal and moved in when it is done.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from rescore_music.audio import Audio, Rendering
from rescore_music.cues import Cues
from rescore_music.elements import LogItem
from rescore_music.errors import WriteError
from rescore_music.io.broadcast import Broadcast
from rescore_music.io.files import atomic_write
from rescore_music.score import Score
from rescore_music.stage.click import click_audio, click_score, clicks
from rescore_music.stage.conductor import with_hit_markers, with_offset
from rescore_music.stage.containers import picture_facts
from rescore_music.stage.landings import landings
from rescore_music.stage.lead import Led, lead_in
from rescore_music.stage.session import Item, Session, hit_places
from rescore_music.stage.settings import Staged, StageSettings
from rescore_music.stage.streamers import overlay
from rescore_music.syncing.result import Landing, Skipped
from rescore_music.timecode import Timecode

Progress = Callable[[str, float], None]
_BESIDE = ".rescore-stage-"
_UNFIT = re.compile(r"[^\w.-]+")  # for a file name
# share of the work done when each step begins, measured on the clip of samples/make_clip.py
STEPS = {"score": 0.0, "click": 0.2, "sound": 0.25, "session": 0.35, "picture": 0.5, "streamers": 0.55}


def stage_cue(
    score: Score,
    cues: Cues,
    out: str | Path,
    *,
    hits: Sequence[Landing] | None = None,
    skipped: Sequence[Skipped] = (),
    remarks: Sequence[str] = (),
    rendering: Rendering | None = None,
    written: Score | None = None,
    video: str | Path | None = None,
    picture_start: Timecode | None = None,
    settings: StageSettings | None = None,
    progress: Progress | None = None,
) -> Staged:
    """Deliver a synced cue to stage and dub.

    Parameters
    ----------
    score : Score
        Its first tick at `cues.start`, under the tempo map that meets the hits.
    cues : Cues
    out : path
        A folder; made if it is not there.
    hits : sequence of Landing, optional
        What syncing told; held against the score otherwise.
    skipped : sequence of Skipped
        Hits that the music does not reach, for the cue sheet.
    remarks : sequence of str
        What syncing did to bars and spans, for the cue sheet.
    rendering : Rendering, optional
        The cue's sound. Without it there is a click, but no mix, stems or sessions with sound.
    written : Score, optional
        The score as it is to be printed, hits over the system and all; otherwise `score` with its hits.
    video : path, optional
        Needs the extra `picture`.
    picture_start : Timecode, optional
        Of the first picture: the video's own timecode unless given; if it has none, the cue's start.
    settings : StageSettings, optional
    progress : callable (step, fraction), optional

    Returns
    -------
    Staged

    Raises
    ------
    RescoreError
        One line: which file, what is wrong, what to do. Then nothing is written.
    """
    goal, asked = Path(out), settings or StageSettings()
    new = not goal.exists()
    try:
        goal.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=_BESIDE, dir=goal) as beside:
            known = tuple(hits) if hits is not None else landings(score, cues)
            work = _Work(score, cues, Path(beside), known, asked, lead_in(score, cues.rate, asked.free_bars))
            tell = progress or (lambda step, share: None)
            tell("score", STEPS["score"])
            names = work.written(skipped, remarks, written)
            more, log = work.recorded(rendering, video, picture_start, tell)
            names += more
            for name in names:
                _move(Path(beside) / name, goal / name)
    except OSError as error:
        what = f"cannot write into this folder: {error.strerror or error}"
        raise WriteError(what, file=goal, cure="choose another with -o") from error
    finally:
        if new:
            with contextlib.suppress(OSError):
                goal.rmdir()  # only where nothing was written
    return Staged({name: goal / name for name in names}, known, work.led, log)


def _move(new: Path, old: Path) -> None:
    if old.is_dir():
        shutil.rmtree(old)
    new.replace(old)


@dataclass(frozen=True, eq=False)
class _Work:
    """One delivery: the cue, what it meets, and the folder that is filled."""

    score: Score
    cues: Cues
    folder: Path
    hits: tuple[Landing, ...]
    settings: StageSettings
    led: Led

    @property
    def title(self) -> str:
        return self.score.metadata.title or "Cue"

    @property
    def origin(self) -> Timecode:
        return self.led.origin(self.cues.start)

    def recorded(
        self, rendering: Rendering | None, video: str | Path | None, start: Timecode | None, tell: Progress
    ) -> tuple[list[str], tuple[LogItem, ...]]:
        """Write all but the score; the names of what was written, and what could not be said."""
        tell("click", STEPS["click"])
        names, log = self.midi(rendering.rate if rendering else 48000)
        tell("sound", STEPS["sound"])
        sounds = self.sounds(rendering) if rendering else []
        names += ["mix.wav", "stems"] if rendering else []
        tell("session", STEPS["session"])
        film, first, told = self.film(video, start, "picture.mov" if rendering else "streamers.mp4")
        if video is not None:
            names += [*(["picture.mov"] if rendering else []), "streamers.mp4"]
        more, unsaid = self.sessions(self.session(rendering, sounds, film))
        if video is not None:
            self.pictures(Path(video), first, rendering, tell)
        return [*names, *more], (*log, *told, *unsaid)

    def written(self, skipped: Sequence[Skipped], remarks: Sequence[str], printed: Score | None) -> list[str]:
        """The score with hits and timecode, and the cue sheet."""
        from rescore_music.stage.cuesheet import cue_csv, cue_page, cue_rows
        from rescore_music.view.annotations import with_hits
        from rescore_music.view.export import write_score

        marked = printed or with_hits(self.score, self.hits, rate=self.cues.rate, start=self.cues.start)
        names = ["score.musicxml", *(["score.pdf"] if self.settings.pages else [])]
        for name in names:
            write_score(marked, self.folder / name)
        rows = cue_rows(self.score, self.cues, self.hits)
        atomic_write(self.folder / "cue_sheet.csv", cue_csv(rows).encode("utf-8"))
        page = cue_page(self.score, self.cues, self.hits, skipped=skipped, remarks=remarks)
        atomic_write(self.folder / "cue_sheet.html", page.encode("utf-8"))
        return [*names, "cue_sheet.csv", "cue_sheet.html"]

    def midi(self, sample_rate: int) -> tuple[list[str], tuple[LogItem, ...]]:
        """Score, session and click as MIDI, and the click as sound."""
        from rescore_music.io.midi.write import write_midi
        from rescore_music.io.wav import write_audio

        places = [(hit.tick, f"{hit.label} {hit.timecode}".strip()) for hit in self.hits]
        cue, log = with_offset(with_hit_markers(self.score, places), self.cues.start)
        moved = [(tick + self.led.ticks, text) for tick, text in places]
        whole, _ = with_offset(with_hit_markers(self.led.score, moved), self.origin)
        where = clicks(whole, start=self.led.warning, subdivide=self.settings.subdivide)
        click = click_score(whole, where)
        write_midi(cue, self.folder / "score.mid")
        write_midi(whole.merged(click.replace(markers=(), raw=())), self.folder / "session.mid")
        write_midi(click, self.folder / "click.mid")
        sound = click_audio(where, float(whole.seconds(int(whole.bars[-1]))), sample_rate)
        said = Broadcast(self.origin, f"{self.title}: click", date=self.settings.date)
        write_audio(sound, self.folder / "click.wav", broadcast=said)
        return ["score.mid", "session.mid", "click.mid", "click.wav"], log

    def sounds(self, rendering: Rendering) -> list[tuple[str, str]]:
        """Mix and stems as broadcast waves; (name, file) of each stem."""
        from rescore_music.io.wav import write_audio

        seconds = self.score.seconds(np.array([hit.tick for hit in self.hits], np.int64)).tolist()
        marks = tuple((at, hit.label or hit.timecode) for at, hit in zip(seconds, self.hits, strict=True))
        said = Broadcast(self.cues.start, f"{self.title}: mix", markers=marks, date=self.settings.date)
        write_audio(rendering, self.folder / "mix.wav", broadcast=said)
        (self.folder / "stems").mkdir()
        out = []
        for number, (name, samples) in enumerate(rendering.stems.items(), 1):
            file = f"stems/{number:02d}-{_UNFIT.sub('-', name).strip('-.') or 'part'}.wav"
            broadcast = replace(said, description=f"{self.title}: {name}")
            write_audio(Audio(samples, rendering.rate), self.folder / file, broadcast=broadcast)
            out.append((name, file))
        return out

    def film(
        self, video: str | Path | None, given: Timecode | None, file: str
    ) -> tuple[Item | None, Timecode, tuple[LogItem, ...]]:
        """The video's place in the session, the timecode of its first picture, and what it leaves unsaid."""
        if video is None:
            return None, self.cues.start, ()
        facts, rate = picture_facts(Path(video)), self.cues.rate
        log = []
        first = given
        if first is None and facts.timecode:
            first = Timecode.parse(facts.timecode, rate)
        if first is None:
            log.append(LogItem(str(video), f"tells no timecode: its first picture is taken for {self.cues.start}"))
            first = self.cues.start
        if facts.sounds and self.settings.own is None:
            log.append(LogItem(str(video), "its own sound is left out of both videos", facts.sounds))
        if abs(facts.rate / rate.fps - 1) > Fraction(1, 5000):
            log.append(LogItem(str(video), f"has {float(facts.rate):.3f} pictures a second on average, not {rate}"))
        position = (first.frame - self.cues.start.frame + self.led.frames) / rate.fps
        return Item("Picture", file, position, facts.seconds, rate=0), first, tuple(log)

    def session(self, rendering: Rendering | None, stems: list[tuple[str, str]], film: Item | None) -> Session:
        """The timeline that all session files show."""
        click = Fraction(float(self.led.score.seconds(int(self.led.score.bars[-1]))))
        rate = rendering.rate if rendering else 48000
        items = [Item("Click", "click.wav", Fraction(0), click, rate, 1)]
        if rendering is not None:
            at, length = self.led.frames / self.cues.rate.fps, Fraction(len(rendering.mix), rate)
            items += [Item(name, file, at, length, rate) for name, file in stems]
            items.append(Item("Mix", "mix.wav", at, length, rate, muted=bool(stems)))
        places = hit_places(self.led, self.cues, self.hits)
        return Session(self.title, self.led, self.cues.start, tuple(items), film, places)

    def sessions(self, session: Session) -> tuple[list[str], tuple[LogItem, ...]]:
        """The session for REAPER, as DAWproject, and (where its package is) as OTIO."""
        from rescore_music.errors import MissingExtra
        from rescore_music.stage.dawproject import write_dawproject
        from rescore_music.stage.reaper import write_reaper
        from rescore_music.stage.timeline import write_timeline

        log = write_reaper(session, self.folder / "session.rpp")
        log += write_dawproject(session, self.folder / "session.dawproject")
        names = ["session.rpp", "session.dawproject"]
        try:
            write_timeline(session, self.cues, self.folder / "session.otio")
        except MissingExtra as error:
            return names, (*log, LogItem("session.otio", f"not written: {error.message}"))
        return [*names, "session.otio"], log

    def pictures(self, video: Path, first: Timecode, rendering: Rendering | None, tell: Progress) -> None:
        """The video with the new score, plain and with everything drawn on it."""
        from rescore_music.stage.burn import burn
        from rescore_music.stage.mux import mux

        at, asked = (self.cues.start.frame - first.frame) / self.cues.rate.fps, self.settings
        sound = None if rendering is None else self.folder / "mix.wav"  # its very samples
        tell("picture", STEPS["picture"])
        if sound is not None:
            mux(video, sound, self.folder / "picture.mov", at=at, timecode=first, own=asked.own)
        tell("streamers", STEPS["streamers"])
        lines, flutters, seconds = asked.streamers, asked.flutters, asked.seconds
        drawn = overlay(self.led, self.cues, self.hits, streamers=lines, flutters=flutters, seconds=seconds)
        burn(video, drawn, self.folder / "streamers.mp4", first=first, audio=sound, at=at, own=asked.own)
