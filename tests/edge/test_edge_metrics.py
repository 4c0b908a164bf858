"""The figures, against cases that were worked out by hand."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.contract import WITH_MASK, WITHOUT_MASK
from maskwatch_edge.dataset import WORN_WRONG, LabelledFace
from maskwatch_edge.metrics import (
    IOU,
    FrameScorer,
    average_precision,
    calibration_error,
    crop_metrics,
    match_boxes,
    size_class,
)
from maskwatch_edge.verdict import Decision, Sighting, Verdict, decide


def face(x: int, size: int = 40, label: str = WITH_MASK, worn_wrong: bool = False) -> LabelledFace:
    box = FaceBox(x, 0, x + size, size)
    return LabelledFace(Path("a.jpg"), label, "frames", box=box, worn_wrong=worn_wrong)


def seen(
    x: int, label: str = WITH_MASK, score: float = 0.9, face_score: float = 0.9, size: int = 40
) -> Sighting:
    verdict = Verdict(label, score)
    return Sighting(FaceBox(x, 0, x + size, size, face_score), verdict, decide(verdict, 0.8))


@pytest.mark.parametrize(
    ("scores", "right", "expected"),
    [
        ([], [], 0.0),
        ([1.0, 1.0], [True, True], 0.0),  # sure, and right
        ([1.0, 1.0], [False, False], 1.0),  # sure, and wrong
        ([0.75] * 4, [True, True, True, False], 0.0),  # as often right as it says
        ([0.9, 0.9], [True, False], 0.4),  # says 90 %, is right in half
        ([0.9, 0.9, 0.6, 0.6], [True, False, True, True], 0.4),  # two classes, each 0.4 off
        ([0.9, 0.9, 0.9, 0.5], [True, True, True, False], 0.2),  # weighed by their faces
        ([0.61, 0.65], [True, False], 0.13),  # one class: its means are compared
    ],
)
def test_calibration_error_is_how_far_scores_lie_from_the_truth(
    scores: list[float], right: list[bool], expected: float
) -> None:
    error = calibration_error(np.array(scores, dtype=float), np.array(right, dtype=bool))
    assert error == pytest.approx(expected)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=40), st.integers(1, 30))
def test_calibration_error_is_a_share(answers: list[tuple[float, bool]], bins: int) -> None:
    scores = np.array([score for score, _ in answers], dtype=float)
    right = np.array([hit for _, hit in answers], dtype=bool)
    assert 0.0 <= calibration_error(scores, right, bins) <= 1.0 + 1e-9


def test_crops_are_counted_by_label_and_by_kind() -> None:
    figures = crop_metrics(
        np.array([0, 0, 0, 1, 1, 1]),
        np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.1, 0.9], [0.6, 0.4], [0.2, 0.8]]),
        [WITH_MASK, WITH_MASK, WITH_MASK, WITHOUT_MASK, WORN_WRONG, WORN_WRONG],
    )
    assert figures["faces"] == 6
    assert figures["accuracy"] == pytest.approx(4 / 6)
    assert figures["confusion"] == [[2, 1], [1, 2]]
    assert figures["labels"][WITH_MASK] == {"faces": 3, "right": 2, "accuracy": 2 / 3}
    assert figures["labels"][WITHOUT_MASK] == {"faces": 3, "right": 2, "accuracy": 2 / 3}
    assert figures["kinds"][WORN_WRONG] == {"faces": 2, "right": 1, "accuracy": 0.5}
    assert set(figures["kinds"]) == {WITH_MASK, WITHOUT_MASK, WORN_WRONG}
    json.dumps(figures)


def test_no_crops_give_figures_too() -> None:
    figures = crop_metrics(np.array([], dtype=np.int64), np.zeros((0, 2)), [])
    assert (figures["faces"], figures["accuracy"], figures["calibration_error"]) == (0, 0.0, 0.0)
    json.dumps(figures)


@pytest.mark.parametrize(
    ("hits", "faces", "expected"),
    [
        ([], 3, 0.0),
        ([True, True], 2, 1.0),  # all found, no false alarm
        ([True], 2, 0.5),  # half found
        ([False], 1, 0.0),
        ([True, True, False], 2, 1.0),  # a false alarm after all faces costs nothing
        ([False, True], 1, 0.5),  # a false alarm before them does
        ([True, False, True], 2, 0.5 * 1 + 0.5 * 2 / 3),
        ([False, True, True], 2, 2 / 3),  # precision 1/2 counts as the 2/3 that comes later
    ],
)
def test_average_precision_is_the_area_under_the_falling_curve(
    hits: list[bool], faces: int, expected: float
) -> None:
    right = np.cumsum(hits, dtype=float)
    precision = right / np.arange(1, len(hits) + 1)
    assert average_precision(right / faces, precision) == pytest.approx(expected)


@given(st.lists(st.booleans(), max_size=30), st.integers(0, 5))
def test_average_precision_equals_trying_every_recall(hits: list[bool], missed: int) -> None:
    faces = sum(hits) + missed
    right = np.cumsum(hits, dtype=float)
    precision = right / np.arange(1, len(hits) + 1)
    area = Fraction(0)
    for wanted in range(1, sum(hits) + 1):
        reaching = [n for n in range(1, len(hits) + 1) if sum(hits[:n]) >= wanted]
        area += max(Fraction(sum(hits[:n]), n) for n in reaching) / faces
    assert average_precision(right / max(faces, 1), precision) == pytest.approx(float(area))


@pytest.mark.parametrize(
    ("truths", "found", "expected"),
    [
        ([], [], {}),
        ([FaceBox(0, 0, 10, 10)], [], {}),
        ([], [FaceBox(0, 0, 10, 10)], {}),
        ([FaceBox(0, 0, 10, 10)], [FaceBox(0, 0, 10, 10)], {0: 0}),
        # An overlap of just a half counts, and of less does not.
        ([FaceBox(0, 0, 10, 10)], [FaceBox(0, 0, 10, 5)], {0: 0}),
        ([FaceBox(0, 0, 100, 100)], [FaceBox(0, 0, 100, 49)], {}),
        # Two boxes on one face: the surer one has it, though it fits worse.
        (
            [FaceBox(0, 0, 10, 10)],
            [FaceBox(0, 0, 10, 10, score=0.6), FaceBox(1, 0, 11, 10, score=0.7)],
            {1: 0},
        ),
        # One box between two faces takes the one that it covers more of.
        ([FaceBox(0, 0, 10, 10), FaceBox(4, 0, 14, 10)], [FaceBox(3, 0, 13, 10)], {0: 1}),
        # The second choice, where the first is taken.
        (
            [FaceBox(0, 0, 20, 20), FaceBox(3, 0, 23, 20)],
            [FaceBox(2, 0, 22, 20, score=0.9), FaceBox(3, 0, 23, 20, score=0.8)],
            {0: 1, 1: 0},
        ),
    ],
)
def test_found_boxes_are_paired_with_true_ones(
    truths: list[FaceBox], found: list[FaceBox], expected: dict[int, int]
) -> None:
    assert match_boxes(truths, found) == expected


@st.composite
def some_boxes(draw: st.DrawFn) -> FaceBox:
    x, y = draw(st.integers(0, 30)), draw(st.integers(0, 30))
    side = draw(st.integers(5, 30))
    return FaceBox(x, y, x + side, y + side, draw(st.floats(0, 1)))


@given(st.lists(some_boxes(), max_size=8), st.lists(some_boxes(), max_size=8))
def test_each_face_is_paired_once_and_with_enough_overlap(
    truths: list[FaceBox], found: list[FaceBox]
) -> None:
    pairs = match_boxes(truths, found)
    assert len(set(pairs.values())) == len(pairs)
    assert all(found[index].iou(truths[place]) >= IOU for index, place in pairs.items())
    unpaired = [box for index, box in enumerate(found) if index not in pairs]
    free = [truth for place, truth in enumerate(truths) if place not in pairs.values()]
    assert all(box.iou(truth) < IOU for box in unpaired for truth in free)


@pytest.mark.parametrize(
    ("truth", "sighting", "kind", "expected"),
    [
        (face(0), seen(0), WITH_MASK, "right"),
        (face(0), seen(0, WITHOUT_MASK), WITH_MASK, "wrong"),
        (face(0), seen(0, score=0.7), WITH_MASK, "unsure"),
        (face(0), seen(0, WITHOUT_MASK, score=0.7), WITH_MASK, "unsure"),
        (face(0), seen(200), WITH_MASK, "missed"),
        (face(0, label=WITHOUT_MASK), seen(0, WITHOUT_MASK), WITHOUT_MASK, "right"),
        (face(0, label=WITHOUT_MASK), seen(0), WITHOUT_MASK, "wrong"),
        # A mask worn wrong protects nobody: "no mask" is the right word for it.
        (face(0, label=WITHOUT_MASK, worn_wrong=True), seen(0, WITHOUT_MASK), WORN_WRONG, "right"),
        (face(0, label=WITHOUT_MASK, worn_wrong=True), seen(0), WORN_WRONG, "wrong"),
    ],
)
def test_each_annotated_face_has_one_outcome(
    truth: LabelledFace, sighting: Sighting, kind: str, expected: str
) -> None:
    scorer = FrameScorer()
    scorer.add([truth], [sighting])
    nothing = {"right": 0, "unsure": 0, "wrong": 0, "missed": 0}
    assert scorer.result()["outcomes"] == {kind: nothing | {"faces": 1, expected: 1}}


def test_frames_are_scored_as_by_hand() -> None:
    scorer = FrameScorer()
    # Found and right; missed; and a false alarm.
    scorer.add([face(0), face(100, size=70)], [seen(0), seen(300, face_score=0.6)])
    # Found and wrong; worn wrong and flagged.
    scorer.add(
        [face(0, label=WITHOUT_MASK), face(100, label=WITHOUT_MASK, worn_wrong=True)],
        [seen(0, face_score=0.5), seen(100, WITHOUT_MASK)],
    )
    scorer.add([], [])
    figures = scorer.result()
    assert (figures["frames"], figures["faces"]) == (3, 4)
    assert figures["recall"] == 3 / 4
    assert figures["recall_by_size"] == {
        "32": {"faces": 3, "recall": 1.0},
        "64": {"faces": 1, "recall": 0.0},
    }
    assert figures["false_alarms_per_frame"] == pytest.approx(1 / 3)
    # with_mask: right at the first of three sightings, of two faces; nothing else was found.
    assert figures["average_precision"] == {WITH_MASK: pytest.approx(0.5), WITHOUT_MASK: 0.0}
    assert figures["map50"] == pytest.approx(0.25)
    json.dumps(figures)


def test_small_faces_are_neither_asked_for_nor_held_against_the_finder() -> None:
    scorer = FrameScorer(min_face_size=32)
    # A small face that is found, one that is missed, and a small false alarm.
    scorer.add([face(0, size=20), face(100, size=31)], [seen(0, size=20), seen(200, size=20)])
    figures = scorer.result()
    assert (figures["faces"], figures["outcomes"]) == (0, {})
    assert figures["false_alarms_per_frame"] == 0.0
    assert scorer.ranked == {WITH_MASK: [], WITHOUT_MASK: []}


def test_a_difficult_face_is_neither_asked_for_nor_a_false_alarm() -> None:
    there = face(100).box
    assert there is not None
    alone, beside, by_chance = FrameScorer(), FrameScorer(), FrameScorer()
    alone.add([face(0)], [seen(0)])
    beside.add([face(0)], [seen(0), seen(100), seen(105, WITHOUT_MASK)], [there])
    by_chance.add([face(0)], [seen(0)], [there])
    assert alone.result() == beside.result() == by_chance.result()
    assert alone.ranked == beside.ranked == by_chance.ranked


def test_beside_a_difficult_face_and_on_an_annotated_one_all_counts() -> None:
    there = face(100).box
    assert there is not None
    scorer = FrameScorer()
    scorer.add([face(100)], [seen(100), seen(130)], [there])
    figures = scorer.result()
    assert figures["outcomes"][WITH_MASK]["right"] == 1
    assert figures["false_alarms_per_frame"] == 1


def test_a_face_of_just_the_smallest_size_counts() -> None:
    scorer = FrameScorer(min_face_size=32)
    scorer.add([face(0, size=32)], [seen(0, size=32)])
    assert scorer.result()["outcomes"][WITH_MASK]["right"] == 1


def test_recall_by_size_is_told_of_smaller_faces_too_from_12_px_on() -> None:
    scorer = FrameScorer(min_face_size=32)
    scorer.add([face(0, size=11), face(100, size=12), face(200, size=31)], [seen(200, size=31)])
    assert scorer.result()["recall_by_size"] == {
        "12": {"faces": 1, "recall": 0.0},
        "24": {"faces": 1, "recall": 1.0},
    }
    assert scorer.result()["faces"] == 0


@pytest.mark.parametrize(
    ("edge", "expected"), [(12, "12 to 15"), (128, "128 to 255"), (256, "256 and more")]
)
def test_a_size_class_is_named_by_its_first_and_last_size(edge: int, expected: str) -> None:
    assert size_class(edge) == expected


def test_a_mask_worn_wrong_is_left_out_of_the_precision() -> None:
    scorer = FrameScorer()
    worn_wrong = face(0, label=WITHOUT_MASK, worn_wrong=True)
    scorer.add([worn_wrong, face(100)], [seen(0, WITH_MASK, face_score=1.0), seen(100)])
    assert scorer.result()["average_precision"][WITH_MASK] == 1.0


def test_sightings_are_ranked_by_face_score_times_score() -> None:
    scorer = FrameScorer()
    scorer.add(
        [face(0)], [seen(0, score=0.8, face_score=0.9), seen(100, score=1.0, face_score=0.7)]
    )
    assert [score for score, _ in scorer.ranked[WITH_MASK]] == pytest.approx([0.72, 0.7])
    assert scorer.result()["average_precision"][WITH_MASK] == 1.0, "the false alarm comes last"


def test_nothing_scored_gives_figures_too() -> None:
    figures = FrameScorer().result()
    assert (figures["frames"], figures["faces"], figures["map50"]) == (0, 0, 0.0)
    assert figures["false_alarms_per_frame"] == 0.0
    json.dumps(figures)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([WITH_MASK, WITHOUT_MASK]),
            st.sampled_from([WITH_MASK, WITHOUT_MASK, None]),
            st.floats(0.5, 1.0),
        ),
        max_size=20,
    )
)
def test_outcomes_add_up_to_the_faces(answers: list[tuple[str, str | None, float]]) -> None:
    scorer = FrameScorer()
    for truth, answer, score in answers:
        scorer.add([face(0, label=truth)], [] if answer is None else [seen(0, answer, score)])
    outcomes = scorer.result()["outcomes"].values()
    assert sum(row["faces"] for row in outcomes) == len(answers)
    for row in outcomes:
        assert row["faces"] == row["right"] + row["unsure"] + row["wrong"] + row["missed"]


def test_a_decision_of_unsure_is_not_a_miss() -> None:
    assert seen(0, score=0.5).decision is Decision.UNSURE
