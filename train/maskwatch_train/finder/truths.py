"""Where the faces of a picture are: annotated by people, or found by a teacher.

The teacher is YuNet, its boxes moved to where people draw them; see `finders.yunet`. A finder of
ours may stand beside it, for masked faces that YuNet does not see: they would else be learned as
background (Xie et al., "Self-training with Noisy Student improves ImageNet classification", 2020).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.dataset import MIN_FACE_SIZE
from maskwatch_edge.finders import FaceFinder, TfliteFinder
from maskwatch_edge.finders.codes import overlaps, without_overlaps
from maskwatch_edge.frame import Pixels
from maskwatch_train.found_faces import finder_path
from maskwatch_train.landmarks import MIN_SCORE, LandmarkFinder

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

SURE_SCORE = 0.7
"""From this score on, what YuNet finds is a face."""

LABELLED_SCORE = 0.5
"""The same for the surest face of a picture of which it is known that it shows one."""

DOUBTFUL_SCORE = 0.35
"""From this score on it may be one: nothing is learned there, neither face nor background."""

OWN_SURE_SCORE, OWN_LABELLED_SCORE, OWN_DOUBTFUL_SCORE = 0.6, 0.4, 0.2
"""The same of a finder of ours, whose scores are lower."""

SAME_IOU = 0.4
"""Two boxes that share more are of one face."""

VISIBLE, HIDDEN = 0.5, 0.2
"""Of a face that is cut or covered: with so much of it visible it is a face still; with less it is
ignored; and with this little it is background."""


@dataclass(frozen=True, eq=False)
class Truths:
    """The faces of one picture.

    Attributes:
        boxes: Shape (n, 4) as x1, y1, x2, y2, in pixels.
        sure: Whether each is a face to learn, shape (n,); the others are regions to ignore.
        hard: Whether people have boxed it and YuNet does not find it, shape (n,).
    """

    boxes: Floats
    sure: Flags
    hard: Flags

    def __len__(self) -> int:
        return len(self.boxes)

    @property
    def sizes(self) -> Floats:
        """The shorter side of each box in pixels, shape (n,)."""
        return np.asarray((self.boxes[:, 2:] - self.boxes[:, :2]).min(axis=1))

    def scaled(self, scale: float) -> Truths:
        """Return the same faces in a picture that is scaled."""
        return replace(self, boxes=self.boxes * scale)

    def shifted(self, way: tuple[int, int]) -> Truths:
        """Return the same faces in a picture whose corner lies elsewhere, x and y in pixels."""
        return replace(self, boxes=self.boxes + np.tile(way, 2))

    def mirrored(self, width: float) -> Truths:
        """Return the same faces in a picture of that width in which left and right are changed."""
        x1, y1, x2, y2 = self.boxes.T
        return replace(self, boxes=np.stack([width - x2, y1, width - x1, y2], axis=1))

    def seen(self, shares: Floats) -> Truths:
        """Return what is left of faces of which only a part can be seen.

        Args:
            shares: The share of each box that can be seen, in [0, 1], shape (n,).
        """
        kept, sure = shares > HIDDEN, self.sure & (shares >= VISIBLE)
        return Truths(self.boxes[kept], sure[kept], self.hard[kept])


def joined(parts: Sequence[Truths]) -> Truths:
    """Return the faces of all parts of a picture."""
    return Truths(
        np.concatenate([part.boxes for part in parts]),
        np.concatenate([part.sure for part in parts]),
        np.concatenate([part.hard for part in parts]),
    )


def annotated(boxes: Sequence[FaceBox], difficult: Sequence[FaceBox] = ()) -> Truths:
    """Return the faces that people have boxed, and those that they call difficult."""
    count = len(boxes) + len(difficult)
    return Truths(
        _edges([*boxes, *difficult]), np.arange(count) < len(boxes), np.zeros(count, bool)
    )


def _edges(boxes: Sequence[FaceBox]) -> Floats:
    return np.array([box.xyxy for box in boxes], dtype=np.float64).reshape(-1, 4)


class Teacher:
    """Says where the faces of a picture are that is known to show one.

    Args:
        landmarks: YuNet, which finds faces from a score of `DOUBTFUL_SCORE` on.
        finder: One of ours that finds faces from a score of `OWN_DOUBTFUL_SCORE` on, if any.
    """

    def __init__(self, landmarks: LandmarkFinder, finder: FaceFinder | None = None) -> None:
        self._landmarks, self._finder = landmarks, finder

    @classmethod
    def open(cls, landmarks: Path, finder: str | None) -> Teacher:
        """Open both.

        Args:
            landmarks: The file of YuNet.
            finder: As in `found_faces.finder_path`; None for YuNet alone.

        Raises:
            InputError: If a file is missing, or YuNet's is another one.
            ModelError: If the finder's is broken, or holds no finder.
        """
        yunet = LandmarkFinder(landmarks, DOUBTFUL_SCORE)
        if finder is None:
            return cls(yunet)
        return cls(yunet, TfliteFinder(finder_path(finder), min_score=OWN_DOUBTFUL_SCORE))

    def teach(self, pixels: Pixels) -> Truths | None:
        """Return the faces of a picture, boxed as people box them.

        Args:
            pixels: Shape (height, width, 3), uint8, RGB.

        Returns:
            The sure ones first; None if there is none.
        """
        faces = self._landmarks.find_all(pixels)
        found = sorted((face.box for face in faces), key=lambda box: -box.score)
        own = [] if self._finder is None else self._finder.find(pixels)
        sure = (
            _different(
                [box for box in found if box.score >= SURE_SCORE]
                + [box for box in own if box.score >= OWN_SURE_SCORE]
            )
            or [box for box in found[:1] if box.score >= LABELLED_SCORE]
            or [box for box in own[:1] if box.score >= OWN_LABELLED_SCORE]
        )
        if not sure:
            return None
        boxes = _different([*sure, *found, *own])
        count = len(boxes)
        return Truths(_edges(boxes), np.arange(count) < len(sure), np.zeros(count, bool))

    def mark_hard(self, pixels: Pixels, truths: Truths) -> Truths:
        """Tell which annotated faces YuNet does not find, with the score that it finds others by.

        Args:
            pixels: Shape (height, width, 3), uint8, RGB.
            truths: The annotated faces in it.
        """
        faces = self._landmarks.find_all(pixels)
        found = _edges([face.box for face in faces if face.box.score >= MIN_SCORE])
        best = overlaps(truths.boxes[:, np.newaxis], found).max(axis=1, initial=0.0)
        hard = truths.sure & (best < SAME_IOU) & (truths.sizes >= MIN_FACE_SIZE)
        return replace(truths, hard=hard)


def _different(boxes: Sequence[FaceBox]) -> list[FaceBox]:
    """Leave out each box that one before it shows already."""
    return [boxes[index] for index in without_overlaps(_edges(boxes), SAME_IOU)]
