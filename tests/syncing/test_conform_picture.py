"""What moved between two cuts: known answers, worked by hand."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rescore_music.cues import Cues, Hit
from rescore_music.edits import Edit, EditList, PictureMarker
from rescore_music.errors import SyncError
from rescore_music.syncing import picture_map
from rescore_music.timecode import FrameRate

RATE = FrameRate.parse(24)
A, B, C, D = ("A", 100, 200), ("B", 100, 150), ("C", 0, 80), ("D", 500, 560)
START = 1000


def cut(*shots, at=START, rate=RATE):
    edits = []
    for name, first, end in shots:
        edits.append(Edit(at, at + end - first, first, end, name))
        at += end - first
    return EditList("", rate, tuple(edits))


def offsets(picture):
    """(first old frame, offset) of what stays, counted from the cut's start."""
    return [(max(k.start - START, 0), k.offset) for k in picture.kept]


def said(picture):
    return [(c.kind, c.what, c.frames) for c in picture.changes]


OLD = cut(A, B, C, D)


def test_the_same_cut_is_one_stretch():
    picture = picture_map(OLD, OLD)
    assert offsets(picture) == [(0, 0)]
    assert picture.changes == ()
    assert picture.image(0) == 0
    assert picture.image(START + 10**6) == START + 10**6


@pytest.mark.parametrize(
    ("shots", "kept", "changes"),
    [
        # B ends at old frame 150 and plays on to source 162: all behind it comes twelve frames later
        ((A, ("B", 100, 162), C, D), [(0, 0), (150, 12)], [("lengthened", "B at its end", 12)]),
        ((A, ("B", 110, 150), C, D), [(0, 0), (110, -10)], [("shortened", "B at its start", -10)]),
        ((A, C, D), [(0, 0), (150, -50)], [("removed", "B", -50)]),
        ((A, ("X", 7, 17), B, C, D), [(0, 0), (100, 10)], [("inserted", "X", 10)]),
        # ten frames are cut out of the middle of A
        ((("A", 100, 140), ("A", 150, 200), B, C, D), [(0, 0), (50, -10)], [("shortened", "A inside", -10)]),
        # a roll: A longer, B entered as much later; nothing behind moves
        (
            (("A", 100, 205), ("B", 105, 150), C, D),
            [(0, 0), (105, 0)],
            [("shortened", "B at its start", -5), ("lengthened", "A at its end", 5)],
        ),
        # C (80 frames) is longer than B (50): B has moved behind it
        ((A, C, B, D), [(0, 0), (150, -50), (230, 0)], [("moved", "B", 0)]),
        ((A, ("BL", 0, 24), B, C, D), [(0, 0), (100, 24)], [("inserted", "black", 24)]),
    ],
)
def test_what_an_editor_did(shots, kept, changes):
    picture = picture_map(OLD, cut(*shots))
    assert offsets(picture) == kept
    assert said(picture) == changes


def test_frames_are_followed_through_their_source():
    picture = picture_map(OLD, cut(A, C, B, D))
    assert picture.image(START + 99) == START + 99  # A
    assert picture.image(START + 100) == START + 180  # B stands behind C now
    assert picture.image(START + 149) == START + 229
    assert picture.image(START + 150) == START + 100  # C
    assert picture.image(START + 230) == START + 230  # D
    gone = picture_map(OLD, cut(A, C, D))
    assert gone.image(START + 120) is None
    assert gone.carried(START + 120) == START + 100  # its seam
    assert gone.carried(START + 150) == START + 100


def test_a_shot_at_another_speed_is_followed_too():
    slow = Edit(START + 100, START + 200, 100, 150, "B", speed=Fraction(1, 2))
    later = [replace(e, record_start=e.record_start + 50, record_end=e.record_end + 50) for e in OLD.edits[2:]]
    picture = picture_map(OLD, EditList("", RATE, (OLD.edits[0], slow, *later)))
    assert said(picture) == [("retimed", "B", 50)]
    assert picture.image(START + 110) == START + 120
    assert picture.image(START + 150) == START + 200


def test_a_reverse_shot_loses_its_end():
    back = Edit(0, 100, 300, 400, "R", speed=Fraction(-1))
    shorter = Edit(0, 90, 310, 400, "R", speed=Fraction(-1))
    rest = Edit(100, 150, 0, 50, "S"), Edit(90, 140, 0, 50, "S")
    picture = picture_map(EditList("", RATE, (back, rest[0])), EditList("", RATE, (shorter, rest[1])))
    assert said(picture) == [("shortened", "R at its end", -10)]
    assert picture.image(20) == 20
    assert picture.image(100) == 90


def test_clips_without_reels_are_told_apart_by_their_names():
    old = EditList("", RATE, (Edit(0, 50, 0, 50, "AX", "door"), Edit(50, 90, 0, 40, "AX", "roof")))
    new = EditList("", RATE, (Edit(0, 40, 0, 40, "AX", "roof"), Edit(40, 90, 0, 50, "AX", "door")))
    picture = picture_map(old, new)
    assert picture.image(10) == 50
    assert picture.image(60) == 10
    assert said(picture) == [("moved", "roof", 0)]


def test_markers_are_matched_by_name():
    def marks(*pairs):
        return EditList("", RATE, (), tuple(PictureMarker(frame, text) for text, frame in pairs))

    old = marks(("Door", 100), ("Leap", 200), ("Fall", 300), ("End", 400))
    new = marks(("door", 100), ("Leap ", 212), ("Fall", 312), ("Credits", 500))
    picture = picture_map(old, new)
    assert [(k.offset) for k in picture.kept] == [0, 12]
    assert (picture.image(50), picture.image(100), picture.image(200), picture.image(900)) == (50, 100, 212, 912)
    assert picture.guessed(150)
    assert not picture.guessed(250)
    assert said(picture) == [
        ("lengthened", "between 'door' and 'leap'", 12),
        ("removed", "marker 'end'", 0),
        ("inserted", "marker 'credits'", 0),
    ]


def test_hits_are_markers_too_and_the_nth_of_a_name_is_the_nth():
    old = Cues.from_hits([Hit(10, "shot"), Hit(50, "shot"), Hit(90, "shot")], 24)
    new = Cues.from_hits([Hit(10, "shot"), Hit(55, "shot"), Hit(95, "shot")], 24)
    picture = picture_map(old, new)
    assert [picture.image(f) for f in (10, 50, 90)] == [10, 55, 95]


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(SyncError, match="frames a second"):
        picture_map(OLD, cut(A, rate=FrameRate.parse(25)))
    with pytest.raises(SyncError, match="in common"):
        picture_map(EditList("", RATE, (), (PictureMarker(1, "a"),)), EditList("", RATE, (), (PictureMarker(1, "b"),)))


SHOT = st.tuples(st.sampled_from("PQRS"), st.integers(0, 60), st.integers(1, 50)).map(
    lambda s: (s[0], s[1], s[1] + s[2])
)


@settings(max_examples=150, deadline=None)
@given(st.lists(SHOT, min_size=1, max_size=7), st.lists(SHOT, min_size=1, max_size=7))
def test_whatever_the_cuts_every_image_shows_what_the_frame_showed(old, new):
    def shown(shots):
        return [(name, f) for name, first, end in shots for f in range(first, end)]

    before, after = shown(old), shown(new)
    picture = picture_map(cut(*old), cut(*new))
    images = [picture.image(START + k) for k in range(len(before))]
    for frame, image in zip(before, images, strict=True):
        assert image is None or after[image - START] == frame
    found = [image for image in images if image is not None]
    assert len(found) == len(set(found))  # no frame of the new cut stands for two of the old
    # what an editor is told adds up to the whole change of length
    assert sum(c.frames for c in picture.changes) == len(after) - len(before)
