"""MIDI in and out again, judged by mido: does our file say what the source says?

    python benchmarks/midi_round_trip.py [FOLDER ...]

FOLDER holds MIDI files (default: the shared game files and the conformance suite where they lie beside the checkout).
Each file is read by `read_midi`, written by `midi_bytes`, and source and result are read by mido, which knows nothing
of us. Compared as multisets, port by port, channel by channel and tick by tick: note-ons with velocity, note-offs with
their release velocity where it is not MIDI's default, controllers, programs, bends, channel and key pressure; and
tempo, meters, keys, markers with cue points, and system exclusive messages.

A difference is explained only by an item of the import log: what is no music (a note-off without a note-on, a note-on
that never ends, a second key at one tick) cannot come back. Files that mido itself cannot read are counted apart.
"""

from __future__ import annotations

import io
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import mido

from rescore_music.errors import ReadError
from rescore_music.io.midi.read import read_midi
from rescore_music.io.midi.write import midi_bytes
from rescore_music.score import Score

Message = tuple[Any, ...]

KINDS = {
    "control_change": ("controllers", ("control", "value")),
    "program_change": ("programs", ("program",)),
    "pitchwheel": ("bends", ("pitch",)),
    "aftertouch": ("channel pressure", ("value",)),
    "polytouch": ("key pressure", ("note", "value")),
}
WHOLE = {
    "time_signature": (
        "meters",
        ("numerator", "denominator", "clocks_per_click", "notated_32nd_notes_per_beat"),
    ),
    "key_signature": ("keys", ("key",)),
    "marker": ("markers", ("type",)),
    "cue_marker": ("markers", ("type",)),
    "sysex": ("system exclusive", ("data",)),
}
# what of a difference an item of the import log accounts for
EXPLAINED = {
    "note-off without a note-on": ("note-offs",),
    "note-off on a channel that plays no note": ("note-offs",),
    "note-on that never ends": ("note-offs",),
    "two keys at one tick": ("keys",),
    "two meters at one tick": ("meters",),
    "two tempi at one tick": ("tempo",),
    "unknown mode": ("keys",),
    "impossible": ("keys", "meters", "tempo"),
    "data byte over 127": ("note-ons", "note-offs", "controllers", "programs", "bends", "channel pressure"),
    "plays no note dropped": ("controllers", "programs", "bends", "channel pressure"),
    "real time": ("tempo",),
    "after the end of the track": ("note-ons", "note-offs"),
    "wrong track length": ("note-ons", "note-offs"),
    "put one after the other": ("note-ons", "note-offs", "tempo", "meters", "keys", "controllers", "programs"),
}


def told(file: mido.MidiFile) -> dict[str, Counter[Message]]:
    """What a file says, kind by kind."""
    out: dict[str, Counter[Message]] = {"tempo": Counter(_tempo(file))}
    for messages in file.tracks:
        tick = port = 0
        for message in messages:
            tick += message.time
            if message.type == "midi_port":
                port = message.port
            elif message.type in ("note_on", "note_off"):
                off = message.type == "note_off" or not message.velocity
                release = message.velocity if message.type == "note_off" and message.velocity != 64 else 0
                said = (tick, port, message.channel, message.note, release if off else message.velocity)
                out.setdefault("note-offs" if off else "note-ons", Counter())[said] += 1
            elif message.type in KINDS:
                kind, names = KINDS[message.type]
                out.setdefault(kind, Counter())[tick, port, message.channel, *_values(message, names)] += 1
            elif message.type in WHOLE:
                kind, names = WHOLE[message.type]
                out.setdefault(kind, Counter())[tick, *_values(message, names)] += 1
    # every file writes its meters and keys again and again, in all tracks
    return {kind: Counter(set(c)) if kind in ("meters", "keys") else c for kind, c in out.items()}


def _values(message: Any, names: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(getattr(message, name) for name in names)


def _tempo(file: mido.MidiFile) -> list[Message]:
    """Tempo changes that change something; of several at a tick the last of the first track counts."""
    steps = {0: 500_000}
    for messages in reversed(file.tracks):
        tick = 0
        for message in messages:
            tick += message.time
            if message.type == "set_tempo":
                steps[tick] = message.tempo
    changes = sorted(steps.items())
    return [change for i, change in enumerate(changes) if i == 0 or change[1] != changes[i - 1][1]]


def differences(data: bytes) -> tuple[Score, dict[str, Counter[Message]], dict[str, tuple[int, int]]] | None:
    """Score, what mido finds in the source, and by kind how many are missing and added; None if mido cannot read it."""
    try:
        source = told(mido.MidiFile(file=io.BytesIO(data), clip=True))
    except (OSError, EOFError, ValueError, KeyError, IndexError, mido.KeySignatureError):
        return None
    score = read_midi(data)
    ours = told(mido.MidiFile(file=io.BytesIO(midi_bytes(score))))
    out = {}
    for kind in source.keys() | ours.keys():
        here, there = source.get(kind, Counter()), ours.get(kind, Counter())
        missing, added = (here - there).total(), (there - here).total()
        if missing or added:
            out[kind] = (missing, added)
    return score, source, out


def unexplained(score: Score, kinds: dict[str, tuple[int, int]]) -> set[str]:
    """Kinds that differ although nothing in the import log says why."""
    said: set[str] = set()
    for item in score.import_log:
        said.update(*(about for text, about in EXPLAINED.items() if text in item.what))
    return set(kinds) - said


def main() -> int:
    """Print counts for each folder; 1 if a difference is not explained."""
    shared = Path(os.environ.get("RESCORE_SHARED_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
    folders = [Path(name) for name in sys.argv[1:]] or [shared / "game_midi", shared / "midi_conformance"]
    bad = 0
    for folder in folders:
        compared: Counter[str] = Counter()
        missing: Counter[str] = Counter()
        added: Counter[str] = Counter()
        files = unread = refused = mended = 0
        for path in sorted(folder.glob("*.mid")):
            try:
                found = differences(path.read_bytes())
            except ReadError:
                refused += 1
                continue
            if found is None:
                unread += 1
                continue
            score, source, kinds = found
            files += 1
            compared += Counter({kind: messages.total() for kind, messages in source.items()})
            for kind, (less, more) in kinds.items():
                missing[kind] += less
                added[kind] += more
            mended += bool(kinds)
            if why := unexplained(score, kinds):
                bad += 1
                print(f"  {path.name}: not explained: {', '.join(sorted(why))} {kinds}")
        print(f"{folder.name}: {files} files compared, {mended} differ, {refused} refused by us, {unread} by mido")
        print(f"  {'':<20}{'compared':>10}{'missing':>9}{'added':>7}")
        for kind in sorted(compared, key=lambda k: -compared[k]):
            print(f"  {kind:<20}{compared[kind]:>10}{missing[kind]:>9}{added[kind]:>7}")
    print("every difference is explained by the import log" if not bad else f"{bad} files differ unexplained")
    return int(bad > 0)


if __name__ == "__main__":
    raise SystemExit(main())
