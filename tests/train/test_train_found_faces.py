"""Annotated faces as a finder boxes them: which are added, to what, and what is told of it."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.classifier import face_crop
from maskwatch_edge.contract import FACE_MARGIN
from maskwatch_edge.dataset import content_digest, read_frames
from maskwatch_edge.models import shipped_finder
from maskwatch_edge.pictures import read_picture
from maskwatch_train.config import TrainingConfig
from maskwatch_train.found_faces import MIN_IOU, BoxFinder
from maskwatch_train.model_card import model_card
from maskwatch_train.options import SHIPPED
from maskwatch_train.run import learned_samples
from maskwatch_train.samples import DataSet, load_data_set
from maskwatch_train.splits import SPLITS, TRAIN, Division

from .conftest import KERAS_AND_NUMPY, FinderOf, maskwatch, tiny_training, write_faces

pytestmark = pytest.mark.filterwarnings(KERAS_AND_NUMPY)

TINY_FINDER = Path(__file__).parents[1] / "data" / "tiny-finder-int8.tflite"
FRAME = np.zeros((200, 200, 3), np.uint8)

MASKED, UNMASKED = FaceBox(14, 12, 64, 76), FaceBox(76, 14, 136, 80)
"""How the finder of these tests boxes two of the three larger faces of the drawn frames."""

TINY_FACE = FaceBox(150, 150, 165, 190)
"""And the one that is too small to learn from."""


def box_finder(*boxes: FaceBox, sha256: str = "ab12") -> BoxFinder:
    return BoxFinder(FinderOf(boxes), sha256)


def load(*folders: Path, finder: BoxFinder | None = None) -> DataSet:
    return load_data_set(folders, Division(1, 0.3, 0.3), input_size=32, finder=finder)


def content(data: DataSet, split: str) -> list[tuple[str, bytes]]:
    return [(sample.face.identity, sample.crop.tobytes()) for sample in data.splits[split]]


@pytest.mark.parametrize(
    ("faces", "found", "expected"),
    [
        # The same box, and none.
        ([(0, 0, 50, 50)], [(0, 0, 50, 50)], {0: 0}),
        ([(0, 0, 50, 50)], [], {}),
        # A little beside it; far beside it: a third of both, below MIN_IOU.
        ([(0, 0, 50, 50)], [(10, 0, 60, 50)], {0: 0}),
        ([(0, 0, 50, 50)], [(25, 0, 75, 50)], {}),
        # Of two boxes the one that fits better, wherever the finder lists it.
        ([(0, 0, 50, 50)], [(10, 0, 60, 50), (2, 0, 52, 50)], {0: 1}),
        # One box for two faces: the face that it fits better has it.
        ([(0, 0, 50, 50), (10, 0, 60, 50)], [(9, 0, 59, 50)], {1: 0}),
        # Two of each, crossed.
        ([(0, 0, 50, 50), (100, 0, 150, 50)], [(101, 0, 151, 50), (0, 1, 50, 51)], {0: 1, 1: 0}),
    ],
)
def test_a_face_is_matched_with_the_box_that_fits_it_best(
    faces: list[tuple[int, int, int, int]],
    found: list[tuple[int, int, int, int]],
    expected: dict[int, int],
) -> None:
    boxes = [FaceBox(*edges, score=0.9) for edges in found]
    matches = box_finder(*boxes).match(FRAME, [FaceBox(*edges) for edges in faces])
    assert matches == {row: boxes[column] for row, column in expected.items()}


def test_every_found_face_of_the_training_split_is_added_as_it_was_found(frames: Path) -> None:
    data = load(frames, finder=box_finder(MASKED, UNMASKED))
    learned = {sample.face for sample in data.splits[TRAIN]}
    assert len(data.found) == 2 * len({face.path for face in learned})
    for sample in data.found:
        assert sample.face in learned
        assert sample.label_index == sample.face.label_index
        box = MASKED if sample.face.label == "with_mask" else UNMASKED
        pixels = read_picture(sample.face.path)
        np.testing.assert_array_equal(sample.crop, face_crop(pixels, box, FACE_MARGIN, 32))


def test_a_face_that_is_too_small_to_learn_from_is_not_added(frames: Path) -> None:
    assert load(frames, finder=box_finder(TINY_FACE)).found == []


def test_no_split_changes_for_a_finder(frames: Path) -> None:
    without, with_it = load(frames), load(frames, finder=box_finder(MASKED, UNMASKED))
    for split in SPLITS:
        assert content(with_it, split) == content(without, split)
    for key in ("counts", "identities"):
        assert with_it.report[key] == without.report[key]


def test_only_annotated_frames_of_the_training_split_are_searched(
    frames: Path, tmp_path: Path
) -> None:
    finder = FinderOf([MASKED])
    data = load(frames, write_faces(tmp_path / "crops", 20, 5000), finder=BoxFinder(finder, "ab12"))
    paths = {s.face.path for s in data.splits[TRAIN] if s.face.layout == "frames"}
    assert finder.seen == [(200, 200, 3)] * len(paths)


def test_the_report_tells_of_the_finder_and_of_what_it_added(frames: Path) -> None:
    data = load(frames, finder=box_finder(MASKED))
    count = len(data.splits[TRAIN])
    assert data.report["boxed_by_finder"] == {
        "finder_sha256": "ab12",
        "min_iou": MIN_IOU,
        "annotated_faces": count,
        "faces_added": count // 3,
    }
    assert load(frames).report["boxed_by_finder"] is None


def test_the_fingerprint_names_the_file_of_the_finder_not_its_boxes(frames: Path) -> None:
    finders = [
        None,
        box_finder(MASKED),
        box_finder(UNMASKED),  # as on another processor, where the boxes differ a little
        box_finder(MASKED, sha256="cd34"),
    ]
    plain, one, again, other = (load(frames, finder=finder).fingerprint for finder in finders)
    assert one == again
    assert len({plain, one, other}) == 3


def missing(path: Path) -> None:
    path.unlink(missing_ok=True)


def cut_off(path: Path) -> None:
    path.write_bytes(TINY_FINDER.read_bytes()[:-100])


def no_model(path: Path) -> None:
    path.write_text("no model")


def classifier(path: Path) -> None:
    shutil.copy(TINY_FINDER.with_name("tiny-int8.tflite"), path)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (missing, "there is no finder file .*f.tflite; expected shipped, or a .tflite"),
        (cut_off, "f.tflite: .*carries no readable contract"),
        (no_model, "f.tflite is not a TFLite file"),
        (classifier, "holds a mask classifier; expected a face finder"),
    ],
)
def test_a_finder_that_cannot_be_used_ends_in_one_line_before_any_data_is_read(
    spoil: Any, message: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "f.tflite"
    spoil(path)
    nowhere, run = tmp_path / "nowhere", tmp_path / "run"
    assert maskwatch([*tiny_training(nowhere, run), "--finder", str(path)]) == 1
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("maskwatch train: error: ")
    assert re.search(message, line)
    assert not run.exists()


def test_the_word_shipped_opens_the_finder_that_comes_with_maskwatch() -> None:
    assert BoxFinder.open(SHIPPED).sha256 == content_digest(shipped_finder())


def test_what_was_found_is_shown_as_often_as_what_people_boxed(frames: Path) -> None:
    data = load(frames, finder=box_finder(MASKED, UNMASKED))
    shown = learned_samples(data, TrainingConfig(frame_repeats=2), None)
    assert len(shown) == len(data.splits[TRAIN]) + len(data.found)
    assert {sample.repeats for sample in shown[-len(data.found) :]} == {2}


def test_a_run_without_a_finder_does_not_go_on_with_one(
    finished_run: Path, small_set: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    command = [*tiny_training(small_set, finished_run), "--resume", "--finder", str(TINY_FINDER)]
    assert maskwatch(command) == 1
    assert "was started on other data" in capfd.readouterr().err


def test_the_model_card_tells_of_the_finder(finished_run: Path, frames: Path) -> None:
    figures = json.loads((finished_run / "metrics.json").read_text())
    report = load(frames, finder=box_finder(MASKED)).report
    count = report["boxed_by_finder"]["annotated_faces"]
    card = model_card(figures, report)
    assert f"{count // 3} of the {count} boxed faces of the training split are learned once" in card
    assert "`ab12`" in card
    assert "face finder of SHA-256" not in model_card(figures, load(frames).report)


def test_the_shipped_finder_boxes_most_faces_of_real_frames_anew(
    shared: Path, tmp_path: Path
) -> None:
    source = shared / "data" / "mask-frames"
    for frame in read_frames(source)[:40]:
        for path in (frame.path, source / "annotations" / f"{frame.path.stem}.xml"):
            copy = tmp_path / path.relative_to(source)
            copy.parent.mkdir(exist_ok=True)
            shutil.copy(path, copy)
    data = load(tmp_path, finder=BoxFinder.open(SHIPPED))
    report = data.report["boxed_by_finder"]
    assert report["faces_added"] == len(data.found) > 0.7 * report["annotated_faces"]
    boxed = {sample.face.identity: sample.crop for sample in data.splits[TRAIN]}
    moved = [np.any(sample.crop != boxed[sample.face.identity]) for sample in data.found]
    assert np.mean(moved) > 0.9  # it boxes nearly all a little otherwise than people did
