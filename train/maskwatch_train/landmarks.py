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
from maskwatch_edge.errors import InputError
from maskwatch_edge.frame import Pixels

MIN_SCORE = 0.6
PADDING = 0.25
"""A face that fills its picture is found only with some border around it."""


@dataclass(frozen=True, eq=False)
class Landmarks:
    """A face with its landmarks.

    Attributes:
        box: The face, in pixels of the picture.
        points: Right eye, left eye, nose tip, right and left corner of the mouth as the person
            has them; shape (5, 2), x and y in pixels, float32.
    """

    box: FaceBox
    points: npt.NDArray[np.float32]


class LandmarkFinder:
    """YuNet on single pictures.

    Args:
        path: The file `face_detection_yunet_2023mar.onnx` of the OpenCV model zoo.

    Raises:
        InputError: If the file cannot be loaded.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise InputError(f"there is no YuNet file {path}")
        try:
            self._detector = cv2.FaceDetectorYN.create(str(path), "", (320, 320), MIN_SCORE)
        except cv2.error as error:
            raise InputError(f"{path} is not a YuNet ONNX file") from error

    def find_largest(self, pixels: Pixels) -> Landmarks | None:
        """Find the largest face in a picture, shape (height, width, 3), uint8, RGB."""
        height, width = pixels.shape[:2]
        pad_x, pad_y = round(width * PADDING), round(height * PADDING)
        bgr = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
        padded = cv2.copyMakeBorder(bgr, pad_y, pad_y, pad_x, pad_x, cv2.BORDER_REPLICATE)
        self._detector.setInputSize((padded.shape[1], padded.shape[0]))
        rows = self._detector.detect(padded)[1]
        if rows is None or not len(rows):
            return None
        row = max(rows, key=lambda row: float(row[2] * row[3]))
        x, y = float(row[0]) - pad_x, float(row[1]) - pad_y
        box = FaceBox(round(x), round(y), round(x + row[2]) + 1, round(y + row[3]) + 1)
        inside = box.clipped(width, height)
        if inside is None:
            return None
        points = np.asarray(row[4:14], dtype=np.float32).reshape(5, 2)
        return Landmarks(inside, points - np.array([pad_x, pad_y], dtype=np.float32))
