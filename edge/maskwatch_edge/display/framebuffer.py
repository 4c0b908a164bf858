"""The kernel's framebuffer: an attached screen as memory, without a desktop."""

from __future__ import annotations

import errno
import mmap
import os
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from maskwatch_edge.closing import Closing
from maskwatch_edge.errors import OutputError
from maskwatch_edge.frame import Pixels

from .screen_info import ReadInfo, ScreenInfo, converter, read_screen_info


class Framebuffer(Closing):
    """A screen's memory, mapped into ours; what was on it comes back at the end.

    Pixels are written through a mapping: some drivers (virtio-gpu) show nothing of what
    `write()` brings.

    Args:
        path: The device, such as /dev/fb0.
        read_info: Asks the device what it looks like.

    Raises:
        OutputError: If it is not there, not allowed, no framebuffer, or of an unknown format.
    """

    def __init__(self, path: Path, read_info: ReadInfo = read_screen_info) -> None:
        self._path = path
        self._read_info = read_info
        self._memory: mmap.mmap | None = None
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except OSError as error:
            raise _cannot_open(path, error) from error
        try:
            self._map(self._ask())
        except OutputError:
            self.close()
            raise
        # A screen of text packs into a few kilobytes, which are kept as long as the program runs.
        self._before = self._info, zlib.compress(self._seen().tobytes(), 1)

    @property
    def size_wh(self) -> tuple[int, int]:
        """Width and height of the screen in pixels, asked anew: a driver may change it.

        Raises:
            OutputError: If the screen is gone.
        """
        info = self._ask()
        if info != self._info:
            self._unmap()
            self._map(info)
        return info.width, info.height

    def write(self, pixels: Pixels) -> None:
        """Show a picture.

        Args:
            pixels: As large as the screen, shape (height, width, 3), uint8, RGB.

        Raises:
            OutputError: If the picture has another size.
        """
        info = self._info
        if pixels.shape != (info.height, info.width, 3):
            raise OutputError(
                f"expected a picture of shape {(info.height, info.width, 3)} for {self._path}; "
                f"received {pixels.shape}"
            )
        self._convert(pixels, self._seen())

    def close(self) -> None:
        """Put back what was on the screen before; may be called twice."""
        if self._memory is not None:
            self._restore()
        self._unmap()
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1

    def _ask(self) -> ScreenInfo:
        try:
            return self._read_info(self._descriptor)
        except OSError as error:
            raise _cannot_ask(self._path, error) from error

    def _map(self, info: ScreenInfo) -> None:
        self._convert = converter(info)
        try:
            self._memory = mmap.mmap(self._descriptor, info.memory_bytes)
        except (OSError, ValueError) as error:
            raise OutputError(
                f"cannot map the {info.memory_bytes} bytes of the framebuffer {self._path}: {error}"
            ) from error
        self._info = info

    def _unmap(self) -> None:
        if self._memory is not None:
            self._memory.close()
            self._memory = None

    def _seen(self) -> npt.NDArray[np.uint8]:
        """Return the visible part of the memory, shape (height, width, bytes of a pixel)."""
        info = self._info
        shape = info.height, info.width, info.pixel_bytes
        strides = info.line_length, info.pixel_bytes, 1
        return np.ndarray(shape, np.uint8, self._memory, info.start, strides)

    def _restore(self) -> None:
        # Memory of a screen that is gone is not touched: the kernel would end us with SIGBUS.
        try:
            self._ask()
        except OutputError:
            return
        seen = self._seen()
        if self._info != self._before[0]:
            seen[:] = 0
            return
        seen[:] = np.frombuffer(zlib.decompress(self._before[1]), np.uint8).reshape(seen.shape)


class FakeFramebuffer:
    """A screen in a file: give its path and the fake itself, as `read_info`, to `Framebuffer`.

    Args:
        path: The file, which is made.
        info: What the fake says about itself.

    Attributes:
        info: May be set to another, as a driver does that changes the resolution.
        is_gone: Set it, and the fake answers like a device that was pulled out.
    """

    def __init__(self, path: Path, info: ScreenInfo) -> None:
        self._path = path
        self.info = info
        self.is_gone = False
        path.write_bytes(bytes(info.memory_bytes))

    def __call__(self, descriptor: int) -> ScreenInfo:
        """Answer as the kernel does.

        Raises:
            OSError: ENODEV if it is gone, ENOTTY if this is another file.
        """
        if self.is_gone:
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
        if not os.path.samestat(os.fstat(descriptor), os.stat(self._path)):  # noqa: PTH116
            raise OSError(errno.ENOTTY, os.strerror(errno.ENOTTY))
        return self.info

    def picture(self) -> Pixels:
        """Return what is seen, shape (height, width, 3), uint8, RGB, bit by bit from the file."""
        info = self.info
        memory = np.frombuffer(self._path.read_bytes(), np.uint8, info.memory_bytes)
        lines = memory.reshape(-1, info.line_length)[info.y_offset :]
        start = info.x_offset * info.pixel_bytes
        parts = lines[:, start : start + info.width * info.pixel_bytes]
        places = parts.reshape(info.height, info.width, info.pixel_bytes).astype(np.uint32)
        values = sum(places[..., n] << 8 * n for n in range(info.pixel_bytes))
        channels = [
            (values >> lowest) % (1 << bits) * 255 // ((1 << bits) - 1)
            for lowest, bits in (info.red, info.green, info.blue)
        ]
        return np.stack(channels, axis=-1).astype(np.uint8)


def _cannot_open(path: Path, error: OSError) -> OutputError:
    if error.errno in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
        return _no_screen(path)
    return OutputError(
        f"cannot open the framebuffer {path}: {error.strerror}; add the user to the group video, "
        "or give the service its drop-in: install.sh --with console"
    )


def _cannot_ask(path: Path, error: OSError) -> OutputError:
    if error.errno == errno.ENODEV:
        return _no_screen(path)
    return OutputError(
        f"{path} is not a framebuffer ({error.strerror}); expected a device such as /dev/fb0"
    )


def _no_screen(path: Path) -> OutputError:
    return OutputError(
        f"the framebuffer {path} is not there; plug in the screen and switch it on, "
        "or give --display none"
    )
