"""Who is judged anew, and of whom the last verdict is recalled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.contract import WITH_MASK, WITHOUT_MASK
from maskwatch_edge.frame import Pixels
from maskwatch_edge.recall import RECALL_SECONDS, RecallingJudge
from maskwatch_edge.verdict import Verdict

SURE, UNSURE = 0.97, 0.6
LEFT, RIGHT = FaceBox(20, 20, 120, 140), FaceBox(220, 20, 320, 140)


class CountingJudge:
    """Judges by colour, green is a mask, and notes whom it was asked about."""

    def __init__(self, score: float = SURE) -> None:
        self.score = score
        self.asked: list[list[FaceBox]] = []

    def classify(self, pixels: Pixels, boxes: Sequence[FaceBox]) -> list[Verdict]:
        self.asked.append(list(boxes))
        return [self._verdict(pixels, box) for box in boxes]

    def _verdict(self, pixels: Pixels, box: FaceBox) -> Verdict:
        red, green, _ = pixels[box.y1 : box.y2, box.x1 : box.x2].mean(axis=(0, 1))
        return Verdict(WITH_MASK if green > red else WITHOUT_MASK, self.score)


def scene(*, is_left_masked: bool) -> Pixels:
    """Paint two faces; the lower half of the left one may be green."""
    pixels = np.full((160, 360, 3), 128, dtype=np.uint8)
    pixels[20:140, 20:120] = pixels[20:140, 220:320] = (220, 170, 150)
    if is_left_masked:
        pixels[80:140, 20:120] = (60, 220, 120)
    return pixels


BARE, MASKED = scene(is_left_masked=False), scene(is_left_masked=True)


def asked(
    steps: Sequence[tuple[float, Pixels, list[FaceBox]]], judge: CountingJudge | None = None
) -> list[list[FaceBox]]:
    """Return whom the judge was asked about in each step."""
    judge = judge or CountingJudge()
    recalling = RecallingJudge(judge, min_score=0.8)
    for now, pixels, boxes in steps:
        assert len(recalling.classify(pixels, boxes, now)) == len(boxes)
    return judge.asked


def test_a_face_that_stays_as_it_is_is_judged_once() -> None:
    steps = [(number / 30, BARE, [LEFT, RIGHT]) for number in range(10)]
    assert asked(steps) == [[LEFT, RIGHT], *[[]] * 9]


def test_a_verdict_is_never_older_than_it_may_be() -> None:
    steps = [(number / 10, BARE, [LEFT]) for number in range(30)]
    times = [number / 10 for number, boxes in enumerate(asked(steps)) if boxes]
    assert np.diff([*times, 3.0]).max() <= RECALL_SECONDS + 1e-9


def test_an_unsure_face_is_judged_in_every_frame() -> None:
    steps = [(number / 30, BARE, [LEFT]) for number in range(5)]
    assert asked(steps, CountingJudge(UNSURE)) == [[LEFT]] * 5


def test_a_mask_that_is_put_on_is_judged_at_once_and_nobody_else() -> None:
    judge = CountingJudge()
    recalling = RecallingJudge(judge, min_score=0.8)
    recalling.classify(BARE, [LEFT, RIGHT], 0.0)
    verdicts = recalling.classify(MASKED, [LEFT, RIGHT], 0.1)
    assert [verdict.label for verdict in verdicts] == [WITH_MASK, WITHOUT_MASK]
    assert judge.asked == [[LEFT, RIGHT], [LEFT]]


def test_verdicts_stay_with_their_faces_in_whatever_order_they_come() -> None:
    recalling = RecallingJudge(CountingJudge(), min_score=0.8)
    recalling.classify(MASKED, [LEFT, RIGHT], 0.0)
    labels = [verdict.label for verdict in recalling.classify(MASKED, [RIGHT, LEFT], 0.1)]
    assert labels == [WITHOUT_MASK, WITH_MASK]


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        # someone comes: only the new one is judged
        ([(0.0, BARE, [LEFT]), (0.1, BARE, [LEFT, RIGHT])], [[LEFT], [RIGHT]]),
        # someone was gone for a moment: a face that comes back is new
        ([(0.0, BARE, [LEFT]), (0.1, BARE, []), (0.2, BARE, [LEFT])], [[LEFT], [], [LEFT]]),
        # a box that trembles by a few pixels is the same face
        ([(0.0, BARE, [LEFT]), (0.1, BARE, [FaceBox(22, 19, 121, 140)])], [[LEFT], []]),
        # a clock that goes back recalls nothing
        ([(5.0, BARE, [LEFT]), (0.0, BARE, [LEFT])], [[LEFT], [LEFT]]),
    ],
)
def test_only_those_are_judged_of_whom_nothing_is_known(
    steps: list[tuple[float, Pixels, list[FaceBox]]], expected: list[list[FaceBox]]
) -> None:
    assert asked(steps) == expected


def test_whoever_is_forgotten_is_judged_anew() -> None:
    judge = CountingJudge()
    recalling = RecallingJudge(judge, min_score=0.8)
    recalling.classify(BARE, [LEFT], 0.0)
    recalling.forget()
    recalling.classify(BARE, [LEFT], 0.1)
    assert judge.asked == [[LEFT], [LEFT]]


def recalls_all(
    *steps: tuple[float, Pixels, list[FaceBox]], at: tuple[float, Pixels], score: float = SURE
) -> bool:
    """Tell whether nobody need be judged in a frame after these steps."""
    recalling = RecallingJudge(CountingJudge(score), min_score=0.8)
    for now, pixels, boxes in steps:
        recalling.classify(pixels, boxes, now)
    return recalling.recalls_all(at[1], at[0])


BOTH = [LEFT, RIGHT]
FAINT = [LEFT, replace(RIGHT, score=0.45)]
SAME = ((0.0, BARE, BOTH), (0.1, BARE, BOTH))


def test_nobody_need_be_judged_who_was_there_twice_and_has_not_changed() -> None:
    moved = BARE.copy()
    moved[:, 130:210] = 0  # between the two
    assert recalls_all(*SAME, at=(0.2, moved))


@pytest.mark.parametrize(
    ("steps", "at"),
    [
        ((), (0.2, BARE)),
        (((0.0, BARE, []), (0.1, BARE, [])), (0.2, BARE)),  # nobody is there who could stay
        (((0.0, BARE, BOTH),), (0.2, BARE)),  # may be false alarms
        (((0.0, BARE, [LEFT]), (0.1, BARE, BOTH)), (0.2, BARE)),  # somebody has come
        (((0.0, BARE, BOTH), (0.1, BARE, [LEFT])), (0.2, BARE)),  # somebody was missed
        (((0.0, BARE, FAINT), (0.1, BARE, BOTH)), (0.2, BARE)),  # somebody may be none
        (((0.0, BARE, BOTH), (0.1, BARE, FAINT)), (0.2, BARE)),
        (SAME, (0.2, MASKED)),
        (SAME, (RECALL_SECONDS, BARE)),
        (SAME, (-1.0, BARE)),
        (SAME, (0.2, BARE[:100])),  # the camera gives pictures of another size
        (SAME, (0.2, np.repeat(BARE, 2, axis=0))),
    ],
)
def test_who_may_have_changed_or_come_or_gone_is_judged(
    steps: Sequence[tuple[float, Pixels, list[FaceBox]]], at: tuple[float, Pixels]
) -> None:
    assert not recalls_all(*steps, at=at)


def test_somebody_unsure_is_judged() -> None:
    assert not recalls_all(*SAME, at=(0.2, BARE), score=UNSURE)


boxes = st.lists(
    st.builds(
        lambda x, y, size: FaceBox(x, y, x + size, y + size),
        st.integers(0, 300),
        st.integers(0, 100),
        st.integers(8, 60),
    ),
    max_size=6,
)


@given(st.lists(st.tuples(st.sampled_from([BARE, MASKED]), boxes), max_size=8))
def test_each_box_gets_a_verdict_whatever_comes(
    steps: list[tuple[Pixels, list[FaceBox]]],
) -> None:
    judge = CountingJudge()
    recalling = RecallingJudge(judge, min_score=0.8)
    for number, (pixels, found) in enumerate(steps):
        assert len(recalling.classify(pixels, found, number / 10)) == len(found)
        assert all(box in found for box in judge.asked[-1])
        assert not (recalling.recalls_all(pixels, number / 10) and not found)
