"""Training the finder: the network, its losses, a run on drawn frames, and one on real ones."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.dataset import read_frames
from maskwatch_edge.errors import InputError
from maskwatch_edge.evaluate.selection import Selection
from maskwatch_edge.frame import Pixels
from maskwatch_edge.pictures import write_picture
from maskwatch_train.finder.batches import SceneBatches
from maskwatch_train.finder.config import FinderConfig
from maskwatch_train.finder.data import Picture, load_pictures
from maskwatch_train.finder.losses import box_loss, heat_loss
from maskwatch_train.finder.measuring import measure
from maskwatch_train.finder.network import build_finder
from maskwatch_train.finder.training import compile_finder, make_start
from maskwatch_train.finder.truths import annotated
from maskwatch_train.network import MOMENTUM
from maskwatch_train.run_folder import epochs_before, load_network
from maskwatch_train.samples import load_data_set
from maskwatch_train.splits import TEST, Division

from .conftest import KERAS_AND_NUMPY, draw_face, history_of, maskwatch

pytestmark = pytest.mark.filterwarnings(KERAS_AND_NUMPY)

TINY = (
    "--weights none --width 64 --height 64 --alpha 0.35 --channels 8 --frozen-blocks 12 --epochs 2 "
    "--steps 2 --batch-size 2 --test-share 0.3 --validation-share 0.3 --seed 3"
)
OBJECT = """<object><name>{label}</name><bndbox><xmin>{x1}</xmin><ymin>{y1}</ymin>
<xmax>{x2}</xmax><ymax>{y2}</ymax></bndbox></object>"""


def draw_frame(seed: int) -> tuple[Pixels, FaceBox]:
    """Draw a face of 48 px on a ground of soft colours."""
    rng = np.random.default_rng(seed)
    x, y = (int(value) for value in rng.integers(0, [80, 48]))
    frame = np.full((96, 128, 3), rng.integers(0, 256, 3), np.uint8)
    frame[y : y + 48, x : x + 48] = draw_face(seed, masked=seed % 2 == 0)
    return frame, FaceBox(x, y, x + 48, y + 48)


def write_frames(folder: Path, count: int) -> Path:
    """Write annotated frames, every other face with a mask."""
    (folder / "annotations").mkdir(parents=True)
    for seed in range(count):
        frame, box = draw_frame(seed)
        write_picture(folder / "images" / f"{seed}.png", frame)
        label = "with_mask" if seed % 2 == 0 else "without_mask"
        item = OBJECT.format(label=label, x1=box.x1, y1=box.y1, x2=box.x2, y2=box.y2)
        (folder / "annotations" / f"{seed}.xml").write_text(f"<annotation>{item}</annotation>")
    return folder


def train_finder(data: Path, run: Path, *options: str) -> int:
    return maskwatch(["train-finder", str(data), "--out", str(run), *TINY.split(), *options])


@pytest.fixture(scope="session")
def frames(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_frames(tmp_path_factory.mktemp("frames") / "drawn", 24)


@pytest.fixture(scope="session")
def finder_run(tmp_path_factory: pytest.TempPathFactory, frames: Path) -> Path:
    """Give the folder of a finished training of the finder; leave it as it is."""
    run = tmp_path_factory.mktemp("runs") / "finder"
    assert train_finder(frames, run) == 0
    return run


def test_a_run_goes_on_from_an_earlier_one_for_another_size(
    finder_run: Path, frames: Path, tmp_path: Path
) -> None:
    earlier, run = finder_run / "model.keras", tmp_path / "run"
    config = FinderConfig(
        weights=str(earlier), width=96, height=64, alpha=0.35, channels=8, frozen_blocks=12
    )
    start = make_start(config)
    assert start.input_shape == (None, 64, 96, 3)
    known = load_network(earlier, compiled=False)
    for mine, other in zip(start.get_weights(), known.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, other)
    assert train_finder(frames, run, "--weights", str(earlier), "--width", "96") == 0
    learned = json.loads((finder_run / "data.json").read_text())["identities"]["train"]
    report = json.loads((run / "data.json").read_text())
    assert report["identities"]["learned_before"] == learned


def test_a_run_that_goes_on_is_shown_other_scenes_than_the_earlier_one(
    frames: Path, tmp_path: Path
) -> None:
    def first_loss(run: Path, weights: str) -> float:
        options = ("--weights", weights, "--epochs", "1", "--rate", "1e-12")
        assert train_finder(frames, run, *options) == 0
        loss: float = json.loads((run / "metrics.json").read_text())["history"][0]["loss"]
        return loss

    # Nothing is learned, so only the scenes make a difference.
    first, second = tmp_path / "first", tmp_path / "second"
    loss = first_loss(first, "none")
    assert first_loss(second, str(first / "model.keras")) != pytest.approx(loss, rel=1e-3)
    for run, epochs in ((first, 1), (second, 2)):
        assert json.loads((run / "data.json").read_text())["epochs"] == epochs


@pytest.mark.parametrize(
    ("report", "epochs"),
    [
        ('{"epochs": 5}', 5),
        ("{}", 0),
        ('{"epochs": "many"}', 0),
        ('{"epochs": -1}', 0),
        ('{"epochs": Infinity}', 0),
        ("{", 0),
        (None, 0),
    ],
)
def test_how_long_an_earlier_run_was_trained_is_read_where_it_is_told(
    tmp_path: Path, report: str | None, epochs: int
) -> None:
    if report is not None:
        (tmp_path / "data.json").write_text(report)
    assert epochs_before(FinderConfig(weights=str(tmp_path / "model.keras"))) == epochs


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--channels", "16"], "is another network; give the --alpha, --expansion and --channels"),
        (["--seed", "4"], "faces that are held out here; give its --seed, --test-share"),
    ],
)
def test_an_earlier_run_must_fit(
    options: list[str],
    message: str,
    finder_run: Path,
    frames: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    earlier = str(finder_run / "model.keras")
    assert train_finder(frames, tmp_path / "run", "--weights", earlier, *options) == 1
    assert message in capfd.readouterr().err


def tiny_network() -> Any:
    return build_finder(size_wh=(96, 64), alpha=0.35, channels=8, weights="none")


def test_the_network_answers_at_every_eighth_pixel() -> None:
    network = tiny_network()
    assert network.input_shape == (None, 64, 96, 3)
    answers = network.predict_on_batch(np.full((1, 64, 96, 3), 255, np.float32))
    assert answers["heat"].shape == (1, 8, 12, 1)
    assert answers["boxes"].shape == (1, 8, 12, 4)
    assert 0.0 < answers["heat"].min() <= answers["heat"].max() < 0.1  # nothing is a face yet
    assert np.abs(answers["boxes"]).max() <= 1.0


def test_every_batch_norm_forgets_fast() -> None:
    """Keras' own 0.999 leaves the statistics of the start in the saved network."""
    norms = [
        layer
        for layer in tiny_network()._flatten_layers()
        if type(layer).__name__ == "BatchNormalization"
    ]
    assert len(norms) > 30
    assert {layer.momentum for layer in norms} == {MOMENTUM}


def test_an_input_that_the_backbone_cannot_halve_is_refused() -> None:
    with pytest.raises(InputError, match="multiples of 32 pixels; received \\(100, 64\\)"):
        build_finder(size_wh=(100, 64), alpha=0.35, channels=8, weights="none")


def test_the_right_answer_costs_nothing_and_a_wrong_one_much() -> None:
    heat = np.zeros((1, 8, 12, 2), np.float32)
    heat[..., 1] = 1.0
    heat[0, 3, 4, 0] = 1.0
    assert float(heat_loss(heat, heat[..., :1])) < 1e-3
    assert float(heat_loss(heat, np.zeros((1, 8, 12, 1)))) > 5
    heat[0, 0, 0, 1] = 0.0  # ignored: any answer will do
    raised = heat[..., :1].copy()
    raised[0, 0, 0] = 1.0
    assert float(heat_loss(heat, raised)) < 1e-3
    boxes = np.zeros((1, 8, 12, 5), np.float32)
    boxes[0, 3, 4] = (0.1, -0.1, 0.2, 0.3, 1.0)
    assert float(box_loss(boxes, boxes[..., :4])) == pytest.approx(0.0, abs=1e-5)
    assert float(box_loss(boxes, -boxes[..., :4])) > 0.5


def test_the_loss_falls_on_a_toy() -> None:
    pictures = [
        Picture(pixels, annotated([box]), (str(seed),), "frames")
        for seed, (pixels, box) in enumerate(map(draw_frame, range(4)))
    ]
    config = FinderConfig(width=96, height=64, batch_size=4, steps=40, epochs=1, rate=1e-2)
    network = tiny_network()
    compile_finder(network, config)
    scenes, wanted = SceneBatches(pictures, config, first_epoch=0)[0]
    losses = [float(network.train_on_batch(scenes, wanted)[0]) for _ in range(40)]
    assert np.mean(losses[-3:]) < 0.8 * np.mean(losses[:3])


def test_a_run_holds_its_network_figures_and_what_it_never_saw(finder_run: Path) -> None:
    names = {path.name for path in finder_run.iterdir()}
    assert {"model.keras", "metrics.json", "data.json", "held_out.txt", "model_card.md"} <= names
    figures = json.loads((finder_run / "metrics.json").read_text())
    assert figures["kind"] == "finder"
    assert figures["command"].startswith("maskwatch train-finder ")
    assert 0.0 <= figures["test"]["ap50"] <= 1.0
    assert len(figures["history"]) == 2
    report = json.loads((finder_run / "data.json").read_text())["identities"]
    assert (finder_run / "held_out.txt").read_text().split() == report["test"]
    assert "AP50" in (finder_run / "model_card.md").read_text()


def test_the_same_frames_are_held_out_as_for_the_classifier(frames: Path) -> None:
    division = Division(3, 0.3, 0.3, fold=1)
    finder = load_pictures([frames], division, None, print)
    classifier = load_data_set([frames], division, input_size=32)
    held_out = finder.report["identities"][TEST]
    assert held_out == classifier.report["identities"][TEST]
    assert held_out


def test_a_difficult_face_is_ignored_in_training_and_scoring(frames: Path, tmp_path: Path) -> None:
    shutil.copytree(frames, tmp_path / "frames")
    for file in (tmp_path / "frames" / "annotations").iterdir():
        drawn = OBJECT.format(label="with_mask", x1=1, y1=1, x2=9, y2=9)
        difficult = drawn.replace("</name>", "</name><difficult>1</difficult>")
        file.write_text(file.read_text().replace("</annotation>", difficult + "</annotation>"))
    division = Division(3, 0.3, 0.3)
    plain = load_pictures([frames], division, None, print)
    data = load_pictures([tmp_path / "frames"], division, None, print)
    assert data.report["identities"] == plain.report["identities"]
    assert data.report["counts"] == plain.report["counts"]
    assert data.fingerprint != plain.fingerprint
    for split, pictures in data.splits.items():
        assert all(one.truths.sure.tolist() == [True, False] for one in pictures)
        networks = measure(tiny_network(), pictures), measure(tiny_network(), plain.splits[split])
        assert networks[0]["faces"] == networks[1]["faces"] == len(pictures)


def test_held_out_frames_are_chosen_by_the_list_of_a_run(finder_run: Path, frames: Path) -> None:
    selection = Selection.read(32, None, finder_run / "held_out.txt")
    chosen = [frame for frame in read_frames(frames) if selection.has_frame(frame)]
    assert 0 < len(chosen) < 24
    figures = json.loads((finder_run / "metrics.json").read_text())
    assert len(chosen) == figures["test"]["frames"]


def test_a_finished_run_is_not_trained_again_and_an_unfinished_one_goes_on(
    finder_run: Path, frames: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(finder_run, run)
    before, checkpoints = history_of(run), sorted((run / "checkpoints").iterdir())
    (run / "metrics.json").unlink()
    (run / "checkpoints" / "epoch-000.keras").write_bytes(b"an older network")
    assert train_finder(frames, run, "--resume") == 0
    assert history_of(run) == before
    assert sorted((run / "checkpoints").iterdir()) == checkpoints
    figures = json.loads((run / "metrics.json").read_text())
    assert "--resume" not in figures["command"]


def test_a_run_is_not_resumed_with_other_options(
    finder_run: Path, frames: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert train_finder(frames, finder_run, "--resume", "--steps", "3") == 1
    assert "was started with another steps; give the same" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--width", "100"], "--width must be a multiple of 32 pixels; received 100"),
        (["--frozen-blocks", "13"], "--frozen-blocks must be 0 to 12; received 13"),
        (["--expansion", "7"], "--expansion must be at most 6, that of MobileNetV2; received 7"),
        (["--expansion", "3"], "give --frozen-blocks 0 with --expansion 3"),
        (["--weights", "no.h5"], "there is no weights file no.h5"),
        (["--landmarks", "no.onnx"], "there is no YuNet file no.onnx"),
        (["--fold", "7"], "--fold 7 is beyond the data"),
        (["--test-share", "0"], "the test split holds no annotated face"),
    ],
)
def test_options_that_cannot_work_end_in_one_line(
    options: list[str],
    message: str,
    frames: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert train_finder(frames, tmp_path / "run", *options) == 1
    assert message in capfd.readouterr().err.splitlines()[-1]
    assert not (tmp_path / "run").exists()


def test_crops_without_a_teacher_are_refused(
    small_set: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert train_finder(small_set, tmp_path / "run") == 1
    assert "no annotated frames given" in capfd.readouterr().err


def test_a_handful_of_real_frames_is_learned_from(shared: Path, tmp_path: Path) -> None:
    for path in sorted((shared / "data" / "mask-frames" / "images").iterdir())[:16]:
        annotation = shared / "data" / "mask-frames" / "annotations" / f"{path.stem}.xml"
        for kind, source in (("images", path), ("annotations", annotation)):
            (tmp_path / "data" / kind).mkdir(parents=True, exist_ok=True)
            shutil.copy(source, tmp_path / "data" / kind)
    assert train_finder(tmp_path / "data", tmp_path / "run") == 0
    figures = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert figures["test"]["faces"] > 0
