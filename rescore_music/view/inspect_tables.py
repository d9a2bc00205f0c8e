"""The inspect page's blocks of static HTML: facts, parts, who does what when, harmony in a list, what was mended."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from rescore_music.cues import Cues
from rescore_music.score import Score
from rescore_music.structure import Analysis
from rescore_music.timecode import FrameRate, Timecode
from rescore_music.view.harmony_names import name_of_fifth, note_names
from rescore_music.view.inspect_names import (
    home_key_name,
    instrument_name,
    key_at,
    line_name,
    meters,
    part_name,
    spelled_keys,
)
from rescore_music.view.inspect_roles import GROUPS, MELODY, display_groups, doubling
from rescore_music.view.inspect_words import bar, bars, clock, tempo_range
from rescore_music.view.report_blocks import table

SPELLED = 10  # so few phrases leave room to write each role out
MOST_ROWS = 400  # of a list; the rest is counted
_RATE = FrameRate.parse("24")  # for the length as timecode where no picture is given


def safe(value: object) -> str:
    """Text made safe for HTML, control characters dropped."""
    return escape("".join(c for c in str(value) if c.isprintable() or c == " "), quote=True)


def facts(score: Score, analysis: Analysis, cues: Cues | None) -> str:
    """The figures under the title."""
    rate = cues.rate if cues is not None else _RATE
    signs = spelled_keys(score, analysis)
    slow, fast = tempo_range(score)
    found = list(dict.fromkeys(f"{n}/{d}" for _, n, d in meters(score)))
    items = [
        (f"{len(score.bars) - 1:,}", "bars"),
        (clock(score.duration), "minutes"),
        (Timecode.from_seconds(score.duration, rate).label, f"timecode at {rate.name} fps"),
        (", ".join(found[:4]) + (" …" if len(found) > 4 else ""), "meter" if len(found) == 1 else "meters"),
        (f"♩ = {slow:.3g}" + (f"–{fast:.3g}" if fast - slow >= 0.5 else ""), "tempo"),
        (home_key_name(analysis, signs), "key"),
        (f"{len(score.parts):,}", "parts"),
        (f"{len(score.notes):,}", "notes"),
    ]
    body = "".join(f"<li><b>{safe(value)}</b><span>{name}</span></li>" for value, name in items if value)
    return f'<ul class="facts">{body}</ul>\n'


def parts_table(score: Score, analysis: Analysis) -> str:
    """Every part: instrument, range, notes, share of the cue in which it has the melody."""
    names = (
        note_names(spelled_keys(score, analysis)[0], analysis.keys[0].mode) if analysis.keys else note_names(0, "major")
    )
    leads = _melody_share(score, analysis)
    rows = []
    for i, part in enumerate(score.parts):
        own = score.part_notes(i)
        pitches = score.notes["pitch"][own]
        span = (
            "" if part.percussion or not len(own) else f"{_pitch(pitches.min(), names)}–{_pitch(pitches.max(), names)}"
        )
        share = f"{leads[i]:.0%}" if leads[i] > 0 else "–"
        rows.append((safe(part_name(score, i)), safe(instrument_name(score, i)), safe(span), f"{len(own):,}", share))
    return table(("Part", "Instrument", "Sounding range", "Notes", "Leads"), rows, numbers=(3, 4))


def _pitch(pitch: int, names: tuple[str, ...]) -> str:
    name = names[int(pitch) % 12]
    octave = int(pitch) // 12 - 1 + {"B♯": -1, "C♭": 1}.get(name, 0)
    return f"{name}{octave}"


def _melody_share(score: Score, analysis: Analysis) -> list[float]:
    groups, twice = display_groups(analysis), doubling(analysis)
    spans = np.array([p.end - p.start for p in analysis.phrases], float)
    out = []
    for part in range(len(score.parts)):
        lines = [i for i, line in enumerate(analysis.lines) if line.part == part]
        leads = (groups[lines] == MELODY) & ~twice[lines] if lines else np.zeros((1, len(spans)), bool)
        out.append(float(spans[leads.any(axis=0)].sum() / max(spans.sum(), 1)) if len(spans) else 0.0)
    return out


def matrix(score: Score, analysis: Analysis) -> str:
    """Parts by phrases: a coloured sign for each role that a part has there, lower case where it doubles."""
    if not analysis.phrases or not analysis.lines:
        return "<p>No phrase was found.</p>"
    groups, twice = display_groups(analysis), doubling(analysis)
    heads = "".join(
        f'<th scope="col" title="{safe(bars(score, p.start, p.end))}"><b>{safe(p.label)}</b>'
        f"<span>{bar(score, p.start)}</span></th>"
        for p in analysis.phrases
    )
    rows = []
    for part in range(len(score.parts)):
        lines = [i for i, line in enumerate(analysis.lines) if line.part == part]
        if not lines:
            continue
        spelled = len(analysis.phrases) <= SPELLED
        cells = "".join(
            _cell(groups[lines, p].tolist(), twice[lines, p].tolist(), spelled) for p in range(len(analysis.phrases))
        )
        rows.append(f'<tr><th scope="row">{safe(part_name(score, part))}</th>{cells}</tr>')
    sections = _section_heads(analysis)
    few = " few" if len(analysis.phrases) <= SPELLED else ""
    return (
        f'{key_of_groups()}<div class="scroll"><table class="matrix{few}"><thead>{sections}'
        f'<tr><th scope="col">Phrase<span>from bar</span></th>{heads}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>\n"
    )


def key_of_groups() -> str:
    """The signs and their meaning."""
    items = "".join(f'<span class="duty g{i}">{g.sign} {g.name.lower()}</span>' for i, g in enumerate(GROUPS))
    return f'<div class="key">{items}<span class="duty twice">small letter: doubles another part</span></div>'


def _section_heads(analysis: Analysis) -> str:
    if not analysis.sections:
        return ""
    starts = [p.start for p in analysis.phrases]
    cells = ""
    for section in analysis.sections:
        inside = sum(section.start <= s < section.end for s in starts)
        cells += f'<th scope="colgroup" colspan="{inside}">{safe(section.label)}</th>' if inside else ""
    return f'<tr class="sections"><th scope="col">Section</th>{cells}</tr>'


def _cell(groups: list[int], twice: list[bool], spelled: bool) -> str:
    shown: dict[tuple[int, bool], None] = {}
    for group, double in sorted(zip(groups, twice, strict=True)):
        if group >= 0:
            shown[(group, double)] = None
    if not shown:
        return "<td></td>"
    signs = "".join(f'<i class="g{g}{" twice" if d else ""}">{_sign(g, d, spelled)}</i>' for g, d in shown)
    title = ", ".join(("doubles the " if d else "") + GROUPS[g].name.lower() for g, d in shown)
    return f'<td title="{title}">{signs}</td>'


def _sign(group: int, double: bool, spelled: bool) -> str:
    word = GROUPS[group].name.split(",")[0] if spelled else GROUPS[group].sign
    return word.lower() if double else word


def harmony_lists(score: Score, analysis: Analysis) -> str:
    """Keys, form, cadences and motifs with their bars, for reading and searching."""
    signs = spelled_keys(score, analysis)
    keys = [(safe(key_at(analysis, signs, k.start)), bars(score, k.start, k.end)) for k in analysis.keys]
    form = [(safe(s.label), bars(score, s.start, s.end)) for s in analysis.sections]
    cadences = [
        (f"bar {bar(score, c.tick)}", safe(c.kind), safe(key_at(analysis, signs, c.tick))) for c in analysis.cadences
    ]
    motifs = [
        (
            safe(m.name),
            _motif_notes(score, analysis, m.occurrences[0].notes),
            f"{len(m.occurrences)}",
            safe(_places([bar(score, o.start) for o in m.occurrences])),
        )
        for m in analysis.motifs
        if m.occurrences
    ]
    out = [_list("Keys", ("Key", "Where"), keys), _list("Form", ("Section", "Where"), form)]
    out.append(_list("Cadences", ("Where", "Kind", "Key"), cadences))
    out.append(_list("Motifs", ("Motif", "First statement", "Times", "Bars"), motifs, wide=True))
    return f'<div class="columns">{"".join(out)}</div>'


def _motif_notes(score: Score, analysis: Analysis, notes: np.ndarray) -> str:
    index = int(np.searchsorted([k.start for k in analysis.keys], score.notes["onset"][notes[0]], side="right")) - 1
    signs = spelled_keys(score, analysis)
    names = (
        note_names(signs[max(index, 0)], analysis.keys[max(index, 0)].mode)
        if analysis.keys
        else tuple(name_of_fifth(f) for f in (0, 7, 2, -3, 4, -1, 6, 1, 8, 3, -2, 5))
    )
    pitches = score.notes["pitch"][notes][:14].tolist()
    line = line_name(score, analysis, int(analysis.line_of[int(notes[0])]))
    return safe(" ".join(names[p % 12] for p in pitches) + (" …" if len(notes) > 14 else "") + f" ({line})")


def _places(numbers: list[int], most: int = 24) -> str:
    listed = sorted(set(numbers))
    return ", ".join(map(str, listed[:most])) + (f" … ({len(listed) - most} more)" if len(listed) > most else "")


def _list(title: str, head: tuple[str, ...], rows: Sequence[tuple[str, ...]], *, wide: bool = False) -> str:
    """A list with its title; a wide one takes a row of its own."""
    if not rows:
        return ""
    more = f"<p>and {len(rows) - MOST_ROWS:,} more</p>" if len(rows) > MOST_ROWS else ""
    shown = table(head, rows[:MOST_ROWS]) + more
    if len(rows) > 20:
        shown = f"<details><summary>{len(rows):,} entries</summary>{shown}</details>"
    kind = ' class="wide"' if wide else ""
    return f"<div{kind}><h3>{title}</h3>{shown}</div>"


def mended(score: Score) -> str:
    """What the reader mended or dropped."""
    rows = [
        (safe(i.where or "–"), safe(i.what) + (" (lost)" if i.lost else ""), f"{i.count:,}") for i in score.import_log
    ]
    if not rows:
        return "<p>Nothing: the file was sound.</p>"
    more = f"<p>and {len(rows) - MOST_ROWS:,} more</p>" if len(rows) > MOST_ROWS else ""
    shown = table(("Where", "What", "Times"), rows[:MOST_ROWS], numbers=(2,)) + more
    return f"<details><summary>{len(rows):,} entries</summary>{shown}</details>" if len(rows) > 30 else shown


def provenance(score: Score, version: str) -> str:
    """Where the cue came from, and what looked at it."""
    data = score.metadata
    rows = [
        ("Title", data.title),
        ("Composer", data.composer),
        ("Rights", data.rights),
        ("File", data.source),
        ("Format", data.source_format),
        ("Digest of the file", data.source_digest),
        ("Digest of the music", score.digest()),
        *data.extra[:40],
        ("rescore-music", version),
    ]
    return table(("What", ""), [(safe(name), safe(str(value)[:500])) for name, value in rows if value])
