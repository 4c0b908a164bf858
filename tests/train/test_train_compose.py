"""Masks moved onto other faces, and the landmarks that they are moved by."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from maskwatch_edge.classifier import resized
from maskwatch_edge.contract import WITH_MASK, WITHOUT_MASK
from maskwatch_edge.dataset import LabelledFace
from maskwatch_edge.errors import InputError
from maskwatch_edge.pictures import read_picture
from maskwatch_train.compose import (
    MASK_OUTLINE,
    RECIPES,
    AlignedFace,
    Recipe,
    compose_samples,
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


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_piece_lies_where_its_recipe_says(recipe: Recipe) -> None:
    lender, wearer = plain_face(255), plain_face(0)
    for seed in range(20):
        picture = lay_piece(lender, wearer, recipe, np.random.default_rng(seed))
        rows = np.flatnonzero(picture[:, PATCH_SIZE // 2, 0] > 0) / PATCH_SIZE
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


def plain_face(value: int) -> AlignedFace:
    pixels = resized(np.full((8, 8, 3), value, dtype=np.uint8), PATCH_SIZE)
    face = LabelledFace(Path("plain"), WITH_MASK, "kaggle")
    return AlignedFace(Sample(pixels, (0.1, 0.1, 0.9, 0.9), pixels, face, 0), pixels, np.eye(2, 3))


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
