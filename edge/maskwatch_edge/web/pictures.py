"""The live picture: drawn and packed once for all who watch, and only while somebody does."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import cv2
import numpy as np

from maskwatch_edge.annotate import draw_tracks
from maskwatch_edge.cameras.state import CameraState
from maskwatch_edge.config import WebConfig
from maskwatch_edge.display.screen import (
    Absence,
    draw_notice,
    fitted,
    has_picture,
    notice,
    pen_for,
)
from maskwatch_edge.frame import Frame, Pixels
from maskwatch_edge.resize import fit_quickly
from maskwatch_edge.view import View

JPEG_QUALITY = 80
BOUNDARY = "frame"
"""What stands between the pictures of a stream."""

NOTICE_SECONDS = 1.0
"""How often it is told anew that the camera is away."""

FIRST_SHAPE = (480, 640, 3)
"""Of a notice before there was a picture."""


@dataclass(frozen=True)
class Picture:
    """What is sent.

    Attributes:
        number: Counts from 1.
        jpeg: The picture, packed.
        part: The same as a part of a stream.
        is_live: Whether the camera took it; otherwise it says in words why there is none.
    """

    number: int
    jpeg: bytes
    part: bytes
    is_live: bool


class Pictures:
    """The newest picture, for all who watch.

    The frame of a view is kept only while somebody watches, and no longer than it takes to draw it.
    Drawing and packing is done in a thread of its own, for no more than half of the time.

    Args:
        config: Says how large and how often.
    """

    def __init__(self, config: WebConfig) -> None:
        self._width_px = config.width_px
        self._period_seconds = 1.0 / config.frames_per_second
        self._loop = asyncio.get_running_loop()
        self._executor = ThreadPoolExecutor(1, "web picture")
        self._artist = Artist(config.width_px)
        self._watchers = 0
        self._view: View | None = None
        self._is_offered = asyncio.Event()
        self._is_new = asyncio.Condition()
        self._picture: Picture | None = None
        self._number = 0

    def offer(self, view: View) -> None:
        """Take a view in case somebody watches; called by the loop that watches the camera."""
        if not self._watchers or not _is_worth_drawing(view):
            return
        self._view = view
        if not self._is_offered.is_set():
            self._loop.call_soon_threadsafe(self._is_offered.set)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Have pictures made as long as the block lasts."""
        self._watchers += 1
        try:
            yield
        finally:
            self._watchers -= 1
            if not self._watchers:
                self._view = self._picture = None

    async def after(self, number: int) -> Picture:
        """Wait for a picture that is newer than the one of that number."""
        async with self._is_new:
            await self._is_new.wait_for(
                lambda: self._picture is not None and self._picture.number > number
            )
            assert self._picture is not None
            return self._picture

    async def run(self) -> None:
        """Draw what is offered until it is cancelled."""
        try:
            while True:
                await self._is_offered.wait()
                self._is_offered.clear()
                view, self._view = self._view, None
                if view is not None:
                    await self._make(view)
        finally:
            self._executor.shutdown(wait=False)

    async def _make(self, view: View) -> None:
        began = self._loop.time()
        jpeg = await self._loop.run_in_executor(self._executor, self._artist.packed, view)
        took = self._loop.time() - began
        if self._watchers:
            self._number += 1
            self._picture = Picture(self._number, jpeg, part_of(jpeg), has_picture(view))
            async with self._is_new:
                self._is_new.notify_all()
        period = self._period_seconds if has_picture(view) else NOTICE_SECONDS
        await asyncio.sleep(max(period - took, took))


class Artist:
    """Draws one view after the other, and remembers when there last was a picture.

    Args:
        width_px: No picture is wider.
    """

    def __init__(self, width_px: int) -> None:
        self._width_px = width_px
        self._shape = FIRST_SHAPE
        self._absence: Absence | None = None

    def packed(self, view: View) -> bytes:
        """Return what is to be seen as a JPEG."""
        if self._absence is None or has_picture(view):
            self._absence = Absence(view.time_seconds, has_picture(view))
        if view.frame is not None and has_picture(view):
            picture = self._draw(view.frame, view)
            self._shape = picture.shape
        else:
            picture = np.empty(self._shape, dtype=np.uint8)
            draw_notice(picture, *notice(view, self._absence))
        bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
        return cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes()

    def _draw(self, frame: Frame, view: View) -> Pixels:
        size_wh = fitted(
            (frame.width, frame.height), (min(self._width_px, frame.width), frame.height)
        )
        picture = fit_quickly(frame.pixels, size_wh)
        if picture is frame.pixels:
            picture = picture.copy()  # others look at the frame, too
        draw_tracks(picture, view.tracks, picture.shape[1] / frame.width, pen_for(min(size_wh)))
        return picture


def part_of(jpeg: bytes) -> bytes:
    """Return a picture as a part of a multipart/x-mixed-replace stream."""
    head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
    return head.encode() + jpeg + b"\r\n"


def _is_worth_drawing(view: View) -> bool:
    """Say whether there is a picture or a camera that is away; between frames there is neither."""
    return has_picture(view) or view.camera in (CameraState.WAITING, CameraState.LOST)
