"""What `rescore-music inspect` and `motifs` tell: a cue and its analysis as plain values and as lines of text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from rescore_music.cues import Cues
from rescore_music.score import Score
from rescore_music.structure import Analysis, Motif, Role
from rescore_music.view.inspect_names import (
    home_key_name,
    instrument_name,
    key_at,
    line_name,
    named_chords,
    part_name,
    spelled_keys,
)
from rescore_music.view.inspect_words import summary


def inspection(score: Score, analysis: Analysis, *, cues: Cues | None = None) -> dict[str, Any]:
    """Everything about a cue as one JSON object; places are bars and beats, counted from 1.

    Parameters
    ----------
    score : Score
    analysis : Analysis
        Of this score.
    cues : Cues, optional
        Their hits are told where the score's tempo map puts them.
    """
    onsets = score.notes["onset"]
    signs = spelled_keys(score, analysis)
    return {
        "title": score.metadata.title,
        "composer": score.metadata.composer,
        "source": score.metadata.source,
        "format": score.metadata.source_format,
        "digest": score.digest(),
        "summary": summary(score, analysis),
        "seconds": round(score.duration, 3),
        "bars": len(score.bars) - 1,
        "ticks_per_quarter": score.ticks_per_quarter,
        "notes": len(score.notes),
        "tempi": [
            {"bar": _bar(score, t), "quarters_a_minute": round(float(score.tempo.bpm(t)), 3)}
            for t in score.tempo.ticks.tolist()
        ],
        "meters": [{"bar": _bar(score, t), "meter": f"{n}/{d}"} for t, n, d in score.meters.tolist()],
        "parts": [_part(score, i) for i in range(len(score.parts))],
        "lines": [_line(score, analysis, i) for i in range(len(analysis.lines))],
        "phrases": [
            {"bars": _bars(score, p.start, p.end), "label": p.label, "roles": _roles(analysis, i)}
            for i, p in enumerate(analysis.phrases)
        ],
        "sections": [{"bars": _bars(score, s.start, s.end), "label": s.label} for s in analysis.sections],
        "key": home_key_name(analysis, signs),
        "keys": [
            {"bars": _bars(score, k.start, k.end), "key": key_at(analysis, signs, k.start)} for k in analysis.keys
        ],
        "chords": [
            {**_place(score, start), "chord": name, "numeral": numeral, "key": key_at(analysis, signs, start)}
            for start, _, numeral, name in named_chords(score, analysis)
        ],
        "cadences": [
            {**_place(score, c.tick), "cadence": c.kind, "key": key_at(analysis, signs, c.tick)}
            for c in analysis.cadences
        ],
        "intensity": [round(float(v), 3) for v in analysis.intensity],
        "motifs": motif_table(score, analysis.motifs),
        "markers": [{"bar": _bar(score, m.tick), "text": m.text, "kind": m.kind} for m in score.markers],
        "hits": [] if cues is None else _hits(score, cues),
        "import_log": [{"where": i.where, "what": i.what, "count": i.count} for i in score.import_log],
        "onsets": len(np.unique(onsets)),
    }


def inspection_lines(found: Mapping[str, Any]) -> list[str]:
    """The same for a reader at a terminal."""
    lines = [
        f"{found['title'] or found['source'] or 'untitled'}"
        + (f" by {found['composer']}" if found["composer"] else ""),
        f"{found['notes']} notes, {found['bars']} bars, {found['seconds']:.1f} s, {found['format']}",
        "tempo   " + _joined(f"{t['quarters_a_minute']:g} (bar {t['bar']})" for t in found["tempi"]),
        "meter   " + _joined(f"{m['meter']} (bar {m['bar']})" for m in found["meters"]),
        "key     " + _joined(f"{k['key']} (bars {k['bars']})" for k in found["keys"]),
        "cadence " + _joined(f"{c['cadence']} (bar {c['bar']})" for c in found["cadences"]),
        "form    " + _joined(f"{s['label']} (bars {s['bars']})" for s in found["sections"]),
        "parts",
    ]
    lines = [line for line in lines if line not in ("cadence ", "form    ")]
    lines += [f"  {p['shown']:<28} {p['notes']:>6} notes  {p['range']}" for p in found["parts"]]
    lines += ["phrases"]
    for p in found["phrases"]:
        roles = "; ".join(f"{role}: {', '.join(_line_names(found, ids))}" for role, ids in p["roles"].items())
        lines.append(f"  bars {p['bars']:<9} {p['label']:<4} {roles}")
    if found["hits"]:
        lines += ["hits"]
        lines += [f"  {h['timecode']}  bar {h['bar']:>4} beat {h['beat']:<6g} {h['label']}" for h in found["hits"]]
    lines += ["motifs", *(f"  {line}" for line in motif_lines(found["motifs"]))]
    if found["import_log"]:
        lines += ["mended or dropped on reading"]
        lines += [f"  {i['where']}: {i['what']} ({i['count']})" for i in found["import_log"]]
    return lines


def motif_table(score: Score, motifs: Sequence[Motif]) -> list[dict[str, Any]]:
    """Motifs as plain values: pitches of the first statement, and every occurrence."""
    return [
        {
            "name": m.name,
            "weight": round(float(m.weight), 4),
            "pitches": score.notes["pitch"][m.occurrences[0].notes].tolist(),
            "occurrences": [
                {
                    "bars": _bars(score, o.start, o.end),
                    "parts": sorted({int(p) for p in score.notes["part"][o.notes]}),
                    "relation": o.relation,
                    "interval": int(o.interval),
                    "notes": np.asarray(o.notes).tolist(),
                }
                for o in m.occurrences
            ],
        }
        for m in motifs
    ]


def motif_lines(table: Sequence[Mapping[str, Any]]) -> list[str]:
    """One line a motif."""
    return [
        f"{m['name']}: {len(m['pitches'])} notes, {len(m['occurrences'])} times: "
        + _joined(f"bars {o['bars']} {o['relation']} {o['interval']:+d}" for o in m["occurrences"])
        for m in table
    ]


def _bar(score: Score, tick: int) -> int:
    return int(score.bar_number(tick))


def _place(score: Score, tick: int) -> dict[str, Any]:
    bar, beat = score.bar_beat(tick)
    return {"bar": bar, "beat": round(beat, 3)}


def _hits(score: Score, cues: Cues) -> list[dict[str, Any]]:
    ticks = np.rint(score.tempo.ticks_at(cues.seconds)).astype(np.int64)
    return [
        {"timecode": cues.timecode(hit), "label": hit.label, "kind": hit.kind, **_place(score, max(int(tick), 0))}
        for hit, tick in zip(cues.hits, ticks, strict=True)
    ]


def _bars(score: Score, start: int, end: int) -> str:
    first, last = _bar(score, start), _bar(score, max(end - 1, start))
    return str(first) if first == last else f"{first}-{last}"


def _part(score: Score, index: int) -> dict[str, Any]:
    part, pitches = score.parts[index], score.notes["pitch"][score.part_notes(index)]
    return {
        "name": part.name,
        "shown": part_name(score, index),
        "instrument": part.instrument,
        "played_on": instrument_name(score, index),
        "program": part.program,
        "percussion": part.percussion,
        "notes": len(pitches),
        "range": f"{pitches.min()}-{pitches.max()}" if len(pitches) else "",
    }


def _line(score: Score, analysis: Analysis, index: int) -> dict[str, Any]:
    line = analysis.lines[index]
    return {
        "name": line_name(score, analysis, index),
        "part": line.part,
        "voice": line.voice,
        "notes": len(line.notes),
    }


def _roles(analysis: Analysis, phrase: int) -> dict[str, list[int]]:
    roles: dict[str, list[int]] = {}
    for line, role in enumerate(analysis.roles[:, phrase].tolist()):
        if role != Role.REST:
            roles.setdefault(Role(role).name.lower().replace("_", "-"), []).append(line)
    return dict(sorted(roles.items(), key=lambda item: Role[item[0].upper().replace("-", "_")]))


def _line_names(found: Mapping[str, Any], lines: Iterable[int]) -> list[str]:
    return [found["lines"][i]["name"] for i in lines]


def _joined(texts: Iterable[str], most: int = 8) -> str:
    listed = list(texts)
    return ", ".join(listed[:most]) + (f" … ({len(listed) - most} more)" if len(listed) > most else "")
