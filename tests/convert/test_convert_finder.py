"""`maskwatch convert` on the run of a face finder: red squares of 48 px are its faces."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maskwatch_edge.__main__ import main
from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.contract import read_finder
from maskwatch_edge.finders.tflite import TfliteFinder
from maskwatch_edge.pictures import read_picture, write_picture

from .conftest import COMMAND, FINGERPRINT, KERAS_AND_NUMPY, RunMaker, colour_network

pytestmark = pytest.mark.filterwarnings(KERAS_AND_NUMPY)

WIDTH, HEIGHT, COUNT = 128, 96, 8
ANNOTATION = """<annotation><object><name>with_mask</name><bndbox><xmin>{}</xmin><ymin>{}</ymin>
<xmax>{}</xmax><ymax>{}</ymax></bndbox></object></annotation>"""


def red_network(*, fragile: bool = False) -> Any:
    """Build a finder that takes red for faces; a fragile one is right in float32 only."""
    import keras

    inputs = keras.Input((HEIGHT, WIDTH, 3))
    scaled = keras.layers.Rescaling(1 / 255)(inputs)
    around = keras.layers.AveragePooling2D(48, strides=8, padding="same")(scaled)
    mixed = keras.layers.Conv2D(2, 1)
    features = mixed(around)
    heat = keras.layers.Conv2D(1, 1, activation="sigmoid", name="heat")
    boxes = keras.layers.Conv2D(4, 1, activation="tanh", name="boxes")
    network = keras.Model(inputs, {"heat": heat(features), "boxes": boxes(features)})
    # A number in the thousands beside one below 1: 256 steps for both leave nothing of the latter.
    beside = 9000.0 if fragile else 0.0
    kernel = np.array([[beside, 1.0], [beside, -1.0], [beside, -1.0]]).reshape(1, 1, 3, 2)
    mixed.set_weights([kernel, np.zeros(2)])
    heat.set_weights([np.array([0.0, 10.0]).reshape(1, 1, 2, 1), np.array([-5.0])])
    boxes.set_weights([np.zeros((1, 1, 2, 4)), np.zeros(4)])
    return network


def box_of(number: int) -> FaceBox:
    x, y = 8 * (number % 4) + 16, 8 * (number // 4) + 16
    return FaceBox(x, y, x + 48, y + 48)


@pytest.fixture
def frames(tmp_path: Path) -> Path:
    folder = tmp_path / "frames"
    (folder / "annotations").mkdir(parents=True)
    for number in range(COUNT):
        box = box_of(number)
        pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        pixels[..., 2] = 200 + number
        pixels[box.y1 : box.y2, box.x1 : box.x2] = (255, 0, 0)
        write_picture(folder / "images" / f"{number}.png", pixels)
        (folder / "annotations" / f"{number}.xml").write_text(ANNOTATION.format(*box.xyxy))
    return folder


def make_finder_run(folder: Path, frames: Path, network: Any) -> Path:
    run = folder / "finder-run"
    run.mkdir()
    network.save(run / "model.keras")
    names: dict[str, list[str]] = {"train": [], "test": []}
    for number in range(COUNT):
        digest = hashlib.sha256((frames / "images" / f"{number}.png").read_bytes()).hexdigest()
        box = ",".join(map(str, box_of(number).xyxy))
        names["train" if number % 2 else "test"].append(f"{digest}:{box}")
    report = {"fingerprint": FINGERPRINT, "identities": names}
    (run / "data.json").write_text(json.dumps(report))
    (run / "metrics.json").write_text(json.dumps({"command": COMMAND, "kind": "finder"}))
    return run


@pytest.fixture
def red_run(tmp_path: Path, frames: Path) -> Path:
    """Give a finished training of `red_network`."""
    return make_finder_run(tmp_path, frames, red_network())


def convert(run: Path, data: Path, out: Path, *options: str) -> int:
    return main(["convert", str(run), "--calibrate", str(data), "--out", str(out), *options])


@pytest.mark.parametrize("variant", ["int8", "float32", "float16"])
def test_the_board_loads_a_finder_and_it_finds_faces(
    variant: str,
    red_run: Path,
    frames: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "finder.tflite"
    assert convert(red_run, frames, out, "--variant", variant) == 0
    finder = TfliteFinder(out, min_score=0.5)
    found = finder.find(read_picture(frames / "images" / "5.png"))
    assert found[0].iou(box_of(5)) > 0.6
    contract = finder.contract
    assert (contract.input_width, contract.input_height) == (WIDTH, HEIGHT)
    assert (contract.variant, contract.labels) == (variant, ("face",))
    assert (contract.data_fingerprint, contract.command) == (FINGERPRINT, COMMAND)
    assert contract.scores["ap50"] == contract.scores["float_ap50"] == 1.0
    assert contract.scores["faces"] == COUNT / 2
    said = capfd.readouterr().out.splitlines()
    assert said[0] == "4 faces of 32 px and more in 4 frames"
    assert said[1].split() == [
        "variant",
        "AP50",
        "found",
        "at",
        "score",
        "size",
        "ms",
        "a",
        "frame",
    ]
    assert [line.split()[0] for line in said[2:]] == list(dict.fromkeys(["float32", variant]))


def test_a_finder_is_made_for_another_size_of_frames(
    red_run: Path, frames: Path, tmp_path: Path
) -> None:
    out = tmp_path / "finder.tflite"
    assert convert(red_run, frames, out, "--input", "160x128") == 0
    finder = TfliteFinder(out)
    assert (finder.contract.input_width, finder.contract.input_height) == (160, 128)
    assert finder.contract.scores["ap50"] == 1.0
    assert finder.find(read_picture(frames / "images" / "5.png"))[0].iou(box_of(5)) > 0.5


@pytest.mark.parametrize("size", ["160", "160x", "0x0", "100x64", "-32x32"])
def test_a_size_that_no_finder_takes_is_refused(
    size: str, red_run: Path, frames: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        convert(red_run, frames, tmp_path / "f.tflite", f"--input={size}")
    assert "both multiples of 32 pixels, such as 256x192" in capfd.readouterr().err


def test_a_mask_model_keeps_the_size_of_its_training(
    make_run: RunMaker, frames: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run = make_run(colour_network())
    assert convert(run, frames, tmp_path / "f.tflite", "--input", "64x64") == 1
    assert "--input is for finders" in capfd.readouterr().err


def test_the_same_input_gives_the_same_bytes(red_run: Path, frames: Path, tmp_path: Path) -> None:
    one, other = tmp_path / "one.tflite", tmp_path / "other.tflite"
    assert convert(red_run, frames, one, "--samples", "2") == 0
    moved = frames.rename(tmp_path / "moved")
    assert convert(red_run, moved, other, "--samples", "2") == 0
    assert one.read_bytes() == other.read_bytes()
    assert read_finder(one)[1].KIND == "finder"


def test_a_finder_that_loses_faces_is_refused(
    tmp_path: Path, frames: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run = make_finder_run(tmp_path, frames, red_network(fragile=True))
    assert convert(run, frames, tmp_path / "f.tflite") == 1
    last = capfd.readouterr().err.splitlines()[-1]
    assert "int8 loses 100.00 points of AP50; at most 0.5 may be lost" in last
    assert not (tmp_path / "f.tflite").exists()


def test_frames_of_another_training_are_refused(
    red_run: Path, frames: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for path in sorted((frames / "images").iterdir()):
        write_picture(path, 255 - read_picture(path))
    assert convert(red_run, frames, tmp_path / "f.tflite") == 1
    assert "holds none of the annotated frames that the run" in capfd.readouterr().err


def test_a_network_of_the_other_kind_is_refused(
    make_run: RunMaker,
    red_run: Path,
    frames: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    (make_run(colour_network()) / "model.keras").replace(red_run / "model.keras")
    assert convert(red_run, frames, tmp_path / "f.tflite") == 1
    assert "must take frames of one size and give a heat map" in capfd.readouterr().err


def test_a_run_of_an_unknown_kind_is_refused(
    red_run: Path, frames: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (red_run / "metrics.json").write_text(json.dumps({"command": COMMAND, "kind": "oracle"}))
    assert convert(red_run, frames, tmp_path / "f.tflite") == 1
    assert "the run trained a 'oracle'; expected one of classifier, finder" in (
        capfd.readouterr().err
    )
