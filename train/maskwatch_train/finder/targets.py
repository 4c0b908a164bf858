"""What a network should answer to a scene.

Heat: a Gaussian bump for each face (Zhou et al., "Objects as Points", 2019). Boxes are learned at
all places where the bump is high enough to be read, weighted by it (Liu et al.,
"Training-Time-Friendly Network for Real-Time Object Detection", 2020): more to learn from in each
scene, so that fewer scenes do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from maskwatch_edge.finders.codes import LEAST_HEAT, BoxCode, areas

from .truths import Truths

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]

SMALLEST_FACE = 8.0
"""Pixels of the input; smaller faces are neither learned as faces nor taken for background."""

SMALLEST_BOX = 4.0
"""The same, of boxes: what is found smaller than a face is to be known by its size."""

FULL_WEIGHT_FACE, LEAST_WEIGHT = 24.0, 0.25
"""Boxes of faces smaller than that, in pixels of the input, weigh less, down to that share: else
the crowds in which they stand would outweigh the few large faces by a door."""

SPREAD = 0.09
"""Standard deviation of a bump, as a share of the sides of the face."""

LEAST_SPREAD = 0.5
"""The same in places of the heat map, at the least."""


@dataclass(frozen=True, eq=False)
class Targets:
    """The wanted answer to one scene.

    Attributes:
        heat: Shape (rows, columns, 2): height of the bumps in [0, 1], exactly 1 at the centres,
            and 1 where it is to be learned, 0 where it is to be ignored.
        boxes: Shape (rows, columns, 5): the coded box, and the weight with which it is learned;
            the weights of a face sum to one, to less if it is small, or where a smaller face before
            it has taken some of its places.
    """

    heat: Singles
    boxes: Singles


def encode_targets(truths: Truths, places: tuple[int, int], code: BoxCode) -> Targets:
    """Turn the faces of a scene into the wanted answer.

    Args:
        truths: Faces in pixels of the input.
        places: Rows and columns of the heat map.
        code: What the numbers of a box mean.
    """
    heat, boxes = np.zeros((*places, 2)), np.zeros((*places, 5))
    heat[..., 1] = 1.0
    sizes = truths.sizes
    learned = truths.sure & (sizes >= SMALLEST_FACE)
    for box in truths.boxes[~learned]:
        _ignore(heat, box, code)
    # The largest first, so that a small face before it keeps its places.
    for index in np.argsort(-areas(truths.boxes)):
        place, bump = _bump(truths.boxes[index], heat.shape[:2], code)
        if learned[index]:
            heat[..., 0] = np.maximum(heat[..., 0], bump)
            heat[(*place, 1)] = 1.0  # a sure face on a doubtful one
        if truths.sure[index] and sizes[index] >= SMALLEST_BOX:
            weight = np.clip(sizes[index] / FULL_WEIGHT_FACE, LEAST_WEIGHT, 1.0)
            _learn_box(boxes, truths.boxes[index], bump, weight, code)
    return Targets(heat.astype(np.float32), boxes.astype(np.float32))


def _ignore(heat: Floats, box: Floats, code: BoxCode) -> None:
    x1, y1 = np.floor(box[:2] / code.stride).astype(int)
    x2, y2 = np.ceil(box[2:] / code.stride).astype(int)
    heat[max(y1, 0) : max(y2, 0), max(x1, 0) : max(x2, 0), 1] = 0.0


def _bump(box: Floats, places: tuple[int, int], code: BoxCode) -> tuple[tuple[int, int], Floats]:
    """Return row and column of the centre of a face, and the bump around it."""
    centre = (box[:2] + box[2:]) / 2 / code.stride
    column, row = np.clip(centre.astype(int), 0, [places[1] - 1, places[0] - 1]).tolist()
    spread_x, spread_y = np.maximum(SPREAD * (box[2:] - box[:2]) / code.stride, LEAST_SPREAD)
    down = (np.arange(places[0]) - row) / spread_y
    right = (np.arange(places[1]) - column) / spread_x
    return (row, column), np.asarray(np.exp(-(down[:, np.newaxis] ** 2 + right**2) / 2))


def _learn_box(boxes: Floats, box: Floats, bump: Floats, weight: float, code: BoxCode) -> None:
    """Ask for a box wherever its bump can be read, with weights of that sum."""
    at = np.nonzero(bump >= LEAST_HEAT)
    points = code.points(*at)
    codes = code.encode(np.tile(box, (len(points), 1)), points)
    weights = bump[at] * (np.abs(codes[:, :2]).max(axis=1) < 0.95)
    boxes[at] = np.column_stack([codes, weight * weights / max(weights.sum(), 1e-6)])
