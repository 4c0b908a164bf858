"""The comparison of a variant with the float model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from maskwatch_convert.parity import Answers, Parity, compare
from maskwatch_edge.contract import WITH_MASK, WITHOUT_MASK
from maskwatch_edge.dataset import LabelledFace
from maskwatch_edge.errors import InputError, ModelError

MASKED = LabelledFace(Path("a.png"), WITH_MASK, "frames")
BARE = LabelledFace(Path("b.png"), WITHOUT_MASK, "frames")
WORN_WRONG = LabelledFace(Path("c.png"), WITHOUT_MASK, "frames", worn_wrong=True)


def answers(labels: Sequence[int], milliseconds: float = 1.0) -> Answers:
    return Answers(np.eye(2)[list(labels)], np.full(len(labels), milliseconds / 1000), 2_500_000)


def parity(reference: Answers, variant: Answers, faces: Sequence[LabelledFace]) -> Parity:
    return Parity("int8", list(faces), {"float32": reference, "int8": variant})


def test_scores_are_shares_of_the_variant_and_of_its_agreement() -> None:
    faces = [MASKED, MASKED, BARE, WORN_WRONG]
    scores = parity(answers([0, 0, 1, 0]), answers([0, 1, 1, 1]), faces).scores()
    assert scores == {
        "accuracy": 0.75,
        "float_accuracy": 0.75,
        "agreement": 0.5,
        "calibration_error": 0.25,
        "accuracy_with_mask": 0.5,
        "accuracy_without_mask": 1.0,
        "accuracy_mask_weared_incorrect": 1.0,
    }


@pytest.mark.parametrize(
    ("reference_right", "variant_right", "points"),
    [
        (200, 199, 0.5),  # exactly, not 0.50000001: --max-drop 0.5 allows it
        (200, 200, 0.0),
        (199, 200, -0.5),  # a gain
        (200, 100, 50.0),
    ],
)
def test_lost_points_are_counted_in_faces(
    reference_right: int, variant_right: int, points: float
) -> None:
    reference, variant = (
        answers([0] * right + [1] * (200 - right)) for right in (reference_right, variant_right)
    )
    assert parity(reference, variant, [MASKED] * 200).lost_points == points


@pytest.mark.parametrize(
    ("milliseconds", "line"),
    [
        (0.5, "int8 is 2.0 x faster than float32"),
        (3.0, "int8 is 3.0 x slower than float32"),  # told, not hidden
    ],
)
def test_the_table_ends_with_the_ratio_of_the_times(milliseconds: float, line: str) -> None:
    table = parity(answers([0, 1]), answers([0, 0], milliseconds), [MASKED, BARE]).table()
    assert table.splitlines() == [
        "variant    accuracy  agreement      size  ms a face",
        "float32     100.00%    100.00%   2.50 MB      1.000",
        f"int8         50.00%     50.00%   2.50 MB      {milliseconds:.3f}",
        line,
    ]


def test_the_edge_judges_each_face_with_both_models(
    tiny_model: Path, tiny_float_model: Path
) -> None:
    green, red = np.zeros((2, 32, 32, 3), np.uint8)
    green[..., 1], red[..., 0] = 200, 200
    # More faces than a model judges in one turn.
    crops = iter([(MASKED, green), (BARE, red)] * 20)
    models = {"float32": tiny_float_model, "int8": tiny_model}
    result = compare(models, "int8", crops)
    assert result.faces == [MASKED, BARE] * 20
    for name, model in models.items():
        assert result.answers[name].labels.tolist() == [0, 1] * 20
        assert result.answers[name].seconds.shape == (40,)
        assert result.answers[name].milliseconds > 0
        assert result.answers[name].file_bytes == model.stat().st_size


def test_no_readable_face_is_an_error(tiny_float_model: Path) -> None:
    with pytest.raises(InputError, match="no held-out face can be read"):
        compare({"float32": tiny_float_model}, "float32", iter([]))


def test_a_model_that_the_edge_refuses_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.tflite").write_text("no model")
    with pytest.raises(ModelError, match="not a TFLite file"):
        compare({"float32": tmp_path / "model.tflite"}, "float32", iter([]))
