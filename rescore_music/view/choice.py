"""Why this orchestration: both orders of the candidates, every cost of the first pass, all that the second pass heard.

Tables have a column a candidate, the chosen one first, and a row a term; terms that are nought throughout are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rescore_music.candidate import Candidate
from rescore_music.view.report_blocks import text, words

if TYPE_CHECKING:
    from rescore_music.view.report import ReportInput

HEARD = {
    "melody_margin": "dB by which the melody stands above the rest, in its own critical bands",
    "melody_audible": "share of the melody's loudness that is left when the rest sounds with it",
    "melody_short": "dB missing from the melody's margin that the style wants",
    "balance": "evenness of the families' loudness, 1 = even",
    "brightness": "Hz, spectral centroid of the mix",
    "brightness_off": "octaves between the mix's brightness and the style's wish",
    "mud": "dB of 200-500 Hz over 1-4 kHz",
    "crest": "dB from the average level to the peak",
    "harmony_heard": "likeness of what sounds to the cue's own harmony, 0 to 1",
    "melody_kept": "share of the melody's notes present",
    "bass_kept": "share of the bass's notes present",
    "motifs_kept": "share of motif statements that one part plays whole",
    "doubling": "notes of the result per source note",
    "first_pass": "cost above the cheapest candidate's, relative to it",
}


def choice(result: ReportInput, *, seconds: bool = True) -> str:
    """The whole block: introduction, first pass, second pass."""
    takes = result.candidates
    heard = [c for c in takes if c.rescored is not None]
    intro = f"<p>{len(takes)} orchestrations were proposed by cost (lower is better)."
    if heard:
        intro += (
            f" The best {len(heard)} were written out, rendered and heard{_excerpt(result.second_pass)}, and ranked"
            " again by score (higher is better). The shaded one was taken.</p>"
        )
    else:
        intro += " Nothing was heard, so the cheapest was taken.</p>"
    first = "<h3>First pass: costs</h3>" + _costs(takes, result.first_order)
    if not heard:
        return intro + first
    return intro + "<h3>Second pass: what was heard</h3>" + _heard(heard, result.second_pass, seconds) + first


def _excerpt(second: Any) -> str:
    excerpt = getattr(second, "excerpt", None)
    return f" in bars {excerpt.first_bar} to {excerpt.last_bar}, where they differ most" if excerpt is not None else ""


def _costs(takes: Sequence[Candidate], order: Sequence[int]) -> str:
    from rescore_music.orchestration.costs import TABLE

    meanings = {cost.name: cost.meaning for cost in TABLE}
    names = [name for name in meanings if any(c.terms.get(name) for c in takes)]
    names += sorted({name for c in takes for name, value in c.terms.items() if value and name not in meanings})
    rows = [
        _row("Place after the first pass", [str(rank + 1) for rank in order]),
        _row("Cost", [f"<b>{c.cost:.2f}</b>" for c in takes], "the sum of the terms below"),
        *(_row(words(n), [_term(c.terms, n) for c in takes], meanings.get(n, "")) for n in names),
    ]
    return _table([str(i) for i in range(1, len(takes) + 1)], rows)


def _heard(heard: Sequence[Candidate], second: Any, seconds: bool) -> str:
    terms: Mapping[int, Mapping[str, float]] = getattr(second, "terms", {})
    spent: Mapping[int, float] = getattr(second, "seconds", {})
    features = [name for name in dict.fromkeys(n for c in heard for n in c.features) if name != "seconds"]

    def cell(name: str) -> Callable[[Candidate], str]:
        def show(c: Candidate) -> str:
            if name not in c.features:
                return "–"
            part = terms.get(c.rank, {}).get(name)
            return f"{c.features[name]:.4g}" + (f' <span class="note">({part:+.2f})</span>' if part is not None else "")

        return show

    rows = [
        _row("Place after the first pass", [str(c.rank + 1) for c in heard]),
        _row("Score", [f"<b>{c.rescored:.2f}</b>" for c in heard], "the sum of the terms in brackets"),
        *(_row(words(name), [cell(name)(c) for c in heard], HEARD.get(name, "")) for name in features),
    ]
    if seconds and spent:
        rows.append(_row("Seconds spent", [f"{spent[c.rank]:.2f}" if c.rank in spent else "–" for c in heard]))
    return _table([str(i) for i in range(1, len(heard) + 1)], rows)


def _term(terms: Mapping[str, float], name: str) -> str:
    return f"{terms[name]:.2f}" if name in terms else "–"


def _row(name: str, cells: Sequence[str], meaning: str = "") -> str:
    told = f'<span class="note">{text(meaning)}</span>' if meaning else ""
    return f'<tr><th scope="row">{text(name)}{told}</th>{"".join(f"<td class=n>{c}</td>" for c in cells)}</tr>'


def _table(places: Sequence[str], rows: Sequence[str]) -> str:
    head = "".join(f'<th scope="col" class="n">{p}</th>' for p in places)
    return (
        f'<div class="scroll"><table class="choice"><thead><tr><th scope="col">Place</th>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>\n"
    )
