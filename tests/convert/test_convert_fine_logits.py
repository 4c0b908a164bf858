"""Logits of int8 in fine steps, and the scores that come of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("tensorflow", reason="needs TensorFlow: pip install 'maskwatch[train]'")

import keras

from maskwatch_convert.converter import convert_variants
from maskwatch_convert.fine_logits import oppose_logits, refine_logits
from maskwatch_edge.frame import Pixels

from .conftest import KERAS_AND_NUMPY, SIZE, answers, colour_network

pytestmark = pytest.mark.filterwarnings(KERAS_AND_NUMPY)

GREENS = np.linspace(0, 255, 256)
"""From surely one label to surely the other, in small steps."""


def pictures() -> list[Pixels]:
    return [np.full((SIZE, SIZE, 3), (255 - green, green, 0), np.uint8) for green in GREENS]


def sure_network() -> Any:
    """Build one whose logits reach 63 and -38 for a white picture, so that int8 has wide steps."""
    inputs = keras.Input((SIZE, SIZE, 3))
    scaled = keras.layers.Rescaling(1 / 127.5, offset=-1.0)(inputs)
    dense = keras.layers.Dense(2, activation="softmax")
    network = keras.Model(inputs, dense(keras.layers.GlobalAveragePooling2D()(scaled)))
    kernel = np.array([[-3.0, 6.0], [3.0, -6.0], [30.0, -20.0]])
    dense.set_weights([kernel, np.array([33.0, -18.0])])
    return network


def scores(flatbuffer: bytes) -> npt.NDArray[np.float64]:
    """Return the score of the first label for each of the pictures."""
    return answers(flatbuffer, pictures())[:, 0]


def converted(network: Any) -> dict[str, bytes]:
    return convert_variants(network, ("float32", "int8"), pictures()[::8], "face_rgb")


def test_opposite_logits_change_no_score() -> None:
    network = sure_network()
    crops = np.stack(pictures()).astype(np.float32)
    before = network.predict(crops, verbose=0)
    oppose_logits(network)
    kernel, bias = network.layers[-1].get_weights()
    assert kernel.sum(axis=1) == pytest.approx(0)
    assert bias.sum() == pytest.approx(0)
    assert network.predict(crops, verbose=0) == pytest.approx(before, abs=1e-6)


def test_scores_near_one_half_come_nearer_to_those_of_float32() -> None:
    network = sure_network()
    oppose_logits(network)
    float32, int8 = converted(network).values()
    exact, coarse, fine = (scores(each) for each in (float32, int8, refine_logits(int8)))
    doubtful = (exact > 0.1) & (exact < 0.9)
    assert doubtful.sum() > 10
    assert len(np.unique(fine[doubtful])) > 1.5 * len(np.unique(coarse[doubtful]))
    assert np.abs(fine - exact)[doubtful].mean() < np.abs(coarse - exact)[doubtful].mean()
    assert np.abs(fine - exact)[~doubtful].max() < 0.05


def test_other_networks_stay_as_they_are() -> None:
    uneven, without_dense = converted(sure_network())["int8"], converted(colour_network())["int8"]
    assert refine_logits(uneven) == uneven
    assert refine_logits(without_dense) == without_dense
