"""The picture for a screen, and when it is drawn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskwatch_edge.annotate import COLOURS, DARK, WHITE
from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.cameras.state import CameraState
from maskwatch_edge.contract import WITH_MASK
from maskwatch_edge.display.screen import (
    HOLD_SECONDS,
    NIGHT,
    Absence,
    Screen,
    bar_height,
    compose,
    fitted,
    notice,
    spell_seconds,
)
from maskwatch_edge.frame import Frame, Pixels
from maskwatch_edge.tracks import Track
from maskwatch_edge.verdict import Decision, Sighting, Verdict
from maskwatch_edge.view import View

SKIN = (90, 120, 150)
SIZE = (320, 240)
SEEING, WAITING, LOST, ENDED = CameraState


def track(decision: Decision, box: tuple[int, int, int, int] = (60, 60, 90, 100)) -> Track:
    face = FaceBox(*box)
    return Track(1, face, decision, Sighting(face, Verdict(WITH_MASK, 0.9), decision), 0.0, 1.0)


def view(
    camera: CameraState = SEEING,
    now: float = 0.0,
    size: tuple[int, int] | None = (160, 120),
    tracks: tuple[Track, ...] = (),
    rate: float = 12.5,
) -> View:
    """Build a view; without a frame if `size` is None."""
    pixels = None if size is None else np.full((size[1], size[0], 3), SKIN, dtype=np.uint8)
    frame = None if pixels is None else Frame(pixels, 0, now, "camera", 30.0)
    return View(frame, (), tracks, (), camera, rate, now)


def composed(
    what: View, size: tuple[int, int] = SIZE, absence: Absence | None = None, before: int = 0
) -> Pixels:
    canvas = np.full((size[1], size[0], 3), before, dtype=np.uint8)
    compose(what, canvas, absence or Absence(0.0))
    return canvas


def at(picture: Pixels, x: int, y: int) -> tuple[int, ...]:
    return tuple(int(value) for value in picture[y, x])


@pytest.mark.parametrize(
    ("frame", "screen", "black"),
    [
        ((160, 120), (320, 240), (4, 100)),  # the bar takes height: black left and right
        ((160, 120), (320, 240), (315, 100)),
        ((1280, 720), (400, 700), (200, 20)),  # an upright screen: black above and below
        ((1280, 720), (400, 700), (200, 600)),
    ],
)
def test_the_picture_fills_the_screen_as_far_as_its_proportions_let_it(
    frame: tuple[int, int], screen: tuple[int, int], black: tuple[int, int]
) -> None:
    picture = composed(view(size=frame, rate=0.0), screen)
    room_height = screen[1] - bar_height(screen)
    assert at(picture, screen[0] // 2, room_height // 2) == SKIN
    assert at(picture, *black) == (0, 0, 0)
    seen = np.all(picture[:room_height] == SKIN, axis=-1)
    height, width = (np.ptp(places) + 1 for places in np.nonzero(seen))
    assert width / height == pytest.approx(frame[0] / frame[1], rel=0.02)
    assert width == screen[0] or height == room_height


sizes = st.tuples(st.integers(1, 300), st.integers(1, 300))


@given(size=sizes, room=sizes)
def test_what_is_fitted_lies_inside_and_touches_two_sides(
    size: tuple[int, int], room: tuple[int, int]
) -> None:
    width, height = fitted(size, room)
    assert 1 <= width <= room[0]
    assert 1 <= height <= room[1]
    assert width == room[0] or height == room[1]


@given(
    screen=sizes,
    frame=st.none() | sizes,
    camera=st.sampled_from(CameraState),
    people=st.lists(st.sampled_from(Decision), max_size=3),
    now=st.floats(0, 1e7),
)
def test_any_view_fits_any_screen_and_leaves_nothing_of_what_was_there(
    screen: tuple[int, int],
    frame: tuple[int, int] | None,
    camera: CameraState,
    people: list[Decision],
    now: float,
) -> None:
    what = view(camera, now, frame, tuple(map(track, people)))
    on_black, on_white = (composed(what, screen, before=ground) for ground in (0, 255))
    assert np.array_equal(on_black, on_white)


@pytest.mark.parametrize("decision", list(Decision))
def test_a_box_lies_on_the_scaled_picture_where_it_lay_on_the_frame(decision: Decision) -> None:
    # A frame as wide as the room, so that it is enlarged twelvefold with no border beside it.
    picture = composed(view(size=(160, 80), tracks=(track(decision),)), (1920, 1100))
    middle_row = 12 * 80
    assert at(picture, 12 * 60, middle_row) == COLOURS[decision]
    assert at(picture, 12 * 90 - 1, middle_row) == COLOURS[decision]
    assert at(picture, 12 * 75, middle_row) == SKIN  # the face stays free


def test_lines_are_drawn_after_scaling_so_they_are_sharp() -> None:
    picture = composed(view(size=(160, 80), tracks=(track(Decision.MASK),)), (1920, 1100))
    colours = {at(picture, x, 960) for x in range(600, 900)}
    assert colours == {SKIN, WHITE, COLOURS[Decision.MASK]}


@pytest.mark.parametrize("size", [(1920, 1080), (1280, 800), (800, 480), (480, 800), (320, 240)])
def test_the_bar_has_the_colours_of_those_who_are_there(size: tuple[int, int]) -> None:
    for decision, x in zip(Decision, (2, size[0] // 2, size[0] - 3), strict=True):
        bar = composed(view(tracks=(track(decision),)), size)[-bar_height(size) :]
        assert at(bar, x, 2) == COLOURS[decision]
        others = {2, size[0] // 2, size[0] - 3} - {x}
        assert {at(bar, other, 2) for other in others} == {DARK}


@pytest.mark.parametrize("size", [(1920, 1080), (1280, 800), (800, 480), (480, 800), (320, 240)])
def test_the_numbers_in_the_bar_are_written_whole_and_large(size: tuple[int, int]) -> None:
    people = (track(Decision.NO_MASK),) * 88  # the widest text of the three
    bar = composed(view(tracks=people), size)[-bar_height(size) :]
    rows, columns = np.nonzero(bar.min(axis=-1) > 200)
    assert np.ptp(rows) > bar.shape[0] * 0.3
    assert 0 < rows.min() <= rows.max() < bar.shape[0] - 1
    red = np.nonzero(np.all(bar[2] == COLOURS[Decision.NO_MASK], axis=-1))[0]
    assert red.min() < columns.min() <= columns.max() < red.max()


def test_the_number_of_people_and_the_rate_can_be_told_from_the_picture() -> None:
    def shown(people: int, rate: float) -> bytes:
        return composed(view(tracks=(track(Decision.MASK),) * people, rate=rate)).tobytes()

    assert len({shown(1, 12.0), shown(2, 12.0), shown(1, 13.0), shown(1, 1.3)}) == 4
    assert shown(1, 12.0) == shown(1, 12.3)  # no digits that nobody can read in time


@pytest.mark.parametrize("camera", [WAITING, LOST])
def test_no_picture_is_shown_while_the_camera_is_away(camera: CameraState) -> None:
    with_frame = composed(view(camera, tracks=(track(Decision.MASK),)))
    assert np.array_equal(with_frame, composed(view(camera, size=None)))
    assert at(with_frame, 0, 0) == at(with_frame, 319, 239) == NIGHT


@pytest.mark.parametrize("size", [(1920, 1080), (1280, 800), (800, 480), (480, 800), (320, 240)])
def test_a_notice_is_written_whole(size: tuple[int, int]) -> None:
    picture = composed(view(LOST, 3599.0, None), size, Absence(0.0, had_picture=True))
    rows, columns = np.nonzero(np.any(picture != NIGHT, axis=-1))
    assert size[0] * 0.02 < columns.min() <= columns.max() < size[0] * 0.98
    assert size[1] * 0.02 < rows.min() <= rows.max() < size[1] * 0.98
    assert np.ptp(columns) > size[0] * 0.7


@pytest.mark.parametrize(
    ("camera", "had_picture", "words"),
    [
        (WAITING, False, ("waiting for the camera", "for 1 min 5 s")),  # at the start
        (LOST, False, ("camera lost", "trying again", "for 1 min 5 s")),  # never seen by us
        (LOST, True, ("camera lost", "trying again", "last picture 1 min 5 s ago")),
        (WAITING, True, ("waiting for the camera", "last picture 1 min 5 s ago")),  # another one
        (SEEING, True, ("waiting for the camera", "last picture 1 min 5 s ago")),
        (ENDED, True, ("no more pictures", "the source has ended")),
    ],
)
def test_a_notice_says_what_is_amiss_and_for_how_long(
    camera: CameraState, had_picture: bool, words: tuple[str, ...]
) -> None:
    assert notice(view(camera, 165.0, None), Absence(100.0, had_picture)) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-0.1, "0 s"),
        (59.9, "59 s"),
        (60, "1 min 0 s"),
        (3600, "1 h 0 min"),
        (86399, "23 h 59 min"),
        (86400 * 3 + 7200, "3 d 2 h"),
    ],
)
def test_times_are_spelled_as_people_say_them(seconds: float, words: str) -> None:
    assert spell_seconds(seconds) == words


PICTURE, NOTICE, KEPT = "picture", "notice", "kept"


def drawn(screen: Screen, what: View) -> str:
    picture = screen.draw(what, SIZE)
    if picture is None:
        return KEPT
    return NOTICE if at(picture, 0, 0) == NIGHT else PICTURE


@pytest.mark.parametrize(
    "steps",
    [
        # state, seconds, has a frame, what happens
        [(WAITING, 0.0, False, NOTICE), (SEEING, 0.1, True, PICTURE), (SEEING, 0.2, True, PICTURE)],
        # a notice is drawn once a second, or when it says something else
        [(WAITING, 0.0, False, NOTICE), (WAITING, 0.9, False, KEPT), (WAITING, 1.0, False, NOTICE)],
        [(WAITING, 0.0, False, NOTICE), (LOST, 0.1, False, NOTICE), (LOST, 0.2, False, KEPT)],
        # a slow camera keeps its picture, but not for long
        [(SEEING, 0.0, True, PICTURE), (SEEING, 1.9, False, KEPT), (SEEING, 2.0, False, NOTICE)],
        # a lost one does not keep it at all
        [(SEEING, 0.0, True, PICTURE), (LOST, 0.1, False, NOTICE), (SEEING, 0.2, True, PICTURE)],
        # the notice comes back after a picture
        [(LOST, 0.0, False, NOTICE), (SEEING, 0.1, True, PICTURE), (LOST, 0.2, False, NOTICE)],
        [(SEEING, 0.0, True, PICTURE), (ENDED, 0.1, True, PICTURE), (ENDED, 0.2, False, NOTICE)],
    ],
)
def test_what_is_drawn_after_what(steps: list[tuple[CameraState, float, bool, str]]) -> None:
    screen = Screen()
    for camera, now, has_frame, expected in steps:
        assert drawn(screen, view(camera, now, (160, 120) if has_frame else None)) == expected


@given(
    st.lists(st.tuples(st.sampled_from(CameraState), st.booleans(), st.floats(0, 1.5)), max_size=20)
)
def test_a_stale_picture_never_stays(steps: list[tuple[CameraState, bool, float]]) -> None:
    screen, now, picture_at, on_screen = Screen(), 0.0, float("-inf"), ""
    for camera, has_frame, wait in steps:
        now += wait
        what = drawn(screen, view(camera, now, (160, 120) if has_frame else None))
        on_screen = on_screen if what == KEPT else what
        if has_frame and camera in (SEEING, ENDED):
            picture_at = now
        if on_screen == PICTURE:
            assert camera in (SEEING, ENDED)
            assert now - picture_at < HOLD_SECONDS
        else:
            assert on_screen == NOTICE


def test_a_screen_of_another_size_is_drawn_at_once() -> None:
    screen = Screen()
    lost = view(LOST, size=None)
    assert screen.draw(lost, (320, 240)) is not None
    picture = screen.draw(lost, (200, 100))
    assert picture is not None
    assert picture.shape == (100, 200, 3)
