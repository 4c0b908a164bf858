"""YuNet's boxes, drawn anew as the people draw theirs who annotated the frames.

Of a head that is turned people box the front, and YuNet boxes the head. How far it is turned tell
the landmarks, so that a linear map of box and landmarks draws the edges, fitted to frames of the
training split: the bounding box regression of Girshick et al., "Rich feature hierarchies for
accurate object detection and semantic segmentation", 2014, with landmarks for its features.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.finders.codes import overlaps
from maskwatch_train.landmarks import Landmarks

Floats = npt.NDArray[np.float64]

LEAST_PAIRS = 100
"""Fewer faces fit no map; YuNet's boxes are then moved by two shares of their height."""

LEAST_SIZE = 24
"""Smaller faces, in pixels of the picture, are not fitted to: a pixel is too much of their box."""

RIDGE = 0.1
"""Ridge penalty of the fit."""

LEAST_IOU = 0.5
"""A box that shares less with the one that it was drawn from is not trusted."""


@dataclass(frozen=True, eq=False)
class Pair:
    """One face as YuNet sees it and as people boxed it.

    Attributes:
        face: What YuNet found.
        box: What people drew: x1, y1, x2, y2 in pixels of the picture, shape (4,).
        size_wh: Width and height of the picture in pixels.
    """

    face: Landmarks
    box: Floats
    size_wh: tuple[int, int]

    @property
    def is_whole(self) -> bool:
        """Whether the face is large enough to be fitted to, and no edge of the picture cuts it."""
        sides = self.box[2:] - self.box[:2]
        inside = (self.box[:2] > 0).all() and (self.box[2:] < self.size_wh).all()
        return bool(inside and sides.min() >= LEAST_SIZE)


class Redrawing:
    """A map from what YuNet finds to the boxes of people.

    Args:
        weights: Shape (13, 4): what each feature of a face moves each edge, in sizes of the face;
            None to leave boxes as they are.
    """

    def __init__(self, weights: Floats | None = None) -> None:
        self._weights = weights

    @classmethod
    def fitted(cls, pairs: Sequence[Pair]) -> Redrawing:
        """Fit to faces of the training split, and to the same in a mirror."""
        whole = [pair for pair in pairs if pair.is_whole]
        if len(whole) < LEAST_PAIRS:
            return cls()
        heads = np.stack([pair.face.head for pair in whole])
        points = np.stack([pair.face.points for pair in whole]).astype(np.float64)
        boxes = np.stack([pair.box for pair in whole])
        heads, boxes = (np.concatenate([edges, _mirrored(edges)]) for edges in (heads, boxes))
        points = np.concatenate([points, points[:, [1, 0, 2, 4, 3]] * [-1, 1]])
        features, centres, sizes = _features(heads, points)
        penalty = RIDGE * np.eye(features.shape[1])
        wanted = (boxes - centres) / sizes
        weights = np.linalg.solve(features.T @ features + penalty, features.T @ wanted)
        return cls(np.asarray(weights, np.float64))

    def draw(self, face: Landmarks, size_wh: tuple[int, int]) -> FaceBox:
        """Return the box that people would draw, within a picture of that width and height."""
        if self._weights is None:
            return face.box
        features, centres, sizes = _features(
            face.head[np.newaxis], face.points[np.newaxis].astype(np.float64)
        )
        edges = (features @ self._weights * sizes + centres)[0]
        if overlaps(edges, np.array([face.box.xyxy], np.float64))[0] < LEAST_IOU:
            return face.box
        x1, y1, x2, y2 = np.rint(edges).astype(int).tolist()
        return FaceBox(x1, y1, x2, y2, face.box.score).clipped(*size_wh) or face.box


def _mirrored(edges: Floats) -> Floats:
    return edges[:, [2, 1, 0, 3]] * [-1, 1, -1, 1]


def _features(heads: Floats, points: Floats) -> tuple[Floats, Floats, Floats]:
    """Return features of shape (n, 13), and centres (n, 4) and sizes (n, 1) in pixels."""
    sides = heads[:, 2:] - heads[:, :2]
    centres = (heads[:, :2] + heads[:, 2:]) / 2
    sizes = np.sqrt(sides.prod(axis=1, keepdims=True))
    places = (points - centres[:, np.newaxis]) / sizes[:, np.newaxis]
    features = np.hstack([np.ones_like(sizes), sides / sizes, places.reshape(len(points), -1)])
    return features, np.tile(centres, 2), sizes
