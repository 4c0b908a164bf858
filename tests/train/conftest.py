"""What the tests of training share: drawn faces, a small data set, and one finished run."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest

from maskwatch_edge.__main__ import main
from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.dataset import MIN_FACE_SIZE, WORN_WRONG
from maskwatch_edge.frame import Pixels
from maskwatch_edge.pictures import write_picture

KERAS_AND_NUMPY = "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
"""Keras 3.15 saves a network with a call that numpy 2 deprecates."""

PER_CLASS = 60
TINY_TRAINING = (
    "--weights none --size 32 --alpha 0.35 --head gap --frozen-blocks 16 --epochs 4 --patience 9 "
    "--batch-size 16 --test-share 0.3 --validation-share 0.3 --seed 3"
)
EPOCHS = 5
"""Of both stages of that training."""


@dataclass
class FinderOf:
    """Finds the same boxes in every frame, and remembers how many frames it was shown."""

    boxes: Sequence[FaceBox]
    seen: list[tuple[int, ...]] = field(default_factory=list)

    def find(self, pixels: Pixels) -> list[FaceBox]:
        self.seen.append(pixels.shape)
        return list(self.boxes)


def draw_face(seed: int, *, masked: bool, side: int = 48) -> Pixels:
    """Draw random soft colours, which have no twin by chance, with a pale patch for a mask."""
    rng = np.random.default_rng(seed)
    colours = rng.integers(0, 256, (6, 6, 3), dtype=np.uint8)
    picture = cv2.resize(colours, (side, side), interpolation=cv2.INTER_LINEAR).astype(np.uint8)
    if masked:
        mask = picture[side // 2 : -side // 8, side // 6 : -side // 6]
        mask[:] = mask // 4 + np.array([190, 160, 100], dtype=np.uint8)
    return picture


def write_faces(
    folder: Path,
    count: int,
    first_seed: int = 0,
    names: tuple[str, str] = ("with_mask", "without_mask"),
) -> Path:
    """Write `count` faces of each class into two folders, and return the folder around them."""
    for place, name in enumerate(names):
        for seed in range(first_seed + place, first_seed + 2 * count, 2):
            picture = draw_face(seed, masked=place == 0)
            write_picture(folder / name / f"{name}-{seed}.png", picture)
    return folder


def write_frame(folder: Path, name: str, seed: int, boxes: dict[FaceBox, str]) -> None:
    """Write a frame with its annotation in Pascal VOC."""
    write_picture(folder / "images" / f"{name}.png", draw_face(seed, masked=False, side=200))
    root = ElementTree.Element("annotation")
    for box, label in boxes.items():
        item = ElementTree.SubElement(root, "object")
        ElementTree.SubElement(item, "name").text = label
        edges = ElementTree.SubElement(item, "bndbox")
        for edge, value in zip(("xmin", "ymin", "xmax", "ymax"), box.xyxy, strict=True):
            ElementTree.SubElement(edges, edge).text = str(value)
    (folder / "annotations").mkdir(exist_ok=True)
    ElementTree.ElementTree(root).write(folder / "annotations" / f"{name}.xml")


def tiny_training(data: Path, run: Path) -> list[str]:
    """Return the command line of a training of seconds, without the program's name."""
    return ["train", str(data), "--out", str(run), *TINY_TRAINING.split()]


def maskwatch(arguments: Sequence[str]) -> int:
    """Run the program in this process and return its exit code."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["maskwatch", *arguments])
        return main(arguments)


def history_of(run: Path) -> list[dict[str, Any]]:
    """Return what a run has saved of each epoch, nothing if it has not begun."""
    path = run / "checkpoints" / "state.json"
    return list(json.loads(path.read_text())["history"]) if path.exists() else []


@pytest.fixture(scope="session")
def small_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a data set on which a training takes seconds."""
    return write_faces(tmp_path_factory.mktemp("data") / "small", PER_CLASS)


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory, small_set: Path) -> Path:
    """Give the folder of a training that was never interrupted; leave it as it is."""
    run = tmp_path_factory.mktemp("runs") / "finished"
    assert maskwatch(tiny_training(small_set, run)) == 0
    return run


@pytest.fixture
def frames(tmp_path: Path) -> Path:
    """Give 20 frames of four faces each, one of them too small to learn from."""
    folder = tmp_path / "frames"
    boxes = {
        FaceBox(10, 10, 60, 70): "with_mask",
        FaceBox(80, 10, 140, 80): "without_mask",
        FaceBox(20, 100, 80, 180): WORN_WRONG,
        FaceBox(150, 150, 150 + MIN_FACE_SIZE - 1, 190): "with_mask",
    }
    for number in range(20):
        write_frame(folder, f"frame{number}", number, boxes)
    return folder
