"""Scenes to learn from: pictures at random scale and place, alone or four in a mosaic.

The mosaic is that of Bochkovskiy et al., "YOLOv4", 2020: four scenes in one, so that faces stand
in front of more backgrounds, beside more other faces, and are cut by more edges.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from maskwatch_edge.finders.letterbox import GREY
from maskwatch_edge.frame import Pixels
from maskwatch_train.augment import blur, jpeg, light, noise

from .data import Picture
from .truths import Floats, Truths

SMALLEST_FACE = 9.0
"""Pixels of the input: the least size at which a face is shown on purpose."""

LARGEST_FACE = 0.9
"""The largest, as a share of the height of the scene."""

SCALES = (0.5, 3.0)
"""Least and most enlargement, against the scale at which the whole picture fits."""

AS_THE_BOARD = 0.4
"""Share of scenes that show the whole picture, nearly as the board letterboxes it."""

MOSAICS = 0.4
VISIBLE, HIDDEN = 0.5, 0.2
"""Of a face cut by the edge: with so much of it visible it is a face still; with less it is
ignored; and with this little it is background."""


def make_scene(
    pictures: Sequence[Picture], size_wh: tuple[int, int], rng: np.random.Generator
) -> tuple[Pixels, Truths]:
    """Compose and augment one scene.

    Args:
        pictures: Four pictures; the first is shown, or all of them in a mosaic.
        size_wh: Width and height of the scene in pixels.
        rng: Source of all chance.

    Returns:
        Shape (height, width, 3), uint8, RGB, and the faces in it.
    """
    if rng.random() < MOSAICS:
        scene, truths = _mosaic(pictures, size_wh, rng)
    else:
        scene, truths = place_picture(pictures[0], size_wh, rng)
    if rng.random() < 0.2:
        _cover_a_face(scene, truths, rng)
    return _as_a_camera(scene, rng), truths


def _mosaic(
    pictures: Sequence[Picture], size_wh: tuple[int, int], rng: np.random.Generator
) -> tuple[Pixels, Truths]:
    width, height = size_wh
    x, y = (round(side * rng.uniform(0.3, 0.7)) for side in size_wh)
    scene = np.empty((height, width, 3), np.uint8)
    parts = []
    tiles = ((0, 0, x, y), (x, 0, width, y), (0, y, x, height), (x, y, width, height))
    for picture, (x1, y1, x2, y2) in zip(pictures, tiles, strict=True):
        tile, truths = place_picture(picture, (x2 - x1, y2 - y1), rng)
        scene[y1:y2, x1:x2] = tile
        parts.append(Truths(truths.boxes + np.array([x1, y1, x1, y1]), truths.sure))
    boxes = np.concatenate([part.boxes for part in parts])
    return scene, Truths(boxes, np.concatenate([part.sure for part in parts]))


def place_picture(
    picture: Picture, size_wh: tuple[int, int], rng: np.random.Generator
) -> tuple[Pixels, Truths]:
    """Scale, flip and cut one picture to a size, and its faces with it.

    Args:
        picture: With or without faces.
        size_wh: Width and height of the result in pixels.
        rng: Draws scale, place and flip.
    """
    height, width = picture.pixels.shape[:2]
    fit = min(size_wh[0] / width, size_wh[1] / height)
    faces = np.flatnonzero(picture.truths.sure)
    if len(faces) == 0 or rng.random() < AS_THE_BOARD:
        scale = fit * np.exp(rng.uniform(-0.3, 0.3))
        shift = _free_place((width * scale, height * scale), size_wh, rng)
    else:
        box = picture.truths.boxes[rng.choice(faces)]
        scale, shift = _around_face(box, fit, size_wh, rng)
        gaps = np.array(size_wh) - np.array([width, height]) * scale
        shift = np.clip(shift, np.minimum(gaps, 0.0), np.maximum(gaps, 0.0))
    tile = _cut(picture.pixels, scale, shift, size_wh)
    truths = _visible(picture.truths.boxes * scale + np.tile(shift, 2), picture.truths, size_wh)
    if rng.random() < 0.5:
        tile = np.ascontiguousarray(tile[:, ::-1])
        left, right = truths.boxes[:, 0].copy(), truths.boxes[:, 2].copy()
        truths.boxes[:, 0], truths.boxes[:, 2] = size_wh[0] - right, size_wh[0] - left
    return tile, truths


def _free_place(
    content_wh: tuple[float, float], size_wh: tuple[int, int], rng: np.random.Generator
) -> Floats:
    """Draw where the upper left corner of the picture lies: all of it inside, or no gap."""
    gaps = np.subtract(size_wh, content_wh)
    return rng.uniform(np.minimum(gaps, 0.0), np.maximum(gaps, 0.0))


def _around_face(
    box: Floats, fit: float, size_wh: tuple[int, int], rng: np.random.Generator
) -> tuple[float, Floats]:
    """Draw a size for one face, and a place in the scene for its centre."""
    most = np.log(max(LARGEST_FACE * min(size_wh), 2 * SMALLEST_FACE))
    wanted = np.exp(rng.uniform(np.log(SMALLEST_FACE), most))
    side = max(float(min(box[2:] - box[:2])), 1.0)
    scale = float(np.clip(wanted / side, fit * SCALES[0], fit * SCALES[1]))
    centre = (box[:2] + box[2:]) / 2 * scale
    return scale, rng.uniform(0, size_wh) - centre


def _cut(pixels: Pixels, scale: float, shift: Floats, size_wh: tuple[int, int]) -> Pixels:
    """Scale and shift a picture into a scene; shrink by areas, as the board does."""
    if scale < 0.75:
        shrunk = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        pixels, scale = np.asarray(shrunk, np.uint8), 1.0
    move = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    grey = (GREY, GREY, GREY)
    return np.asarray(cv2.warpAffine(pixels, move, size_wh, borderValue=grey), np.uint8)


def _visible(boxes: Floats, truths: Truths, size_wh: tuple[int, int]) -> Truths:
    """Cut boxes to the scene; what is mostly outside becomes a region to ignore, or nothing."""
    cut = np.clip(boxes, 0, np.tile(size_wh, 2))
    whole = np.maximum(np.prod(boxes[:, 2:] - boxes[:, :2], axis=1), 1e-6)
    share = np.prod(cut[:, 2:] - cut[:, :2], axis=1) / whole
    kept = share > HIDDEN
    return Truths(cut[kept], (truths.sure & (share >= VISIBLE))[kept])


def _cover_a_face(scene: Pixels, truths: Truths, rng: np.random.Generator) -> None:
    """Cover a part of one face, as a hand, a scarf or a passer-by does."""
    faces = np.flatnonzero(truths.sure)
    if not len(faces):
        return
    x1, y1, x2, y2 = truths.boxes[rng.choice(faces)]
    width, height = (x2 - x1) * rng.uniform(0.3, 1.2), (y2 - y1) * rng.uniform(0.2, 0.5)
    x, y = rng.uniform(x1 - width / 2, x2 - width / 2), rng.uniform(y1, y2 - height / 2)
    area = scene[max(int(y), 0) : int(y + height), max(int(x), 0) : int(x + width)]
    area[:] = rng.integers(0, 256, 3)


def _as_a_camera(scene: Pixels, rng: np.random.Generator) -> Pixels:
    if rng.random() < 0.2:
        scene = blur(scene, rng)
    if rng.random() < 0.7:
        scene = light(scene, rng)
    if rng.random() < 0.2:
        scene = noise(scene, rng)
    return jpeg(scene, rng) if rng.random() < 0.25 else scene
