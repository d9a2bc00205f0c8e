"""Write docs/templates.md and docs/instruments.md from the data: run `python docs/make_tables.py` after changing it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from rescore_music.instruments import FAMILIES, Instrument, instruments, pitch_name
from rescore_music.resources import instruments_file
from rescore_music.template import About, load_template, templates
from rescore_music.template.schema import COSTS, TARGETS

HERE = Path(__file__).parent


def _row(cells: Iterable[object]) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


def _table(head: list[str], rows: Iterable[list[object]]) -> list[str]:
    return [_row(head), _row(["---"] * len(head)), *(_row(row) for row in rows), ""]


def _entries(about: Mapping[str, About]) -> Iterable[list[object]]:
    return ([f"`{id}`", entry.title, " ".join(entry.description.split())] for id, entry in about.items())


def templates_page() -> str:
    """What is shipped, who sits in it, and what a file may say."""
    found = templates()
    lines = ["# Templates", "", "Made by `python docs/make_tables.py`; do not edit by hand.", ""]
    lines += [
        f"A template is forces x style: {len(found.forces)} forces and {len(found.styles)} styles make "
        f"{len(found.names())} arrangements, each named `forces/style`. A preset names one of each with changes.",
        "Your own file works like a shipped one; `template.schema.json` beside this page tells what it may say:",
        "",
        "```yaml",
        "version: 1",
        "forces: symphony          # or a file beside this one, or written out",
        "style: romantic-film",
        "overrides:",
        "  forces:",
        "    seats:",
        "      tuba: null            # leave out",
        "      flutes: {players: 3}  # change",
        "      piano: {instrument: piano}  # add",
        "  style:",
        "    density: 0.6",
        "    roles: {melody: {prefer: {violins-1: 1.0}}, harmony: {pattern: cradle}}",
        "    patterns:               # your own figures, here or in a file: {cradle: cradle.yaml}",
        '      cradle: {texture: struck, groups: {two: "1 - u", three: "1 u u", compound: "1 - u"}}',
        "  sections:               # wishes for some bars of one cue, as a printed score counts them",
        "    - {bars: 17-24, role: melody, give: [horn-f]}",
        "  keep: [Piano]           # parts of the cue that stay as they are, by name or number",
        "```",
        "",
    ]
    for kind in ("forces", "styles", "presets", "patterns"):
        lines += [
            f"## {kind.capitalize()}",
            "",
            *_table(["name", "title", "what it is"], _entries(getattr(found, kind))),
        ]
    lines += ["## Who sits where", ""]
    for id in found.forces:
        seats = load_template(f"{id}/{next(iter(found.styles))}").forces.seats
        played = ", ".join(f"{seat.name}{f' ({seat.players})' if seat.players > 1 else ''}" for seat in seats)
        lines += [f"- `{id}`: {played}"]
    lines += ["", "## How a pattern is written", "", "```text", *_language(), "```", ""]
    lines += ["## What a style may weigh and wish for", ""]
    lines += [
        "Costs of the first pass (`weights`, factors 0.1 to 5): " + ", ".join(f"`{name}`" for name in COSTS) + ".",
        "",
    ]
    lines += [
        "Wishes of the second pass (`targets`):",
        "",
        *(f"- `{name}`: {text}" for name, text in TARGETS.items()),
        "",
    ]
    return "\n".join(lines)


def _language() -> list[str]:
    """The language of figures as its module tells it."""
    from rescore_music.template import pattern

    return (pattern.__doc__ or "").strip().splitlines()


def _cells(row: Instrument) -> list[object]:
    pitches = f"{pitch_name(row.lowest)}-{pitch_name(row.highest)}"
    comfortable = f"{pitch_name(row.comfortable_low)}-{pitch_name(row.comfortable_high)}"
    power = ", ".join(f"{pitch_name(pitch)} {soft:+.0f}..{loud:+.0f}" for pitch, soft, loud in row.power)
    keys = f"keys {', '.join(map(str, row.keys))}" if 0 < len(row.keys) < 8 else f"{len(row.keys)} keys"
    if row.percussion:
        pitches, comfortable = keys, ""
    written = f"{row.transposition:+d} ({row.diatonic:+d})" if row.transposition else ""
    breath = f"{row.breath:g}" if row.breath else ""
    sound = "kit" if row.percussion else row.program
    cells = [f"`{row.id}`", row.name, pitches, comfortable, power, written, " ".join(row.clefs), f"{row.agility:g}"]
    return [*cells, row.polyphony, breath, sound]


def instruments_page() -> str:
    """The instrument table, family by family, with its sources."""
    head = ["id", "name", "range", "tessitura", "power pp..ff, dB", "transposition", "clefs", "notes/s", "voices"]
    head += ["breath, s", "GM"]
    lines = ["# Instruments", "", "Made by `python docs/make_tables.py` from `rescore_music/instruments.csv`.", ""]
    lines += [
        "Pitches are sounding (A4 = MIDI 69). Transposition is sounding minus written, semitones (staff steps).",
        "",
    ]
    with instruments_file().open(encoding="utf-8") as file:
        notes = [line[1:].strip() for line in file if line.startswith("#")]
    lines += ["```text", *notes, "```", ""]
    for family in FAMILIES:
        rows = sorted((row for row in instruments().values() if row.family == family), key=lambda row: row.score_order)
        lines += [f"## {family.capitalize()}", "", *_table(head, map(_cells, rows))]
    return "\n".join(lines)


PAGES = {"templates.md": templates_page, "instruments.md": instruments_page}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (HERE / name).write_text(page(), encoding="utf-8")
