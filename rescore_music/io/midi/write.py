"""A Score as a standard MIDI file: format 1, a conductor track, then one track a part.

Conventions: no running status; text in UTF-8; meta messages are mido's, channel messages are built in columns (one
mido object a message would take ten times as long). At one tick come note-offs, bank, program, controllers, bends,
then note-ons. Notes are written as they sound (`Score.sounding`). Where equal pitches of a part overlap, their
note-offs come in the order of their note-ons, as the reader takes them: a note that lies wholly inside an equal one
swaps ends with it.

Kept: title, rights, tempo, meters (bars of irregular length get a meter of their own), keys, markers, cue points,
parts with name, port and channel, programs with bank, controllers, channel and key pressure, bends, notes with
velocity and release velocity, pedal, lyrics (further verses in tracks of their own), text, system exclusive and
unknown meta messages. Not kept, because MIDI has no message for it: spelling, voices, staves, articulation signs,
dynamics and hairpins as signs, slurs, clefs, repeats.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rescore_music.io.files import atomic_write
from rescore_music.io.midi.channels import Place, assign_channels
from rescore_music.io.midi.columns import Columns, Phase, add_notes, length_bytes
from rescore_music.io.midi.meta import COPYRIGHT, CUE, LYRIC, MARKER, TEXT, TRACK_NAME
from rescore_music.io.midi.meter import METER_STATUS, fitted, is_kept_meter, meter_messages
from rescore_music.io.midi.programs import add_programs, wanted_programs
from rescore_music.score import CHANNEL_PRESSURE, Mark, RawEvent, Score

if TYPE_CHECKING:
    from rescore_music.io.midi.sound_map import SoundMap

_MAJOR = ("Cb", "Gb", "Db", "Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#", "C#")
_MINOR = ("Abm", "Ebm", "Bbm", "Fm", "Cm", "Gm", "Dm", "Am", "Em", "Bm", "F#m", "C#m", "G#m", "D#m", "A#m")
_PEDAL, _SOSTENUTO = 64, 66
_SLOWEST = 0xFFFFFF  # microseconds a quarter
log = logging.getLogger(__name__)


def write_midi(score: Score, path: str | Path, *, sound_map: SoundMap | str | Path | None = None) -> Path:
    """Write a MIDI file; parameters as for `midi_bytes`.

    Raises
    ------
    WriteError
        If the file cannot be written, or the score is longer than MIDI can say.
    """
    return atomic_write(path, midi_bytes(score, sound_map=sound_map))


def midi_bytes(score: Score, *, sound_map: SoundMap | str | Path | None = None) -> bytes:
    """The score as a MIDI file of format 1; equal scores give equal bytes.

    Parameters
    ----------
    score : Score
    sound_map : SoundMap, str or path, optional
        How a sample library is played: a shipped map's name ("general-midi", "keyswitch-example") or a YAML file.
        Without one, every part has its own program and articulations only shape lengths.

    Raises
    ------
    WriteError
        If the score is longer than MIDI can say, or plays a key that the map uses as a keyswitch.
    TemplateError
        If there is no such sound map, or its file is wrong.
    """
    score = score.played
    if sound_map is not None:
        from rescore_music.io.midi.sound_map import load_sound_map
        from rescore_music.io.midi.switching import switched

        score = switched(score, load_sound_map(sound_map))
    score = fitted(score)
    places = assign_channels(score)
    writer = _Writer(score, places)
    tracks = [writer.conductor(), *(writer.part(i) for i in range(len(score.parts))), *writer.verses()]
    for kind, name in score.metadata.extra:
        if kind == "track name":  # a track without notes: a remark of whoever made the source
            remark = Columns()
            remark.add_bytes(0, Phase.HEAD, _text(TRACK_NAME, name))
            tracks.append(remark.to_bytes(0))
    header = b"MThd" + b"".join(n.to_bytes(size) for n, size in ((6, 4), (1, 2), (len(tracks), 2)))
    return header + score.ticks_per_quarter.to_bytes(2) + b"".join(tracks)


def _meta(kind: str, **values: Any) -> bytes:
    import mido

    return bytes(mido.MetaMessage(kind, **values).bytes())


def _text(kind: int, text: str) -> bytes:
    data = text.encode("utf-8", "replace")
    return bytes((0xFF, kind)) + length_bytes(len(data)) + data


def _raw(data: bytes) -> bytes:
    """A `RawEvent` as it stands in a file: meta and system messages say their length there."""
    if data[:1] == b"\xff":
        return data[:2] + length_bytes(len(data) - 2) + data[2:]
    if data[:1] in (b"\xf0", b"\xf7"):
        return data[:1] + length_bytes(len(data) - 1) + data[1:]
    return data


def _add_lyrics(track: Columns, marks: list[Mark], verse: int) -> None:
    """One verse: a space ends a word, a carriage return opens a line, a line feed a paragraph."""
    pause = ""
    for mark in marks:
        if max(int(mark.value), 1) != verse:
            continue
        if mark.kind == "lyric-break":
            pause = "\n" if mark.text == "\\" else "\r"
        elif mark.kind == "lyric":
            text = mark.text if mark.text.endswith("-") else mark.text + " "
            track.add_bytes(mark.tick, Phase.TEXT, _text(LYRIC, pause + text))
            pause = ""


class _Writer:
    """A score, the channels of its parts, and the tracks made of them."""

    def __init__(self, score: Score, places: list[Place]) -> None:
        self.score, self.places = score, places
        self.notes = score.sounding()
        self.programs = wanted_programs(score)
        self.marks: dict[int, list[Mark]] = {}
        for mark in score.marks:
            self.marks.setdefault(mark.part, []).append(mark)
        self.raw: dict[int, list[RawEvent]] = {}
        for raw in score.raw:
            self.raw.setdefault(raw.part, []).append(raw)

    def conductor(self) -> bytes:
        """The first track: what belongs to all parts."""
        score, track = self.score, Columns()
        for kind, text in ((TRACK_NAME, score.metadata.title), (COPYRIGHT, score.metadata.rights)):
            if text:
                track.add_bytes(0, Phase.HEAD, _text(kind, text))
        tempo = score.tempo.stepped(until=score.length)
        for tick, us in zip(tempo.ticks.tolist(), tempo.us.tolist(), strict=True):
            track.add_bytes(tick, Phase.CONTROL, _meta("set_tempo", tempo=min(int(us), _SLOWEST)))
            if us > _SLOWEST:
                log.warning("tick %d: MIDI has no tempo under 3.58 quarters a minute; there were %.3g", tick, 6e7 / us)
        for tick, meter in meter_messages(score):
            track.add_bytes(tick, Phase.CONTROL, METER_STATUS + bytes((len(meter),)) + meter)
        for row in score.keys:
            minor = row["mode"] in (1, 2, 3, 6)  # MIDI cannot leave the mode unsaid, and knows no church modes
            table = _MINOR if minor else _MAJOR
            fifths = int(row["fifths"])
            name = table[fifths - 12 * round(fifths / 12) + 7 if abs(fifths) > 7 else fifths + 7]
            track.add_bytes(int(row["tick"]), Phase.CONTROL, _meta("key_signature", key=name))
        for marker in score.markers:
            track.add_bytes(marker.tick, Phase.TEXT, _text(CUE if marker.kind == "cue" else MARKER, marker.text))
        used = {channel for port, channel in self.places if port == 0}
        raws = [r for r in self.raw.get(-1, ()) if r.data[0] >= 0xF0 or r.data[0] & 15 not in used]
        raws = [r for r in raws if not is_kept_meter(r)]
        self._add_texts(track, self.marks.get(-1, []), raws, 0)
        return track.to_bytes(score.length)

    def part(self, number: int) -> bytes:
        """One part's track."""
        score, track = self.score, Columns()
        part, (port, channel) = score.parts[number], self.places[number]
        if part.name:
            track.add_bytes(0, Phase.HEAD, _text(TRACK_NAME, part.name))
        if port:
            track.add_bytes(0, Phase.HEAD, _meta("midi_port", port=port))
        if self.places.index((port, channel)) == number:  # parts on one channel share what belongs to the channel
            self._add_channel(track, number, channel)
        add_notes(track, self.notes[self.notes["part"] == number], channel)
        self._add_texts(track, self.marks.get(number, []), self.raw.get(number, []), channel)
        return track.to_bytes(0)

    def _add_channel(self, track: Columns, number: int, channel: int) -> None:
        score = self.score
        controls = score.controls[score.controls["part"] == number]
        controls = add_programs(track, self.programs[number], controls, channel)
        plain = controls[controls["number"] < CHANNEL_PRESSURE]
        track.add(plain["tick"], Phase.CONTROL, 0xB0 | channel, plain["number"], plain["value"])
        pressure = controls[controls["number"] == CHANNEL_PRESSURE]
        track.add(pressure["tick"], Phase.CONTROL, 0xD0 | channel, pressure["value"])
        bends = score.bends[score.bends["part"] == number]
        value = np.clip(bends["value"].astype(np.int64) + 8192, 0, 16383)
        track.add(bends["tick"], Phase.BEND, 0xE0 | channel, value & 0x7F, value >> 7)
        for mark in self.marks.get(number, []):
            pedal = _SOSTENUTO if mark.text == "sostenuto" else _PEDAL
            if mark.kind == "pedal" and mark.end > mark.tick and not np.any(plain["number"] == pedal):
                track.add([mark.tick, mark.end], Phase.CONTROL, 0xB0 | channel, pedal, [127, 0])

    def verses(self) -> list[bytes]:
        """Second and further verses: a track for each part's, named as the part, for one part sings one at a time."""
        out = []
        sung = {(m.part, int(m.value)) for m in self.score.marks if m.kind == "lyric" and m.value >= 2}
        for part, verse in sorted(sung):
            track, name = Columns(), self.score.parts[part].name if part >= 0 else ""
            track.add_bytes(0, Phase.HEAD, _text(TRACK_NAME, f"{name}, verse {verse}" if name else f"verse {verse}"))
            _add_lyrics(track, self.marks.get(part, []), verse)
            out.append(track.to_bytes(0))
        return out

    def _add_texts(self, track: Columns, marks: list[Mark], raws: list[RawEvent], channel: int) -> None:
        _add_lyrics(track, marks, 1)
        for mark in marks:
            if mark.kind in ("text", "tempo"):
                track.add_bytes(mark.tick, Phase.TEXT, _text(TEXT, mark.text))
            elif mark.kind == "rehearsal":
                track.add_bytes(mark.tick, Phase.TEXT, _text(MARKER, mark.text))
        for raw in raws:
            data = raw.data
            if raw.part >= 0 and 0x80 <= data[0] < 0xF0:
                data = bytes((data[0] & 0xF0 | channel,)) + data[1:]
            track.add_bytes(raw.tick, Phase.TEXT, _raw(data))
