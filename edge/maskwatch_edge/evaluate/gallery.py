"""Pictures of what went wrong, cut out of the frames."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.dataset import boxed_identity, content_digest
from maskwatch_edge.files import write_atomically
from maskwatch_edge.frame import Pixels
from maskwatch_edge.pictures import read_picture, write_picture

from .mistakes import Mistake, What, worst

LIMIT = 18
"""So many mistakes of each kind are shown for each finder."""

SIDE_PX = 192
MARGIN = 0.6
"""Share of a face's longer side that is shown on each side of it, where the frame has it."""

FOUND, ANNOTATED = (240, 228, 66), (86, 180, 233)
"""Yellow and sky blue of Okabe and Ito, see `plots`."""


@dataclass(frozen=True)
class Shelf:
    """The mistakes of one kind that one finder made.

    Attributes:
        finder: Its name.
        what: The kind of mistake.
        pictures: Each with the name of its PNG.
        left_out: How many more there are.
        listing: Name of the text file that lists all of them; "" if they are not listed.
    """

    finder: str
    what: What
    pictures: list[tuple[Mistake, str]]
    left_out: int
    listing: str = ""


def write_gallery(folder: Path, finder: str, mistakes: Iterable[Mistake]) -> Iterator[Shelf]:
    """Write the pictures of one finder's worst mistakes, and yield a shelf for each kind.

    All false alarms are also listed, as `difficult.with_difficult` reads them: some may be people.

    Raises:
        OutputError: If a file cannot be written.
    """
    made = list(mistakes)
    for what in What:
        shown, left_out = worst(made, what, LIMIT)
        stem = f"{finder}-{what.name.lower().replace('_', '-')}"
        named = [(mistake, f"{stem}-{place:02}.png") for place, mistake in enumerate(shown, 1)]
        for mistake, name in named:
            write_picture(folder / name, cut_out(read_picture(mistake.path), mistake))
        listing = ""
        if what is What.FALSE_ALARM and shown:
            listing = f"{stem}s.txt"
            _write_list(folder / listing, worst(made, what, len(made))[0])
        yield Shelf(finder, what, named, left_out, listing)


def _write_list(path: Path, mistakes: Iterable[Mistake]) -> None:
    lines = [boxed_identity(content_digest(one.path), one.box) + "\n" for one in mistakes]
    write_atomically(path, "".join(lines))


def cut_out(pixels: Pixels, mistake: Mistake) -> Pixels:
    """Cut a mistake out with what is around it, and draw what was annotated and what was found.

    Args:
        pixels: The frame, shape (height, width, 3), uint8, RGB.
        mistake: At least a part of its box is inside. Its box is drawn with a thicker line.

    Returns:
        Shape (height, width, 3), uint8, RGB; the longer side is `SIDE_PX`.
    """
    room = room_around(mistake.box, (pixels.shape[1], pixels.shape[0]))
    scale = SIDE_PX / max(room.width, room.height)
    size_wh = (max(round(room.width * scale), 1), max(round(room.height * scale), 1))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    part = pixels[room.y1 : room.y2, room.x1 : room.x2]
    picture = np.asarray(cv2.resize(part, size_wh, interpolation=how), dtype=np.uint8)
    for boxes, colour in ((mistake.annotated, ANNOTATED), (mistake.found, FOUND)):
        for box in boxes:
            start = round((box.x1 - room.x1) * scale), round((box.y1 - room.y1) * scale)
            end = round((box.x2 - room.x1) * scale), round((box.y2 - room.y1) * scale)
            cv2.rectangle(picture, start, end, colour, 2 if box == mistake.box else 1)
    return picture


def room_around(box: FaceBox, size_wh: tuple[int, int]) -> FaceBox:
    """Return a square around a face, shifted into its frame, and cut where that is too small.

    Args:
        box: At least a part of it is inside.
        size_wh: Width and height of the frame.
    """
    seen = box.clipped(*size_wh) or FaceBox(0, 0, *size_wh)
    side = round((1 + 2 * MARGIN) * max(seen.width, seen.height))
    x1, x2 = _stretch((seen.x1, seen.x2), side, size_wh[0])
    y1, y2 = _stretch((seen.y1, seen.y2), side, size_wh[1])
    return FaceBox(x1, y1, x2, y2)


def _stretch(span: tuple[int, int], length: int, end: int) -> tuple[int, int]:
    """Lengthen a span about its middle, but not beyond 0 and `end`."""
    length = min(length, end)
    first = min(max((span[0] + span[1] - length) // 2, 0), end - length)
    return first, first + length
