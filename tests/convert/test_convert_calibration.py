"""Which faces calibrate and score a model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from maskwatch_convert.calibration import choose_crops, find_faces
from maskwatch_convert.training_run import TrainingRun
from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.classifier import face_crop, resized
from maskwatch_edge.contract import FACE_MARGIN, LABELS, WITH_MASK, WITHOUT_MASK
from maskwatch_edge.crops import read_crops
from maskwatch_edge.dataset import LabelledFace, read_faces
from maskwatch_edge.errors import InputError
from maskwatch_edge.pictures import read_picture

from .conftest import SIZE, paint

LARGE, SMALL, CUT_OFF = (4, 4, 24, 24), (30, 4, 40, 40), (20, 20, 48, 60)
ANNOTATION = """<annotation>{}</annotation>"""
OBJECT = """<object><name>{}</name><bndbox><xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax>
<ymax>{}</ymax></bndbox></object>"""


def a_run(fitted: set[str], held_out: set[str]) -> TrainingRun:
    return TrainingRun(Path("model.keras"), frozenset(fitted), frozenset(held_out), "f", "train")


def identities(folder: Path) -> dict[str, LabelledFace]:
    return {face.identity: face for face in read_faces(folder)}


def numbered(folder: Path, numbers: str) -> set[str]:
    return {name for name, face in identities(folder).items() if face.path.stem in numbers}


@pytest.fixture
def frames(tmp_path: Path) -> Path:
    """Give one annotated frame of 40 x 40 px with three faces."""
    folder = tmp_path / "frames"
    for name in ("images", "annotations"):
        (folder / name).mkdir(parents=True)
    paint(folder / "images" / "one.png", WITH_MASK, seed=1)
    objects = [
        OBJECT.format(WITH_MASK, *LARGE),
        OBJECT.format(WITHOUT_MASK, *SMALL),
        OBJECT.format("mask_weared_incorrect", *CUT_OFF),
    ]
    (folder / "annotations" / "one.xml").write_text(ANNOTATION.format("".join(objects)))
    return folder


def test_faces_of_the_training_are_told_from_those_held_out(
    pictures: Path, warnings: list[str]
) -> None:
    run = a_run(fitted=numbered(pictures, "012"), held_out=numbered(pictures, "34"))
    found = find_faces([pictures], run, warnings.append)
    assert {face.path.stem for face in found.fitted.values()} == set("012")
    assert {face.path.stem for face in found.held_out.values()} == set("34")


def test_a_picture_that_is_there_twice_counts_once(pictures: Path, warnings: list[str]) -> None:
    run = a_run(fitted=numbered(pictures, "0"), held_out=numbered(pictures, "3"))
    copy = pictures / WITH_MASK / "copy-of-3.png"
    copy.write_bytes((pictures / WITH_MASK / "3.png").read_bytes())
    found = find_faces([pictures, pictures], run, warnings.append)
    assert len(found.held_out) == len(LABELS)


@pytest.mark.parametrize(
    ("fitted", "held_out", "reason"),
    [
        ("", "1", "fitted to shows with_mask"),  # pictures that the training never saw
        ("0", "", "held out shows with_mask"),  # a part of the data was not given
    ],
)
def test_a_split_without_faces_is_refused(
    fitted: str, held_out: str, reason: str, pictures: Path, warnings: list[str]
) -> None:
    run = a_run(numbered(pictures, fitted), numbered(pictures, held_out))
    with pytest.raises(InputError, match=reason):
        find_faces([pictures], run, warnings.append)


def test_a_split_with_one_label_only_is_refused(pictures: Path, warnings: list[str]) -> None:
    masked = {name for name, face in identities(pictures).items() if face.label == WITH_MASK}
    run = a_run(fitted=masked, held_out=numbered(pictures, "1"))
    with pytest.raises(InputError, match="fitted to shows without_mask"):
        find_faces([pictures], run, warnings.append)


def test_annotated_faces_below_16_px_are_left_out(
    frames: Path, pictures: Path, warnings: list[str]
) -> None:
    names = set(identities(frames))
    assert len(names) == 3
    run = a_run(fitted=names, held_out=numbered(pictures, "1"))
    found = find_faces([frames, pictures], run, warnings.append)
    assert [face.box and face.box.xyxy for face in found.fitted.values()] == [LARGE, CUT_OFF]


def test_boxed_faces_are_cut_as_on_the_board_and_whole_pictures_scaled(
    frames: Path, pictures: Path, warnings: list[str]
) -> None:
    whole = read_faces(pictures)[:1]
    large, _, cut_off = read_faces(frames)
    crops = [crop for _, crop in read_crops([*whole, large, cut_off], SIZE, warnings.append)]
    frame = read_picture(frames / "images" / "one.png")
    inside = FaceBox(20, 20, 40, 40)
    assert np.array_equal(crops[0], resized(read_picture(whole[0].path), SIZE))
    assert np.array_equal(crops[1], face_crop(frame, FaceBox(*LARGE), FACE_MARGIN, SIZE))
    assert np.array_equal(crops[2], face_crop(frame, inside, FACE_MARGIN, SIZE))


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (4, 4),  # two of each label
        (5, 6),  # an odd number is rounded up
        (1, 2),  # never one label alone
        (400, 8),  # there are four without mask: so no more with
    ],
)
def test_calibration_is_balanced(
    count: int, expected: int, pictures: Path, warnings: list[str]
) -> None:
    for number in range(4, 8):
        (pictures / WITHOUT_MASK / f"{number}.png").unlink()
    crops = choose_crops(identities(pictures), SIZE, count, seed=1, warn=warnings.append)
    greenish = [crop[..., 1].mean() > crop[..., 0].mean() for crop in crops]
    assert len(crops) == expected
    assert greenish == [True, False] * (expected // 2)


def test_the_draw_follows_the_seed(pictures: Path, warnings: list[str]) -> None:
    faces = identities(pictures)
    draws = [choose_crops(faces, SIZE, 4, seed, warnings.append) for seed in (1, 1, 2)]
    assert np.array_equal(draws[0], draws[1])
    assert not np.array_equal(draws[0], draws[2])


def test_a_picture_that_cannot_be_decoded_is_named_and_another_drawn(
    pictures: Path, warnings: list[str]
) -> None:
    faces = identities(pictures)
    broken = pictures / WITH_MASK / "0.png"
    broken.write_text("no picture")
    crops = choose_crops(faces, SIZE, 400, seed=1, warn=warnings.append)
    assert warnings == [f"skipped: {broken} is not a readable picture (JPEG, PNG, BMP or WebP)"]
    assert len(crops) == 14


def test_a_label_of_which_nothing_can_be_decoded_is_an_error(
    pictures: Path, warnings: list[str]
) -> None:
    faces = identities(pictures)
    for path in (pictures / WITH_MASK).iterdir():
        path.write_bytes(b"")
    with pytest.raises(InputError, match="no face with_mask can be read"):
        choose_crops(faces, SIZE, 4, seed=1, warn=warnings.append)


@pytest.fixture
def warnings() -> list[str]:
    """Give a list to collect what is told of unreadable pictures."""
    return []
