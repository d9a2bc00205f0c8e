"""Edit lists for the tests of `io.picture`: what editors' systems may hold, at every rate."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from rescore_music.edits import BLACK, CUT, DISSOLVE, WIPE, Edit, EditList, PictureMarker, source_span
from rescore_music.timecode import RATES, FrameRate

NAMES = st.text(
    st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp", "Zs", "Cn"), blacklist_characters="\ufeff"), max_size=10
)
REELS = st.sampled_from(["A001", "A012C003_220114", "TAPE 7", "ax2", "Rolle Ü", "B" * 40])
SPEEDS = st.sampled_from(
    [Fraction(1)] * 4 + [Fraction(n) for n in ("2", "1/2", "-1", "4/3", "25/24", "0", "-3/7", "1001/1000", "1/500")]
)
COLORS = st.sampled_from(["", "red", "blue", "cyan"])


@st.composite
def _track(draw: Any, name: str, start: int, rate: FrameRate, plain: bool) -> list[Edit]:
    at, edits = start, list[Edit]()
    for _ in range(draw(st.integers(0, 4))):
        gap = draw(st.sampled_from([0, 0, 0, 7]))
        at += gap
        frames = draw(st.integers(1, 2000))
        length = draw(st.sampled_from([0, 0, 0, 1, 2, 25, 48]))
        length = length if length <= frames else 0
        kind = draw(st.sampled_from([DISSOLVE, DISSOLVE, WIPE])) if length else CUT
        before = edits[-1] if edits and not gap else None
        left = BLACK if before is None else before.reel
        black = draw(st.integers(0, 5)) == 0
        own = rate if black else draw(st.sampled_from([rate, rate, *([] if plain else [RATES[0], RATES[2], RATES[4]])]))
        speed = Fraction(1) if black else draw(SPEEDS)
        enters = draw(st.integers(100_000, 2_000_000))
        span = source_span(Fraction(enters), frames * abs(speed) * own.fps / rate.fps, speed)
        edits.append(
            Edit(
                at,
                at + frames,
                *span,
                BLACK if black else draw(REELS),
                "" if black else draw(NAMES),
                "" if black else draw(NAMES),
                name,
                kind,
                length,
                left if length else "",
                draw(st.sampled_from(["001", "120"])) if kind == WIPE else "",
                speed,
                own,
            ),
        )
        at += frames
    return edits


@st.composite
def edit_lists(
    draw: Any, *, colors: bool = True, lengths: bool = True, shots: bool = True, plain: bool = False
) -> EditList:
    """An edit list of up to four shots on each of three tracks, and markers, anywhere in the first 20 hours."""
    rate = draw(st.sampled_from(RATES))
    # starts gather round the places where labels drop
    hour = draw(st.integers(0, 20)) * rate.frames_per_hour
    start = hour + draw(st.sampled_from([0, 60 * rate.nominal, 600 * rate.nominal])) + draw(st.integers(0, 5))
    edits: list[Edit] = []
    if shots:
        for name in draw(st.sampled_from([("V1",), ("V1", "A1"), ("V1", "V2", "A2"), ("A1",)])):
            edits += draw(_track(name, start, rate, plain))
    frames = st.integers(start, start + 4000)
    markers = draw(
        st.lists(
            st.builds(
                PictureMarker,
                frames,
                NAMES,
                COLORS if colors else st.just(""),
                st.integers(1, 300) if lengths else st.just(1),
            ),
            max_size=4,
        )
    )
    return EditList(draw(NAMES), rate, tuple(edits), tuple(markers))
