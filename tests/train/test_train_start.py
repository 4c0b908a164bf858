"""What a training starts from: what its batch norms know, and which networks are refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maskwatch_edge.errors import InputError
from maskwatch_train.config import TrainingConfig
from maskwatch_train.network import BACKBONE_NAME, MOMENTUM, set_trainable
from maskwatch_train.run_folder import load_network, save_network
from maskwatch_train.start import make_start

from .conftest import KERAS_AND_NUMPY, history_of, maskwatch, tiny_training

pytestmark = pytest.mark.filterwarnings(KERAS_AND_NUMPY)

CONFIG = TrainingConfig(size=32, alpha=0.35, head="gap", weights="none")
FACES = np.random.default_rng(0).uniform(0, 255, (8, 32, 32, 3)).astype(np.float32)


def norms_of(network: Any) -> list[Any]:
    layers = network.get_layer(BACKBONE_NAME).layers
    return [layer for layer in layers if type(layer).__name__ == "BatchNormalization"]


def momenta(network: Any) -> set[float]:
    return {norm.momentum for norm in norms_of(network)}


@pytest.fixture(scope="module")
def learned() -> Any:
    """Give a network whose batch norms have seen some faces."""
    network = make_start(CONFIG).network
    network(FACES, training=True)
    return network


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory, learned: Any) -> Path:
    """Give the file of that network."""
    path = tmp_path_factory.mktemp("earlier") / "model.keras"
    save_network(learned, path)
    return path


def test_batch_norms_learn_fast_where_a_training_starts_from_nothing(learned: Any) -> None:
    assert momenta(learned) == {MOMENTUM}
    for norm in norms_of(learned):
        assert np.any(np.asarray(norm.moving_mean) != 0)


def test_batch_norms_of_trained_weights_change_slowly(tmp_path: Path, learned: Any) -> None:
    path = tmp_path / "backbone.weights.h5"
    learned.get_layer(BACKBONE_NAME).save_weights(path)
    assert momenta(make_start(replace(CONFIG, weights=str(path))).network) == {0.999}


def test_frozen_blocks_learn_no_statistics_either() -> None:
    network = make_start(CONFIG).network
    set_trainable(network, backbone=False)
    network(FACES, training=True)
    for norm in norms_of(network):
        np.testing.assert_array_equal(norm.moving_mean, 0)


def test_an_earlier_network_answers_as_before_and_its_norms_change_slowly(
    earlier: Path, learned: Any
) -> None:
    start = make_start(replace(CONFIG, weights=str(earlier)))
    network = start.network
    assert not start.is_narrowed
    np.testing.assert_array_equal(network.predict_on_batch(FACES), learned.predict_on_batch(FACES))
    assert momenta(network) == {0.999}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"size": 64}, r"takes \(None, 32, 32, 3\); expected the --size 64"),
        ({"alpha": 0.5}, "48 channels in .* this one 96: only a wider one can be narrowed"),
        (
            {"alpha": 0.2},
            "narrowed to --alpha 0.2: all of .*; give --head-epochs 0 --frozen-blocks 0",
        ),
    ],
)
def test_an_earlier_network_that_does_not_fit_is_refused(
    changes: dict[str, Any], message: str, earlier: Path
) -> None:
    with pytest.raises(InputError, match=message) as caught:
        make_start(replace(CONFIG, weights=str(earlier), **changes))
    assert "\n" not in str(caught.value)


def test_a_wider_network_is_narrowed_and_its_norms_learn_fast(earlier: Path) -> None:
    config = replace(CONFIG, weights=str(earlier), alpha=0.2, head_epochs=0, frozen_blocks=0)
    start = make_start(config)
    network = start.network
    assert start.is_narrowed
    assert network.count_params() < 0.8 * make_start(CONFIG).network.count_params()
    assert momenta(network) == {MOMENTUM}


def test_a_start_that_does_not_fit_is_told_before_any_data_is_read(
    earlier: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (earlier.parent / "data.json").write_text('{"identities": {"train": []}}')
    command = tiny_training(tmp_path / "nowhere", tmp_path / "run")
    assert maskwatch([*command, "--weights", str(earlier), "--size", "64"]) == 1
    (line,) = capfd.readouterr().err.splitlines()
    assert "expected the --size 64" in line
    assert not (tmp_path / "run").exists()


def test_the_mean_of_what_a_run_begins_with_and_learns_is_kept(
    finished_run: Path, small_set: Path, tmp_path: Path
) -> None:
    earlier, run = finished_run / "model.keras", tmp_path / "later"
    options = f"--weights {earlier} --head-epochs 0 --epochs 1 --rate 0.05 --start-share"
    command = [*tiny_training(small_set, run), *options.split()]
    assert maskwatch([*command, "0.5"]) == 0
    trained = history_of(run)
    assert maskwatch([*command, "0.25", "--resume"]) == 0  # mixed anew, and not trained again
    assert history_of(run) == trained
    figures = json.loads((run / "metrics.json").read_text())
    paths = earlier, run / "checkpoints" / "best.keras", run / "model.keras"
    begun, learned, kept = (load_network(path, compiled=False).get_weights() for path in paths)
    assert max(np.abs(one - other).max() for one, other in zip(begun, learned, strict=True)) > 0.01
    for place, (one, other, mean) in enumerate(zip(begun, learned, kept, strict=True)):
        # The last layer, its weights and biases, is then divided by the temperature.
        divisor = figures["temperature"] if place >= len(kept) - 2 else 1.0
        np.testing.assert_allclose(mean * divisor, 0.25 * one + 0.75 * other, atol=1e-5)
    card = (run / "model_card.md").read_text()
    assert "loss on the validation split, and mixed with 25% of the start weights." in card


def test_of_a_narrowed_network_nothing_is_kept(
    finished_run: Path, small_set: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    options = (
        f"--weights {finished_run / 'model.keras'} --alpha 0.2 --head-epochs 0 --frozen-blocks 0 "
        "--start-share 0.5"
    )
    assert maskwatch([*tiny_training(small_set, tmp_path / "later"), *options.split()]) == 1
    assert "then knows little; give no --start-share" in capfd.readouterr().err
