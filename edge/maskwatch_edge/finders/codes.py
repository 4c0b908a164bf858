"""What the numbers of a face finder mean: a heat map of centres, and a coded box at each place.

A face is a peak of the heat map (Zhou et al., "Objects as Points", 2019). The four numbers at the
peak are the way from there to the centre of the box, and the logarithms of its width and height,
all of them divided by `reach` so that they lie within -1 and 1. The network ends in a tanh: TFLite
gives a quantized tanh a fixed scale of 1/128, whatever the calibration saw. With a reach of 2.5
that is 0.16 pixels of the centre, and 2 % of the size, for large faces as for small ones; plain
pixels would share 256 steps between faces of 8 and of 300 pixels.

The places around a peak tell of the same face, and the mean of their boxes lies closer to it than
the one of the peak (Bazarevsky et al., "BlazeFace", 2019, who average where others suppress).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from maskwatch_edge.contract import FinderContract

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

STRIDE = 8
REFERENCE_SIZE = 48.0
REACH = 2.5
MAX_FACES = 50
"""More faces than this are not reported of one frame."""

NMS_IOU = 0.45
"""Of two boxes that overlap more, the less sure one is dropped."""

LEAST_HEAT = 0.1
AGREEING_IOU = 0.5
"""A place tells of the face of a peak beside it if its heat is at least this share of the peak's,
and its box overlaps that of the peak so much."""


AROUND = np.array([(0, 0), *((y, x) for y in (-1, 0, 1) for x in (-1, 0, 1) if (y, x) != (0, 0))]).T
"""The way from a peak to itself and to its neighbours, shape (2, 9), rows and columns."""


@dataclass(frozen=True)
class BoxCode:
    """Boxes to numbers and back; see `FinderContract` for the attributes."""

    stride: int = STRIDE
    reference_size: float = REFERENCE_SIZE
    reach: float = REACH

    @classmethod
    def of(cls, contract: FinderContract) -> BoxCode:
        """Return the code of a model."""
        return cls(contract.stride, contract.reference_size, contract.reach)

    def points(self, rows: Indices, columns: Indices) -> Floats:
        """Return the middles of places of the heat map, shape (..., 2), x and y in input pixels."""
        return (np.stack([columns, rows], axis=-1).astype(np.float64) + 0.5) * self.stride

    def encode(self, boxes: Floats, points: Floats) -> Floats:
        """Turn boxes into numbers.

        Args:
            boxes: Shape (n, 4) as x1, y1, x2, y2, in pixels of the input.
            points: What `points` returned for the place of each, shape (n, 2).

        Returns:
            Shape (n, 4): way to the centre along x and y, log of width and height; cut to [-1, 1].
        """
        centres = (boxes[:, :2] + boxes[:, 2:]) / 2
        ways = (centres - points) / self.stride
        sizes = np.log(np.maximum(boxes[:, 2:] - boxes[:, :2], 1e-3) / self.reference_size)
        return np.clip(np.concatenate([ways, sizes], axis=1) / self.reach, -1.0, 1.0)

    def decode(self, codes: Floats, points: Floats) -> Floats:
        """Turn numbers into boxes; the way back from `encode`, also for shapes of (..., 4)."""
        values = codes * self.reach
        centres = points + values[..., :2] * self.stride
        halves = np.exp(values[..., 2:]) * self.reference_size / 2
        return np.concatenate([centres - halves, centres + halves], axis=-1)


def find_boxes(
    heat: npt.NDArray[np.floating],
    codes: npt.NDArray[np.floating],
    code: BoxCode,
    *,
    min_score: float,
    most: int = MAX_FACES,
) -> tuple[Floats, Floats]:
    """Read the faces out of a network's answer.

    Args:
        heat: Score of a face's centre at each place, shape (rows, columns), in [0, 1].
        codes: The coded box at each place, shape (rows, columns, 4).
        code: What they mean.
        min_score: Peaks below are left out.
        most: At most so many boxes.

    Returns:
        Boxes of shape (n, 4) as x1, y1, x2, y2 in pixels of the input, and their scores of shape
        (n,), the surest first.
    """
    rows, columns = find_peaks(heat, min_score, 2 * most)
    scores = heat[rows, columns].astype(np.float64)
    boxes = mean_boxes(heat, codes, code, rows, columns)
    kept = without_overlaps(boxes)[:most]
    return boxes[kept], scores[kept]


def mean_boxes(
    heat: npt.NDArray[np.floating],
    codes: npt.NDArray[np.floating],
    code: BoxCode,
    rows: Indices,
    columns: Indices,
) -> Floats:
    """Return the mean box of each peak and the places around it, weighted by their heat.

    Args:
        heat: As for `find_boxes`.
        codes: As for `find_boxes`.
        code: As for `find_boxes`.
        rows: Of the peaks, shape (n,).
        columns: Of the peaks, shape (n,).

    Returns:
        Shape (n, 4) as x1, y1, x2, y2 in pixels of the input.
    """
    around = np.stack([rows, columns])[..., np.newaxis] + AROUND[:, np.newaxis]
    edges = np.array(heat.shape)[:, np.newaxis, np.newaxis] - 1
    at = tuple(np.clip(around, 0, edges))
    boxes = code.decode(codes[at].astype(np.float64), code.points(*at))
    weights = np.where((around == at).all(axis=0), np.maximum(heat[at], 1e-9), 0.0)
    weights *= weights >= LEAST_HEAT * weights[:, :1]
    weights *= overlaps(boxes[:, :1], boxes) >= AGREEING_IOU
    shares = weights / weights.sum(axis=1, keepdims=True)
    return np.asarray((shares[..., np.newaxis] * boxes).sum(axis=1))


def find_peaks(
    heat: npt.NDArray[np.floating], min_score: float, most: int
) -> tuple[Indices, Indices]:
    """Return rows and columns of the places that no neighbour exceeds, the highest first."""
    highest = cv2.dilate(heat.astype(np.float32), np.ones((3, 3), np.uint8))
    rows, columns = np.nonzero((heat >= highest) & (heat >= min_score))
    order = np.argsort(-heat[rows, columns], kind="stable")[:most]
    return rows[order], columns[order]


def without_overlaps(boxes: Floats, iou: float = NMS_IOU) -> Indices:
    """Return the indices of boxes that no box before them overlaps by more than `iou`."""
    left = np.arange(len(boxes))
    kept: list[int] = []
    while len(left):
        kept.append(int(left[0]))
        left = left[1:][overlaps(boxes[left[0]], boxes[left[1:]]) <= iou]
    return np.array(kept, dtype=np.int64)


def overlaps(boxes: Floats, others: Floats) -> Floats:
    """Return the intersection over union of boxes with others, shapes (..., 4), broadcast."""
    low = np.maximum(boxes[..., :2], others[..., :2])
    high = np.minimum(boxes[..., 2:], others[..., 2:])
    intersection = np.maximum(high - low, 0.0).prod(axis=-1)
    union = areas(boxes) + areas(others) - intersection
    return np.asarray(intersection / np.maximum(union, 1e-9))


def areas(boxes: Floats) -> Floats:
    """Return the areas of boxes, shape (..., 4)."""
    return np.asarray((boxes[..., 2:] - boxes[..., :2]).prod(axis=-1))
