"""The page: a cue in, its re-orchestration to hear, read, judge and take away. A thin skin over `rescore_music`.

Run it with `streamlit run app.py` or `rescore-music app`. Nothing is computed here: the page asks, calls the pipeline
once, keeps the result in its session, and shows it. Files of a session live in one temporary folder that goes with it.
"""

from __future__ import annotations

import streamlit as st

from rescore_music.page.asking import ask
from rescore_music.page.picture import show_picture
from rescore_music.page.running import run
from rescore_music.page.session import Take
from rescore_music.page.showing import show, welcome
from rescore_music.view.report_style import guest_css

LOOK = """.block-container{padding-top:2.4rem;max-width:1320px}
[data-testid=stMetricValue]{font-size:1.5rem}"""


def main() -> None:
    """Draw the page."""
    st.set_page_config(page_title="rescore-music", page_icon="🎼", layout="wide")
    st.html(f"<style>{guest_css()}{LOOK}</style>")
    request = ask()
    st.title("Hear your cue played by someone else")
    if request is not None:
        run(request)
    show_picture()
    take: Take | None = st.session_state.get("take")
    if take is None:
        welcome()
    else:
        show(take)


if __name__ == "__main__":
    main()
