"""One call of the pipeline for the page, told as it goes, and the pictures and sounds that are shown of its result."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

import rescore_music as rm
from rescore_music.page.picture import with_score
from rescore_music.page.session import Request, Take, plain, workshop
from rescore_music.view.engraving import engrave, pages
from rescore_music.view.inspect_page import inspect_page
from rescore_music.view.report import rolls

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
        st.error(plain(st.session_state["error"]))


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
    take.inspection = inspected(result, request)
    bar.progress(0.87, text="Engraving")
    take.page_count = pages(result.score)
    take.sheets[1] = engrave(result.score, 1)
    if result.rendering is not None:
        bar.progress(0.9, text="Recording the cue as it came, to compare")
        take.source_sound, take.result_sound = matched(result, request.settings)
    if request.video is not None:
        bar.progress(0.97, text="Putting the score under the picture")
        take.video = request.video
        take.picture, take.picture_note = with_score(request.video, result, request.start)
    return take


def inspected(result: rm.Result, request: Request) -> Path:
    """The page about the cue itself, as `rescore-music inspect` writes it, in the tempo that meets the picture."""
    score = result.music
    cues = rm.read_cues(request.cues, request.rate, request.start) if request.cues else None
    path = workshop() / "inspect.html"
    path.write_text(inspect_page(score, result.analysis, cues=cues), encoding="utf-8")
    return path


def matched(result: rm.Result, settings: rm.Settings) -> tuple[Path, Path]:
    """Source and result at one loudness: the louder is turned down to the softer. FLAC, 16 bit."""
    import soundfile

    from rescore_music.loudness import loudness

    score = result.music
    source = rm.master(rm.render(score, sample_rate=settings.sample_rate, sounds=settings.sounds), settings.profile)
    assert result.rendering is not None
    both = (source.mix, result.rendering.mix)
    levels = [loudness(mix, settings.sample_rate).integrated for mix in both]
    paths = (workshop() / "source.flac", workshop() / "result.flac")
    for mix, level, path in zip(both, levels, paths, strict=True):
        gain = 10 ** ((min(levels) - level) / 20) if all(-70 < v < 0 for v in levels) else 1.0
        soundfile.write(path, mix * gain, settings.sample_rate, subtype="PCM_16")
    return paths
