"""What is shown to what is measured: the demonstration clip, crowds made of it, and empty rooms."""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np

from maskwatch_edge.bench.clip import SHIPPED_CLIP
from maskwatch_edge.bench.replay import Reel, load_reel
from maskwatch_edge.frame import Frame, Pixels

SIZE_WH = (640, 480)
GREY = 128
NOISE = 2.0
"""Standard deviation of what a sensor adds to a quiet picture, in steps of 256."""

HEADS_XYXY = ((45, 60, 285, 340), (357, 40, 597, 320))
"""Where the two heads of the clip are, with room for their swaying, in pixels."""


def clip(most_frames: int) -> Reel:
    """Return the demonstration clip."""
    return load_reel(str(SHIPPED_CLIP), most_frames)


def scaled(reel: Reel, size_wh: tuple[int, int]) -> Reel:
    """Return the same pictures in another size."""
    return Reel([_with_pixels(frame, _resized(frame.pixels, size_wh)) for frame in reel.frames])


def crowd(reel: Reel, faces: int, size_wh: tuple[int, int] = SIZE_WH) -> Reel:
    """Put so many of the clip's heads side by side into each picture, in rows, on grey."""
    return Reel(
        [_with_pixels(frame, _crowd(frame.pixels, faces, size_wh)) for frame in reel.frames]
    )


def empty_room(frames: int, size_wh: tuple[int, int] = SIZE_WH, *, noise: float = NOISE) -> Reel:
    """Return pictures of a grey wall that differ by noise alone."""
    rng = np.random.default_rng(0)
    width, height = size_wh
    walls = GREY + noise * rng.standard_normal((frames, height, width, 3), dtype=np.float32)
    shown = np.clip(np.round(walls), 0, 255).astype(np.uint8)
    return Reel([Frame(pixels, n, n / 12.5, "empty room", 12.5) for n, pixels in enumerate(shown)])


def still(reel: Reel, frames: int, *, noise: float = NOISE) -> Reel:
    """Return the first picture of a reel again and again: people who do not move, but for noise."""
    rng = np.random.default_rng(0)
    first = reel.frames[0]
    shape = first.pixels.shape
    grains = (noise * rng.standard_normal(shape, dtype=np.float32) for _ in range(frames))
    shown = [np.clip(np.round(first.pixels + grain), 0, 255).astype(np.uint8) for grain in grains]
    return Reel([_with_pixels(first, pixels) for pixels in shown])


def _with_pixels(frame: Frame, pixels: Pixels) -> Frame:
    return replace(frame, pixels=pixels)


def _resized(pixels: Pixels, size_wh: tuple[int, int]) -> Pixels:
    shrinks = size_wh[0] < pixels.shape[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(pixels, size_wh, interpolation=how), dtype=np.uint8)


def _crowd(pixels: Pixels, faces: int, size_wh: tuple[int, int]) -> Pixels:
    width, height = size_wh
    scene = np.full((height, width, 3), GREY, dtype=np.uint8)
    columns = max(math.ceil(math.sqrt(faces * width / height)), 1)
    rows = max(math.ceil(faces / columns), 1)
    cell_wh = width // columns, height // rows
    heads = [_head(pixels, xyxy, cell_wh) for xyxy in HEADS_XYXY]
    for place in range(faces):
        head = heads[place % 2]
        x, y = place % columns * cell_wh[0], place // columns * cell_wh[1]
        scene[y : y + head.shape[0], x : x + head.shape[1]] = head
    return scene


def _head(pixels: Pixels, xyxy: tuple[int, int, int, int], cell_wh: tuple[int, int]) -> Pixels:
    x1, y1, x2, y2 = xyxy
    scale = min(cell_wh[0] / (x2 - x1), cell_wh[1] / (y2 - y1))
    size_wh = int((x2 - x1) * scale), int((y2 - y1) * scale)
    return _resized(pixels[y1:y2, x1:x2], size_wh)
