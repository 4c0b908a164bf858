"""Training epoch by epoch: what is drawn, when it stops, and what is kept."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from maskwatch_edge.contract import LABELS
from maskwatch_edge.dataset import LabelledFace
from maskwatch_edge.errors import InputError
from maskwatch_train.batches import AugmentedBatches
from maskwatch_train.config import FINE_TUNE, HEAD, TrainingConfig
from maskwatch_train.network import build_network
from maskwatch_train.report import best_epoch
from maskwatch_train.run_folder import load_network, save_network
from maskwatch_train.samples import Sample, cut_sample
from maskwatch_train.training import (
    RunState,
    load_state,
    plain_batch,
    predict,
    save_state,
    seed_dropout,
    should_stop,
)

from .conftest import KERAS_AND_NUMPY, draw_face

pytestmark = pytest.mark.filterwarnings(KERAS_AND_NUMPY)

CONFIG = TrainingConfig(size=32, batch_size=4, head_epochs=1, epochs=5, patience=2)


def make_samples(count: int, masked_share: float = 0.5) -> list[Sample]:
    samples = []
    for seed in range(count):
        masked = seed < masked_share * count
        face = LabelledFace(Path(f"{seed}.png"), LABELS[0 if masked else 1], "folders")
        samples.append(cut_sample(draw_face(seed, masked=masked), face, None, CONFIG.size))
    return [sample for sample in samples if sample is not None]


def state_with(losses: list[float], head_epochs: int = 1) -> RunState:
    stages = [HEAD] * head_epochs + [FINE_TUNE] * len(losses)
    history = [
        {"stage": stage, "val_loss": loss} for stage, loss in zip(stages, losses, strict=False)
    ]
    return RunState(CONFIG, "print", history)


def epoch_of(batches: AugmentedBatches) -> list[tuple[bytes, ...]]:
    return [tuple(part.tobytes() for part in batches[step]) for step in range(len(batches))]


@pytest.mark.parametrize(
    ("losses", "patience", "stops"),
    [
        ([], 2, False),  # not begun
        ([0.5], 1, False),  # one epoch is the best there is
        ([0.5, 0.4, 0.3], 1, False),  # getting better all the time
        ([0.5, 0.6], 1, True),  # one epoch without a better one
        ([0.5, 0.6], 2, False),  # more patience
        ([0.5, 0.6, 0.7], 2, True),
        ([0.5, 0.6, 0.4, 0.5], 2, False),  # better in between: counted anew
        ([0.5, 0.5, 0.5], 2, True),  # the same loss is no better one
    ],
)
def test_training_stops_after_so_many_epochs_without_a_better_one(
    losses: list[float], patience: int, stops: bool
) -> None:
    assert should_stop(losses, patience) is stops


@pytest.mark.parametrize(
    ("losses", "head_done", "fine_tune_done"),
    [
        ([], False, False),  # fresh
        ([0.9], True, False),  # the head has had its epoch
        ([0.1, 0.5, 0.4, 0.3], True, False),  # worse than the head, but getting better
        ([0.9, 0.3, 0.4, 0.5], True, True),  # out of patience
        ([0.9, 0.5, 0.4, 0.3, 0.2, 0.1], True, True),  # all epochs are done
    ],
)
def test_a_stage_is_done_after_its_epochs_or_out_of_patience(
    losses: list[float], head_done: bool, fine_tune_done: bool
) -> None:
    state = state_with(losses)
    assert state.is_done(HEAD) is head_done
    assert state.is_done(FINE_TUNE) is fine_tune_done


def test_without_head_epochs_the_first_stage_is_done_at_once() -> None:
    assert RunState(replace(CONFIG, head_epochs=0), "print").is_done(HEAD)


@pytest.mark.parametrize(
    ("losses", "best"),
    [
        ([0.5], 1),
        ([0.5, 0.3, 0.4], 2),
        ([0.5, 0.3, 0.3], 3),  # of two that are as good, the later one was saved over the other
        ([0.1, 0.3, 0.2], 1),  # the head alone was best
    ],
)
def test_the_best_epoch_is_the_one_whose_network_was_kept(losses: list[float], best: int) -> None:
    state = state_with(losses)
    assert best_epoch(state) == best
    kept = [
        count
        for count in range(1, len(losses) + 1)
        if replace(state, history=state.history[:count]).last_is_best()
    ]
    assert kept[-1] == best


def test_a_batch_holds_augmented_crops_label_indices_and_weights() -> None:
    crops, labels, weights = AugmentedBatches(make_samples(8), CONFIG, first_epoch=0)[0]
    assert crops.shape == (4, 32, 32, 3)
    assert [part.dtype.name for part in (crops, labels, weights)] == ["float32", "int32", "float32"]
    assert crops.max() <= 255
    assert crops.max() > 1
    assert set(labels.tolist()) <= {0, 1}


def test_both_classes_weigh_the_same() -> None:
    batches = AugmentedBatches(make_samples(20, masked_share=0.8), CONFIG, first_epoch=0)
    sums = np.zeros(2)
    for step in range(len(batches)):
        _, labels, weights = batches[step]
        np.add.at(sums, labels, weights)
    assert sums[0] == pytest.approx(sums[1])


def test_an_epoch_shows_every_sample_as_often_as_it_says() -> None:
    samples = [replace(s, repeats=1 + s.label_index) for s in make_samples(8)]
    batches = AugmentedBatches(samples, CONFIG, first_epoch=0)
    labels = np.concatenate([batches[step][1] for step in range(len(batches))])
    assert np.bincount(labels).tolist() == [4, 8]


def test_a_data_set_smaller_than_a_batch_is_one_batch() -> None:
    batches = AugmentedBatches(make_samples(3), CONFIG, first_epoch=0)
    assert len(batches) == 1
    assert len(batches[0][0]) == 3


def test_an_epoch_can_be_drawn_again() -> None:
    samples = make_samples(12)
    straight = AugmentedBatches(samples, CONFIG, first_epoch=0)
    straight.on_epoch_end()
    resumed = AugmentedBatches(samples, CONFIG, first_epoch=1)
    assert epoch_of(straight) == epoch_of(resumed)


def test_every_epoch_and_every_seed_draws_anew() -> None:
    samples = make_samples(12)
    batches = [
        AugmentedBatches(samples, CONFIG, first_epoch=0),
        AugmentedBatches(samples, CONFIG, first_epoch=1),
        AugmentedBatches(samples, replace(CONFIG, seed=2), first_epoch=0),
    ]
    drawn = {crop for each in batches for batch in epoch_of(each) for crop in batch[:1]}
    assert len(drawn) == 9


@pytest.fixture(scope="module")
def network() -> Any:
    """Give a tiny network with random weights."""
    return build_network(size=32, alpha=0.35, head="gap", weights="none")


def test_dropout_depends_on_seed_and_epoch_alone(network: Any) -> None:
    crops = plain_batch(make_samples(4))[0]

    def answer(seed: int, epoch: int) -> bytes:
        seed_dropout(network, seed, epoch)
        return np.asarray(network(crops, training=True)).tobytes()

    assert answer(1, 1) == answer(1, 1)
    assert len({answer(1, 1), answer(1, 2), answer(2, 1)}) == 3


def test_a_network_answers_many_faces_as_it_answers_few(
    network: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = make_samples(10)
    at_once = predict(network, samples)
    monkeypatch.setattr("maskwatch_train.training.FACES_AT_ONCE", 3)
    np.testing.assert_allclose(predict(network, samples), at_once, atol=1e-5)
    assert at_once.shape == (10, 2)


def test_a_saved_network_comes_back_with_its_weights(network: Any, tmp_path: Path) -> None:
    path = tmp_path / "run" / "network.keras"
    save_network(network, path)
    assert [each.name for each in path.parent.iterdir()] == ["network.keras"]
    for one, other in zip(network.get_weights(), load_network(path).get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("content", [None, b"", b"no network"])
def test_a_checkpoint_that_cannot_be_read_is_one_clear_line(
    content: bytes | None, tmp_path: Path
) -> None:
    path = tmp_path / "best.keras"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"cannot read the network .*best\.keras") as caught:
        load_network(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("mark", [b"PK\3\4", b"HEAP"])
def test_a_network_that_the_disk_garbled_is_one_clear_line(
    network: Any, mark: bytes, tmp_path: Path
) -> None:
    """Found by fuzzing: the zip around it, or the HDF5 in it, does not hold together."""
    path = tmp_path / "best.keras"
    save_network(network, path)
    path.write_bytes(path.read_bytes().replace(mark, b"gone"))
    with pytest.raises(InputError, match=r"cannot read the network .*best\.keras") as caught:
        load_network(path)
    assert "\n" not in str(caught.value)


def test_the_state_of_a_run_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    state = state_with([0.5, 0.25])
    save_state(tmp_path, state)
    assert load_state(tmp_path, CONFIG, "print") == state


def test_a_run_that_has_not_begun_has_no_history(tmp_path: Path) -> None:
    assert load_state(tmp_path, CONFIG, "print") == RunState(CONFIG, "print", [])


@pytest.mark.parametrize(
    ("config", "fingerprint", "message"),
    [
        (replace(CONFIG, rate=1.0, seed=7), "print", "with another seed, rate; give the same"),
        (CONFIG, "other", "on other data; give the same data"),
    ],
)
def test_a_run_is_not_continued_with_other_options_or_data(
    config: TrainingConfig, fingerprint: str, message: str, tmp_path: Path
) -> None:
    save_state(tmp_path, state_with([0.5]))
    with pytest.raises(InputError, match=message):
        load_state(tmp_path, config, fingerprint)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        json.dumps({"config": {"unknown": 1}, "fingerprint": "print", "history": []}),
        json.dumps({"config": asdict(CONFIG), "history": []}),
        json.dumps({"config": asdict(CONFIG), "fingerprint": "print", "history": 3}),
    ],
)
def test_a_broken_state_is_refused(content: str, tmp_path: Path) -> None:
    path = tmp_path / "checkpoints" / "state.json"
    path.parent.mkdir()
    path.write_text(content)
    with pytest.raises(InputError, match=r"cannot read .*state\.json"):
        load_state(tmp_path, CONFIG, "print")


def test_keras_is_the_one_that_tensorflow_runs() -> None:
    assert keras.backend.backend() == "tensorflow"
