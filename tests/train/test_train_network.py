"""The network: what goes in and comes out, what learns, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maskwatch_edge.errors import InputError
from maskwatch_train.network import BACKBONE_NAME, build_network, set_trainable

from .conftest import KERAS_AND_NUMPY

pytestmark = pytest.mark.filterwarnings(KERAS_AND_NUMPY)

TINY: dict[str, Any] = {"size": 32, "alpha": 0.35, "head": "gap", "weights": "none"}


@pytest.fixture(scope="module")
def network() -> Any:
    """Give a tiny network with random weights."""
    return build_network(**TINY)


@pytest.mark.parametrize("head", ["flatten", "gap"])
def test_a_batch_of_faces_gives_probabilities(head: str) -> None:
    network = build_network(**{**TINY, "size": 64, "head": head})
    faces = np.random.default_rng(0).uniform(0, 255, (3, 64, 64, 3)).astype(np.float32)
    answers = np.asarray(network(faces))
    assert answers.shape == (3, 2)
    np.testing.assert_allclose(answers.sum(axis=1), 1.0, atol=1e-6)
    assert answers.min() >= 0


def test_flatten_keeps_the_place_of_each_feature() -> None:
    networks = [build_network(**{**TINY, "size": 64, "head": head}) for head in ("flatten", "gap")]
    inputs = [network.get_layer("scores").kernel.shape[0] for network in networks]
    assert inputs == [4 * 1280, 1280]


def test_the_scaling_is_in_the_graph(network: Any) -> None:
    scaled = network.get_layer("scaling")(np.array([0.0, 127.5, 255.0]))
    np.testing.assert_allclose(np.asarray(scaled), [-1.0, 0.0, 1.0])


def test_only_the_head_learns_in_the_first_stage(network: Any) -> None:
    set_trainable(network, backbone=False)
    assert [variable.path for variable in network.trainable_variables] == [
        "scores/kernel",
        "scores/bias",
    ]


@pytest.mark.parametrize(
    ("frozen_blocks", "first"),
    [
        (0, "Conv1"),  # everything learns
        (3, "block_3_expand"),  # the first three, numbers 0 to 2, stay
        (16, "block_16_expand"),  # the last block and the layers after it learn
    ],
)
def test_blocks_are_frozen_from_below(network: Any, frozen_blocks: int, first: str) -> None:
    set_trainable(network, backbone=True, frozen_blocks=frozen_blocks)
    layers = network.get_layer(BACKBONE_NAME).layers
    learning = [layer.name for layer in layers if layer.trainable and layer.weights]
    assert learning[0] == first


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 100}, "multiple of 32 pixels; received 100"),
        ({"size": 0}, "multiple of 32 pixels; received 0"),
        ({"head": "dense"}, "one of flatten, gap; received 'dense'"),
        ({"weights": "missing.weights.h5"}, "no weights file missing.weights.h5"),
    ],
)
def test_options_that_cannot_work_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        build_network(**{**TINY, **options})


@pytest.mark.parametrize("name", ["broken.weights.h5", "broken.txt"])
def test_a_file_that_holds_no_weights_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"no weights at all")
    with pytest.raises(InputError, match=f"the weights in .*{name} do not fit") as caught:
        build_network(**{**TINY, "weights": str(path)})
    assert "\n" not in str(caught.value)


def test_weights_of_another_width_are_refused(tmp_path: Path, network: Any) -> None:
    path = tmp_path / "narrow.weights.h5"
    network.get_layer(BACKBONE_NAME).save_weights(path)
    with pytest.raises(InputError, match="do not fit this network") as caught:
        build_network(**{**TINY, "alpha": 0.5, "weights": str(path)})
    assert "\n" not in str(caught.value)


def test_weights_from_a_file_are_taken(tmp_path: Path, network: Any) -> None:
    path = tmp_path / "narrow.weights.h5"
    backbone = network.get_layer(BACKBONE_NAME)
    backbone.save_weights(path)
    loaded = build_network(**{**TINY, "weights": str(path)}).get_layer(BACKBONE_NAME)
    for one, other in zip(backbone.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_download_that_fails_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: Any) -> None:
        raise Exception("URL fetch failure on https://example.org: None\nmore")  # as Keras does

    monkeypatch.setattr("keras.applications.MobileNetV2", fail)
    with pytest.raises(InputError, match="weights imagenet: URL fetch failure") as caught:
        build_network(**{**TINY, "weights": "imagenet"})
    assert "\n" not in str(caught.value)
