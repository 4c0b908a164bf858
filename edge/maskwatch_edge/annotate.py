"""Drawing what was seen onto a frame. It decides nothing."""

from __future__ import annotations

from collections.abc import Sequence

import cv2

from .frame import Pixels
from .verdict import Decision, Sighting

Colour = tuple[int, int, int]

COLOURS: dict[Decision, Colour] = {
    Decision.MASK: (22, 163, 74),
    Decision.NO_MASK: (220, 38, 38),
    Decision.UNSURE: (217, 119, 6),
}
"""RGB; the words on the picture say the same to those who cannot tell the colours apart."""

WORDS = {Decision.MASK: "mask", Decision.NO_MASK: "no mask", Decision.UNSURE: "unsure"}
FONT = cv2.FONT_HERSHEY_SIMPLEX
WHITE: Colour = (255, 255, 255)


def annotate(
    pixels: Pixels, sightings: Sequence[Sighting], frames_per_second: float | None = None
) -> Pixels:
    """Draw boxes, words and per cent.

    Args:
        pixels: The frame, shape (height, width, 3), uint8, RGB; it is not changed.
        sightings: What was seen in it.
        frames_per_second: Written into the lower left corner if given.

    Returns:
        A new picture of the same shape.
    """
    picture = pixels.copy()
    line = max(round(min(pixels.shape[:2]) / 240), 1)
    for sighting in reversed(sightings):
        box, colour = sighting.box, COLOURS[sighting.decision]
        cv2.rectangle(picture, (box.x1, box.y1), (box.x2 - 1, box.y2 - 1), colour, line)
        _write(picture, caption(sighting), (box.x1, box.y1), colour)
    if frames_per_second is not None:
        text = f"{frames_per_second:.1f} fps"
        _write(picture, text, (0, picture.shape[0]), (40, 40, 40))
    return picture


def caption(sighting: Sighting) -> str:
    """Say in words what is drawn above a face, such as "mask 98 %"."""
    return f"{WORDS[sighting.decision]} {sighting.verdict.score:.0%}".replace("%", " %")


def _write(picture: Pixels, text: str, corner: tuple[int, int], colour: Colour) -> None:
    """Write on a filled bar that stands on `corner`, moved into the picture where it must be."""
    height, width = picture.shape[:2]
    scale = max(min(height, width) / 900, 0.35)
    thickness = max(round(2 * scale), 1)
    (text_width, text_height), below = cv2.getTextSize(text, FONT, scale, thickness)
    pad = max(round(6 * scale), 2)
    bar_width, bar_height = text_width + 2 * pad, text_height + below + 2 * pad
    x = max(min(corner[0], width - bar_width), 0)
    y = min(max(corner[1], bar_height), height)
    cv2.rectangle(picture, (x, y - bar_height), (x + bar_width, y), colour, cv2.FILLED)
    place = (x + pad, y - pad - below)
    cv2.putText(picture, text, place, FONT, scale, WHITE, thickness, cv2.LINE_AA)
