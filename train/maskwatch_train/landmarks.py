"""Eyes, nose and mouth in a picture, by YuNet: used only to prepare training data.

Wu, Peng and Yu, "YuNet: A tiny millisecond-level face detector", 2023; run by OpenCV.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.finders.yunet import OVERLAP, as_annotated, open_detector
from maskwatch_edge.frame import Pixels

MIN_SCORE = 0.6
MOST_BOXES = 5000
"""Boxes that are looked at; OpenCV's own default."""

PADDING = 0.25
"""A face that fills its picture is found only with some border around it."""


@dataclass(frozen=True, eq=False)
class Landmarks:
    """A face with its landmarks.

    Attributes:
        box: The face, in pixels of the picture, as the data sets draw it.
        points: Right eye, left eye, nose tip, right and left corner of the mouth as the person
            has them; shape (5, 2), x and y in pixels, float32.
    """

    box: FaceBox
    points: npt.NDArray[np.float32]


class LandmarkFinder:
    """YuNet on single pictures.

    Args:
        path: The file `face_detection_yunet_2023mar.onnx` of the OpenCV model zoo.
        min_score: Faces of a lower score are not found, in [0, 1].

    Raises:
        InputError: If the file is missing or is another one.
    """

    def __init__(self, path: Path, min_score: float = MIN_SCORE) -> None:
        self._detector = open_detector(path, min_score, OVERLAP, MOST_BOXES)

    def find_largest(self, pixels: Pixels) -> Landmarks | None:
        """Find the largest face in a picture, shape (height, width, 3), uint8, RGB."""
        rows = self._detect(pixels)
        if not len(rows):
            return None
        return _landmarks(max(rows, key=lambda row: float(row[2] * row[3])), pixels)

    def find_all(self, pixels: Pixels) -> list[Landmarks]:
        """Find every face in a picture, shape (height, width, 3), uint8, RGB, in no order."""
        found = (_landmarks(row, pixels) for row in self._detect(pixels))
        return [face for face in found if face is not None]

    def _detect(self, pixels: Pixels) -> npt.NDArray[np.float32]:
        """Return a row for each face: its box, five points, its score, in padded pixels."""
        pad_x, pad_y = _padding(pixels)
        bgr = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
        padded = cv2.copyMakeBorder(bgr, pad_y, pad_y, pad_x, pad_x, cv2.BORDER_REPLICATE)
        self._detector.setInputSize((padded.shape[1], padded.shape[0]))
        rows = self._detector.detect(padded)[1]
        return np.zeros((0, 15), np.float32) if rows is None else np.asarray(rows, np.float32)


def _padding(pixels: Pixels) -> tuple[int, int]:
    height, width = pixels.shape[:2]
    return round(width * PADDING), round(height * PADDING)


def _landmarks(row: npt.NDArray[np.float32], pixels: Pixels) -> Landmarks | None:
    """Read a row of YuNet; None if the face lies outside the picture."""
    height, width = pixels.shape[:2]
    padding = _padding(pixels)
    x, y, box_width, box_height = as_annotated(*map(float, row[:4]))
    x, y = x - padding[0], y - padding[1]
    score = min(max(float(row[14]), 0.0), 1.0)
    x2, y2 = round(x + box_width) + 1, round(y + box_height) + 1
    box = FaceBox(round(x), round(y), x2, y2, score)
    inside = box.clipped(width, height)
    if inside is None:
        return None
    points = np.asarray(row[4:14], dtype=np.float32).reshape(5, 2)
    return Landmarks(inside, points - np.array(padding, dtype=np.float32))
