"""One picture from a source, with what is known of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Pixels: TypeAlias = npt.NDArray[np.uint8]
"""A picture in memory: shape (height, width, 3), uint8, channel order RGB."""


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture from a source.

    Attributes:
        pixels: Shape (height, width, 3), uint8, RGB.
        number: Counts from 0 within its source.
        time_seconds: Monotonic clock for a camera, position in the video for a file.
        source: The path, device or URL that it came from.
        frames_per_second: Rate of the video that it belongs to; None for a single picture.

    Raises:
        ValueError: If the pixels have another shape or type.
    """

    pixels: Pixels
    number: int
    time_seconds: float
    source: str
    frames_per_second: float | None = None

    def __post_init__(self) -> None:
        check_pixels(self.pixels)

    @property
    def width(self) -> int:
        """Width in pixels."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Height in pixels."""
        return int(self.pixels.shape[0])


def check_pixels(pixels: Pixels) -> None:
    """Refuse an array that is not a picture.

    Raises:
        ValueError: If it is not uint8 of shape (height, width, 3) with height and width > 0.
    """
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size:
        raise ValueError(
            "a picture must be uint8 of shape (height, width, 3); "
            f"received {pixels.dtype} of shape {pixels.shape}"
        )
