"""Drawing sightings onto a frame."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskwatch_edge.annotate import (
    COLOURS,
    WHITE,
    Pen,
    annotate,
    caption,
    draw_tracks,
    track_caption,
)
from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.contract import WITH_MASK, WITHOUT_MASK
from maskwatch_edge.frame import Pixels
from maskwatch_edge.tracks import Track
from maskwatch_edge.verdict import Decision, Sighting, Verdict


def grey(width: int, height: int) -> Pixels:
    return np.full((height, width, 3), 128, dtype=np.uint8)


def sighting(
    box: tuple[int, int, int, int], decision: Decision = Decision.MASK, score: float = 0.9
) -> Sighting:
    return Sighting(FaceBox(*box), Verdict(WITH_MASK, score), decision)


boxes = st.builds(
    lambda x, y, width, height: (x, y, x + width, y + height),
    st.integers(-300, 300),
    st.integers(-300, 300),
    st.integers(1, 500),
    st.integers(1, 500),
)


@given(
    width=st.integers(1, 200),
    height=st.integers(1, 200),
    places=st.lists(boxes, max_size=3),
    decision=st.sampled_from(Decision),
    rate=st.none() | st.floats(0, 1000),
)
def test_any_box_can_be_drawn_and_the_frame_stays_as_it_was(
    width: int,
    height: int,
    places: list[tuple[int, int, int, int]],
    decision: Decision,
    rate: float | None,
) -> None:
    frame = grey(width, height)
    picture = annotate(frame, [sighting(box, decision) for box in places], rate)
    assert picture.shape == frame.shape
    assert picture.dtype == np.uint8
    assert np.all(frame == 128)
    assert picture is not frame


@pytest.mark.parametrize(
    "box",
    [
        (0, 0, 320, 240),  # the whole frame
        (0, 0, 40, 40),  # no room above for the words
        (280, 200, 320, 240),  # no room to the right
        (-20, -20, 30, 30),  # over the corner
        (100, 100, 104, 104),  # smaller than its words
    ],
)
def test_the_words_are_written_whole_wherever_the_box_is(box: tuple[int, int, int, int]) -> None:
    def bar_of(place: tuple[int, int, int, int]) -> int:
        picture = annotate(grey(320, 240), [sighting(place)])
        return int(np.all(picture == 255, axis=-1).sum())

    assert bar_of(box) == bar_of((100, 100, 200, 200)) > 0


@pytest.mark.parametrize("decision", list(Decision))
def test_a_box_has_the_colour_of_its_decision(decision: Decision) -> None:
    picture = annotate(grey(320, 240), [sighting((100, 80, 200, 180), decision)])
    for x, y in ((100, 150), (199, 150), (150, 179)):
        assert tuple(picture[y, x]) == COLOURS[decision]
    assert tuple(picture[150, 150]) == (128, 128, 128)  # the face stays free


def test_each_decision_has_a_colour_of_its_own() -> None:
    assert set(COLOURS) == set(Decision)
    assert len(set(COLOURS.values())) == len(Decision)


def test_the_surest_face_is_drawn_over_the_others() -> None:
    box = (100, 80, 200, 180)
    sightings = [sighting(box, Decision.NO_MASK), sighting(box, Decision.MASK)]
    assert tuple(annotate(grey(320, 240), sightings)[150, 100]) == COLOURS[Decision.NO_MASK]


def test_a_frame_without_faces_is_only_copied() -> None:
    assert np.array_equal(annotate(grey(64, 48), []), grey(64, 48))


def test_the_frame_rate_is_written_into_the_lower_left_corner() -> None:
    changed = np.any(annotate(grey(320, 240), [], 12.3) != 128, axis=-1)
    rows, columns = np.nonzero(changed)
    assert rows.min() > 200
    assert rows.max() == 239
    assert columns.min() == 0
    assert columns.max() < 120


@pytest.mark.parametrize(
    ("decision", "label", "score", "words"),
    [
        (Decision.MASK, WITH_MASK, 0.984, "mask 98 %"),
        (Decision.NO_MASK, WITHOUT_MASK, 0.9, "no mask 90 %"),
        (Decision.UNSURE, WITHOUT_MASK, 0.5, "unsure 50 %"),
        (Decision.MASK, WITH_MASK, 1.0, "mask 100 %"),
    ],
)
def test_a_caption_says_decision_and_per_cent(
    decision: Decision, label: str, score: float, words: str
) -> None:
    assert caption(Sighting(FaceBox(0, 0, 9, 9), Verdict(label, score), decision)) == words


def track(
    box: tuple[int, int, int, int],
    decision: Decision = Decision.MASK,
    label: str = WITH_MASK,
    score: float = 0.9,
) -> Track:
    face = FaceBox(*box)
    return Track(1, face, decision, Sighting(face, Verdict(label, score), decision), 0.0, 1.0)


@pytest.mark.parametrize(
    ("decision", "label", "score", "words"),
    [
        (Decision.MASK, WITH_MASK, 0.984, "mask 98 %"),
        (Decision.NO_MASK, WITHOUT_MASK, 0.9, "no mask 90 %"),
        # one look that contradicts the vote must not be sold as its score
        (Decision.MASK, WITHOUT_MASK, 0.7, "mask 30 %"),
        (Decision.NO_MASK, WITH_MASK, 0.7, "no mask 30 %"),
        (Decision.UNSURE, WITH_MASK, 0.6, "unsure 60 %"),
        (Decision.UNSURE, WITHOUT_MASK, 0.6, "unsure 60 %"),
    ],
)
def test_a_persons_caption_says_the_vote_and_what_the_newest_look_gives_it(
    decision: Decision, label: str, score: float, words: str
) -> None:
    assert track_caption(track((0, 0, 9, 9), decision, label, score)) == words


PEN = Pen(scale=0.5, line=2)


@pytest.mark.parametrize("zoom", [0.5, 1.0, 2.0])
def test_a_persons_box_is_scaled_with_the_picture(zoom: float) -> None:
    picture = grey(640, 480)
    draw_tracks(picture, [track((100, 80, 200, 180), Decision.UNSURE)], zoom, PEN)
    for x, y in ((100, 150), (199, 150), (150, 179)):
        assert tuple(picture[int(y * zoom), int(x * zoom)]) == COLOURS[Decision.UNSURE]
    assert tuple(picture[int(130 * zoom), int(150 * zoom)]) == (128, 128, 128)


@given(
    width=st.integers(1, 200),
    height=st.integers(1, 200),
    places=st.lists(boxes, max_size=4),
    zoom=st.floats(0.1, 8.0),
    scale=st.floats(0.3, 2.0),
)
def test_any_person_can_be_drawn_onto_any_part_of_a_screen(
    width: int, height: int, places: list[tuple[int, int, int, int]], zoom: float, scale: float
) -> None:
    screen = grey(width + 20, height + 10)
    draw_tracks(screen[:height, 20:], [track(box) for box in places], zoom, Pen(scale, 2))
    assert np.all(screen[height:] == 128)
    assert np.all(screen[:, :20] == 128)


@pytest.mark.parametrize(
    "places",
    [
        [(100, 80, 200, 180), (100, 80, 200, 180)],  # two in one place
        [(100, 80, 180, 180), (150, 85, 230, 180), (120, 82, 200, 182)],  # a crowd
        [(0, 0, 60, 60), (10, 0, 70, 60)],  # no room above
        [(250, 180, 320, 240), (240, 180, 310, 240)],  # no room below
    ],
)
def test_words_are_not_written_over_other_words(places: list[tuple[int, int, int, int]]) -> None:
    def written(people: list[Track]) -> int:
        picture = grey(320, 240)
        filled = Pen(0.5, line=-1)  # no white around the boxes: all that is white are letters
        draw_tracks(picture, people, 1.0, filled)
        return int(np.all(picture == WHITE, axis=-1).sum())

    people = [track(box) for box in places]
    assert written(people) == sum(written([person]) for person in people) > 0
