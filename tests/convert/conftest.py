"""A finished training in miniature: networks with weights set by hand, pictures told by colour.

Greenish means with_mask, reddish without_mask. Nothing is trained, so every test knows the answer.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from maskwatch_edge.contract import LABELS, WITH_MASK
from maskwatch_edge.frame import Pixels
from maskwatch_edge.interpreter import load_interpreter
from maskwatch_edge.pictures import write_picture

SIZE = 32
COMMAND = "maskwatch train pictures --out run"
FINGERPRINT = "f" * 64
PICTURES = 8
"""Pictures of each label: half of them are fitted, a quarter held out."""

GREEN_AND_RED = np.array([[-5.0, 5.0], [5.0, -5.0], [0.0, 0.0]])
"""From mean red, green and blue to the two labels."""

KERAS_AND_NUMPY = "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
"""Keras 3.15 saves a network with a call that numpy 2 deprecates."""


def paint(path: Path, label: str, seed: int, size: int = 40) -> None:
    """Write a noisy picture of the colour of a label."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 120, (size, size, 3), dtype=np.uint8)
    pixels[..., 1 if label == WITH_MASK else 0] += 130
    write_picture(path, pixels)


def colour_network(dtype: str = "float32") -> Any:
    """Build a network that judges by colour, and is always right."""
    import keras

    inputs = keras.Input((SIZE, SIZE, 3))
    scaled = keras.layers.Rescaling(1 / 127.5, offset=-1.0, dtype=dtype)(inputs)
    mixed = keras.layers.Conv2D(2, 1, dtype=dtype)
    pooled = keras.layers.GlobalAveragePooling2D(dtype=dtype)(mixed(scaled))
    outputs = keras.layers.Softmax(dtype="float32")(pooled)
    network = keras.Model(inputs, outputs)
    mixed.set_weights([GREEN_AND_RED.reshape(1, 1, 3, 2), np.zeros(2)])
    return network


def fragile_network() -> Any:
    """Build one that is right in float32 and lost in int8.

    Its first layer puts a number in the thousands beside one below 1: the 256 steps of an
    activation are used up by the former, and the latter, which tells the colour, becomes zero.
    """
    import keras

    inputs = keras.Input((SIZE, SIZE, 3))
    scaled = keras.layers.Rescaling(1 / 255)(inputs)
    first, second = keras.layers.Dense(2), keras.layers.Dense(2, activation="softmax")
    outputs = second(first(keras.layers.GlobalAveragePooling2D()(scaled)))
    network = keras.Model(inputs, outputs)
    first.set_weights([np.array([[3000.0, -1.0], [3000.0, 1.0], [0.0, 0.0]]), np.zeros(2)])
    second.set_weights([np.array([[0.0, 0.0], [9.0, -9.0]]), np.zeros(2)])
    return network


def answers(flatbuffer: bytes, pictures: Sequence[Pixels]) -> npt.NDArray[np.float64]:
    """Return what a network answers to each picture, in real numbers, shape (n, outputs)."""
    interpreter = load_interpreter(flatbuffer, threads=1)
    given, said = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    scale, zero_point = said["quantization"]
    found = []
    for picture in pictures:
        interpreter.set_tensor(given["index"], picture[np.newaxis].astype(given["dtype"]))
        interpreter.invoke()
        found.append(interpreter.get_tensor(said["index"])[0].astype(float))
    return np.asarray((np.array(found) - zero_point) * (scale or 1.0))  # float32 has no scale


def paint_all(folder: Path) -> None:
    """Write a data set of the plain layout."""
    for place, label in enumerate(LABELS):
        (folder / label).mkdir(parents=True)
        for number in range(PICTURES):
            paint(folder / label / f"{number}.png", label, seed=100 * place + number)


def finish_run(run: Path, network: Any, pictures: Path) -> None:
    """Write the folder of a finished training on pictures."""
    run.mkdir()
    network.save(run / "model.keras")
    names: dict[str, list[str]] = {"train": [], "validation": [], "test": []}
    for path in sorted(pictures.glob("*/*.png")):
        split = ("train", "test", "train", "validation")[int(path.stem) % 4]
        names[split].append(hashlib.sha256(path.read_bytes()).hexdigest())
    report = {"fingerprint": FINGERPRINT, "identities": names}
    (run / "data.json").write_text(json.dumps(report))
    (run / "metrics.json").write_text(json.dumps({"command": COMMAND, "test": {}}))


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Give a data set of the plain layout."""
    paint_all(tmp_path / "pictures")
    return tmp_path / "pictures"


RunMaker = Callable[[Any], Path]


@pytest.fixture
def make_run(tmp_path: Path, pictures: Path) -> RunMaker:
    """Give a function that makes the folder of a finished training on `pictures`."""

    def make(network: Any) -> Path:
        finish_run(tmp_path / "run", network, pictures)
        return tmp_path / "run"

    return make


@pytest.fixture
def colour_run(make_run: RunMaker) -> Path:
    """Give a finished training of `colour_network`."""
    return make_run(colour_network())
