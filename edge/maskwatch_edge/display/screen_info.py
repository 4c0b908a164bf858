"""What the kernel says about a framebuffer, and how colours are written into its memory.

See linux/fb.h, and Documentation/fb/api.rst in the kernel's sources.
"""

from __future__ import annotations

import fcntl
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from maskwatch_edge.errors import OutputError
from maskwatch_edge.frame import Pixels

FBIOGET_VSCREENINFO = 0x4600
FBIOGET_FSCREENINFO = 0x4602
VARIABLE = struct.Struct("40I")
"""struct fb_var_screeninfo: all its fields are 32 bits wide."""
FIXED = struct.Struct("@16sL4I3HIL2I3H0L")
"""struct fb_fix_screeninfo, with the machine's own width of addresses."""

Bits: TypeAlias = tuple[int, int]
"""Where a colour is in a pixel: number of its lowest bit, and how many there are."""


@dataclass(frozen=True)
class ScreenInfo:
    """What the kernel says about a framebuffer.

    Attributes:
        width: Of what is seen, in pixels.
        height: Of what is seen, in pixels.
        line_length: Bytes from one line to the next; may be more than its pixels need.
        bits_per_pixel: Of one pixel in memory.
        red: Where red is in a pixel.
        green: Where green is in a pixel.
        blue: Where blue is in a pixel.
        x_offset: Pixels of the memory left of what is seen.
        y_offset: Lines of the memory above what is seen.
    """

    width: int
    height: int
    line_length: int
    bits_per_pixel: int
    red: Bits
    green: Bits
    blue: Bits
    x_offset: int = 0
    y_offset: int = 0

    @property
    def pixel_bytes(self) -> int:
        """Bytes of one pixel."""
        return self.bits_per_pixel // 8

    @property
    def start(self) -> int:
        """Bytes before the first pixel that is seen."""
        return self.y_offset * self.line_length + self.x_offset * self.pixel_bytes

    @property
    def memory_bytes(self) -> int:
        """Bytes from the beginning of the memory to the end of the last line that is seen."""
        return (self.y_offset + self.height) * self.line_length


ReadInfo: TypeAlias = Callable[[int], ScreenInfo]
"""Asks the device behind a file descriptor; raises OSError if it is gone or no framebuffer."""


def read_screen_info(descriptor: int) -> ScreenInfo:
    """Ask the kernel about an open framebuffer.

    Raises:
        OSError: If the screen is gone (ENODEV), or this is no framebuffer (ENOTTY).
    """
    variable = fcntl.ioctl(descriptor, FBIOGET_VSCREENINFO, bytes(VARIABLE.size))
    fixed = fcntl.ioctl(descriptor, FBIOGET_FSCREENINFO, bytes(FIXED.size))
    return parse_screen_info(variable, fixed)


def parse_screen_info(variable: bytes, fixed: bytes) -> ScreenInfo:
    """Read the kernel's two structures, `fb_var_screeninfo` and `fb_fix_screeninfo`."""
    fields = VARIABLE.unpack(variable)
    width, height, _, _, x_offset, y_offset, bits, _ = fields[:8]
    red, green, blue = (fields[at : at + 2] for at in (8, 11, 14))
    line_length = FIXED.unpack(fixed)[9]
    return ScreenInfo(
        width, height, line_length, bits, red, green, blue, x_offset=x_offset, y_offset=y_offset
    )


Convert: TypeAlias = Callable[[Pixels, npt.NDArray[np.uint8]], None]
"""Writes RGB pixels into memory of shape (height, width, bytes of a pixel)."""

CODES = {
    # Bits, and the lowest bit of red, green and blue. The memory is little-endian.
    (32, 16, 8, 0): cv2.COLOR_RGB2BGRA,  # XRGB8888, by far the most common
    (32, 0, 8, 16): cv2.COLOR_RGB2RGBA,
    (24, 16, 8, 0): cv2.COLOR_RGB2BGR,
    (16, 11, 5, 0): cv2.COLOR_RGB2BGR565,  # RGB565: small SPI screens, older Pi kernels
    (16, 0, 5, 11): cv2.COLOR_BGR2BGR565,
}
LENGTHS = {32: (8, 8, 8), 24: (8, 8, 8), 16: (5, 6, 5)}


def converter(info: ScreenInfo) -> Convert:
    """Return what writes pictures in the format of this screen.

    Raises:
        OutputError: If the format is none that Maskwatch knows.
    """
    colours = (info.red, info.green, info.blue)
    offsets, lengths = zip(*colours, strict=True)
    if lengths == LENGTHS.get(info.bits_per_pixel):
        code = CODES.get((info.bits_per_pixel, *offsets))
        if code is not None:
            return lambda pixels, memory: _convert(pixels, memory, code)
        if info.bits_per_pixel > 16 and all(offset % 8 == 0 for offset in offsets):
            return lambda pixels, memory: _shuffle(pixels, memory, [o // 8 for o in offsets])
    raise OutputError(
        "expected a framebuffer of 16 bits (RGB565), 24 or 32 bits per pixel; received "
        f"{info.bits_per_pixel} bits with red, green and blue (first bit, bits) at {colours}; "
        "set another depth, as with `fbset -depth 32`, or give --display none"
    )


def _convert(pixels: Pixels, memory: npt.NDArray[np.uint8], code: int) -> None:
    # Straight into the screen's memory: one pass, no copy. Alpha, where there is one, is full.
    cv2.cvtColor(pixels, code, dst=memory)


def _shuffle(pixels: Pixels, memory: npt.NDArray[np.uint8], places: list[int]) -> None:
    for channel, place in enumerate(places):
        memory[..., place] = pixels[..., channel]
    for place in {*range(memory.shape[2])} - {*places}:
        memory[..., place] = 255
