"""Whether anything has changed before the camera since it was last looked at closely."""

from __future__ import annotations

import cv2
import numpy as np

from .frame import Pixels

GRID_WH = (40, 30)
"""Cells over the whole picture, side by side and above each other. Of 640x480 pixels one is 16
wide: a face of 24 fills more than one."""

SAMPLES = 4
"""Pixels of a cell that are averaged, along each side: noise is quartered, and the cost is the same
for a picture of any size."""

MOVED = 12
"""A cell whose colour changed by so much, of 255, has changed. A sensor's noise of 8, averaged over
the samples, is a fifth of it."""


class StillScene:
    """Remembers a scene, and tells whether a later picture still shows it.

    It knows pictures by their `grid`, which whoever asks makes once for both methods. It compares
    with the picture that was remembered and not with the one before, so that a change too slow to
    be seen from frame to frame adds up.
    """

    def __init__(self) -> None:
        self._cells: Pixels | None = None

    def remember(self, cells: Pixels) -> None:
        """Take the grid of a picture for what all later ones are held to."""
        self._cells = cells

    def shows(self, cells: Pixels) -> bool:
        """Tell by its grid whether nothing has moved in a picture of the same camera since then."""
        return self._cells is not None and difference(self._cells, cells) < MOVED


def grid(pixels: Pixels) -> Pixels:
    """Return the mean colours by which a scene is known, of a picture as `thumbnail` takes it."""
    return thumbnail(pixels, GRID_WH)


def thumbnail(pixels: Pixels, size_wh: tuple[int, int]) -> Pixels:
    """Return the mean colours of a picture's cells.

    Args:
        pixels: Shape (height, width, 3), uint8.
        size_wh: Cells along the width and the height.

    Returns:
        Shape (size_wh[1], size_wh[0], 3), uint8, same channel order.
    """
    sampled_wh = (size_wh[0] * SAMPLES, size_wh[1] * SAMPLES)
    sampled = cv2.resize(pixels, sampled_wh, interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.resize(sampled, size_wh, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def difference(one: Pixels, other: Pixels) -> float:
    """Return by how much the cell that differs the most does, in [0, 255]."""
    return float(cv2.norm(one, other, cv2.NORM_INF))
