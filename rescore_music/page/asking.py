"""The page's form in the side bar: cue, forces and style, picture, finer settings."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import streamlit as st

import rescore_music as rm
from rescore_music.io import suffixes
from rescore_music.page.picture import ask_video, asked_with
from rescore_music.page.session import Request, kept
from rescore_music.page.solving import taken
from rescore_music.resources import samples_dir

UPLOAD_MB = 20  # the largest cue or spotting list
OWN_FILE = "My own file"
SAMPLES = {
    "hero_theme.mid": "Hero theme, piano sketch",
    "chase.mid": "Chase, small orchestra",
    "love_theme.musicxml": "Love theme, voice and players",
    "pixel_loop.mid": "Pixel loop, game console",
}
SPOTTING = ["csv", "tsv", "txt", "edl", "fcpxml", "xml", "rpp"]
RATES = ("23.976", "24", "25", "29.97df", "29.97ndf", "30", "48", "50", "59.94df", "60")
PROFILES = {
    "film": "Film, −23 LUFS",
    "broadcast-us": "US broadcast, −24 LUFS",
    "streaming": "Streaming, −16 LUFS",
    "game": "Portable game, −18 LUFS",
    "console": "Console game, −24 LUFS",
}


def ask() -> Request | None:
    """The form in the side bar; a request when its button is pressed."""
    with st.sidebar:
        st.subheader("1 · The cue")
        cue = ask_cue()
        st.subheader("2 · Who plays, and how")
        template = ask_template()
        st.subheader("3 · The picture")
        video = ask_video()
        given = ask_picture(cue)
        cues, rate, start = asked_with(video, *given)
        st.session_state["picture-asked"] = (cue, video, given)
        settings = taken(ask_settings(), cue)
        pressed = st.button("Re-orchestrate", type="primary", width="stretch", disabled=cue is None, key="go")
        if cue is None:
            st.caption("Choose a file first.")
    return Request(cue, template, cues, rate, start, settings, video) if pressed else None


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
        told = "CSV, an edit list or markers"
        upload = st.file_uploader(told, type=SPOTTING, key="spotting", max_upload_size=UPLOAD_MB)
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
