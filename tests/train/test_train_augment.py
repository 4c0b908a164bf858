"""Augmentation: crops as a camera gives them, and the same ones for the same seed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maskwatch_edge.frame import Pixels
from maskwatch_train.augment import augment
from maskwatch_train.samples import PATCH_SIZE, WHOLE_PICTURE_INNER

PATCH = np.random.default_rng(0).integers(0, 256, (PATCH_SIZE, PATCH_SIZE, 3), dtype=np.uint8)

shares = st.floats(0.0, 0.45)


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1),
    size=st.sampled_from([32, 96, 128]),
    edges=st.tuples(*[shares] * 4),
)
def test_a_crop_has_the_size_asked_for_and_the_type_of_a_picture(
    seed: int, size: int, edges: tuple[float, float, float, float]
) -> None:
    inner = (edges[0], edges[1], 1 - edges[2], 1 - edges[3])
    crop = augment(PATCH, inner, size, np.random.default_rng(seed))
    assert crop.shape == (size, size, 3)
    assert crop.dtype == np.uint8


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_same_seed_gives_the_same_crop(seed: int) -> None:
    one, other = (
        augment(PATCH, WHOLE_PICTURE_INNER, 64, np.random.default_rng(seed)) for _ in range(2)
    )
    np.testing.assert_array_equal(one, other)


def test_every_draw_gives_another_crop() -> None:
    rng = np.random.default_rng(1)
    crops = {augment(PATCH, WHOLE_PICTURE_INNER, 64, rng).tobytes() for _ in range(20)}
    assert len(crops) == 20


def test_the_patch_is_left_as_it_is() -> None:
    before = PATCH.copy()
    rng = np.random.default_rng(2)
    for _ in range(20):
        augment(PATCH, WHOLE_PICTURE_INNER, 64, rng)
    np.testing.assert_array_equal(PATCH, before)


@pytest.mark.parametrize("channel", [0, 1, 2])
def test_colours_keep_their_channel(channel: int) -> None:
    patch = np.full((PATCH_SIZE, PATCH_SIZE, 3), 60, dtype=np.uint8)
    patch[..., channel] = 200
    rng = np.random.default_rng(3)
    crops = [augment(patch, WHOLE_PICTURE_INNER, 64, rng) for _ in range(100)]
    means = np.mean([crop.mean(axis=(0, 1)) for crop in crops], axis=0)
    assert int(means.argmax()) == channel


def test_the_face_stays_in_the_middle_of_the_crop() -> None:
    patch = np.zeros((PATCH_SIZE, PATCH_SIZE, 3), dtype=np.uint8)
    patch[PATCH_SIZE // 4 : -PATCH_SIZE // 4, PATCH_SIZE // 4 : -PATCH_SIZE // 4] = 255
    rng = np.random.default_rng(4)
    for _ in range(100):
        crop = augment(patch, (0.25, 0.25, 0.75, 0.75), 64, rng).astype(float)
        # Cut tight, the face fills the crop: then the edges are as bright as the middle.
        edges = [crop[:3], crop[-3:], crop[:, :3], crop[:, -3:]]
        assert crop[16:48, 16:48].mean() >= max(edge.mean() for edge in edges) - 1


def test_most_faces_are_upright_and_some_are_bent_far() -> None:
    patch = np.zeros((PATCH_SIZE, PATCH_SIZE, 3), dtype=np.uint8)
    patch[:, PATCH_SIZE // 2 :] = 255
    rng = np.random.default_rng(5)
    tilts = [tilt(augment(patch, WHOLE_PICTURE_INNER, 64, rng)) for _ in range(300)]
    assert np.median(tilts) < 10
    assert 0.01 < np.mean(np.array(tilts) > 25) < 0.15


def tilt(crop: Pixels) -> float:
    """Return by how many degrees the edge between two halves is turned, by the mean gradient."""
    middle = crop[12:-12, 12:-12].mean(axis=2)
    down, right = np.gradient(middle)
    return abs(float(np.degrees(np.arctan(down.sum() / right.sum()))))
