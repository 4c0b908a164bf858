"""What int8 adds to the mean answer of a layer, and taking it back."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("tensorflow", reason="needs TensorFlow: pip install 'maskwatch[train]'")

import keras

from maskwatch_convert.bias_correction import correct_biases
from maskwatch_convert.converter import convert_variants
from maskwatch_edge.errors import ConversionError
from maskwatch_edge.interpreter import load_interpreter
from maskwatch_train.network import build_network

from .conftest import KERAS_AND_NUMPY, SIZE, answers, colour_network

pytestmark = pytest.mark.filterwarnings(KERAS_AND_NUMPY)

PICTURES = list(np.random.default_rng(1).integers(0, 256, (24, SIZE, SIZE, 3), dtype=np.uint8))


def flatbuffers_of(network: Any) -> dict[str, bytes]:
    return convert_variants(network, ("float32", "int8"), PICTURES, "face_rgb")


def uneven_network(layers: int) -> Any:
    """Build one of which int8 loses something: beside a 1, 26 weights are rounded to 0."""
    inputs = passed = keras.Input((SIZE, SIZE, 3))
    kernel = np.full((3, 3, 3, 3), 0.0038)
    kernel[1, 1] = np.eye(3)
    for _ in range(layers):
        convolution = keras.layers.Conv2D(3, 3, activation="relu")
        passed = convolution(passed)
        convolution.set_weights([kernel, np.ones(3)])
    return keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(passed))


def mean_answer(flatbuffer: bytes) -> npt.NDArray[np.float64]:
    """Return the mean of each output over all pictures."""
    return np.asarray(answers(flatbuffer, PICTURES).mean(axis=0))


@pytest.mark.parametrize("layers", [1, 3])
def test_what_int8_loses_on_average_is_given_back(layers: int) -> None:
    float32, int8 = flatbuffers_of(uneven_network(layers)).values()
    exact = mean_answer(float32)
    assert exact - mean_answer(int8) == pytest.approx(12.6 * layers, rel=0.3)
    assert mean_answer(correct_biases(float32, int8, PICTURES)) == pytest.approx(exact, abs=1.5)


def test_nothing_but_biases_is_moved() -> None:
    network = build_network(size=SIZE, alpha=0.35, head="flatten", weights="none")
    float32, int8 = flatbuffers_of(network).values()
    before, after = (
        load_interpreter(int8),
        load_interpreter(correct_biases(float32, int8, PICTURES)),
    )
    made = {int(output) for each in before._get_ops_details() for output in each["outputs"]}
    constants = [t for t in before.get_tensor_details() if t["name"] and t["index"] not in made]
    moved = {
        np.dtype(tensor["dtype"])
        for tensor in constants[1:]  # the first is the input
        if (before.get_tensor(tensor["index"]) != after.get_tensor(tensor["index"])).any()
    }
    assert moved == {np.dtype(np.int32)}


def test_biases_that_layers_share_stay() -> None:
    network = keras.Sequential([keras.Input((SIZE, SIZE, 3))])
    for _ in range(2):
        network.add(keras.layers.Conv2D(3, 3, activation="relu"))  # all biases are 0
    float32, int8 = flatbuffers_of(network).values()
    assert correct_biases(float32, int8, PICTURES) == int8


def test_the_same_again_gives_the_same_bytes() -> None:
    float32, int8 = flatbuffers_of(uneven_network(1)).values()
    one, other = (correct_biases(float32, int8, PICTURES) for _ in range(2))
    assert one == other != int8


def test_biases_are_not_moved_towards_another_network() -> None:
    float32 = flatbuffers_of(colour_network())["float32"]
    int8 = flatbuffers_of(uneven_network(1))["int8"]
    with pytest.raises(ConversionError, match="int8 has other layers than float32"):
        correct_biases(float32, int8, PICTURES)
