"""What counts as motion: a face that comes, light that goes; not the noise of a sensor."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskwatch_edge.frame import Pixels
from maskwatch_edge.motion import GRID_WH, StillScene, difference, grid, thumbnail

HEIGHT, WIDTH = 480, 640


def room(value: int = 110) -> Pixels:
    """Paint a wall with a door."""
    pixels = np.full((HEIGHT, WIDTH, 3), value, dtype=np.uint8)
    pixels[100:, 400:520] = (90, 60, 40)
    return pixels


def noisy(pixels: Pixels, strength: float, seed: int) -> Pixels:
    noise = np.random.default_rng(seed).normal(0, strength, pixels.shape)
    return np.clip(pixels + noise, 0, 255).astype(np.uint8)


def with_face(pixels: Pixels, x: int, y: int, size: int) -> Pixels:
    painted = pixels.copy()
    painted[y : y + size, x : x + size] = (200, 160, 140)
    return painted


def is_still(before: Pixels, after: Pixels) -> bool:
    scene = StillScene()
    scene.remember(grid(before))
    return scene.shows(grid(after))


def test_nothing_was_seen_before_the_first_picture() -> None:
    assert not StillScene().shows(grid(room()))


@pytest.mark.parametrize("strength", [0.0, 4.0, 8.0])
def test_noise_is_no_motion(strength: float) -> None:
    assert is_still(noisy(room(), strength, 1), noisy(room(), strength, 2))


@given(st.integers(0, WIDTH - 24), st.integers(0, HEIGHT - 24))
def test_the_smallest_face_is_motion_wherever_it_comes(x: int, y: int) -> None:
    assert not is_still(room(), with_face(room(), x, y, 24))


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_a_face_is_motion_in_a_picture_of_any_size(scale: int) -> None:
    large = np.repeat(np.repeat(room(), scale, axis=0), scale, axis=1)
    assert is_still(large, large)
    assert not is_still(large, with_face(large, 100 * scale, 50 * scale, 24 * scale))


def test_a_light_that_is_switched_is_motion() -> None:
    assert not is_still(room(110), room(140))


def test_a_change_too_slow_for_the_eye_adds_up() -> None:
    scene = StillScene()
    scene.remember(grid(room(100)))
    still = [scene.shows(grid(room(100 + step))) for step in range(30)]
    assert still[0]
    assert not still[-1]


def test_a_thumbnail_is_the_mean_of_its_cells() -> None:
    halves = np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8)
    halves[:, WIDTH // 2 :] = (10, 100, 250)
    small = thumbnail(halves, GRID_WH)
    assert small.shape == (GRID_WH[1], GRID_WH[0], 3)
    assert (small[:, : GRID_WH[0] // 2] == 0).all()
    assert (small[:, GRID_WH[0] // 2 :] == (10, 100, 250)).all()


@given(st.integers(1, 60), st.integers(1, 60))
def test_a_picture_of_any_shape_has_a_thumbnail(width: int, height: int) -> None:
    pixels = np.full((height, width, 3), 77, dtype=np.uint8)
    assert difference(thumbnail(pixels, (8, 8)), np.full((8, 8, 3), 77, np.uint8)) == 0
