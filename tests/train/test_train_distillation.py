"""Learning from a teacher: what is asked, what it costs to differ, and which runs go on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import pytest

from maskwatch_edge.contract import LABELS
from maskwatch_edge.dataset import LabelledFace, content_digest
from maskwatch_edge.errors import InputError
from maskwatch_train import training
from maskwatch_train.batches import AugmentedBatches
from maskwatch_train.config import TrainingConfig
from maskwatch_train.distillation import (
    TAUGHT_SHARE,
    TEMPERATURE,
    TaughtBatches,
    Teacher,
    accuracy,
    mask_loss,
)
from maskwatch_train.network import build_network
from maskwatch_train.run_folder import save_network
from maskwatch_train.samples import Sample, cut_sample

from .conftest import KERAS_AND_NUMPY, draw_face, history_of, maskwatch, tiny_training

pytestmark = pytest.mark.filterwarnings(KERAS_AND_NUMPY)

Floats = npt.NDArray[np.float32]

CONFIG = TrainingConfig(size=32, batch_size=4)
ANSWERS = np.array([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8]], np.float32)
INDICES = np.array([0, 0, 1], np.int32)


class Brightness:
    """Takes what is bright for masked, and remembers what it was shown."""

    def __init__(self) -> None:
        self.seen: list[Floats] = []

    def predict_on_batch(self, crops: Floats) -> Floats:
        self.seen.append(crops)
        bright = crops.mean(axis=(1, 2, 3)) / 255
        return np.stack([bright, 1 - bright], axis=1)


def samples() -> list[Sample]:
    faces = [LabelledFace(Path(f"{seed}.png"), LABELS[seed % 2], "folders") for seed in range(8)]
    cut = (
        cut_sample(draw_face(seed, masked=seed % 2 == 0), face, None, CONFIG.size)
        for seed, face in enumerate(faces)
    )
    return [sample for sample in cut if sample is not None]


def taught(indices: npt.NDArray[np.int32], teacher: Floats) -> Floats:
    return np.column_stack([indices, teacher]).astype(np.float32)


def softened(probabilities: Floats) -> Floats:
    """Divide the logits of probabilities by the temperature, the long way round."""
    powers = probabilities.astype(np.float64) ** (1 / TEMPERATURE)
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


def test_the_teacher_is_asked_about_the_very_crops_that_are_learned() -> None:
    network = Brightness()
    plain = AugmentedBatches(samples(), CONFIG, first_epoch=1)
    batches = TaughtBatches(
        AugmentedBatches(samples(), CONFIG, first_epoch=1), Teacher(network, Path("t"), "ab12")
    )
    assert len(batches) == len(plain) == 2
    crops, targets, weights = batches[1]
    expected, labels, expected_weights = plain[1]
    np.testing.assert_array_equal(crops, expected)
    np.testing.assert_array_equal(network.seen[0], expected)
    np.testing.assert_array_equal(weights, expected_weights)
    np.testing.assert_array_equal(targets[:, 0], labels)
    np.testing.assert_allclose(targets[:, 1], expected.mean(axis=(1, 2, 3)) / 255, rtol=1e-6)


def test_every_epoch_asks_about_other_crops() -> None:
    batches = TaughtBatches(
        AugmentedBatches(samples(), CONFIG, 0), Teacher(Brightness(), Path("t"), "ab12")
    )
    before = batches[0][0]
    batches.on_epoch_end()
    assert np.any(batches[0][0] != before)


@pytest.mark.parametrize("indices", [INDICES, INDICES[:, np.newaxis]])
def test_without_a_teacher_the_loss_is_the_cross_entropy(indices: Any) -> None:
    expected = keras.losses.sparse_categorical_crossentropy(INDICES, ANSWERS)
    np.testing.assert_allclose(mask_loss(keras.ops.array(indices), ANSWERS), expected, rtol=1e-5)


def test_with_a_teacher_the_loss_is_that_of_both() -> None:
    teacher = np.array([[0.99, 0.01], [0.3, 0.7], [0.5, 0.5]], np.float32)
    hard = keras.losses.sparse_categorical_crossentropy(INDICES, ANSWERS)
    soft = -(softened(teacher) * np.log(softened(ANSWERS))).sum(axis=1)
    expected = (1 - TAUGHT_SHARE) * np.asarray(hard) + TAUGHT_SHARE * TEMPERATURE**2 * soft
    losses = mask_loss(keras.ops.array(taught(INDICES, teacher)), ANSWERS)
    np.testing.assert_allclose(losses, expected, rtol=1e-4)


@pytest.mark.parametrize("sure", [0.5, 0.8, 0.99])
def test_the_best_answer_is_the_teachers_unless_the_label_differs(sure: float) -> None:
    given = np.linspace(0.01, 0.999, 400, dtype=np.float32)
    answers = np.stack([given, 1 - given], axis=1)
    teacher = np.tile(np.array([sure, 1 - sure], np.float32), (len(given), 1))
    best = [
        given[int(np.argmin(mask_loss(keras.ops.array(taught(label, teacher)), answers)))]
        for label in (np.zeros(len(given), np.int32), np.ones(len(given), np.int32))
    ]
    assert best[1] < sure <= best[0] + 0.01


def test_a_probability_of_nothing_costs_much_but_not_without_end() -> None:
    answers = np.array([[0.0, 1.0]], np.float32)
    targets = taught(np.array([0], np.int32), np.array([[1.0, 0.0]], np.float32))
    (loss,) = np.asarray(mask_loss(keras.ops.array(targets), answers))
    assert 10 < loss < 1000


@pytest.mark.parametrize("targets", [INDICES, taught(INDICES, 1 - ANSWERS)])
def test_only_the_label_makes_an_answer_right(targets: Any) -> None:
    assert np.asarray(accuracy(keras.ops.array(targets), ANSWERS)).tolist() == [1.0, 0.0, 1.0]


def test_a_teacher_learns_and_drops_nothing(tmp_path: Path) -> None:
    save_network(
        build_network(size=32, alpha=0.35, head="gap", weights="none"), tmp_path / "model.keras"
    )
    teacher = Teacher.open(tmp_path, 32)
    crops = np.random.default_rng(0).uniform(0, 255, (4, 32, 32, 3)).astype(np.float32)
    before = teacher.network.get_weights()
    np.testing.assert_array_equal(teacher.answer(crops), teacher.answer(crops))
    for one, other in zip(before, teacher.network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert teacher.sha256 == content_digest(tmp_path / "model.keras")


def missing(_: Path) -> None:
    pass


def broken(folder: Path) -> None:
    (folder / "model.keras").write_bytes(b"no network")


def larger(folder: Path) -> None:
    network = build_network(size=64, alpha=0.35, head="gap", weights="none")
    save_network(network, folder / "model.keras")


def of_three_labels(folder: Path) -> None:
    layers = [keras.Input((32, 32, 3)), keras.layers.Flatten(), keras.layers.Dense(3)]
    save_network(keras.Sequential(layers), folder / "model.keras")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (missing, "there is no teacher .*; expected the folder of a finished maskwatch train"),
        (broken, "cannot read the network .*model.keras"),
        (larger, r"takes \(None, 64, 64, 3\) .* expected a mask network of the same --size 32"),
        (of_three_labels, r"gives \(None, 3\); expected a mask network"),
    ],
)
def test_a_teacher_that_cannot_teach_is_refused(spoil: Any, message: str, tmp_path: Path) -> None:
    spoil(tmp_path)
    path = tmp_path / "model.keras"
    for given in (tmp_path, path) if path.exists() else (path,):
        with pytest.raises(InputError, match=message) as caught:
            Teacher.open(given, 32)
        assert "\n" not in str(caught.value)


def test_a_taught_training_goes_on_after_a_kill_but_only_with_its_teacher(
    finished_run: Path,
    small_set: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    run = tmp_path / "run"
    plain = [*tiny_training(small_set, run), *["--head-epochs", "0", "--epochs", "2"]]
    command = [*plain, "--teacher", str(finished_run)]

    def killed(*_: object) -> None:
        raise InputError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(training, "remove_old_checkpoints", killed)
        assert maskwatch(command) == 1
    assert len(history_of(run)) == 1

    capfd.readouterr()
    assert maskwatch([*plain, "--resume"]) == 1
    assert "was started with another teacher; give the same" in capfd.readouterr().err

    assert maskwatch([*command, "--resume"]) == 0
    assert len(history_of(run)) == 2
    digest = content_digest(finished_run / "model.keras")
    assert json.loads((run / "metrics.json").read_text())["config"]["teacher"] == digest
    assert f"A teacher, the network of SHA-256 `{digest}`" in (run / "model_card.md").read_text()
    learned = json.loads((finished_run / "data.json").read_text())["identities"]["train"]
    identities = json.loads((run / "data.json").read_text())["identities"]
    assert identities["learned_before"] == sorted(learned)
    assert not {*identities["validation"], *identities["test"]} & {*learned}
