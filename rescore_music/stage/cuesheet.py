"""The cue sheet: every hit with its bar, beat, timecode and how far off it is; as CSV, and as a page to print.

Conventions: bars and beats count from 1; `timecode` is the picture's, `music` the timecode of the frame nearest to
what the music does; residuals are music minus picture. The page needs no network and no script, and is made for paper
(A4 or letter, table heads on every page).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from html import escape

from rescore_music.cues import Cues
from rescore_music.score import Score
from rescore_music.syncing.result import Landing, Skipped

COLUMNS = (
    "number",
    "timecode",
    "label",
    "kind",
    "weight",
    "lands",
    "bar",
    "beat",
    "seconds",
    "music",
    "residual_frames",
    "residual_ms",
    "landed",
    "bpm",
)

Row = dict[str, str]


def cue_rows(score: Score, cues: Cues, hits: Sequence[Landing]) -> list[Row]:
    """One row a hit, every field as text.

    Parameters
    ----------
    score : Score
        Its first tick at `cues.start`.
    cues : Cues
    hits : sequence of Landing
    """
    fps = cues.rate.fps
    rows = []
    for number, hit in enumerate(hits, 1):
        frame = cues.rate.frame_at(float(score.seconds(hit.tick)))
        rows.append(
            {
                "number": str(number),
                "timecode": hit.timecode,
                "label": hit.label,
                "kind": hit.kind,
                "weight": f"{hit.weight:g}",
                "lands": hit.lands,
                "bar": str(hit.bar),
                "beat": f"{hit.beat:.4g}",
                "seconds": f"{hit.target_s:.4f}",
                "music": (cues.start + frame).label,
                "residual_frames": _signed(hit.residual_frames, 4),
                "residual_ms": _signed(hit.residual_frames / float(fps) * 1000, 2),
                "landed": "yes" if hit.landed else "no",
                "bpm": f"{float(score.tempo.bpm(hit.tick)):.2f}",
            }
        )
    return rows


def _signed(value: float, digits: int) -> str:
    text = f"{value:+.{digits}f}"
    return text if float(text) else f"{0:.{digits}f}"  # never -0.0000


def cue_csv(rows: Sequence[Row]) -> str:
    """The rows as CSV, head first."""
    text = io.StringIO()
    table = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    return text.getvalue()


_LOOK = """
@page{size:A4;margin:16mm 14mm}
*{box-sizing:border-box}
body{margin:24px auto;max-width:1000px;padding:0 16px;color:#111;background:#fff;
font:14px/1.4 "Helvetica Neue",Helvetica,Arial,"Liberation Sans",sans-serif}
h1{font:600 26px/1.2 Georgia,"Times New Roman",serif;margin:0}
.by{color:#555;margin:2px 0 14px}
dl{display:flex;flex-wrap:wrap;gap:6px 26px;margin:0 0 18px;padding:10px 0;border:solid #111;border-width:1px 0}
dt{color:#555;font-size:11px}dd{margin:0;font-variant-numeric:tabular-nums}
h2{font-size:15px;margin:22px 0 6px}
table{border-collapse:collapse;width:100%}
thead{display:table-header-group}
tr{break-inside:avoid}
th{text-align:left;font-size:11px;color:#555;border-bottom:1.5px solid #111;padding:3px 8px;white-space:nowrap}
td{padding:4px 8px;border-bottom:1px solid #ccc;vertical-align:top}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td.t{font-variant-numeric:tabular-nums;white-space:nowrap}
tr.hard td.l{font-weight:600}
tr.missed td{background:#fdeceb}
.foot{color:#555;font-size:11px;margin-top:10px}
@media print{body{margin:0;max-width:none;padding:0;font-size:11px}h1{font-size:20px}
tr.missed td.l::after{content:" !"}}
"""


def cue_page(
    score: Score,
    cues: Cues,
    hits: Sequence[Landing],
    *,
    skipped: Sequence[Skipped] = (),
    remarks: Sequence[str] = (),
) -> str:
    """The cue sheet as one HTML page; `remarks` are what was done to bars and spans, line by line."""
    rows = cue_rows(score, cues, hits)
    title = score.metadata.title or "Cue sheet"
    body = "".join(_row(row) for row in rows)
    off = [abs(hit.residual_frames) for hit in hits]
    landed = sum(hit.landed for hit in hits)
    facts = [
        ("Start", cues.start.label),
        ("End", (cues.start + cues.rate.frame_at(score.duration)).label),
        ("Frame rate", str(cues.rate)),
        ("Length", f"{int(score.duration // 60)}:{score.duration % 60:06.3f}"),
        ("Bars", str(len(score.bars) - 1)),
        ("Hits that land", f"{landed} of {len(rows)}"),
        ("Mean distance", f"{sum(off) / len(off):.4f} frames" if off else "-"),
    ]
    said = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in facts)
    by = f'<p class="by">{escape(score.metadata.composer)}</p>' if score.metadata.composer else ""
    left = _list("Not reached", [str(item) for item in skipped]) + _list("Bars and passages", remarks)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}: cue sheet</title>'
        f"<style>{_LOOK}</style></head><body><h1>{escape(title)}</h1>{by}<dl>{said}</dl>"
        '<table><thead><tr><th class="n">No.</th><th>Timecode</th><th>Hit</th><th>Kind</th><th>Lands on</th>'
        '<th class="n">Bar</th><th class="n">Beat</th><th class="n">Tempo</th><th class="n">Frames off</th>'
        f'<th class="n">ms</th></tr></thead><tbody>{body}</tbody></table>{left}{_tempo_table(score, cues)}'
        '<p class="foot">Frames off: music minus picture. Bold: hard hits. Tempo in quarters a minute.</p>'
        "</body></html>\n"
    )


def _list(head: str, lines: Sequence[str]) -> str:
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f"<h2>{head}</h2><ul>{items}</ul>" if items else ""


def _row(row: Row) -> str:
    kinds = [row["kind"]] + ([] if row["landed"] == "yes" else ["missed"])
    cells = (
        ("n", row["number"]),
        ("t", row["timecode"]),
        ("l", row["label"]),
        ("k", row["kind"]),
        ("k", row["lands"]),
        ("n", row["bar"]),
        ("n", row["beat"]),
        ("n", row["bpm"]),
        ("n", row["residual_frames"]),
        ("n", row["residual_ms"]),
    )
    inner = "".join(
        f'<td class="{kind}">{escape(text)}</td>' if kind else f"<td>{escape(text)}</td>" for kind, text in cells
    )
    return f'<tr class="{" ".join(kinds)}">{inner}</tr>'


def _tempo_table(score: Score, cues: Cues) -> str:
    """Every bar: its timecode, meter and tempo, in as many columns as print side by side."""
    bars = score.bars[:-1]
    times, tempi = score.seconds(bars).tolist(), score.tempo.bpm(bars).tolist()
    cells = []
    last = None
    for number, tick, at, bpm in zip(score.numbered.number.tolist(), bars.tolist(), times, tempi, strict=True):
        meter = score.meter_at(tick)
        shown = "" if meter == last else f"{meter[0]}/{meter[1]}"
        last = meter
        label = (cues.start + cues.rate.frame_at(at)).label
        cells.append(
            f'<td class="n">{number}</td><td class="t">{label}</td><td>{shown}</td><td class="n">{bpm:.2f}</td>'
        )
    columns = 3
    height = -(-len(cells) // columns)
    head = '<th class="n">Bar</th><th>Timecode</th><th>Meter</th><th class="n">Tempo</th>' * columns
    empty = "<td></td>" * 4
    lines = (
        "".join(cells[k + height * c] if k + height * c < len(cells) else empty for c in range(columns))
        for k in range(height)
    )
    rows = "".join(f"<tr>{line}</tr>" for line in lines)
    return f"<h2>Bars</h2><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
