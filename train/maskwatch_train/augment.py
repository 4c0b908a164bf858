"""Augmentation that matches what a camera by a door gives.

Every draw comes from the generator that is passed in, so that an epoch can be repeated.
"""

from __future__ import annotations

import cv2
import numpy as np

from maskwatch_edge.frame import Pixels

SMALLEST_FACE = 20
"""Faces are shrunk to this size in pixels at the most, before they are scaled up again."""

TILTED = 0.25
"""Share of the crops that are turned far and stretched, as by a bent head or a wide lens."""


def augment(
    patch: Pixels,
    inner: tuple[float, float, float, float],
    size: int,
    rng: np.random.Generator,
) -> Pixels:
    """Make one training crop.

    Args:
        patch: A face with its surroundings, square, uint8, RGB.
        inner: Left, upper, right and lower edge of the face, as shares of the patch.
        size: Side of the crop in pixels.
        rng: Source of all chance.

    Returns:
        Shape (size, size, 3), uint8, RGB.
    """
    crop = _cut(patch, inner, size, rng)
    if rng.random() < 0.5:
        crop = _shrink(crop, rng)
    if rng.random() < 0.25:
        crop = blur(crop, rng)
    crop = light(crop, rng)
    if rng.random() < 0.3:
        crop = noise(crop, rng)
    if rng.random() < 0.4:
        crop = jpeg(crop, rng)
    return crop


def _cut(
    patch: Pixels,
    inner: tuple[float, float, float, float],
    size: int,
    rng: np.random.Generator,
) -> Pixels:
    """Cut off-centre, with a margin between tight and wide, tilted and flipped."""
    x1, y1, x2, y2 = (edge * patch.shape[0] for edge in inner)
    grow_x, grow_y = 1 + 2 * rng.uniform(-0.06, 0.3) + rng.uniform(-0.06, 0.06, 2)
    width, height = (x2 - x1) * grow_x, (y2 - y1) * grow_y
    centre_x = (x1 + x2) / 2 + rng.normal(0, 0.05) * (x2 - x1)
    centre_y = (y1 + y2) / 2 + rng.normal(0, 0.05) * (y2 - y1)
    angle, stretch = _tilt(rng)
    width, height = width * stretch, height / stretch
    flip = -1 if rng.random() < 0.5 else 1
    # Rows of the transform from crop to patch, which warpAffine wants with WARP_INVERSE_MAP.
    right = np.array([np.cos(angle), np.sin(angle)]) * width / size * flip
    down = np.array([-np.sin(angle), np.cos(angle)]) * height / size
    origin = np.array([centre_x, centre_y]) - (right + down) * size / 2
    transform = np.column_stack([right, down, origin])
    return np.asarray(
        cv2.warpAffine(
            patch,
            transform,
            (size, size),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE if rng.random() < 0.7 else cv2.BORDER_CONSTANT,
        )
    )


def _tilt(rng: np.random.Generator) -> tuple[float, float]:
    """Draw by how many radians a crop is turned, and how much more of the width it shows."""
    if rng.random() < TILTED:
        return float(np.deg2rad(rng.normal(0, 20))), float(np.exp(rng.normal(0, 0.15)))
    return float(np.deg2rad(rng.normal(0, 7))), 1.0


def _shrink(crop: Pixels, rng: np.random.Generator) -> Pixels:
    """Make the face as small as a camera sees it from afar, and scale it up as the board does."""
    size = crop.shape[0]
    small = int(np.exp(rng.uniform(np.log(SMALLEST_FACE), np.log(size))))
    shrunk = np.asarray(cv2.resize(crop, (small, small), interpolation=cv2.INTER_AREA), np.uint8)
    if rng.random() < 0.3:
        shrunk = jpeg(shrunk, rng)
    return np.asarray(cv2.resize(shrunk, (size, size), interpolation=cv2.INTER_LINEAR))


def blur(crop: Pixels, rng: np.random.Generator) -> Pixels:
    """Blur out of focus, or by motion along a random direction."""
    if rng.random() < 0.5:
        return np.asarray(cv2.GaussianBlur(crop, (0, 0), rng.uniform(0.5, 2.5)))
    length = int(rng.integers(3, 12))
    kernel = np.zeros((length, length), dtype=np.float32)
    kernel[length // 2] = 1.0 / length
    middle = ((length - 1) / 2, (length - 1) / 2)
    turn = cv2.getRotationMatrix2D(middle, rng.uniform(0, 180), 1.0)
    turned = np.asarray(cv2.warpAffine(kernel, turn, (length, length)), np.float32)
    turned /= max(float(turned.sum()), 1e-6)
    return np.asarray(cv2.filter2D(crop, -1, turned), np.uint8)


def light(crop: Pixels, rng: np.random.Generator) -> Pixels:
    """Change exposure, contrast, gamma, white balance and saturation; sometimes to grey."""
    # What becomes of each of the 256 values that a pixel can have, and then of the pixels.
    values = np.arange(256, dtype=np.float32) / 255.0
    values = np.power(values, np.exp(rng.normal(0, 0.25)))
    values = (values - 0.5) * rng.uniform(0.7, 1.25) + 0.5 + rng.normal(0, 0.08)
    table = values[:, np.newaxis] * np.exp(rng.normal(0, 0.08, 3)).astype(np.float32)
    lit = np.asarray(cv2.LUT(crop, table[np.newaxis].astype(np.float32)))
    grey = ((lit[..., 0] + lit[..., 1] + lit[..., 2]) / 3)[..., np.newaxis]
    saturation = 0.0 if rng.random() < 0.05 else rng.uniform(0.5, 1.4)
    lit = grey + (lit - grey) * saturation
    return np.asarray(np.clip(lit * 255.0, 0, 255), dtype=np.uint8)


def noise(crop: Pixels, rng: np.random.Generator) -> Pixels:
    """Add the noise of a sensor."""
    noise = rng.standard_normal(crop.shape, dtype=np.float32) * rng.uniform(2, 14)
    return np.asarray(np.clip(crop + noise, 0, 255), dtype=np.uint8)


def jpeg(crop: Pixels, rng: np.random.Generator) -> Pixels:
    """Compress as a camera or a web page does, and unpack again."""
    quality = int(rng.integers(25, 90))
    content = cv2.imencode(".jpg", crop, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(content, cv2.IMREAD_COLOR), dtype=np.uint8)
