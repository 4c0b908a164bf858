"""Finding faces in a frame."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from .boxes import FaceBox
from .errors import InputError
from .frame import Pixels

CASCADES = Path(__file__).parent / "cascades"
DEFAULT_CASCADE = CASCADES / "haarcascade_frontalface_alt2.xml"


class FaceFinder(Protocol):
    """Anything that finds faces."""

    def find(self, pixels: Pixels) -> list[FaceBox]:
        """Return the faces in a frame of shape (height, width, 3), uint8, RGB, best first."""
        ...


class HaarFinder:
    """OpenCV's Haar cascade: runs anywhere, and misses most faces behind a mask.

    Viola and Jones, "Rapid object detection using a boosted cascade of simple features", 2001.

    Args:
        cascade: An OpenCV cascade XML.
        scale_step: Ratio between neighbouring sizes that are searched; above 1.
        min_neighbours: Overlapping hits that make a face.
        min_size: Smallest face in pixels.

    Raises:
        InputError: If the cascade cannot be loaded.
    """

    def __init__(
        self,
        cascade: Path = DEFAULT_CASCADE,
        *,
        scale_step: float = 1.05,
        min_neighbours: int = 3,
        min_size: int = 24,
    ) -> None:
        self._cascade = _load_cascade(cascade)
        self._scale_step = scale_step
        self._min_neighbours = min_neighbours
        self._min_size = (min_size, min_size)

    def find(self, pixels: Pixels) -> list[FaceBox]:
        """Find faces; see `FaceFinder.find`."""
        grey = cv2.equalizeHist(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY))
        rectangles, _, weights = self._cascade.detectMultiScale3(
            grey,
            scaleFactor=self._scale_step,
            minNeighbors=self._min_neighbours,
            minSize=self._min_size,
            outputRejectLevels=True,
        )
        boxes = [
            FaceBox(int(x), int(y), int(x + w), int(y + h), _score(float(weight)))
            for (x, y, w, h), weight in zip(rectangles, np.ravel(weights), strict=True)
        ]
        return sorted(boxes, key=lambda box: box.score, reverse=True)


def _score(weight: float) -> float:
    # The last stage's sum has no upper bound; the logistic function brings it into [0, 1]
    # and keeps its order, which is all that a threshold and a precision-recall curve need.
    return 1.0 / (1.0 + float(np.exp(-weight / 10.0)))


def _load_cascade(path: Path) -> cv2.CascadeClassifier:
    if not path.is_file():
        raise InputError(f"there is no cascade file {path}")
    cascade = cv2.CascadeClassifier()
    try:
        is_loaded = cascade.load(str(path))
    except cv2.error:
        is_loaded = False
    if not is_loaded or cascade.empty():
        raise InputError(f"{path} is not an OpenCV cascade XML")
    return cascade
