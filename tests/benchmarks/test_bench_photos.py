"""Finders on held-out photographs: what is asked of them, what counts, and with what."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from benchmarks.photos import headline, held_out, measure
from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.errors import InputError
from maskwatch_edge.frame import Pixels
from maskwatch_train.splits import Division

ROOT = Path(__file__).parents[2]
PHOTOGRAPHS = [np.zeros((100, 400, 3), np.uint8)] * 2


class FinderOf:
    """Finds the same faces in every picture."""

    def __init__(self, *faces: FaceBox) -> None:
        self._faces = faces

    def find(self, pixels: Pixels) -> list[FaceBox]:
        return list(self._faces)


def box_at(place: int, score: float) -> FaceBox:
    return FaceBox(100 * place, 0, 100 * place + 50, 50, score)


@pytest.mark.parametrize(
    ("found", "ap50", "told", "astray"),
    [
        ([], "0.000", "0 of 2", "0"),
        ([box_at(0, 0.9)], "1.000", "2 of 2", "0"),
        ([box_at(0, 0.9), box_at(1, 0.8)], "1.000", "2 of 2", "0"),  # YuNet doubts that one
        ([box_at(0, 0.3), box_at(2, 0.2)], "1.000", "0 of 2", "0"),  # ranked, but not counted
        ([box_at(0, 0.6), box_at(2, 0.9)], "0.500", "2 of 2", "2"),
    ],
)
def test_faces_of_which_yunet_is_sure_are_asked_for(
    found: Sequence[FaceBox], ap50: str, told: str, astray: str
) -> None:
    truth = FinderOf(box_at(0, 0.9), box_at(1, 0.5))
    figures = measure(iter(PHOTOGRAPHS), truth, {"one": FinderOf(*found)}, 0.4)
    assert list(headline(figures["one"]).values()) == [ap50, told, astray]


def test_only_held_out_photographs_are_looked_at(shared: Path, tmp_path: Path) -> None:
    for label in ("with_mask", "without_mask"):
        (tmp_path / "photos" / label).mkdir(parents=True)
        pictures = sorted((shared / "data" / "mask-photos" / label).iterdir())[:20]
        for picture in pictures:
            (tmp_path / "photos" / label / picture.name).symlink_to(picture)
    folds = [held_out([tmp_path / "photos"], Division(1, 0.25, 0.05, fold)) for fold in range(4)]
    looked_at = [path for fold in folds for path in fold]
    assert len(looked_at) == len(set(looked_at)) == 40
    done = run(tmp_path / "photos", shared, tmp_path / "photos.json", "--test-share", "0.25")
    assert done.returncode == 0, done.stderr
    figures = json.loads((tmp_path / "photos.json").read_text())
    assert figures["photographs"] == len(folds[0])
    (one,) = figures["finders"].values()
    assert one["counted"]["frames"] == len(folds[0])
    assert one["counted"]["faces"] > 0
    assert one["counted"]["recall"] > 0.8


def test_data_without_photographs_is_told_in_one_line(shared: Path, tmp_path: Path) -> None:
    done = run(shared / "data" / "mask-frames", shared, tmp_path / "photos.json")
    assert done.returncode == 1
    assert done.stderr.startswith("photos: no plain folder")
    assert len(done.stderr.splitlines()) == 1
    with pytest.raises(InputError, match="no plain folder"):
        held_out([shared / "data" / "mask-frames"], Division(1, 0.2, 0.05))


def run(data: Path, shared: Path, output: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the benchmark as a user does."""
    yunet = shared / "weights" / "face_detection_yunet_2023mar.onnx"
    finder = ROOT / "models" / "maskwatch-finder-int8.tflite"
    words = (data, "--yunet", yunet, "--finder", finder, "--json", output, *options)
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.photos", *map(str, words)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
