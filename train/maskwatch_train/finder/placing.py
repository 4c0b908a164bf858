"""One picture, scaled, moved, turned and mirrored into a scene, and its faces with it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from maskwatch_edge.finders.codes import areas
from maskwatch_edge.finders.letterbox import GREY
from maskwatch_edge.frame import Pixels

from .data import Picture
from .truths import Flags, Floats, Truths

SMALLEST_FACE = 9.0
"""Pixels of the input: the least size at which a face is shown on purpose."""

LARGEST_FACE = 0.9
"""The largest, as a share of the height of the scene."""

SCALES = (0.5, 3.0)
"""Least and most enlargement, against the scale at which the whole picture fits."""

AS_THE_BOARD = 0.4
"""Share of scenes that show the whole picture, nearly as the board letterboxes it."""

ANYWHERE = 0.1
"""Share of scenes that show any part of the picture, enlarged, with a face in it or none."""

HARD_ODDS = 3.0
"""How often a hard face is the one that is shown on purpose, against the others of its picture."""

TURNED, STRETCHED = 0.3, 0.5
"""Shares of scenes that are turned, and made wider or higher."""

COVERING = 2.0
"""A background is enlarged up to so much more than it must be to leave nothing free."""


@dataclass(frozen=True, eq=False)
class Placed:
    """A picture in a scene.

    Attributes:
        pixels: Shape (height, width, 3), uint8, RGB; grey where the picture leaves the scene free.
        covered: Where it does not, shape (height, width).
        truths: Its faces, in pixels of the scene.
    """

    pixels: Pixels
    covered: Flags
    truths: Truths


def place_picture(picture: Picture, size_wh: tuple[int, int], rng: np.random.Generator) -> Placed:
    """Place a picture so that the whole of it is seen, or any part, or one of its faces.

    Args:
        picture: With or without faces.
        size_wh: Width and height of the scene in pixels.
        rng: Draws scale, place, turn and flip.
    """
    height, width = picture.pixels.shape[:2]
    fit = min(size_wh[0] / width, size_wh[1] / height)
    faces = np.flatnonzero(picture.truths.sure)
    kind = rng.random()
    if len(faces) == 0 or kind < AS_THE_BOARD:
        scale, shift = _any_part(picture, fit, (-0.3, 0.3), size_wh, rng)
    elif kind < AS_THE_BOARD + ANYWHERE:
        scale, shift = _any_part(picture, fit, (0.0, np.log(SCALES[1])), size_wh, rng)
    else:
        odds = np.where(picture.truths.hard[faces], HARD_ODDS, 1.0)
        box = picture.truths.boxes[rng.choice(faces, p=odds / odds.sum())]
        scale, shift = _around_face(box, fit, size_wh, rng)
        gaps = np.array(size_wh) - np.array([width, height]) * scale
        shift = np.clip(shift, np.minimum(gaps, 0.0), np.maximum(gaps, 0.0))
    return _placed(picture, _turned(scale, shift, size_wh, rng), size_wh, rng)


def place_background(
    picture: Picture, size_wh: tuple[int, int], rng: np.random.Generator
) -> Placed:
    """Place a picture so that it leaves nothing free; see `place_picture`."""
    height, width = picture.pixels.shape[:2]
    least = max(size_wh[0] / width, size_wh[1] / height)
    scale, shift = _any_part(picture, least, (0.0, np.log(COVERING)), size_wh, rng)
    return _placed(picture, np.column_stack([np.eye(2) * scale, shift]), size_wh, rng)


def _any_part(
    picture: Picture,
    scale: float,
    enlarged: tuple[float, float],
    size_wh: tuple[int, int],
    rng: np.random.Generator,
) -> tuple[float, Floats]:
    """Draw a scale, and where the upper left corner lies: all of the picture inside, or no gap.

    Args:
        picture: The one to place.
        scale: What the drawn one starts from.
        enlarged: Logarithms of the least and the most that it is enlarged by on top of that.
        size_wh: Width and height of the scene in pixels.
        rng: Draws both.
    """
    height, width = picture.pixels.shape[:2]
    scale *= float(np.exp(rng.uniform(*enlarged)))
    gaps = np.subtract(size_wh, (width * scale, height * scale))
    return scale, rng.uniform(np.minimum(gaps, 0.0), np.maximum(gaps, 0.0))


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


def _turned(
    scale: float, shift: Floats, size_wh: tuple[int, int], rng: np.random.Generator
) -> Floats:
    """Return the affine map from picture to scene, shape (2, 3), turned around the middle."""
    angle = np.deg2rad(rng.normal(0, 10)) if rng.random() < TURNED else 0.0
    stretch = np.exp(rng.normal(0, 0.08)) if rng.random() < STRETCHED else 1.0
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.array([[cos, -sin], [sin, cos]]) * np.array([[stretch], [1 / stretch]])
    middle = np.array(size_wh) / 2
    return np.column_stack([turn * scale, turn @ (shift - middle) + middle])


def _placed(
    picture: Picture, move: Floats, size_wh: tuple[int, int], rng: np.random.Generator
) -> Placed:
    """Move a picture into a scene, and mirror every second one."""
    pixels, covered = _cut(picture.pixels, move, size_wh)
    moved = replace(picture.truths, boxes=_moved(picture.truths.boxes, move))
    truths = _inside(moved, size_wh)
    if rng.random() < 0.5:
        pixels, covered = np.ascontiguousarray(pixels[:, ::-1]), covered[:, ::-1]
        truths = truths.mirrored(size_wh[0])
    return Placed(pixels, covered, truths)


def _moved(boxes: Floats, move: Floats) -> Floats:
    """Move boxes as the ovals in them are moved."""
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2 @ move[:, :2].T + move[:, 2]
    halves = (boxes[:, 2:] - boxes[:, :2]) / 2
    halves = np.sqrt(halves**2 @ (move[:, :2] ** 2).T)
    return np.concatenate([centres - halves, centres + halves], axis=1)


def _cut(pixels: Pixels, move: Floats, size_wh: tuple[int, int]) -> tuple[Pixels, Flags]:
    """Move pixels into a scene, and tell where they lie; shrink by areas, as the board does."""
    scale = float(np.sqrt(np.linalg.det(move[:, :2])))
    if scale < 0.75:
        shrunk = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        pixels, move = np.asarray(shrunk, np.uint8), move / np.array([scale, scale, 1.0])
    cut = cv2.warpAffine(pixels, move, size_wh, borderValue=(GREY, GREY, GREY))
    everywhere = np.full(pixels.shape[:2], 255, np.uint8)
    covered = cv2.warpAffine(everywhere, move, size_wh, flags=cv2.INTER_NEAREST)
    return np.asarray(cut, np.uint8), np.asarray(covered > 0)


def _inside(truths: Truths, size_wh: tuple[int, int]) -> Truths:
    """Cut boxes to the scene; what is mostly outside becomes a region to ignore, or nothing."""
    cut = np.clip(truths.boxes, 0, np.tile(size_wh, 2))
    return replace(truths, boxes=cut).seen(areas(cut) / np.maximum(areas(truths.boxes), 1e-6))
