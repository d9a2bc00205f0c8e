"""The picture on the page: a video watched, its hits in a table to edit, seen against bars and tempo, and the result.

What the reader edits becomes spotting notes in the session's folder, and those are what the pipeline is asked with.
Editing redraws this room alone: sync takes tenths of a second, an orchestration does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import streamlit as st

import rescore_music as rm
from rescore_music.cues import HARD, LANDINGS, SOFT, Cues, Hit
from rescore_music.page.session import Take, plain, safe_name, workshop
from rescore_music.page.solving import against_the_music, shown
from rescore_music.timecode import Timecode
from rescore_music.view import report_blocks as block
from rescore_music.view import solutions

VIDEO_MB = 200
VIDEOS = ["mp4", "mov", "m4v", "mkv", "webm"]
EDITED = "edited.csv"
ZERO = "00:00:00:00"


def ask_video() -> Path | None:
    """The reader's video, kept once."""
    with st.expander("My video"):
        upload = st.file_uploader("The scene, as a proxy", type=VIDEOS, key="video", max_upload_size=VIDEO_MB)
        st.caption("Cuts, flashes, dialogue and the start timecode are found in it; every hit can be edited.")
    if upload is None:
        return None
    held = st.session_state.get("video-kept")
    if held is None or held[0] != upload.file_id or not held[1].exists():
        folder = workshop() / "video"
        folder.mkdir(exist_ok=True)
        path = folder / safe_name(upload.name)
        path.write_bytes(upload.getbuffer())
        st.session_state["video-kept"] = held = (upload.file_id, path)
    return Path(held[1])


@dataclass(frozen=True)
class Spotted:
    """The hits before they are edited, or why there are none; the picture's own start; a number for this list."""

    key: tuple[object, ...] = ()
    cues: Cues | None = None
    problem: str = ""
    first: Timecode | None = None
    serial: int = 0


def spotted(video: Path | None, notes: Path | None, rate: str, start: str) -> Spotted:
    """The hits of the notes if there are some, otherwise of what the video shows; read once.

    Notes beside a video are counted at its rate, and its cuts and dialogue join them. The music starts with the
    picture unless another timecode is given.
    """
    if video is None and notes is None:
        return Spotted()
    key = (video, video and video.stat().st_mtime_ns, notes, notes and notes.stat().st_mtime_ns, rate, start)
    held: Spotted = st.session_state.get("spotted", Spotted())
    if held.key != key:
        try:
            cues, first = _read(video, notes, rate, start)
            held = Spotted(key, cues, "", first, held.serial + 1)
        except rm.RescoreError as error:
            held = Spotted(key, None, error.message, None, held.serial + 1)
        st.session_state["spotted"] = held
    return held


def _read(video: Path | None, notes: Path | None, rate: str, start: str) -> tuple[Cues, Timecode | None]:
    if video is None:
        assert notes is not None
        return rm.read_cues(notes, rate, start), None
    with st.spinner("Watching the picture"):
        seen = _seen(video)
    own = seen.start if start == ZERO else Timecode.parse(start, seen.rate)
    cues = replace(seen, start=own)
    if notes is not None:
        told = rm.read_cues(notes, seen.rate, own)
        cues = replace(told, spans=told.spans or seen.spans, cuts=told.cuts or seen.cuts)
    return cues, seen.start


def _seen(video: Path) -> Cues:
    """What the video shows, watched once."""
    held = st.session_state.get("seen")
    if held is None or held[0] != video:
        st.session_state["seen"] = held = (video, rm.spot(video))
    cues: Cues = held[1]
    return cues


def asked_with(video: Path | None, notes: Path | None, rate: str, start: str) -> tuple[Path | None, str, str]:
    """Spotting notes, rate and start for the pipeline: the edited ones where there are some."""
    cues = spotted(video, notes, rate, start).cues
    edited = st.session_state.get("edited")
    if cues is None:
        return notes, rate, start
    if edited is None or edited[0] is not cues:
        edited = (cues, cues)
    path = workshop() / EDITED
    rm.write_cues(edited[1], path)
    return (path if edited[1].hits else None), edited[1].rate.name, edited[1].start.label


def rows_of(cues: Cues) -> list[dict[str, Any]]:
    """The hits as rows of the table."""
    return [
        {
            "timecode": cues.timecode(hit),
            "label": hit.label,
            "weight": float(hit.weight),
            "kind": hit.kind,
            "tolerance": float(hit.tolerance),
            "lands": hit.lands,
        }
        for hit in cues.hits
    ]


def cues_of(rows: Iterable[Mapping[str, Any]], cues: Cues) -> Cues:
    """The cues with the hits of an edited table; rows without a timecode are not ready yet and are left out.

    Raises
    ------
    RescoreError
        With the row, if it says something that it may not.
    """
    hits = []
    for n, row in enumerate(rows, 1):
        said = {name: value for name, value in row.items() if not _nothing(value)}
        if "timecode" not in said:
            continue
        try:
            frame = Timecode.parse(str(said.pop("timecode")), cues.rate).frame
            hits.append(Hit(frame, **said))
        except rm.RescoreError as error:
            raise rm.RescoreError(error.what, where=f"row {n}", cure=error.cure) from None
    return replace(cues, hits=tuple(hits))


def _nothing(value: Any) -> bool:
    """Whether a cell is empty: None, a blank, or not a number."""
    return value is None or value != value or (isinstance(value, str) and not value.strip())


def show_picture() -> None:
    """The room for the picture, where the reader gave one."""
    cue, video, (notes, rate, start) = st.session_state.get("picture-asked", (None, None, (None, "", "")))
    found = spotted(video, notes, rate, start)
    if found.cues is not None:
        with st.container(border=True):  # a table of its own for each list: edits of one are none of another
            spotting_room(cue, video, found.cues, f"hits-{found.serial}")
    elif video is not None:
        st.error(plain(found.problem.replace(f"{workshop() / 'video'}/", "")))


@st.fragment
def spotting_room(cue: Path | None, video: Path | None, cues: Cues, key: str) -> None:
    """The picture beside its hits; below, where they fall in the cue as it stands."""
    st.subheader("The picture and its hits")
    left, right = st.columns([2, 4]) if video is not None else (None, st.container())
    if left is not None:
        left.video(str(video))
        facts = f"{cues.rate} frames a second from {cues.start.label}; {len(cues.cuts)} cuts"
        spans = {kind: sum(span.kind == kind for span in cues.spans) for kind in ("dialogue", "silence")}
        told = "".join(f", {count} of {kind}" for kind, count in spans.items() if count)
        left.caption(facts + told)
    with right:
        rows = st.data_editor(
            rows_of(cues),
            num_rows="dynamic",
            width="stretch",
            height=min(400, 35 * (len(cues.hits) + 2) + 3),
            column_config=_columns(cues),
            key=key,
        )
    try:
        edited = cues_of(rows, cues)
    except rm.RescoreError as error:
        st.error(plain(error.message))
        return
    st.session_state["edited"] = (cues, edited)
    if cue is not None and edited.hits:
        against_the_music(cue, edited)


def _columns(cues: Cues) -> dict[str, Any]:
    lands = list(dict.fromkeys([*LANDINGS, *(hit.lands for hit in cues.hits)]))
    column = st.column_config
    return {
        "timecode": column.TextColumn("Timecode", required=True, width=105),
        "label": column.TextColumn("Hit", width=130),
        "weight": column.NumberColumn("Weight", min_value=0.01, default=1.0, width=75),
        "kind": column.SelectboxColumn("Kind", options=[HARD, SOFT], default=HARD, required=True, width=75),
        "tolerance": column.NumberColumn("± frames", min_value=0.0, default=0.0, width=80),
        "lands": column.SelectboxColumn("Lands on", options=lands, default="beat", required=True, width=100),
    }


def with_score(video: Path, result: rm.Result, start: str) -> tuple[Path | None, str]:
    """The video with the take as its sound, and why there is none.

    The music begins where its first sample's timecode lies in the picture.
    """
    if result.rendering is None or result.synced is None:
        return None, "The take has no sound."
    first = st.session_state["spotted"].first
    at = 0.0 if first is None else float(Timecode.parse(start, first.rate).seconds - first.seconds)
    try:
        return rm.mux(video, result.rendering, workshop() / "picture.mp4", at=at), ""
    except rm.RescoreError as error:
        return None, error.message.replace(f"{workshop()}/", "")


def picture_tab(take: Take) -> None:
    """The picture with its new score, and how its hits were met."""
    if take.picture is not None:
        st.video(str(take.picture))
        st.download_button(
            "Picture with score, MP4",
            take.picture.read_bytes(),
            f"{take.picture.stem}-scored.mp4",
            "video/mp4",
            on_click="ignore",
            key="get-picture",
        )
    elif take.video is not None:
        if take.picture_note:
            st.caption(take.picture_note)
        st.video(str(take.video), muted=True)
        if take.result_sound is not None:
            st.audio(str(take.result_sound), format="audio/flac")
    if take.result.synced is not None:
        synced = take.result.synced
        st.image(block.curve(take.result), width="stretch")
        for html in (solutions.ways(synced), block.hits(synced), solutions.changes(synced)):
            shown(html)
    notes = workshop() / EDITED
    if notes.exists():
        st.download_button(
            "Spotting notes, CSV", notes.read_bytes(), "spotting.csv", "text/csv", on_click="ignore", key="get-notes"
        )
