"""A frame of any shape in the fixed input of a network: scaled, its aspect kept, grey around it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from maskwatch_edge.frame import Pixels
from maskwatch_edge.resize import fit_quickly

Floats = npt.NDArray[np.float64]

GREY = 128
"""What is beside the frame: zero, nearly, where pixels are scaled to [-1, 1]."""


@dataclass(frozen=True)
class Letterbox:
    """Where a frame lies in the input: in its upper left corner, as large as it fits.

    The two scales differ by the rounding to whole pixels only.

    Attributes:
        width: Width of the scaled frame in pixels of the input.
        height: Height of the scaled frame in pixels of the input.
        scale_x: Pixels of the input for each pixel of the frame, along the width.
        scale_y: The same along the height.
    """

    width: int
    height: int
    scale_x: float
    scale_y: float

    @classmethod
    def fit(cls, frame_wh: tuple[int, int], input_wh: tuple[int, int]) -> Letterbox:
        """Fit a frame of one width and height into an input of another."""
        scale = min(input_wh[0] / frame_wh[0], input_wh[1] / frame_wh[1])
        width, height = (
            min(max(round(side * scale), 1), most)
            for side, most in zip(frame_wh, input_wh, strict=True)
        )
        return cls(width, height, width / frame_wh[0], height / frame_wh[1])

    def to_input(self, boxes: Floats) -> Floats:
        """Move boxes, shape (n, 4) as x1, y1, x2, y2, from the frame to the input."""
        return boxes * self._scales

    def to_frame(self, boxes: Floats) -> Floats:
        """Move boxes, shape (n, 4) as x1, y1, x2, y2, from the input to the frame."""
        return boxes / self._scales

    @property
    def _scales(self) -> Floats:
        return np.array([self.scale_x, self.scale_y] * 2)


def fill_letterbox(pixels: Pixels, target: npt.NDArray[np.generic]) -> Letterbox:
    """Scale a frame into the input of a network.

    Training, conversion and the board all do it with this one function.

    Args:
        pixels: The frame, shape (height, width, 3), uint8, RGB.
        target: Written to; shape (input height, input width, 3), any type of numbers.

    Returns:
        Where the frame now lies.
    """
    input_height, input_width = target.shape[:2]
    frame_wh = (pixels.shape[1], pixels.shape[0])
    letterbox = Letterbox.fit(frame_wh, (input_width, input_height))
    size = (letterbox.width, letterbox.height)
    target[: size[1], : size[0]] = fit_quickly(pixels, size)
    target[size[1] :] = GREY
    target[: size[1], size[0] :] = GREY
    return letterbox
