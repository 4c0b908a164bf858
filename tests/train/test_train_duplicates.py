"""Twins: the same picture again is found, another picture is not."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maskwatch_edge.frame import Pixels
from maskwatch_train.duplicates import group_twins, perceptual_hash

HashPair = tuple[int, int]

seeds = st.integers(0, 2**32 - 1)
few_bits = st.integers(0, 2**6 - 1)
"""Hashes so short that many of them are near each other."""


def draw_picture(seed: int, width: int = 150, height: int = 180) -> Pixels:
    """Draw soft blobs of colour: as much low frequency as a photograph has."""
    colours = np.random.default_rng(seed).integers(0, 256, (9, 8, 3), dtype=np.uint8)
    picture = cv2.resize(colours, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(picture, dtype=np.uint8)


def are_twins(one: Pixels, other: Pixels) -> bool:
    groups = group_twins([[perceptual_hash(one)], [perceptual_hash(other)]])
    return bool(groups[0] == groups[1])


@settings(max_examples=30)
@given(seed=seeds, scale=st.floats(0.4, 2.5))
def test_a_scaled_copy_is_a_twin(seed: int, scale: float) -> None:
    picture = draw_picture(seed)
    scaled = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    assert are_twins(picture, np.asarray(scaled, dtype=np.uint8))


@settings(max_examples=30)
@given(seed=seeds, quality=st.integers(40, 95))
def test_a_jpeg_copy_is_a_twin(seed: int, quality: int) -> None:
    picture = draw_picture(seed)
    content = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    again = cv2.imdecode(content, cv2.IMREAD_COLOR)
    assert are_twins(picture, np.asarray(again, dtype=np.uint8))


@settings(max_examples=30)
@given(seed=seeds, gain=st.floats(0.6, 1.0), lift=st.integers(0, 40))
def test_a_darker_or_paler_copy_is_a_twin(seed: int, gain: float, lift: int) -> None:
    picture = draw_picture(seed)
    assert are_twins(picture, np.clip(picture * gain + lift, 0, 255).astype(np.uint8))


@settings(max_examples=30)
@given(seed=seeds)
def test_a_mirrored_copy_is_a_twin(seed: int) -> None:
    picture = draw_picture(seed)
    assert are_twins(picture, np.ascontiguousarray(picture[:, ::-1]))


@settings(max_examples=30)
@given(pair=st.tuples(seeds, seeds).filter(lambda pair: pair[0] != pair[1]))
def test_another_picture_is_no_twin(pair: tuple[int, int]) -> None:
    assert not are_twins(draw_picture(pair[0]), draw_picture(pair[1]))


def test_pictures_of_noise_are_no_twins_of_each_other() -> None:
    rng = np.random.default_rng(1)
    noise = (rng.integers(0, 256, (64, 64, 3), dtype=np.uint8) for _ in range(40))
    assert group_twins([[perceptual_hash(picture)] for picture in noise]).tolist() == list(
        range(40)
    )


@given(
    views=st.lists(st.lists(st.tuples(few_bits, few_bits), min_size=1, max_size=3), max_size=12),
    distance=st.integers(0, 2),
)
def test_grouping_joins_just_what_a_chain_of_twins_joins(
    views: list[list[HashPair]], distance: int
) -> None:
    groups = group_twins(views, max_distance=distance).tolist()
    for index in range(len(views)):
        assert groups[index] == min(chain_from(index, views, distance))


def chain_from(start: int, views: list[list[HashPair]], distance: int) -> set[int]:
    """Follow twins of twins the slow way."""
    reached, waiting = {start}, [start]
    while waiting:
        here = waiting.pop()
        for other in set(range(len(views))) - reached:
            if any(are_near(one, two, distance) for one, two in in_order(views, here, other)):
                reached.add(other)
                waiting.append(other)
    return reached


def in_order(
    views: list[list[HashPair]], here: int, other: int
) -> Iterable[tuple[HashPair, HashPair]]:
    first, second = sorted((here, other))
    return product(views[first], views[second])


def are_near(one: HashPair, two: HashPair, distance: int) -> bool:
    return min((one[0] ^ value).bit_count() for value in two) <= distance


def test_a_frame_is_the_twin_of_a_picture_that_was_cut_out_of_it() -> None:
    frame, face = draw_picture(1), draw_picture(2)
    views = [[perceptual_hash(frame), perceptual_hash(face)], [perceptual_hash(face)]]
    assert group_twins(views).tolist() == [0, 0]


@pytest.mark.parametrize(
    ("bits", "expected"),
    [
        (0, [0, 0]),  # the same hash
        (6, [0, 0]),  # the most that twins may differ in
        (7, [0, 1]),  # one more
    ],
)
def test_twins_differ_in_six_bits_at_most(bits: int, expected: list[int]) -> None:
    far = 2**64 - 1
    assert group_twins([[(0, far)], [((1 << bits) - 1, far - 1)]]).tolist() == expected


def test_no_pictures_have_no_groups() -> None:
    assert group_twins([]).tolist() == []
