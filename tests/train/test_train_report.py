"""What a finished run holds: figures that can be computed again, and pictures that can be seen."""

from __future__ import annotations

import errno
import json
import shutil
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from maskwatch_edge.contract import LABELS
from maskwatch_edge.dataset import LabelledFace
from maskwatch_edge.errors import OutputError
from maskwatch_edge.metrics import crop_metrics
from maskwatch_edge.pictures import read_picture
from maskwatch_train.config import HEAD, TrainingConfig
from maskwatch_train.model_card import model_card
from maskwatch_train.report import worst_mistakes, write_report
from maskwatch_train.report_pictures import Mistake, draw_mistakes, shortened
from maskwatch_train.run_folder import load_network, without_resume
from maskwatch_train.samples import (
    DataSet,
    Sample,
    describe,
    load_data_set,
)
from maskwatch_train.splits import SPLITS, TEST, VALIDATION, Division
from maskwatch_train.training import RunState, plain_batch

from .conftest import EPOCHS, KERAS_AND_NUMPY, draw_face, history_of, maskwatch, tiny_training

pytestmark = pytest.mark.filterwarnings(KERAS_AND_NUMPY)

PICTURES = {"learning_curves.png", "confusion.png", "calibration.png", "mistakes.png"}
TEXTS = {"metrics.json", "data.json", "model_card.md", "command.txt", "held_out.txt"}


def read_json(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text()))


def sample_of(name: str, label: str) -> Sample:
    picture = draw_face(1, masked=label == LABELS[0])
    face = LabelledFace(Path(name), label, "folders")
    return Sample(picture, (0, 0, 1, 1), picture, face, face.label_index)


def colour_network() -> Any:
    """Build a network that sees only the mean colour: built and run in no time."""
    return keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(len(LABELS), activation="softmax"),
        ]
    )


@pytest.fixture(scope="module")
def data(small_set: Path) -> DataSet:
    """Give the data of the finished run, read again."""
    return load_data_set([small_set], Division(3, 0.3, 0.3), input_size=32)


def test_a_run_holds_its_report(finished_run: Path) -> None:
    names = {path.name for path in finished_run.iterdir()}
    assert names == PICTURES | TEXTS | {"model.keras", "checkpoints"}
    kept = {path.name for path in (finished_run / "checkpoints").iterdir()}
    assert kept == {"best.keras", f"epoch-{EPOCHS:03d}.keras", "state.json"}


def test_the_figures_are_those_of_the_network_that_is_kept(
    finished_run: Path, data: DataSet
) -> None:
    network = load_network(finished_run / "model.keras")
    figures = read_json(finished_run / "metrics.json")
    for split in (VALIDATION, TEST):
        samples = data.splits[split]
        crops, labels = plain_batch(samples)
        answers = network.predict(crops, verbose=0).astype(np.float64)
        again = crop_metrics(labels.astype(np.int64), answers, [describe(s.face) for s in samples])
        assert figures[split].pop("calibration_error") == pytest.approx(
            again.pop("calibration_error"), abs=1e-5
        )
        assert figures[split] == again


def test_the_network_that_is_kept_is_the_best_one_with_its_logits_cooled(
    finished_run: Path, data: DataSet
) -> None:
    crops, _ = plain_batch(data.splits[TEST])
    kept, best = (
        np.log(load_network(finished_run / name, compiled=False).predict(crops, verbose=0))
        for name in ("model.keras", "checkpoints/best.keras")
    )
    temperature = read_json(finished_run / "metrics.json")["temperature"]
    np.testing.assert_allclose(
        kept[:, 0] - kept[:, 1], (best[:, 0] - best[:, 1]) / temperature, atol=1e-3
    )


def test_the_figures_tell_where_they_come_from(
    finished_run: Path, small_set: Path, data: DataSet
) -> None:
    figures = read_json(finished_run / "metrics.json")
    command = " ".join(["maskwatch", *tiny_training(small_set, finished_run)])
    losses = [entry["val_loss"] for entry in history_of(finished_run)]
    assert figures["command"] == command
    assert (finished_run / "command.txt").read_text() == command + "\n"
    assert figures["fingerprint"] == data.fingerprint
    assert figures["epochs"] == len(losses) == EPOCHS
    assert losses[figures["best_epoch"] - 1] == min(losses)
    assert figures["config"]["alpha"] == 0.35
    assert figures["test_faces_from_32_px"] == {}  # no face of this set is boxed


def test_the_data_report_and_the_list_of_what_is_held_out_agree(
    finished_run: Path, data: DataSet
) -> None:
    report = read_json(finished_run / "data.json")
    epochs = read_json(finished_run / "metrics.json")["epochs"]
    assert report == json.loads(json.dumps(data.report | {"epochs": epochs}))
    held_out = (finished_run / "held_out.txt").read_text().splitlines()
    assert held_out == sorted(sample.face.identity for sample in data.splits[TEST])


@pytest.mark.parametrize("name", sorted(PICTURES))
def test_every_picture_can_be_seen(name: str, finished_run: Path) -> None:
    picture = read_picture(finished_run / name)
    assert min(picture.shape[:2]) >= 300
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 10


def test_the_model_card_says_what_was_done_and_measured(finished_run: Path) -> None:
    card = (finished_run / "model_card.md").read_text()
    figures = read_json(finished_run / "metrics.json")
    counts = read_json(finished_run / "data.json")["counts"]
    assert figures["command"] in card
    for label, row in figures["test"]["labels"].items():
        in_splits = " | ".join(str(counts[split][f"folders/{label}"]) for split in SPLITS)
        assert f"| `{label}` (folders) | {in_splits} |" in card
        assert f"| {label} | {row['faces']} | {row['right']} |" in card
    assert "## Limits" in card
    assert "beards" in card
    assert "{" not in card


@pytest.mark.parametrize(
    ("weights", "is_narrowed", "expected"),
    [
        ("none", False, "`none`."),
        ("a/model.keras", False, "`a/model.keras` of an earlier run."),
        ("a/model.keras", True, "run, of its wider network the channels that matter most."),
    ],
)
def test_the_model_card_says_what_was_started_from(
    finished_run: Path, weights: str, is_narrowed: bool, expected: str
) -> None:
    figures = read_json(finished_run / "metrics.json")
    figures["config"]["weights"] = weights
    card = model_card(figures | {"narrowed": is_narrowed}, read_json(finished_run / "data.json"))
    (start,) = (line for line in card.splitlines() if "Start weights: " in line)
    assert expected in start


def test_a_finished_run_is_only_reported_again(
    finished_run: Path, small_set: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    shutil.copytree(finished_run, run)
    before = {path.name: path.read_bytes() for path in (run / "checkpoints").iterdir()}
    for name in PICTURES | TEXTS | {"model.keras"}:
        (run / name).unlink()
    # What a process was writing, or about to remove, when it ended early is swept away as well.
    (run / "checkpoints" / ".new-0123456789abcdef.keras").write_bytes(b"half a network")
    (run / "checkpoints" / "epoch-001.keras").write_bytes(b"an older network")
    (run / ".new-fedcba9876543210.png").write_bytes(b"half a picture")

    assert maskwatch([*tiny_training(small_set, run), "--resume"]) == 0

    assert {path.name: path.read_bytes() for path in (run / "checkpoints").iterdir()} == before
    assert list(run.glob(".new-*")) == []
    assert "Epoch" not in "".join(capfd.readouterr())
    again, figures = read_json(run / "metrics.json"), read_json(finished_run / "metrics.json")
    assert again.pop("command") == figures.pop("command").replace(str(finished_run), str(run))
    assert again == figures


@pytest.mark.parametrize("name", ["model.keras", "held_out.txt", "mistakes.png", "metrics.json"])
def test_no_space_for_one_file_leaves_the_old_one(
    name: str, data: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / name).write_text("old")
    replace = Path.replace

    def replace_or_fail(path: Path, target: Path) -> Path:
        if target.name == name:
            raise OSError(errno.ENOSPC, "No space left on device")
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", replace_or_fail)
    entry = {"stage": HEAD, "loss": 0.7, "accuracy": 0.5, "val_loss": 0.7, "val_accuracy": 0.5}
    state = RunState(TrainingConfig(size=32), data.fingerprint, [entry])
    with pytest.raises(OutputError, match=f"{name}: No space left on device"):
        write_report(
            tmp_path, colour_network(), state, data, 1.0, "maskwatch train", is_narrowed=False
        )
    assert (tmp_path / name).read_text() == "old"
    assert list(tmp_path.glob(".new-*")) == []


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("maskwatch train a --out b", "maskwatch train a --out b"),
        ("maskwatch train a --out b --resume", "maskwatch train a --out b"),
        ("maskwatch train --resume a --out b", "maskwatch train a --out b"),
        ("maskwatch train a --res --out b", "maskwatch train a --out b"),  # argparse takes it
        ("maskwatch train 'my data' --rate 1 --resume", "maskwatch train 'my data' --rate 1"),
        ("maskwatch train resume --out b", "maskwatch train resume --out b"),
    ],
)
def test_the_command_that_starts_the_run_is_recorded(command: str, expected: str) -> None:
    assert without_resume(command) == expected


def test_the_surest_mistake_comes_first() -> None:
    samples = [sample_of(f"{number}.png", LABELS[0]) for number in range(4)]
    answers = np.array([[0.9, 0.1], [0.4, 0.6], [0.1, 0.9], [0.3, 0.7]])
    mistakes = worst_mistakes(samples, answers)
    assert [mistake.sample.face.path.name for mistake in mistakes] == ["2.png", "3.png", "1.png"]
    assert [mistake.score for mistake in mistakes] == [0.9, 0.7, 0.6]
    assert {mistake.answer for mistake in mistakes} == {1}


@pytest.mark.parametrize("count", [0, 1, 6, 7, 100])
def test_a_gallery_is_drawn_of_any_number_of_mistakes(count: int, tmp_path: Path) -> None:
    path = tmp_path / "mistakes.png"
    name = "$a_$very_long_näme_of_a_口罩_picture.jpg"  # no formula, and no missing letters
    draw_mistakes(path, [Mistake(sample_of(name, LABELS[1]), 0, 0.99)] * count, 100)
    assert min(read_picture(path).shape[:2]) >= 300


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("short.jpg", "short.jpg"),
        ("exactly-24-letters-1.jpeg"[1:], "xactly-24-letters-1.jpeg"),
        ("a-name-of-more-than-24-letters.jpg", "a-name-of-...etters.jpg"),
        ("näme.jpg", "n?me.jpg"),
    ],
)
def test_long_names_lose_their_middle(name: str, expected: str) -> None:
    assert shortened(name) == expected
