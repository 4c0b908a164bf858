"""Labelled faces as the model sees them: the one way that conversion and evaluation cut them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby

from .classifier import face_crop, resized
from .contract import FACE_MARGIN
from .dataset import LabelledFace
from .errors import SourceError
from .frame import Pixels
from .pictures import read_picture


def read_crops(
    faces: Iterable[LabelledFace],
    size: int,
    warn: Callable[[str], None],
    margin: float = FACE_MARGIN,
) -> Iterator[tuple[LabelledFace, Pixels]]:
    """Cut faces out of their pictures as the board does; neighbours share one reading.

    Args:
        faces: Those of one picture side by side.
        size: Side of a crop in pixels.
        warn: Told of each picture that cannot be read, and of each box outside its picture.
        margin: Share of a box's sides added around it.

    Yields:
        Each face with its crop of shape (size, size, 3), uint8, RGB.
    """
    for path, members in groupby(faces, key=lambda face: face.path):
        try:
            pixels = read_picture(path)
        except SourceError as error:
            warn(f"skipped: {error}")
            continue
        for face in members:
            try:
                yield face, _cut(pixels, face, size, margin)
            except ValueError as error:
                warn(f"skipped: {path}: {error}")


def _cut(pixels: Pixels, face: LabelledFace, size: int, margin: float) -> Pixels:
    if face.box is None:
        return resized(pixels, size)
    inside = face.box.clipped(pixels.shape[1], pixels.shape[0])
    return face_crop(pixels, inside or face.box, margin, size)
