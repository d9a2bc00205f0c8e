"""The hits against the music on the page: which solution is taken, its tempo curve, and the ways there are beside it.

Solutions are found as the pipeline finds them, so that what is chosen here is what is orchestrated.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

import rescore_music as rm
from rescore_music.cues import Cues
from rescore_music.page.session import workshop
from rescore_music.syncing import Synced, needs_analysis
from rescore_music.view import report_blocks as block
from rescore_music.view import solutions
from rescore_music.view.tempocurve import tempo_curve

EDITS = {"none": "Nothing", "meters": "Odd bars", "bars": "Bars come and go"}
KEPT = 12  # solutions held at a time


def against_the_music(cue: Path, cues: Cues) -> None:
    """The cue's tempo bent to the hits: which solution is taken, its curve, three ways, each hit's bar and beat."""
    left, right = st.columns([2, 3])
    edits = ask_edits(left)
    try:
        best = _synced(cue, cues, edits, 0)
        number = _choice(right, best, _problem(cue, cues, edits))
        synced = _synced(cue, cues, edits, number) if number else best
    except rm.RescoreError as error:
        st.session_state.pop("solution", None)
        st.warning(error.message.replace(f"{workshop() / 'in'}/", ""))
        return
    st.session_state["solution"] = (cue, cues, edits, number)
    flags = [(hit.target_s, f"{hit.label} · bar {hit.bar}, {hit.beat:g}", hit.landed) for hit in synced.hits]
    st.image(tempo_curve(synced.score, own=synced.base or _cue(cue)[0], hits=flags), width="stretch")
    shown(solutions.ways(synced))
    if changed := solutions.changes(synced):
        with st.expander(_changed(synced), expanded=bool(synced.edits)):
            shown(changed)
    with st.expander(_summary(synced)):
        shown(block.hits(synced))


def ask_edits(place: DeltaGenerator) -> str:
    """What may change for the hits besides the tempo."""
    st.session_state["edits"] = st.session_state.get("edits") or "none"  # told anew: a long run forgets what it showed
    found = place.segmented_control(
        "What may change besides the tempo",
        list(EDITS),
        format_func=lambda name: EDITS[name],
        key="edits",
        help="Only where phrases begin, and only where tempo alone would be heard.",
    )
    return str(found or "none")


def _choice(place: DeltaGenerator, best: Synced, problem: str) -> int:
    """The solution that the reader takes: 0 for the best, else a runner-up's number."""
    if not best.alternatives:
        return 0
    names = [solutions.named(best, "The best")]
    names += [solutions.named(other, f"{k} · {other.name}") for k, other in enumerate(best.alternatives, 1)]
    told = "Other places for the hits, with what each asks of the tempo. The one chosen is orchestrated."
    key = f"solution-{problem}"
    st.session_state[key] = st.session_state.get(key, 0)
    found = place.selectbox("Solution", range(len(names)), format_func=lambda k: names[k], key=key, help=told)
    return int(found or 0)


def taken(settings: rm.Settings, cue: Path | None) -> rm.Settings:
    """The settings with the bar edits and the solution chosen for the hits as they stand now."""
    edited, chosen = st.session_state.get("edited"), st.session_state.get("solution")
    if edited is None or chosen is None or not edited[1].hits or chosen[:2] != (cue, edited[1]):
        return settings
    return replace(settings, edits=chosen[2], runner_up=chosen[3])


def shown(html: str) -> None:
    """A block of the report on this page; nothing where there is none."""
    if html:
        st.html(f'<div class="rescore">{html}</div>')


def _changed(synced: Synced) -> str:
    counts = ((len(synced.edits), "bar edit"), (len(synced.passages), "span"))
    return ", ".join(f"{n} {what}{'s' if n > 1 else ''}" for n, what in counts if n)


def _summary(synced: Synced) -> str:
    landed = sum(hit.landed for hit in synced.hits)
    return f"{landed} of {len(synced.hits)} hits land; largest step {synced.max_step_percent:.2f} % a beat"


def _problem(cue: Path, cues: Cues, edits: str) -> str:
    """A name for what is asked: a choice among its solutions is none among another's."""
    return hashlib.sha256(repr((cue, cue.stat().st_mtime_ns, cues, edits)).encode()).hexdigest()[:16]


def _synced(cue: Path, cues: Cues, edits: str, number: int) -> Synced:
    """A solution, as the pipeline finds it; the last few are kept."""
    held: dict[tuple[str, int], Synced] = st.session_state.setdefault("solutions", {})
    key = (_problem(cue, cues, edits), number)
    if key not in held:
        score, known = _cue(cue)
        analysis = None
        if needs_analysis(cues, edits):
            if known is None:
                known = rm.analyze(score)
                st.session_state["picture-cue"] = (*st.session_state["picture-cue"][:2], known)
            analysis = known
        while len(held) >= KEPT:
            held.pop(next(iter(held)))
        held[key] = rm.sync(score, cues, analysis=analysis, edits=edits, compare=True, runner_up=number)
    return held[key]


def _cue(path: Path) -> tuple[rm.Score, rm.Analysis | None]:
    """The cue, and its analysis where one was asked for."""
    key = (path, path.stat().st_mtime_ns)
    held = st.session_state.get("picture-cue")
    if held is None or held[0] != key:
        held = (key, rm.read_score(path).played, None)
        st.session_state["picture-cue"] = held
    return held[1], held[2]
