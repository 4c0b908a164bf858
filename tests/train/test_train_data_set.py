"""From folders to samples in splits: what is read, skipped, left out, refused and reported."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.classifier import face_crop, resized
from maskwatch_edge.contract import FACE_MARGIN
from maskwatch_edge.dataset import WORN_WRONG, LabelledFace
from maskwatch_edge.errors import InputError
from maskwatch_edge.pictures import read_picture, write_picture
from maskwatch_train.samples import (
    PATCH_SIZE,
    DataSet,
    cut_sample,
    load_data_set,
    with_repeats,
)
from maskwatch_train.splits import SPLITS, TEST, TRAIN, VALIDATION, Division

from .conftest import draw_face, write_faces, write_frame

KAGGLE_NAMES = ("WithMask", "WithoutMask")


DIVISION = Division(seed=1, test_share=0.3, validation_share=0.3)
"""Its shares give small sets enough of each split."""


def load(
    *folders: Path,
    division: Division = DIVISION,
    learned_before: Collection[str] = (),
    warn: Callable[[str], None] = lambda _: None,
) -> DataSet:
    return load_data_set(folders, division, input_size=32, learned_before=learned_before, warn=warn)


def paths_of(data: DataSet, split: str) -> set[str]:
    return {sample.face.path.name for sample in data.splits[split]}


def write_kaggle(folder: Path) -> Path:
    write_faces(folder / "Train", 12, 0, KAGGLE_NAMES)
    write_faces(folder / "Validation", 4, 1000, KAGGLE_NAMES)
    return folder


def test_every_picture_is_in_one_split(small_set: Path) -> None:
    data = load(small_set)
    names = [paths_of(data, split) for split in SPLITS]
    assert sum(map(len, names)) == len(set.union(*names)) == 120
    assert data.report["pictures"] == 120
    assert data.report["left_out_because_a_twin_is_held_out"] == []


def test_samples_have_the_sizes_of_patch_and_input(small_set: Path) -> None:
    for sample in load(small_set).splits[TRAIN]:
        assert sample.patch.shape == (PATCH_SIZE, PATCH_SIZE, 3)
        assert sample.crop.shape == (32, 32, 3)
        assert sample.label_index == sample.face.label_index


def test_a_picture_of_train_with_a_twin_in_validation_is_left_out(tmp_path: Path) -> None:
    folder = write_kaggle(tmp_path / "kaggle")
    held_out = folder / "Validation" / "WithMask" / "WithMask-1000.png"
    twin = folder / "Train" / "WithMask" / "again.jpg"
    mirrored = folder / "Train" / "WithMask" / "mirrored.png"
    picture = read_picture(held_out)
    write_picture(twin, resized(picture, 90))
    write_picture(mirrored, np.ascontiguousarray(picture[:, ::-1]))

    data = load(folder)

    assert data.report["left_out_because_a_twin_is_held_out"] == [str(twin), str(mirrored)]
    assert held_out.name in paths_of(data, TEST)
    assert not {twin.name, mirrored.name} & (paths_of(data, TRAIN) | paths_of(data, VALIDATION))
    assert data.report["twin_groups"] == 1
    assert data.report["pictures_with_a_twin"] == data.report["largest_twin_group"] == 3


def test_changed_copies_of_one_picture_are_in_one_split(tmp_path: Path) -> None:
    folder = write_kaggle(tmp_path / "kaggle")
    pictures = sorted((folder / "Train").rglob("*.png"))
    masked = [path for path in pictures if path.parent.name == "WithMask"]
    bare = [path for path in pictures if path.parent.name == "WithoutMask"]
    held_out = next((folder / "Validation" / "WithMask").iterdir())
    held_out.rename(held_out.with_name("Augmented_7_123.png"))
    copies = [masked[0].rename(masked[0].with_name("Augmented_7_4.png"))]
    bare[0].rename(bare[0].with_name("Augmented_7_56.png"))  # of another class: another picture
    masked[1].rename(masked[1].with_name("Augmented_70_8.png"))

    data = load(folder)

    assert data.report["left_out_because_a_twin_is_held_out"] == list(map(str, copies))
    assert "Augmented_7_123.png" in paths_of(data, TEST)
    learned = paths_of(data, TRAIN) | paths_of(data, VALIDATION)
    assert {"Augmented_7_56.png", "Augmented_70_8.png"} <= learned
    assert data.report["twin_groups"] == 1
    assert data.report["scored_with_a_copy_that_is_learned"] == 0

    published = load(folder, division=replace(DIVISION, copies_apart=False))
    assert published.report["left_out_because_a_twin_is_held_out"] == []
    assert published.report["scored_with_a_copy_that_is_learned"] == 1
    assert "Augmented_7_4.png" in paths_of(published, TRAIN) | paths_of(published, VALIDATION)


def test_the_report_counts_every_sample_by_split_and_kind(frames: Path, tmp_path: Path) -> None:
    data = load(frames, write_faces(tmp_path / "folders", 20, 5000))
    counts = data.report["counts"]
    total = {
        kind: sum(counts[split].get(kind, 0) for split in SPLITS)
        for kind in counts[TRAIN] | counts[TEST]
    }
    assert total == {
        "folders/with_mask": 20,
        "folders/without_mask": 20,
        "frames/with_mask": 20,
        "frames/without_mask": 20,
        f"frames/{WORN_WRONG}": 20,
    }
    assert {split: sum(kinds.values()) for split, kinds in counts.items()} == {
        split: len(samples) for split, samples in data.splits.items()
    }
    for split in SPLITS:
        identities = [sample.face.identity for sample in data.splits[split]]
        assert data.report["identities"][split] == sorted(identities)


def test_all_faces_of_a_frame_are_in_one_split(frames: Path) -> None:
    names = [paths_of(load(frames), split) for split in SPLITS]
    assert sum(map(len, names)) == len(set.union(*names)) == 20


def test_what_an_earlier_run_learned_is_neither_scored_nor_chosen_by(small_set: Path) -> None:
    first = load(small_set)
    known = set(first.report["identities"][TRAIN][::2])
    for fold in range(1, 3):
        again = load(small_set, division=replace(DIVISION, fold=fold), learned_before=known)
        scored = {s.face.identity for split in (VALIDATION, TEST) for s in again.splits[split]}
        assert scored
        assert not scored & known
        left_out = again.report["left_out_because_learned_before"]
        assert left_out
        assert known.issuperset(left_out)
        assert again.report["identities"]["learned_before"] == sorted(known)


def test_the_fingerprint_names_content_not_place(small_set: Path, tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere"
    shutil.copytree(small_set, copy)
    assert load(copy).fingerprint == load(small_set).fingerprint


def test_the_fingerprint_changes_with_a_label_and_with_the_seed(
    small_set: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "relabelled"
    shutil.copytree(small_set, copy)
    path = next((copy / "with_mask").iterdir())
    path.rename(copy / "without_mask" / path.name)
    prints = {load(small_set).fingerprint, load(copy).fingerprint}
    prints.add(load(small_set, division=replace(DIVISION, seed=2)).fingerprint)
    assert len(prints) == 3


def test_an_unreadable_picture_is_named_and_skipped(small_set: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(small_set, copy)
    broken = copy / "with_mask" / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff\xe0 cut off")
    warnings: list[str] = []
    data = load(copy, warn=warnings.append)
    assert len(warnings) == 1
    assert str(broken) in warnings[0]
    assert data.report["unreadable"] == [str(broken)]
    assert data.report["pictures"] == 120


def test_more_than_one_per_cent_unreadable_is_an_error(small_set: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(small_set, copy)
    for name in ("a.jpg", "b.jpg"):
        (copy / "with_mask" / name).touch()
    with pytest.raises(
        InputError, match=r"2 of 122 pictures cannot be read, the first is .*a\.jpg"
    ):
        load(copy)


def empty_class(folder: Path) -> None:
    for path in (folder / "without_mask").iterdir():
        path.unlink()


def remove_class(folder: Path) -> None:
    shutil.rmtree(folder / "without_mask")


def empty_folder(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


def remove_folder(folder: Path) -> None:
    shutil.rmtree(folder)


def forget_annotation(folder: Path) -> None:
    empty_folder(folder)
    write_frame(folder, "a", 1, {FaceBox(0, 0, 50, 50): "with_mask"})
    (folder / "annotations" / "a.xml").unlink()


def leave_too_few(folder: Path) -> None:
    for path in sorted((folder / "without_mask").iterdir())[1:]:
        path.unlink()


def box_nothing(folder: Path) -> None:
    empty_folder(folder)
    write_frame(folder, "a", 1, {})


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (empty_class, "without_mask holds no pictures"),
        (remove_class, "lacks the class folder without_mask/"),
        (empty_folder, "holds no known layout"),
        (remove_folder, "is not a folder"),
        (forget_annotation, "a.png has no annotation; expected .*a.xml"),
        (leave_too_few, "split holds .* of 1 classes; expected both"),
        (box_nothing, "split holds 0 faces of 0 classes; expected both"),
    ],
)
def test_unusable_data_is_refused_in_one_line(spoil: Any, message: str, tmp_path: Path) -> None:
    folder = write_faces(tmp_path / "data", 10)
    spoil(folder)
    with pytest.raises(InputError, match=message) as caught:
        load(folder)
    assert "\n" not in str(caught.value)


def test_a_boxed_face_is_cut_as_the_board_cuts_it() -> None:
    pixels = draw_face(1, masked=False, side=200)
    box = FaceBox(50, 60, 110, 140)
    sample = cut_sample(pixels, LabelledFace(Path("a.png"), "with_mask", "frames", box), box, 32)
    assert sample is not None
    np.testing.assert_array_equal(sample.crop, face_crop(pixels, box, FACE_MARGIN, 32))


def test_the_inner_edges_say_where_the_face_is_in_its_patch() -> None:
    pixels = np.zeros((200, 300, 3), dtype=np.uint8)
    box = FaceBox(0, 60, 80, 140)  # touches the left edge of the frame: no context there
    pixels[box.y1 : box.y2, box.x1 : box.x2] = 255
    face = LabelledFace(Path("a.png"), "with_mask", "frames", box)
    sample = cut_sample(pixels, face, box, 32)
    assert sample is not None
    x1, y1, x2, y2 = (round(edge * PATCH_SIZE) for edge in sample.inner)
    assert x1 == 0
    assert sample.patch[y1 + 2 : y2 - 2, x1 : x2 - 2].min() == 255
    assert cv2.countNonZero(sample.patch[..., 0]) == pytest.approx((x2 - x1) * (y2 - y1), rel=0.05)


def test_a_box_outside_its_picture_gives_no_sample() -> None:
    pixels = np.zeros((50, 50, 3), dtype=np.uint8)
    box = FaceBox(60, 60, 90, 90)
    face = LabelledFace(Path("a.png"), "with_mask", "frames", box)
    assert cut_sample(pixels, face, box, 32) is None


def test_faces_of_frames_are_shown_more_often_and_masks_worn_wrong_most(
    frames: Path, tmp_path: Path
) -> None:
    samples = load(frames, write_faces(tmp_path / "folders", 20, 5000)).splits[TRAIN]
    for sample in with_repeats(samples, frame_repeats=3, worn_wrong_repeats=5):
        if sample.face.layout == "folders":
            assert sample.repeats == 1
        else:
            expected = 15 if sample.face.worn_wrong else 3
            assert sample.repeats == expected
