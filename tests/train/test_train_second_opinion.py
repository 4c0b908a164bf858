"""Training faces filed under the wrong class are left out, and reported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.contract import WITH_MASK
from maskwatch_edge.dataset import LabelledFace
from maskwatch_edge.pictures import write_picture
from maskwatch_train.samples import TEST, TRAIN, VALIDATION, DataSet, Sample, cut_sample
from maskwatch_train.samples import with_train_split as with_report
from maskwatch_train.second_opinion import CONTRADICTION, leave_out_contradicted

SIZE = 32


class FakeNetwork:
    """Answers as it is told: the probability of "without mask" is the brightness of the crop."""

    def predict(self, crops: npt.NDArray[np.float32], **_: Any) -> npt.NDArray[np.float64]:
        assert crops.shape[1:] == (SIZE, SIZE, 3)
        bare = crops.mean(axis=(1, 2, 3)).astype(float) / 255.0
        return np.stack([1 - bare, bare], axis=1)


def sample(folder: Path, brightness: float, box: FaceBox | None = None) -> Sample:
    path = folder / f"{brightness}-{box is None}.png"
    pixels = np.full((40, 40, 3), round(255 * brightness), dtype=np.uint8)
    write_picture(path, pixels)
    layout = "folders" if box is None else "frames"
    made = cut_sample(pixels, LabelledFace(path, WITH_MASK, layout, box=box), box, SIZE)
    assert made is not None
    return made


def data_set(train: list[Sample], held_out: list[Sample]) -> DataSet:
    splits = {TRAIN: train, VALIDATION: held_out, TEST: held_out}
    return with_report(DataSet(splits, {}), train)


def test_only_whole_training_pictures_that_are_surely_contradicted_are_left_out(
    tmp_path: Path,
) -> None:
    agreed = sample(tmp_path, 0.1)
    doubtful = sample(tmp_path, CONTRADICTION - 0.05)
    contradicted = sample(tmp_path, CONTRADICTION + 0.05)
    annotated = sample(tmp_path, 1.0, FaceBox(4, 4, 36, 36))
    held_out = [sample(tmp_path, 0.99)]
    before = data_set([agreed, doubtful, contradicted, annotated], held_out)
    after = leave_out_contradicted(before, FakeNetwork())
    assert after.splits[TRAIN] == [agreed, doubtful, annotated]
    assert after.splits[TEST] == held_out
    assert after.report["left_out_by_second_opinion"] == [str(contradicted.face.path)]


def test_the_report_and_the_fingerprint_follow(tmp_path: Path) -> None:
    contradicted = sample(tmp_path, 1.0)
    before = data_set([sample(tmp_path, 0.1), contradicted], [sample(tmp_path, 0.2)])
    after = leave_out_contradicted(before, FakeNetwork())
    assert after.fingerprint != before.fingerprint
    assert contradicted.face.identity not in after.report["identities"][TRAIN]
    assert after.report["counts"][TRAIN] == {"folders/with_mask": 1}
