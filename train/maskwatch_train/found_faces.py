"""Annotated faces as a finder boxes them: what the mask network is shown on the board."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.config import FacesConfig
from maskwatch_edge.dataset import content_digest
from maskwatch_edge.errors import InputError
from maskwatch_edge.finders import FaceFinder, TfliteFinder
from maskwatch_edge.frame import Pixels
from maskwatch_edge.models import shipped_finder
from maskwatch_edge.pairing import pair_up

from .options import SHIPPED

MIN_IOU = 0.4
"""How much a found box must share with an annotated one to be the same face. It is less than the
0.5 that `maskwatch evaluate` asks for: loosely boxed faces are those to learn from."""


def finder_path(name: str) -> Path:
    """Return the file of a finder of ours.

    Args:
        name: `SHIPPED`, or the path of a `.tflite` file.

    Raises:
        InputError: If there is no such file.
    """
    path = shipped_finder() if name == SHIPPED else Path(name)
    if not path.is_file():
        raise InputError(
            f"there is no finder file {path}; expected {SHIPPED}, or a .tflite that "
            "maskwatch convert made of a finder"
        )
    return path


class BoxFinder:
    """Says how a finder boxes faces of which it is known where they are.

    Args:
        finder: Finds faces in a frame.
        sha256: Digest of the finder's file, in hexadecimal: names the data that it makes.
    """

    def __init__(self, finder: FaceFinder, sha256: str) -> None:
        self._finder = finder
        self.sha256 = sha256

    @classmethod
    def open(cls, name: str) -> BoxFinder:
        """Open a finder of our own, with the least score that counts on the board by default.

        Args:
            name: `SHIPPED`, or the path of a `.tflite` file.

        Raises:
            InputError: If there is no such file.
            ModelError: If it is broken, or holds no finder.
        """
        path = finder_path(name)
        finder = TfliteFinder(path, min_score=FacesConfig().min_score)
        return cls(finder, content_digest(path))

    def match(self, pixels: Pixels, faces: Sequence[FaceBox]) -> dict[int, FaceBox]:
        """Find faces that people have boxed, the best fit first, each at most once.

        Args:
            pixels: The frame, shape (height, width, 3), uint8, RGB.
            faces: All annotated faces in it.

        Returns:
            The found box by the index of the face; faces that the finder misses are left out.
        """
        found = self._finder.find(pixels)
        overlaps = (
            (face.iou(box), row, column)
            for row, face in enumerate(faces)
            for column, box in enumerate(found)
        )
        pairs = pair_up(candidate for candidate in overlaps if candidate[0] >= MIN_IOU)
        return {row: found[column] for row, column in pairs.items()}
