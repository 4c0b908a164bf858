"""OpenCV's Haar cascade, the finder that needs no further file."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.errors import InputError
from maskwatch_edge.frame import Pixels
from maskwatch_edge.resize import fit_quickly

from .cascade_file import check_cascade
from .scaling import Scaling

CASCADES = Path(__file__).parent / "cascades"
DEFAULT_CASCADE = CASCADES / "haarcascade_frontalface_alt2.xml"

WORK_SIZE = 640
"""Frames with a longer side are searched as if it were this, in pixels: a larger camera does not
make the board slower."""


class HaarFinder:
    """OpenCV's Haar cascade: runs anywhere, and misses most faces behind a mask.

    Viola and Jones, "Rapid object detection using a boosted cascade of simple features", 2001.

    Args:
        cascade: An OpenCV cascade XML of Haar features.
        scale_step: Ratio between neighbouring sizes that are searched; above 1.
        min_neighbours: Overlapping hits that make a face.
        min_size: Smallest face in pixels of the frame.

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
        self._min_size = min_size

    def find(self, pixels: Pixels) -> list[FaceBox]:
        """Find faces; see `FaceFinder.find`."""
        height, width = pixels.shape[:2]
        scaling = Scaling.fitting(width, height, WORK_SIZE)
        small = fit_quickly(pixels, scaling.work_wh)
        grey = cv2.equalizeHist(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY))
        least = max(round(self._min_size * scaling.work_wh[0] / width), 1)
        rectangles, hits = self._cascade.detectMultiScale2(
            grey,
            scaleFactor=self._scale_step,
            minNeighbors=self._min_neighbours,
            minSize=(least, least),
        )
        boxes = [
            scaling.box_in_frame(float(x), float(y), float(w), float(h), self._score(int(count)))
            for (x, y, w, h), count in zip(rectangles, np.ravel(hits), strict=True)
        ]
        return sorted(filter(None, boxes), key=lambda box: box.score, reverse=True)

    def _score(self, hits: int) -> float:
        # More hits make a surer face. Whatever OpenCV reports has at least `min_neighbours` of
        # them and so a score of at least 0.5. The last stage's sum, the other figure that OpenCV
        # offers, ranks worse, and each cascade has its own zero: alt2 never says less than 54.
        return hits / (hits + self._min_neighbours)


def _load_cascade(path: Path) -> cv2.CascadeClassifier:
    if not path.is_file():
        raise InputError(f"there is no cascade file {path}")
    cascade = cv2.CascadeClassifier()
    try:
        if path.parent != CASCADES:
            check_cascade(path)
        is_loaded = cascade.load(str(path))
    except (OSError, ValueError, cv2.error) as error:
        raise _no_cascade(path) from error
    if not is_loaded or cascade.empty():
        raise _no_cascade(path)
    return cascade


def _no_cascade(path: Path) -> InputError:
    return InputError(f"{path} is not an OpenCV cascade XML of Haar features, or a broken one")
