"""From a frame and boxes to verdicts."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.classifier import MaskClassifier, face_crop, resized
from maskwatch_edge.contract import WITH_MASK, WITHOUT_MASK, read_model, write_model
from maskwatch_edge.errors import ModelError
from maskwatch_edge.frame import Pixels
from maskwatch_edge.verdict import Verdict

GREEN, RED = (60, 200, 60), (200, 60, 60)


class FakeInterpreter:
    """Has the methods of the real one, answers what it is told to, and remembers its threads."""

    threads: int | None = None
    shape = (1, 32, 32, 3)
    quantization = (1.0, 0)
    outputs = 1

    def __init__(self, model_content: bytes, num_threads: int) -> None:
        FakeInterpreter.threads = num_threads

    def allocate_tensors(self) -> None:
        pass

    def get_input_details(self) -> list[dict[str, Any]]:
        return [self._details(self.shape, self.quantization)]

    def get_output_details(self) -> list[dict[str, Any]]:
        return [self._details((1, 2), (1 / 256, 0))] * self.outputs

    def _details(self, shape: tuple[int, ...], quantization: tuple[float, int]) -> dict[str, Any]:
        return {
            "index": 0,
            "shape": np.array(shape),
            "dtype": np.uint8,
            "quantization": quantization,
        }


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> type[FakeInterpreter]:
    """Put a fresh fake in the place of ai-edge-litert."""
    module: Any = ModuleType("ai_edge_litert.interpreter")
    module.Interpreter = type("Interpreter", (FakeInterpreter,), {})
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", module)
    interpreter: type[FakeInterpreter] = module.Interpreter
    return interpreter


def frame_of(*colours: tuple[int, int, int]) -> Pixels:
    """Paint faces of 40 px side by side, 80 px apart, on grey."""
    frame = np.full((80, 80 * len(colours), 3), 128, dtype=np.uint8)
    for place, colour in enumerate(colours):
        frame[15:65, 80 * place + 15 : 80 * place + 65] = colour
    return frame


def box_at(place: int) -> FaceBox:
    return FaceBox(80 * place + 20, 20, 80 * place + 60, 60)


@pytest.fixture(scope="module")
def classifiers(tiny_model: Path, tiny_float_model: Path) -> list[MaskClassifier]:
    return [MaskClassifier(tiny_model), MaskClassifier(tiny_float_model)]


def test_a_green_face_wears_its_mask_and_a_red_one_does_not(
    classifiers: list[MaskClassifier],
) -> None:
    for classifier in classifiers:
        verdicts = classifier.classify(frame_of(GREEN, RED), [box_at(0), box_at(1)])
        assert [verdict.label for verdict in verdicts] == [WITH_MASK, WITHOUT_MASK]
        assert all(verdict.score > 0.95 for verdict in verdicts)


def test_verdicts_come_in_the_order_of_the_boxes(classifiers: list[MaskClassifier]) -> None:
    frame = frame_of(GREEN, RED, RED, GREEN)
    in_order = classifiers[0].classify(frame, [box_at(place) for place in range(4)])
    other_order = classifiers[0].classify(frame, [box_at(place) for place in (2, 0, 3, 1)])
    assert other_order == [in_order[place] for place in (2, 0, 3, 1)]


def test_a_frame_without_faces_has_no_verdicts(classifiers: list[MaskClassifier]) -> None:
    assert classifiers[0].classify(frame_of(GREEN), []) == []


def test_a_frame_is_not_changed_by_looking_at_it(classifiers: list[MaskClassifier]) -> None:
    frame = frame_of(GREEN, RED)
    before = frame.copy()
    classifiers[0].classify(frame, [box_at(0), box_at(1)])
    assert np.array_equal(frame, before)


def test_an_answer_without_a_doubt_is_the_first_label_at_half(
    classifiers: list[MaskClassifier],
) -> None:
    grey = np.full((60, 60, 3), 128, dtype=np.uint8)
    assert classifiers[0].classify(grey, [FaceBox(0, 0, 60, 60)]) == [Verdict(WITH_MASK, 0.5)]


@given(crop=hnp.arrays(np.uint8, (32, 32, 3)))
def test_probabilities_are_shares_of_one(
    classifiers: list[MaskClassifier], crop: npt.NDArray[np.uint8]
) -> None:
    for classifier in classifiers:
        probabilities = classifier.probabilities(crop)
        assert probabilities.shape == (2,)
        assert probabilities.sum() == pytest.approx(1.0)
        assert np.all((probabilities >= 0.0) & (probabilities <= 1.0))


@given(crop=hnp.arrays(np.uint8, (32, 32, 3)))
def test_int8_and_float32_answer_alike(
    classifiers: list[MaskClassifier], crop: npt.NDArray[np.uint8]
) -> None:
    answers = [classifier.probabilities(crop) for classifier in classifiers]
    assert answers[0] == pytest.approx(answers[1], abs=0.1)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"input_size": 64}, r"input tensor.*\(1, 64, 64, 3\).*received uint8 \(1, 32, 32, 3\)"),
        ({"variant": "float32"}, "input tensor.*expected float32.*received uint8"),
        ({"variant": "float16"}, "input tensor.*expected float32.*received uint8"),
    ],
)
def test_tensors_that_contradict_the_contract_are_refused_in_one_line(
    tmp_path: Path, tiny_model: Path, change: dict[str, Any], expected: str
) -> None:
    flatbuffer, contract = read_model(tiny_model)
    path = tmp_path / "wrong.tflite"
    write_model(path, flatbuffer, replace(contract, **change))
    with pytest.raises(ModelError, match=expected) as caught:
        MaskClassifier(path)
    assert str(path) in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_float_model_that_claims_to_be_int8_is_refused(
    tmp_path: Path, tiny_float_model: Path
) -> None:
    flatbuffer, contract = read_model(tiny_float_model)
    path = tmp_path / "wrong.tflite"
    write_model(path, flatbuffer, replace(contract, variant="int8"))
    with pytest.raises(ModelError, match=r"expected uint8.*received float32"):
        MaskClassifier(path)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("quantization", (1 / 255, 0), r"must be \(1.0, 0\)"),  # would want pixels in 0..1
        ("quantization", (1.0, 128), r"must be \(1.0, 0\)"),  # would want signed pixels
        ("shape", (1, 3, 32, 32), "input tensor contradicts"),  # channels first
        ("shape", (1, 32, 32, 1), "input tensor contradicts"),  # grey
        ("outputs", 2, "1 inputs and 2 outputs"),  # a detector
    ],
)
def test_a_model_that_reads_pixels_otherwise_is_refused(
    fake: type[FakeInterpreter], tiny_model: Path, name: str, value: Any, expected: str
) -> None:
    setattr(fake, name, value)
    with pytest.raises(ModelError, match=expected):
        MaskClassifier(tiny_model)


@pytest.mark.parametrize(
    ("cores", "wanted", "expected"),
    [
        ({0}, 8, 1),  # one core: more threads would be hundreds of times slower
        ({0, 1, 2, 3}, 3, 3),
        ({0, 1, 2, 3}, 64, 4),
        ({0, 1, 2, 3}, None, 3),  # the default
        ({5}, None, 1),
    ],
)
def test_the_model_gets_no_more_threads_than_there_are_cores(
    monkeypatch: pytest.MonkeyPatch,
    fake: type[FakeInterpreter],
    tiny_model: Path,
    cores: set[int],
    wanted: int | None,
    expected: int,
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: cores)
    MaskClassifier(tiny_model, threads=wanted)
    assert FakeInterpreter.threads == expected


def test_the_older_interpreter_gives_the_same_verdicts(
    tiny_model: Path, tiny_float_model: Path
) -> None:
    pytest.importorskip(
        "tflite_runtime.interpreter",
        reason="tflite-runtime is not installed; it needs Python 3.11 and numpy < 2",
        exc_type=ImportError,
    )
    for path in (tiny_model, tiny_float_model):
        classifier = MaskClassifier(path, interpreter="tflite-runtime", threads=1)
        verdicts = classifier.classify(frame_of(GREEN, RED), [box_at(0), box_at(1)])
        assert [verdict.label for verdict in verdicts] == [WITH_MASK, WITHOUT_MASK]
        # The last step of the quantization differs: close, never equal.
        assert [verdict.score for verdict in verdicts] == pytest.approx([1.0, 0.988], abs=0.02)


def test_the_shipped_model_keeps_its_contract(shipped_model: Path) -> None:
    classifier = MaskClassifier(shipped_model)
    assert classifier.contract.input_size == 128
    assert classifier.contract.variant == "int8"
    assert classifier.probabilities(np.zeros((128, 128, 3), np.uint8)).sum() == pytest.approx(1.0)


def striped() -> Pixels:
    """Paint a frame of 100x80 whose red channel says the column, and green the row."""
    frame = np.zeros((80, 100, 3), dtype=np.uint8)
    frame[..., 0] = np.arange(100)
    frame[..., 1] = np.arange(80)[:, np.newaxis]
    return frame


@pytest.mark.parametrize(
    ("edges", "margin", "expected"),
    [
        ((20, 30, 52, 62), 0.0, (20, 30, 52, 62)),  # as it is
        ((40, 30, 60, 50), 0.3, (34, 24, 66, 56)),  # with a margin
        ((-20, 30, 12, 62), 0.0, (0, 30, 12, 62)),  # over the left edge
        ((90, 70, 120, 100), 0.0, (90, 70, 100, 80)),  # over the lower right corner
        ((2, 2, 22, 22), 0.5, (0, 0, 32, 32)),  # only the margin is over the edge
        ((-50, -50, 200, 200), 0.1, (0, 0, 100, 80)),  # the frame is in the box
        ((99, 79, 120, 100), 0.0, (99, 79, 100, 80)),  # one last pixel
    ],
)
def test_a_crop_shows_the_box_and_its_margin_as_far_as_there_is_a_frame(
    edges: tuple[int, int, int, int], margin: float, expected: tuple[int, int, int, int]
) -> None:
    frame = striped()
    x1, y1, x2, y2 = expected
    crop = face_crop(frame, FaceBox(*edges), margin, 32)
    assert np.array_equal(crop, resized(frame[y1:y2, x1:x2], 32))
    assert crop[..., 0].min() >= x1
    assert crop[..., 0].max() < x2
    assert crop[..., 1].min() >= y1
    assert crop[..., 1].max() < y2


@pytest.mark.parametrize(
    "edges", [(100, 0, 140, 40), (-40, 0, 0, 40), (10, 80, 50, 120), (10, -40, 50, 0)]
)
def test_a_box_outside_the_frame_is_refused_with_both_sizes(
    edges: tuple[int, int, int, int],
) -> None:
    with pytest.raises(ValueError, match=r"outside the frame of 100x80 pixels"):
        face_crop(striped(), FaceBox(*edges), 0.0, 32)


@given(
    x1=st.integers(-60, 99),
    y1=st.integers(-60, 79),
    width=st.integers(1, 200),
    height=st.integers(1, 200),
    margin=st.floats(0, 1),
    size=st.integers(1, 160),
)
def test_every_box_in_the_frame_gives_a_square_of_the_wanted_size(
    x1: int, y1: int, width: int, height: int, margin: float, size: int
) -> None:
    box = FaceBox(x1, y1, x1 + width, y1 + height)
    if box.clipped(100, 80) is None:
        return
    crop = face_crop(striped(), box, margin, size)
    assert crop.shape == (size, size, 3)
    assert crop.dtype == np.uint8


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (50, 1), (24, 24), (300, 200), (10, 400)])
def test_scaling_a_flat_picture_keeps_its_colour(shape: tuple[int, int]) -> None:
    flat = np.full((*shape, 3), (10, 120, 250), dtype=np.uint8)
    assert np.array_equal(np.unique(resized(flat, 32).reshape(-1, 3), axis=0), [[10, 120, 250]])
