"""The page's tabs: to hear, read, judge and take away."""

from __future__ import annotations

import zipfile
from functools import partial
from io import BytesIO
from pathlib import Path

import streamlit as st

import rescore_music as rm
from rescore_music.page.picture import picture_tab
from rescore_music.page.session import Take
from rescore_music.view import report_blocks as block
from rescore_music.view.choice import choice
from rescore_music.view.decisions import decisions, rows_of
from rescore_music.view.engraving import engrave


def welcome() -> None:
    """What this is, before the first take."""
    st.markdown(
        "Bring a piano sketch, a MIDI mock-up or a score. Its lines are found, given to the players you choose in the"
        " style you choose, written out so that they can be played, recorded, and judged."
    )
    told = (
        ("Your tune stays", "Melody and bass are kept note for note; what had to be moved or dropped is listed."),
        ("It can be played", "Every part stays in its instrument's range, and is written as its player reads it."),
        ("It was chosen by ear", "The best takes are rendered and compared by what can only be heard."),
    )
    for column, (head, text) in zip(st.columns(3), told, strict=True):
        with column.container(border=True):
            st.markdown(f"**{head}**  \n{text}")
    st.caption("Choose a cue on the left, then press Re-orchestrate. A one-minute cue takes about half a minute.")


def show(take: Take) -> None:
    """The take, in tabs."""
    result = take.result
    title = result.score.metadata.title or result.source.metadata.source or "Your cue"
    st.markdown(f"**{title}**, for {result.template.forces.title}, in the style {result.template.style.title}")
    facts(result)
    names = ["Listen and compare", "The cue", "Score", "Quality", "Who plays what", "How it was chosen", "Take it away"]
    pictured = result.synced is not None or take.video is not None
    if pictured:
        names.insert(4, "Picture")
    tabs = dict(zip(names, st.tabs(names), strict=True))
    with tabs["Listen and compare"]:
        listen(take)
    with tabs["The cue"]:
        inspection(take)
    with tabs["Score"]:
        score_pages(take)
    with tabs["Quality"]:
        table(block.measures(result.quality))
        with st.expander("What was mended, moved or dropped"):
            table(block.logs(result))
    if pictured:
        with tabs["Picture"]:
            picture_tab(take)
    with tabs["Who plays what"]:
        table(block.casting_table(result))
        st.subheader("Who got it, and why")
        table(decisions(rows_of(result)))
    with tabs["How it was chosen"]:
        table(choice(result))
    with tabs["Take it away"]:
        downloads(take)


def table(html: str) -> None:
    """A block of the report on this page."""
    st.html(f'<div class="rescore">{html}</div>')


def facts(result: rm.Result) -> None:
    """The figures under the title."""
    judged = [m.ok for m in result.quality if m.ok is not None]
    items = [
        ("Length", f"{result.score.duration // 60:.0f}:{result.score.duration % 60:02.0f}"),
        ("Parts", f"{len(result.source.parts)} → {len(result.score.parts)}"),
        ("Notes", f"{len(result.source.notes):,} → {len(result.score.notes):,}"),
        ("Measures in order", f"{sum(judged)} of {len(judged)}"),
    ]
    if result.synced is not None:
        items.append(("Hits landed", f"{sum(h.landed for h in result.synced.hits)} of {len(result.synced.hits)}"))
    for column, (name, value) in zip(st.columns(len(items)), items, strict=True):
        column.metric(name, value)


def listen(take: Take) -> None:
    """Both sounds at one loudness, each above its piano roll."""
    for name, sound, roll in (
        ("The cue as it came", take.source_sound, take.before),
        ("Re-orchestrated", take.result_sound, take.after),
    ):
        st.markdown(f"**{name}**")
        if sound is not None:
            st.audio(str(sound), format="audio/flac")
        st.image(roll, width="stretch")
    if take.source_sound is not None:
        st.caption("Both recordings are set to the same loudness, so that louder does not pass for better.")


def inspection(take: Take) -> None:
    """What analysis hears in the cue as it came."""
    if take.inspection is None:
        return
    told = "What is heard in the cue as it came. Point at anything to read it; hold Ctrl and turn the wheel to zoom."
    left, right = st.columns([4, 1], vertical_alignment="center")
    left.caption(told)
    right.download_button(
        "Analysis, HTML",
        take.inspection.read_bytes(),
        f"{stem(take.result)}-analysis.html",
        "text/html",
        on_click="ignore",
        width="stretch",
        key="get-inspect",
    )
    st.iframe(take.inspection, height=1000)


@st.fragment
def score_pages(take: Take) -> None:
    """The engraved score, a page at a time."""
    page = 1
    if take.page_count > 1:
        page = int(st.number_input(f"Page, of {take.page_count}", 1, take.page_count, 1, key="page", width=160))
    if page not in take.sheets:
        take.sheets[page] = engrave(take.result.score, page)
    with st.container(border=True):
        st.image(take.sheets[page], width="stretch")


def downloads(take: Take) -> None:
    """Everything that was written; the large ones are packed when they are asked for."""
    folder, name = take.folder, stem(take.result)
    files = (
        ("Score, MIDI", "score.mid", "audio/midi", "With tempo map, one track a part."),
        ("Score, MusicXML", "score.musicxml", "application/vnd.recordare.musicxml+xml", "For your notation program."),
        ("Sound, WAV", "mix.wav", "audio/wav", "24 bit, mastered."),
        ("Report, HTML", "report.html", "text/html", "All of this page, to keep and to print."),
        ("Report, JSON", "report.json", "application/json", "The same for programs."),
    )
    columns = st.columns(3)
    shown = [row for row in files if (folder / row[1]).exists()]
    for i, (label, file, mime, told) in enumerate(shown):
        with columns[i % 3]:
            kind = Path(file).suffix
            title = f"{name}-report{kind}" if file.startswith("report") else f"{name}{kind}"
            st.download_button(
                label, (folder / file).read_bytes, title, mime, on_click="ignore", width="stretch", key=f"get-{file}"
            )
            st.caption(told)
    packs = [("Everything, zip", folder, "all", "All files in one folder.")]
    if (folder / "stems").is_dir():
        packs.insert(0, ("Stems, zip", folder / "stems", "stems", "One recording a part; together they are the mix."))
    for i, (label, inside, what, told) in enumerate(packs, len(shown)):
        with columns[i % 3]:
            st.download_button(
                label,
                partial(packed, inside),
                f"{name}-{what}.zip",
                "application/zip",
                on_click="ignore",
                width="stretch",
                key=f"get-{what}",
            )
            st.caption(told)


def stem(result: rm.Result) -> str:
    """A file name for the take: the cue's and the template's."""
    source = Path(result.source.metadata.source or "cue").stem
    return f"{source}-{result.template.name.replace('/', '-')}"


def packed(folder: Path) -> bytes:
    """A folder as a zip; sound is stored as it is, for it hardly shrinks."""
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            how = zipfile.ZIP_STORED if path.suffix == ".wav" else zipfile.ZIP_DEFLATED
            archive.write(path, path.relative_to(folder), compress_type=how)
    return out.getvalue()
