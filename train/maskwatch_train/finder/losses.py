"""How wrong an answer is: focal loss for the heat map, overlap for the boxes."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from maskwatch_edge.finders.codes import REACH, REFERENCE_SIZE, STRIDE

HEAT, BOXES = "heat", "boxes"
BOX_WEIGHT = 2.0
"""Weight of the loss of the boxes against that of the heat map."""


@keras.saving.register_keras_serializable("maskwatch")  # type: ignore[untyped-decorator]
def heat_loss(wanted: Any, answer: Any) -> Any:
    """Return the focal loss of a heat map for each face.

    Lin et al., "Focal Loss for Dense Object Detection", 2017, in the form of Zhou et al.,
    "Objects as Points", 2019: what lies near a centre is a lesser mistake.

    Args:
        wanted: `Targets.heat` of a batch, shape (batch, rows, columns, 2).
        answer: Shape (batch, rows, columns, 1), in [0, 1].
    """
    heat, counts = wanted[..., :1], wanted[..., 1:]
    score = ops.clip(ops.cast(answer, "float32"), 1e-4, 1 - 1e-4)
    is_centre = ops.cast(heat > 0.9999, "float32")
    missed = -is_centre * (1 - score) ** 2 * ops.log(score)
    raised = -(1 - is_centre) * (1 - heat) ** 4 * score**2 * ops.log(1 - score)
    faces = ops.maximum(ops.sum(is_centre * counts), 1.0)
    return ops.sum((missed + raised) * counts) / faces


@keras.saving.register_keras_serializable("maskwatch")  # type: ignore[untyped-decorator]
def box_loss(wanted: Any, answer: Any) -> Any:
    """Return how little boxes overlap: 1 - GIoU for each face, from 0 to 2.

    Rezatofighi et al., "Generalized Intersection over Union", 2019. It is scored as boxes are
    judged, and weighs a pixel of a small face as much as ten of one ten times as large.

    Args:
        wanted: `Targets.boxes` of a batch, shape (batch, rows, columns, 5).
        answer: Shape (batch, rows, columns, 4), coded boxes.
    """
    codes, weights = wanted[..., :4], wanted[..., 4]
    giou = _giou(*_edges(codes), *_edges(ops.cast(answer, "float32")))
    return BOX_WEIGHT * ops.sum(weights * (1 - giou)) / ops.maximum(ops.sum(weights), 1e-6)


def _edges(codes: Any) -> tuple[Any, Any]:
    """Return upper left and lower right corner in strides, seen from the place of the code."""
    values = codes * REACH
    halves = ops.exp(values[..., 2:]) * (REFERENCE_SIZE / STRIDE / 2)
    return values[..., :2] - halves, values[..., :2] + halves


def _giou(low: Any, high: Any, other_low: Any, other_high: Any) -> Any:
    shared = ops.minimum(high, other_high) - ops.maximum(low, other_low)
    intersection = _area(ops.maximum(shared, 0.0))
    union = _area(high - low) + _area(other_high - other_low) - intersection
    hull = _area(ops.maximum(high, other_high) - ops.minimum(low, other_low))
    return intersection / (union + 1e-6) - (hull - union) / (hull + 1e-6)


def _area(sides: Any) -> Any:
    return sides[..., 0] * sides[..., 1]
