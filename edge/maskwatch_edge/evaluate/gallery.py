"""Pictures of what went wrong, cut out of the frames."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.frame import Pixels
from maskwatch_edge.pictures import read_picture, write_picture

from .mistakes import Mistake, What, worst

LIMIT = 18
"""So many mistakes of each kind are shown for each finder."""

HEIGHT_PX = 144
MARGIN = 0.6
"""Share of a face's sides that is shown around it."""

YELLOW = (240, 228, 66)


@dataclass(frozen=True)
class Shelf:
    """The mistakes of one kind that one finder made.

    Attributes:
        finder: Its name.
        what: The kind of mistake.
        pictures: Each with the name of its PNG.
        left_out: How many more there are.
    """

    finder: str
    what: What
    pictures: list[tuple[Mistake, str]]
    left_out: int


def write_gallery(folder: Path, finder: str, mistakes: Iterable[Mistake]) -> Iterator[Shelf]:
    """Write the pictures of one finder's worst mistakes, and yield a shelf for each kind.

    Raises:
        OutputError: If a picture cannot be written.
    """
    made = list(mistakes)
    for what in What:
        shown, left_out = worst(made, what, LIMIT)
        stem = f"{finder}-{what.name.lower().replace('_', '-')}"
        named = [(mistake, f"{stem}-{place:02}.png") for place, mistake in enumerate(shown, 1)]
        for mistake, name in named:
            write_picture(folder / name, cut_out(read_picture(mistake.path), mistake.box))
        yield Shelf(finder, what, named, left_out)


def cut_out(pixels: Pixels, box: FaceBox) -> Pixels:
    """Cut a face out with what is around it, and draw its box.

    Args:
        pixels: The frame, shape (height, width, 3), uint8, RGB.
        box: The face; at least a part of it is inside.

    Returns:
        Shape (`HEIGHT_PX`, width, 3), uint8, RGB.
    """
    height, width = pixels.shape[:2]
    room = box.expanded(MARGIN).clipped(width, height) or FaceBox(0, 0, width, height)
    part = pixels[room.y1 : room.y2, room.x1 : room.x2]
    scale = HEIGHT_PX / room.height
    size_wh = (max(round(room.width * scale), 1), HEIGHT_PX)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    picture = np.asarray(cv2.resize(part, size_wh, interpolation=how), dtype=np.uint8)
    corners = ((box.x1 - room.x1, box.y1 - room.y1), (box.x2 - room.x1, box.y2 - room.y1))
    start, end = ((round(x * scale), round(y * scale)) for x, y in corners)
    cv2.rectangle(picture, start, end, YELLOW, 1)
    return picture
