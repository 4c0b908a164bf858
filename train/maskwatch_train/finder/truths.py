"""Where the faces of a picture are: annotated by people, or found by a teacher.

The teacher is YuNet, its boxes moved to where people draw them; see `finders.yunet`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.frame import Pixels
from maskwatch_train.landmarks import LandmarkFinder

Floats = npt.NDArray[np.float64]

SURE_SCORE = 0.7
"""From this score on, what the teacher finds is a face."""

LABELLED_SCORE = 0.5
"""The same for the surest face of a picture of which it is known that it shows one."""

DOUBTFUL_SCORE = 0.35
"""From this score on it may be one: nothing is learned there, neither face nor background."""


@dataclass(frozen=True, eq=False)
class Truths:
    """The faces of one picture.

    Attributes:
        boxes: Shape (n, 4) as x1, y1, x2, y2, in pixels.
        sure: Whether each is a face to learn, shape (n,); the others are regions to ignore.
    """

    boxes: Floats
    sure: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.boxes)

    def scaled(self, scale: float) -> Truths:
        """Return the same faces in a picture that is scaled."""
        return Truths(self.boxes * scale, self.sure)


def annotated(boxes: Sequence[FaceBox]) -> Truths:
    """Return the faces that people have boxed."""
    edges = np.array([box.xyxy for box in boxes], dtype=np.float64).reshape(-1, 4)
    return Truths(edges, np.ones(len(boxes), dtype=bool))


def taught(pixels: Pixels, teacher: LandmarkFinder) -> Truths | None:
    """Ask the teacher where the faces of a picture are that is known to show one.

    Args:
        pixels: Shape (height, width, 3), uint8, RGB.
        teacher: Finds faces from a score of `DOUBTFUL_SCORE` on.

    Returns:
        The faces, boxed as people box them; None if the teacher is sure of none.
    """
    found = sorted((face.box for face in teacher.find_all(pixels)), key=lambda box: -box.score)
    if not found or found[0].score < LABELLED_SCORE:
        return None
    sure = np.array([box.score >= SURE_SCORE for box in found])
    sure[0] = True
    return Truths(annotated(found).boxes, sure)
