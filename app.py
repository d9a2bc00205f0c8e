"""The page: a cue in, its re-orchestration to hear, read, judge and take away. A thin skin over `rescore_music`.

Run it with `streamlit run app.py` or `rescore-music app`. Nothing is computed here: the page asks, calls the pipeline
once, keeps the result in its session, and shows it. Files of a session live in one temporary folder that goes with it.
"""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import streamlit as st

import rescore_music as rm
from rescore_music.io import suffixes
from rescore_music.resources import samples_dir
from rescore_music.view import report_blocks as block
from rescore_music.view.choice import choice
from rescore_music.view.engraving import engrave, pages
from rescore_music.view.report import rolls
from rescore_music.view.report_style import guest_css

LOOK = """.block-container{padding-top:2.4rem;max-width:1320px}
[data-testid=stMetricValue]{font-size:1.5rem}"""
UPLOAD_MB = 20  # the largest cue or spotting list
OWN_FILE = "My own file"
SAMPLES = {
    "hero_theme.mid": "Hero theme, piano sketch",
    "chase.mid": "Chase, small orchestra",
    "love_theme.musicxml": "Love theme, voice and players",
    "pixel_loop.mid": "Pixel loop, game console",
}
RATES = ("23.976", "24", "25", "29.97df", "29.97ndf", "30", "48", "50", "59.94df", "60")
STAGES = {
    "read": "Reading the cue",
    "sync": "Bending the tempo to the picture",
    "analyse": "Listening for lines, phrases, motifs",
    "orchestrate": "Handing lines to players",
    "rescore": "Hearing the best takes",
    "render": "Recording",
    "measure": "Measuring",
    "done": "Done",
}
PROFILES = {
    "film": "Film, −23 LUFS",
    "broadcast-us": "US broadcast, −24 LUFS",
    "streaming": "Streaming, −16 LUFS",
    "game": "Portable game, −18 LUFS",
    "console": "Console game, −24 LUFS",
}


@dataclass
class Take:
    """One result, and what the page shows of it."""

    result: rm.Result
    folder: Path
    before: str
    after: str
    page_count: int = 0
    sheets: dict[int, str] = field(default_factory=dict)
    source_sound: Path | None = None
    result_sound: Path | None = None


@dataclass(frozen=True)
class Request:
    """What the reader asks for."""

    cue: Path | None
    template: str
    cues: Path | None
    rate: str
    start: str
    settings: rm.Settings


def main() -> None:
    """Draw the page."""
    st.set_page_config(page_title="rescore-music", page_icon="🎼", layout="wide")
    st.html(f"<style>{guest_css()}{LOOK}</style>")
    request = ask()
    st.title("Hear your cue played by someone else")
    if request is not None:
        run(request)
    take: Take | None = st.session_state.get("take")
    if take is None:
        welcome()
    else:
        show(take)


# -- asking ------------------------------------------------------------------------------------------------------


def ask() -> Request | None:
    """The form in the side bar; a request when its button is pressed."""
    with st.sidebar:
        st.subheader("1 · The cue")
        cue = ask_cue()
        st.subheader("2 · Who plays, and how")
        template = ask_template()
        st.subheader("3 · The picture")
        cues, rate, start = ask_picture(cue)
        settings = ask_settings()
        pressed = st.button("Re-orchestrate", type="primary", width="stretch", disabled=cue is None, key="go")
        if cue is None:
            st.caption("Choose a file first.")
    return Request(cue, template, cues, rate, start, settings) if pressed else None


def ask_cue() -> Path | None:
    """A shipped sample, or the reader's own file."""
    options = [*(name for name in SAMPLES if (samples_dir() / name).exists()), OWN_FILE]
    chosen = st.selectbox(
        "Cue", options, format_func=lambda n: SAMPLES.get(n, n), key="sample", label_visibility="collapsed"
    )
    if chosen != OWN_FILE:
        return samples_dir() / chosen
    kinds = [suffix.removeprefix(".") for suffix in suffixes()]
    upload = st.file_uploader("MIDI, MusicXML, ABC or Humdrum", type=kinds, key="upload", max_upload_size=UPLOAD_MB)
    return None if upload is None else kept(upload)


def ask_template() -> str:
    """Forces and style, with their descriptions; or a preset, which names both."""
    shipped = rm.templates()
    way = st.segmented_control(
        "Way", ["Forces and style", "Preset"], default="Forces and style", key="way", label_visibility="collapsed"
    )
    if way == "Preset":
        preset = st.selectbox(
            "Preset", list(shipped.presets), format_func=lambda i: shipped.presets[i].title, key="preset"
        )
        st.caption(shipped.presets[preset].description)
        return str(preset)
    forces = st.selectbox(
        "Forces",
        list(shipped.forces),
        index=place(shipped.forces, "symphony"),
        format_func=lambda i: shipped.forces[i].title,
        key="forces",
    )
    st.caption(shipped.forces[forces].description)
    style = st.selectbox(
        "Style",
        list(shipped.styles),
        index=place(shipped.styles, "romantic-film"),
        format_func=lambda i: shipped.styles[i].title,
        key="style",
    )
    st.caption(shipped.styles[style].description)
    return f"{forces}/{style}"


def place(options: Iterable[str], wanted: str) -> int:
    """Where an option is, or the first."""
    listed = list(options)
    return listed.index(wanted) if wanted in listed else 0


def ask_picture(cue: Path | None) -> tuple[Path | None, str, str]:
    """An optional spotting list, its frame rate and the timecode of the cue's start."""
    cues: Path | None = None
    told = "The sample spotting list, 24 frames a second."
    if cue == samples_dir() / "chase.mid" and st.toggle("Meet the chase's eight hits", key="hits", help=told):
        cues = samples_dir() / "chase_hits.csv"
    with st.expander("My spotting list"):
        upload = st.file_uploader("CSV", type=["csv"], key="spotting", max_upload_size=UPLOAD_MB)
        st.caption(
            "Columns: timecode, label, weight, kind (hard or soft), tolerance (frames), lands (downbeat, beat, …)."
        )
        rate = st.selectbox("Frames a second", RATES, index=place(RATES, "24"), key="rate")
        start = st.text_input("Timecode of the cue's first sample", "00:00:00:00", key="start")
    return (kept(upload) if upload is not None else cues), str(rate), str(start)


def ask_settings() -> rm.Settings:
    """Sound, number of takes, seed."""
    with st.expander("Finer settings"):
        audio = st.toggle("Make sound, and choose by ear", value=True, key="audio")
        profile = st.selectbox("Loudness", list(PROFILES), format_func=lambda p: PROFILES[p], key="profile")
        n = st.number_input("Takes to propose", 1, 64, 16, key="n")
        top = st.number_input("Takes to hear", 1, 8, 4, key="top", disabled=not audio)
        seed = st.number_input(
            "Seed", 0, 2**31 - 1, 0, key="seed", help="Decides between equals; the same seed, the same music."
        )
    return rm.Settings(n=int(n), top=int(top), seed=int(seed), audio=bool(audio), profile=str(profile))


def workshop() -> Path:
    """This session's folder. It is removed when the session is forgotten or the server ends."""
    if "folder" not in st.session_state:
        st.session_state["folder"] = tempfile.TemporaryDirectory(prefix="rescore-page-", ignore_cleanup_errors=True)
    return Path(st.session_state["folder"].name)


def kept(upload: Any) -> Path:
    """An upload as a file under its own name."""
    folder = workshop() / "in"
    folder.mkdir(exist_ok=True)
    path = folder / Path(upload.name).name
    path.write_bytes(upload.getbuffer())
    return path


# -- running -----------------------------------------------------------------------------------------------------


def run(request: Request) -> None:
    """One call of the pipeline, told as it goes; the take goes into the session, an error onto the page."""
    st.session_state.pop("take", None)
    with st.status("Working", expanded=True) as status:
        bar = st.progress(0.0, text=STAGES["read"])

        def progress(stage: str, share: float) -> None:
            bar.progress(min(share, 1.0) * 0.85, text=STAGES.get(stage, stage))

        try:
            st.session_state["take"] = work(request, progress, bar)
        except rm.RescoreError as error:
            status.update(label="It did not work", state="error", expanded=False)
            st.session_state["error"] = error.message.replace(f"{workshop() / 'in'}/", "")
        else:
            st.session_state.pop("error", None)
            status.update(label="Done", state="complete", expanded=False)
    if "error" in st.session_state:
        st.error(st.session_state["error"])


def work(request: Request, progress: Callable[[str, float], None], bar: Any) -> Take:
    """The pipeline, the pictures and the sounds to compare."""
    folder = workshop() / "out"
    assert request.cue is not None
    result = rm.rescore(
        request.cue,
        template=request.template,
        cues=request.cues,
        rate=request.rate,
        start=request.start,
        out=folder,
        settings=request.settings,
        progress=progress,
    )
    before, after = rolls(result)
    take = Take(result, folder, before, after)
    bar.progress(0.87, text="Engraving")
    take.page_count = pages(result.score)
    take.sheets[1] = engrave(result.score, 1)
    if result.rendering is not None:
        bar.progress(0.9, text="Recording the cue as it came, to compare")
        take.source_sound, take.result_sound = matched(result, request.settings)
    return take


def matched(result: rm.Result, settings: rm.Settings) -> tuple[Path, Path]:
    """Source and result at one loudness: the louder is turned down to the softer. FLAC, 16 bit."""
    import soundfile

    from rescore_music.loudness import loudness

    score = result.synced.score if result.synced is not None else result.source
    source = rm.master(rm.render(score, sample_rate=settings.sample_rate, sounds=settings.sounds), settings.profile)
    assert result.rendering is not None
    both = (source.mix, result.rendering.mix)
    levels = [loudness(mix, settings.sample_rate).integrated for mix in both]
    paths = (workshop() / "source.flac", workshop() / "result.flac")
    for mix, level, path in zip(both, levels, paths, strict=True):
        gain = 10 ** ((min(levels) - level) / 20) if all(-70 < v < 0 for v in levels) else 1.0
        soundfile.write(path, mix * gain, settings.sample_rate, subtype="PCM_16")
    return paths


# -- showing -----------------------------------------------------------------------------------------------------


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
    names = ["Listen and compare", "Score", "Quality", "Who plays what", "How it was chosen", "Take it away"]
    if result.synced is not None:
        names.insert(3, "Picture")
    tabs = dict(zip(names, st.tabs(names), strict=True))
    with tabs["Listen and compare"]:
        listen(take)
    with tabs["Score"]:
        score_pages(take)
    with tabs["Quality"]:
        table(block.measures(result.quality))
        with st.expander("What was mended, moved or dropped"):
            table(block.logs(result))
    if result.synced is not None:
        with tabs["Picture"]:
            table(block.hits(result.synced))
            st.image(block.curve(result), width="stretch")
    with tabs["Who plays what"]:
        table(block.casting_table(result))
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


if __name__ == "__main__":
    main()
