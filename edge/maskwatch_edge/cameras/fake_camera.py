"""A camera that is not there, and has all the faults of one that is.

It stands in for the real thing in tests: whoever holds the `FakeCamera` is the hand and the
trouble, whoever calls `open` is the program.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from threading import Condition

import cv2
import numpy as np

from maskwatch_edge.closing import Closing
from maskwatch_edge.config import CameraConfig
from maskwatch_edge.errors import SourceError
from maskwatch_edge.frame import Frame, Pixels

GREY = 128
MARK_PX = 16
"""Side of the square in the upper left corner that changes with every picture, as noise would."""


class FakeCamera:
    """A camera that can be pulled, plugged, frozen, hung, slowed, resized, made noisy and broken.

    Like a V4L2 camera it has one buffer, so that a frame nobody took is replaced by the next; it
    can be opened once at a time; and after it was pulled, what was open stays dead.

    Args:
        width_px: Width of its pictures.
        height_px: Height of its pictures.
        period_seconds: Time between two frames; None for frames only when `shoot` is called.
        is_shared: Whether it can be opened many times, as a network camera can.
        clock: Monotonic seconds, for the frames.

    Attributes:
        is_shared: Whether it can be opened many times.
        opened: How often it was opened.
        given: How many frames were read from it.
    """

    def __init__(
        self,
        width_px: int = 64,
        height_px: int = 48,
        *,
        period_seconds: float | None = 0.001,
        is_shared: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._changed = Condition()
        self._scene: Pixels = np.full((height_px, width_px, 3), GREY, dtype=np.uint8)
        self._period_seconds, self._clock = period_seconds, clock
        self._random = np.random.default_rng(0)
        self._is_plugged, self._is_hung, self._is_noise = True, False, False
        self._frozen: Pixels | None = None
        self._plugs = 0
        self._shot = 0
        self._open: set[FakeSource] = set()
        self.is_shared = is_shared
        self.opened = 0
        self.given = 0
        self._waiting: set[FakeSource] = set()
        self._in_driver = 0
        self._error: Exception | None = None

    @property
    def sources(self) -> int:
        """How many sources are open now."""
        return len(self._open)

    @property
    def awaited(self) -> int:
        """How many programs wait for its next picture at this moment."""
        with self._changed:
            return sum(not self._is_due(source, self._period_seconds) for source in self._waiting)

    @property
    def hung(self) -> int:
        """How many programs are in a call that does not return."""
        with self._changed:
            return self._in_driver if self._is_hung else 0

    @property
    def is_plugged(self) -> bool:
        """Whether the cable is in."""
        return self._is_plugged

    def pull(self) -> None:
        """Pull the cable: whoever reads is told, and must open it anew after it is plugged."""
        with self._changed:
            self._is_plugged = False
            self._plugs += 1
            self._open.clear()
            self._changed.notify_all()

    def plug(self) -> None:
        """Put the cable back in."""
        with self._changed:
            self._is_plugged = True

    def hang(self) -> None:
        """Let reading never return, as a broken driver does; not even pulling it helps."""
        with self._changed:
            self._is_hung = True

    def recover(self) -> None:
        """Let reading return again."""
        with self._changed:
            self._is_hung = False
            self._changed.notify_all()

    def break_down(self, error: Exception | None) -> None:
        """Let every reading raise an error, as a driver with a mistake does; None mends it."""
        with self._changed:
            self._error = error

    def freeze(self) -> None:
        """Give the same picture over and over."""
        with self._changed:
            self._frozen = self._paint()

    def thaw(self) -> None:
        """Give new pictures again."""
        with self._changed:
            self._frozen = None

    def slow(self, period_seconds: float | None) -> None:
        """Change the time between two frames; None for frames only when `shoot` is called."""
        with self._changed:
            self._period_seconds = period_seconds
            self._changed.notify_all()

    def resize(self, width_px: int, height_px: int) -> None:
        """Change the size of the pictures in mid-stream."""
        with self._changed:
            resized = cv2.resize(self._scene, (width_px, height_px))
            self._scene = np.asarray(resized, dtype=np.uint8)

    def show(self, scene: Pixels) -> None:
        """Put something in front of it: shape (height, width, 3), uint8, RGB."""
        with self._changed:
            self._scene, self._is_noise = scene, False

    def give_noise(self) -> None:
        """Give noise, as a camera does whose sensor is gone."""
        with self._changed:
            self._is_noise = True

    def shoot(self) -> None:
        """Take a picture; it replaces the one before if nobody read that."""
        with self._changed:
            self._shot += 1
            self._changed.notify_all()

    def open(self, wanted: CameraConfig | None = None) -> FakeSource:
        """Open it, as a program does; the wanted size and rate are not offered.

        Raises:
            SourceError: If it is pulled, or open already.
        """
        with self._changed:
            if not self._is_plugged:
                raise SourceError("there is no camera; it was pulled")
            if self._open and not self.is_shared:
                raise SourceError("cannot open the camera; is another program using it?")
            source = FakeSource(self, self._plugs, self._shot)
            self._open.add(source)
            self.opened += 1
            return source

    def _read(self, source: FakeSource) -> Pixels:
        with self._changed:
            self._wait_for_picture(source)
            self._in_driver += 1
            self._changed.wait_for(lambda: not self._is_hung)
            self._in_driver -= 1
            if self._is_dead(source):
                raise SourceError("the camera stopped giving pictures; it was pulled")
            if source not in self._open:
                raise ValueError("a camera must be open when it is read; it was closed")
            if self._error is not None:
                raise self._error.with_traceback(None)  # or that would grow, and hold pictures
            self.given += 1
            source.shot = self._shot
            return self._paint() if self._frozen is None else self._frozen.copy()

    def _wait_for_picture(self, source: FakeSource) -> None:
        while source in self._open and self._shot <= source.shot:
            period = self._period_seconds
            self._waiting.add(source)
            if not self._changed.wait_for(partial(self._is_due, source, period), period):
                self._shot += 1
            self._waiting.discard(source)

    def _is_due(self, source: FakeSource, period_seconds: float | None) -> bool:
        is_changed = self._period_seconds != period_seconds
        return is_changed or source not in self._open or self._shot > source.shot

    def _is_dead(self, source: FakeSource) -> bool:
        return source.plug != self._plugs

    def _paint(self) -> Pixels:
        if self._is_noise:
            return self._random.integers(0, 256, self._scene.shape, dtype=np.uint8)
        pixels = self._scene.copy()
        pixels[:MARK_PX, :MARK_PX] = 37 * self._shot % 256
        return pixels

    def _release(self, source: FakeSource) -> None:
        with self._changed:
            self._open.discard(source)
            self._changed.notify_all()


class FakeSource(Closing):
    """What a program gets that opens a `FakeCamera`."""

    is_live = True

    def __init__(self, camera: FakeCamera, plug: int, shot: int) -> None:
        self._camera = camera
        self.plug, self.shot = plug, shot

    def frames(self) -> Iterator[Frame]:
        """Give frame after frame until the camera is pulled, which is a fault.

        Raises:
            SourceError: If it is pulled.
            ValueError: If it was closed.
        """
        number = 0
        while True:
            pixels = self._camera._read(self)
            yield Frame(pixels, number, self._camera._clock(), "fake", 30.0)
            number += 1

    def close(self) -> None:
        """Let go of the camera; may be called twice."""
        self._camera._release(self)
