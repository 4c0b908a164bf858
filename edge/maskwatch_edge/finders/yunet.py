"""YuNet, a small network of the OpenCV zoo that sees faces behind masks."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.errors import InputError
from maskwatch_edge.frame import Pixels
from maskwatch_edge.models import YUNET
from maskwatch_edge.resize import fit_quickly

from .scaling import Scaling

OVERLAP = 0.3
"""Boxes that share more, as intersection over union, are one face; OpenCV's own default."""

FOREHEAD, CHIN = 0.19, 0.08
"""YuNet draws its boxes from the hair to the mouth, the data sets that the mask model learned from
draw theirs from the brows to the chin. So the upper edge moves down by the first of these shares of
the height, the lower one by the second: the medians over 425 faces of the annotated frames."""

MOST_FACES = 100
"""Boxes that are kept before overlapping ones are dropped: bounds the time a frame can take."""


class YunetFinder:
    """YuNet through OpenCV's `FaceDetectorYN`.

    Wu, Peng and Yu, "YuNet: A tiny millisecond-level face detector", 2023.

    Args:
        path: `face_detection_yunet_2023mar.onnx` of the OpenCV zoo.
        work_size: The long side of the picture that the network sees is at most so many pixels:
            fewer are quicker, more find smaller faces.
        min_size: Smallest face in pixels of the frame.
        min_score: Faces below it are dropped, in [0, 1]. OpenCV's default of 0.9 loses most masked
            faces that fill the picture.

    Raises:
        InputError: If the file is missing or is another one.
    """

    def __init__(
        self, path: Path, *, work_size: int = 320, min_size: int = 24, min_score: float = 0.5
    ) -> None:
        self._detector = open_detector(path, min_score, OVERLAP, MOST_FACES)
        self._work_size = work_size
        self._min_size = min_size

    def find(self, pixels: Pixels) -> list[FaceBox]:
        """Find faces; see `FaceFinder.find`."""
        height, width = pixels.shape[:2]
        scaling = Scaling.fitting(width, height, self._work_size)
        small = fit_quickly(pixels, scaling.work_wh)
        bgr = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2BGR), dtype=np.uint8)
        boxes = [
            scaling.box_in_frame(*as_annotated(x, y, w, h), min(max(score, 0.0), 1.0))
            for x, y, w, h, score in _detect(self._detector, bgr)[:, [0, 1, 2, 3, 14]].tolist()
            if w > 0 and h > 0
        ]
        found = [box for box in boxes if box is not None and box.size >= self._min_size]
        return sorted(found, key=lambda box: box.score, reverse=True)


def as_annotated(
    x: float, y: float, width: float, height: float
) -> tuple[float, float, float, float]:
    """Move a box of YuNet's to where the data sets draw theirs: x, y, width, height in pixels."""
    return x, y + FOREHEAD * height, width, (1.0 - FOREHEAD + CHIN) * height


def open_detector(path: Path, min_score: float, overlap: float, most: int) -> cv2.FaceDetectorYN:
    """Load YuNet from the very bytes whose SHA-256 was checked: over broken ones OpenCV may crash.

    Args:
        path: `face_detection_yunet_2023mar.onnx` of the OpenCV zoo.
        min_score: Faces of a lower score are not found, in [0, 1].
        overlap: Of two boxes that overlap more, as IoU, the surer one is kept.
        most: At most so many boxes are looked at.

    Raises:
        InputError: If the file is missing or is another one.
    """
    try:
        with path.open("rb") as file:
            content = file.read(YUNET.size_bytes + 1)
    except OSError as error:
        raise InputError(
            f"there is no YuNet file {path}; expected face_detection_yunet_2023mar.onnx, which "
            "this fetches: maskwatch models get yunet"
        ) from error
    if not YUNET.is_content(content):
        raise InputError(
            f"{path} is not a YuNet ONNX file, or a broken one; fetch it again with: "
            "maskwatch models get yunet"
        )
    network, no_config = np.frombuffer(content, np.uint8), np.empty(0, np.uint8)
    return cv2.FaceDetectorYN.create("onnx", network, no_config, (32, 32), min_score, overlap, most)


def _detect(detector: cv2.FaceDetectorYN, bgr: Pixels) -> npt.NDArray[np.float32]:
    """Return a row for each face: x, y, width, height, five landmarks, score; pixels of `bgr`."""
    height, width = bgr.shape[:2]
    detector.setInputSize((width, height))
    rows = detector.detect(bgr)[1]
    return np.asarray([] if rows is None else rows, dtype=np.float32).reshape(-1, 15)
