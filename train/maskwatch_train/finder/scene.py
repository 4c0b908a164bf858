"""Scenes to learn from: pictures at random scale and place, alone or four in a mosaic.

The mosaic is that of Bochkovskiy et al., "YOLOv4", 2020: four scenes in one, so that faces stand
in front of more backgrounds, beside more other faces, and are cut by more edges. What the pictures
leave free is filled with others (Dwibedi, Misra and Hebert, "Cut, Paste and Learn", 2017).
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from maskwatch_edge.frame import Pixels
from maskwatch_train.augment import blur, jpeg, light, noise

from .data import Picture
from .placing import Placed, place_background, place_picture
from .truths import Flags, Floats, Truths, joined

MOSAICS = 0.25
"""Share of scenes that are made of four."""

GREY_SURROUNDINGS = 0.2
"""Share of pictures around which the scene stays grey, as on the board beside a narrow frame."""

COVERED = 0.3
"""Share of scenes in which a face is covered in part."""


def make_scene(
    pictures: Sequence[Picture],
    backgrounds: Sequence[Picture],
    size_wh: tuple[int, int],
    rng: np.random.Generator,
) -> tuple[Pixels, Truths]:
    """Compose and augment one scene.

    Args:
        pictures: Four pictures; the first is shown, or all of them in a mosaic.
        backgrounds: Four more, which fill what those leave free.
        size_wh: Width and height of the scene in pixels.
        rng: Source of all chance.

    Returns:
        Shape (height, width, 3), uint8, RGB, and the faces in it.
    """
    if rng.random() < MOSAICS:
        scene, truths = _mosaic(pictures, backgrounds, size_wh, rng)
    else:
        scene, truths = place_over(pictures[0], backgrounds[0], size_wh, rng)
    if rng.random() < COVERED:
        _cover_a_face(scene, truths, backgrounds[-1], rng)
    return _as_a_camera(scene, rng), truths


def _mosaic(
    pictures: Sequence[Picture],
    backgrounds: Sequence[Picture],
    size_wh: tuple[int, int],
    rng: np.random.Generator,
) -> tuple[Pixels, Truths]:
    width, height = size_wh
    x, y = (round(side * rng.uniform(0.3, 0.7)) for side in size_wh)
    scene = np.empty((height, width, 3), np.uint8)
    parts = []
    tiles = ((0, 0, x, y), (x, 0, width, y), (0, y, x, height), (x, y, width, height))
    for picture, background, (x1, y1, x2, y2) in zip(pictures, backgrounds, tiles, strict=True):
        tile, truths = place_over(picture, background, (x2 - x1, y2 - y1), rng)
        scene[y1:y2, x1:x2] = tile
        parts.append(truths.shifted((x1, y1)))
    return scene, joined(parts)


def place_over(
    picture: Picture, background: Picture, size_wh: tuple[int, int], rng: np.random.Generator
) -> tuple[Pixels, Truths]:
    """Place one picture, and mostly another behind it, without what a camera does to them.

    Args:
        picture: The one in front.
        background: The one behind; what is hidden of its faces is no face.
        size_wh: Width and height of the result in pixels.
        rng: Source of all chance.
    """
    front = place_picture(picture, size_wh, rng)
    if front.covered.all() or rng.random() < GREY_SURROUNDINGS:
        return front.pixels, front.truths
    behind = place_background(background, size_wh, rng)
    free = np.array([_share_free(box, front.covered) for box in behind.truths.boxes])
    return _laid_over(front, behind, rng), joined([front.truths, behind.truths.seen(free)])


def _share_free(box: Floats, covered: Flags) -> float:
    x1, y1 = np.floor(box[:2]).astype(int)
    x2, y2 = np.ceil(box[2:]).astype(int)
    return 1.0 - float(covered[y1:y2, x1:x2].mean())


def _laid_over(front: Placed, behind: Placed, rng: np.random.Generator) -> Pixels:
    """Lay one picture over another, with sharp edges or soft ones."""
    weight = front.covered.astype(np.float32)
    if rng.random() < 0.5:
        soft = cv2.GaussianBlur(weight, (0, 0), rng.uniform(0.5, 2.0))
        weight = np.minimum(weight, soft)
    return np.asarray(cv2.blendLinear(front.pixels, behind.pixels, weight, 1 - weight), np.uint8)


def _cover_a_face(scene: Pixels, truths: Truths, other: Picture, rng: np.random.Generator) -> None:
    """Cover a part of one face, as a hand, a scarf or a passer-by does."""
    faces = np.flatnonzero(truths.sure)
    if not len(faces):
        return
    x1, y1, x2, y2 = truths.boxes[rng.choice(faces)]
    width, height = (x2 - x1) * rng.uniform(0.3, 1.2), (y2 - y1) * rng.uniform(0.2, 0.5)
    x, y = rng.uniform(x1 - width / 2, x2 - width / 2), rng.uniform(y1, y2 - height / 2)
    area = scene[max(int(y), 0) : int(y + height), max(int(x), 0) : int(x + width)]
    if area.size:
        area[:] = _cover(area.shape[:2], other, rng)


def _cover(shape: tuple[int, int], other: Picture, rng: np.random.Generator) -> Pixels:
    """Return a part of a picture that shows no face, or one colour."""
    rows, columns = np.minimum(shape, other.pixels.shape[:2])
    y = rng.integers(other.pixels.shape[0] - rows + 1)
    x = rng.integers(other.pixels.shape[1] - columns + 1)
    low, high = other.truths.boxes[:, :2], other.truths.boxes[:, 2:]
    shows_face = ((low < (x + columns, y + rows)) & (high > (x, y))).all(axis=1).any()
    if shows_face or rng.random() < 0.3:
        return rng.integers(0, 256, 3).astype(np.uint8)
    part = other.pixels[y : y + rows, x : x + columns]
    return np.asarray(cv2.resize(part, shape[::-1], interpolation=cv2.INTER_LINEAR), np.uint8)


def _as_a_camera(scene: Pixels, rng: np.random.Generator) -> Pixels:
    if rng.random() < 0.2:
        scene = blur(scene, rng)
    if rng.random() < 0.7:
        scene = light(scene, rng)
    if rng.random() < 0.2:
        scene = noise(scene, rng)
    return jpeg(scene, rng) if rng.random() < 0.25 else scene
