"""Masks moved onto other faces, and the landmarks that they are moved by."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskwatch_edge.classifier import resized
from maskwatch_edge.contract import WITH_MASK, WITHOUT_MASK
from maskwatch_edge.dataset import LabelledFace
from maskwatch_edge.errors import InputError
from maskwatch_edge.pictures import read_picture
from maskwatch_train.compose import (
    ALIKE,
    FARTHEST_TURN,
    MASK_OUTLINE,
    RECIPES,
    AlignedFace,
    Recipe,
    align,
    compose_samples,
    draw_face,
    facing,
    lay_piece,
)
from maskwatch_train.landmarks import LandmarkFinder
from maskwatch_train.samples import PATCH_SIZE, Sample, cut_sample

COUNT = 24
YUNET = "face_detection_yunet_2023mar.onnx"


@pytest.fixture(scope="module")
def finder(shared: Path) -> LandmarkFinder:
    """Give YuNet, or skip the test where it is not at hand."""
    path = shared / "weights" / YUNET
    if not path.is_file():
        pytest.skip(f"needs the YuNet file {path}, which is not here")
    return LandmarkFinder(path)


@pytest.fixture(scope="module")
def samples(shared: Path) -> list[Sample]:
    """Give real crops, 15 of each label."""
    found = []
    for name, label in (("WithMask", WITH_MASK), ("WithoutMask", WITHOUT_MASK)):
        folder = shared / "data" / "face-mask-12k" / "Validation" / name
        for path in sorted(folder.iterdir())[:15]:
            found.append(
                cut_sample(read_picture(path), LabelledFace(path, label, "kaggle"), None, 64)
            )
    return [sample for sample in found if sample is not None]


def compose(samples: list[Sample], finder: LandmarkFinder, seed: int = 1) -> list[Sample]:
    rng = np.random.default_rng(seed)
    return compose_samples(samples, finder, count=COUNT, input_size=64, rng=rng)


def test_composed_faces_show_masks_worn_right_and_wrong(
    samples: list[Sample], finder: LandmarkFinder
) -> None:
    composed = compose(samples, finder)
    assert len(composed) == COUNT
    assert {sample.face.label for sample in composed} == {WITH_MASK, WITHOUT_MASK}
    for sample in composed:
        assert sample.face.worn_wrong == (sample.face.label == WITHOUT_MASK)
        assert sample.label_index == sample.face.label_index
        assert sample.patch.shape == (PATCH_SIZE, PATCH_SIZE, 3)
        assert sample.crop.shape == (64, 64, 3)


def test_the_same_seed_composes_the_same_faces(
    samples: list[Sample], finder: LandmarkFinder
) -> None:
    first, again, other = (compose(samples, finder, seed) for seed in (1, 1, 2))
    for one, two in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.patch, two.patch)
    assert any((one.patch != two.patch).any() for one, two in zip(first, other, strict=True))


def test_without_masked_faces_nothing_is_composed(
    samples: list[Sample], finder: LandmarkFinder
) -> None:
    bare = [sample for sample in samples if sample.face.label == WITHOUT_MASK]
    assert compose(bare, finder) == []


def test_landmarks_lie_in_the_face_as_the_person_has_them(
    samples: list[Sample], finder: LandmarkFinder
) -> None:
    found = [finder.find_largest(sample.patch) for sample in samples]
    faces = [face for face in found if face is not None]
    assert len(faces) >= 0.8 * len(samples)
    for face in faces:
        right_eye, left_eye, nose, right_mouth, left_mouth = face.points
        assert right_eye[0] < left_eye[0]
        assert right_mouth[0] < left_mouth[0]
        assert right_eye[1] < nose[1] < max(right_mouth[1], left_mouth[1])


def test_a_picture_without_a_face_has_no_landmarks(finder: LandmarkFinder) -> None:
    assert finder.find_largest(np.full((120, 90, 3), 128, dtype=np.uint8)) is None


@pytest.mark.parametrize("turn", [-FARTHEST_TURN, 0.0, FARTHEST_TURN])
@pytest.mark.parametrize("recipe", RECIPES)
def test_a_piece_lies_where_its_recipe_says(recipe: Recipe, turn: float) -> None:
    lender, wearer = plain_face(255, turn), plain_face(0, turn)
    for seed in range(20):
        picture = lay_piece(lender, wearer, recipe, np.random.default_rng(seed))
        rows = np.flatnonzero(picture[:, round((0.5 + turn) * PATCH_SIZE), 0] > 0) / PATCH_SIZE
        # Tilt and the soft edge move the upper edge by a few hundredths.
        assert recipe.top[0] - 0.06 <= rows.min() <= recipe.top[1] + 0.06
        assert picture[: PATCH_SIZE // 3].max() == 0


def test_nothing_but_the_mask_differs_from_the_wearers_picture(
    samples: list[Sample], finder: LandmarkFinder
) -> None:
    originals = [sample.patch.astype(int) for sample in samples]
    for sample in compose(samples, finder):
        changed = min(
            (np.abs(sample.patch - original).max(axis=2) > 3).mean() for original in originals
        )
        assert 0 < changed < 0.6


def test_the_same_mask_sits_lower_when_it_is_worn_wrong() -> None:
    masks = [recipe for recipe in RECIPES if recipe.outline is MASK_OUTLINE]
    assert [recipe.label for recipe in masks] == [WITH_MASK, WITHOUT_MASK, WITHOUT_MASK]
    tops = [recipe.top for recipe in masks]
    assert tops[0][1] < tops[1][0] < tops[1][1] < tops[2][0]


def test_a_face_counts_as_masked_unless_a_nose_is_bare() -> None:
    for recipe in RECIPES:
        if recipe.outline is not MASK_OUTLINE:
            assert recipe.label == recipe.lender
    assert sum(recipe.share for recipe in RECIPES) == pytest.approx(1)


@pytest.mark.parametrize("turn", [-0.1, 0.1])
def test_the_mask_of_a_turned_face_reaches_farther_on_the_side_turned_to_the_camera(
    turn: float,
) -> None:
    mask = RECIPES[0]
    for seed in range(20):
        picture = lay_piece(
            plain_face(255, turn), plain_face(0, turn), mask, np.random.default_rng(seed)
        )
        columns = np.flatnonzero(picture[..., 0].max(axis=0) > 0) / PATCH_SIZE
        left, right = 0.5 - columns.min(), columns.max() - 0.5
        assert (left > right + 0.1) if turn > 0 else (right > left + 0.1)


@given(
    turns=st.lists(st.floats(-0.2, 0.2), min_size=1, max_size=80),
    turn=st.floats(0, FARTHEST_TURN),
    seed=st.integers(0, 99),
)
def test_a_face_is_drawn_from_those_that_are_turned_about_so_far(
    turns: list[float], turn: float, seed: int
) -> None:
    faces = [plain_face(0, each) for each in sorted(turns, key=abs)]
    drawn = draw_face(faces, turn, np.random.default_rng(seed))
    low, high = sorted([turn, abs(drawn.turn)])
    assert sum(low < abs(face.turn) < high for face in faces) < ALIKE


@pytest.mark.parametrize("turns", [(0.1, -0.05), (-0.1, 0.05), (0.1, 0.05), (-0.1, -0.05)])
def test_a_lender_looks_to_the_side_of_the_wearer(turns: tuple[float, float]) -> None:
    lender, wearer = plain_face(0, turns[0]), plain_face(0, turns[1])
    lender.pixels[:, :10] = 255
    mirrored = facing(lender, wearer)
    assert mirrored.turn * wearer.turn > 0
    assert abs(mirrored.turn) == abs(lender.turn)
    is_bright_left = bool(mirrored.pixels[0, 0, 0])
    assert is_bright_left == (turns[0] * turns[1] > 0)


def test_a_mirrored_face_is_turned_as_far_to_the_other_side(
    samples: list[Sample], finder: LandmarkFinder
) -> None:
    found = [(align(sample, finder), align(mirror(sample), finder)) for sample in samples]
    turns = np.array([(one.turn, other.turn) for one, other in found if one and other])
    assert len(turns) >= 0.8 * len(samples)
    assert np.abs(turns[:, 0]).max() > 0.05
    assert np.median(np.abs(turns.sum(axis=1))) < 0.02


def mirror(sample: Sample) -> Sample:
    return replace(sample, patch=np.ascontiguousarray(sample.patch[:, ::-1]))


def plain_face(value: int, turn: float = 0.0) -> AlignedFace:
    pixels = resized(np.full((8, 8, 3), value, dtype=np.uint8), PATCH_SIZE)
    face = LabelledFace(Path("plain"), WITH_MASK, "kaggle")
    sample = Sample(pixels, (0.1, 0.1, 0.9, 0.9), pixels, face, 0)
    return AlignedFace(sample, pixels.copy(), np.eye(2, 3), turn)


def test_a_missing_yunet_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"there is no YuNet file .*yunet\.onnx"):
        LandmarkFinder(tmp_path / "yunet.onnx")


def test_a_file_that_is_no_network_is_refused(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "yunet.onnx"
    path.write_bytes(b"no network")
    with pytest.raises(InputError, match="is not a YuNet ONNX file"):
        LandmarkFinder(path)
