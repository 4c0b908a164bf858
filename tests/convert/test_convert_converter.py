"""From Keras to TFLite."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs TensorFlow: pip install 'maskwatch[train]'")

import keras

from maskwatch_convert.converter import (
    check_all_integer,
    convert_network,
    export_network,
    load_network,
)
from maskwatch_edge.errors import ConversionError, InputError
from maskwatch_edge.interpreter import load_interpreter
from maskwatch_train.network import build_network

from .conftest import KERAS_AND_NUMPY, SIZE, colour_network

pytestmark = pytest.mark.filterwarnings(KERAS_AND_NUMPY)

CROPS = list(np.random.default_rng(1).integers(60, 200, (4, SIZE, SIZE, 3), dtype=np.uint8))
"""Nothing in them is black or white."""


def converted(network: Any, folder: Path, variant: str) -> bytes:
    network.save(folder / "model.keras")
    export_network(load_network(folder / "model.keras"), folder / "saved", "face_rgb")
    return convert_network(folder / "saved", variant, CROPS)


def test_mobilenet_becomes_all_integer_and_takes_bytes_as_they_are(tmp_path: Path) -> None:
    network = build_network(size=SIZE, alpha=0.35, head="flatten", weights="none")
    interpreter = load_interpreter(converted(network, tmp_path, "int8"), threads=1)
    face = interpreter.get_input_details()[0]
    assert face["quantization"] == (1.0, 0)
    assert face["dtype"] == np.uint8
    assert face["shape_signature"].tolist() == [1, SIZE, SIZE, 3]  # static: XNNPACK asks for it
    types = {np.dtype(tensor["dtype"]) for tensor in interpreter.get_tensor_details()}
    assert types == {np.dtype(np.uint8), np.dtype(np.int8), np.dtype(np.int32)}


def test_a_float_operation_in_an_int8_model_is_refused_by_name(tmp_path: Path) -> None:
    flatbuffer = converted(colour_network(), tmp_path, "float32")
    with pytest.raises(ConversionError, match="keeps the float operation CONV_2D"):
        check_all_integer(flatbuffer)


def test_an_input_that_is_not_the_bytes_of_a_picture_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "maskwatch_convert.converter._calibration_batches",
        lambda crops: (crop[np.newaxis].astype(np.float32) for crop in crops),
    )
    with pytest.raises(ConversionError, match=r"must be \(1.0, 0\)"):
        converted(colour_network(), tmp_path, "int8")


def test_an_operation_without_integers_is_refused_in_one_line(tmp_path: Path) -> None:
    inputs = keras.Input((SIZE, SIZE, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(inputs)
    outputs = keras.layers.Dense(2)(keras.ops.erf(pooled))
    with pytest.raises(ConversionError, match=r"cannot convert to int8: \w+") as refused:
        converted(keras.Model(inputs, outputs), tmp_path, "int8")
    assert "\n" not in str(refused.value)


def test_a_training_in_float16_converts_as_one_in_float32(tmp_path: Path) -> None:
    flatbuffers = set()
    for dtype in ("float32", "mixed_float16"):
        keras.utils.clear_session()  # the layers' names are numbered, and go into the file
        (tmp_path / dtype).mkdir()
        flatbuffers.add(converted(colour_network(dtype), tmp_path / dtype, "int8"))
    assert len(flatbuffers) == 1


OTHER_SHAPES = [
    ((SIZE, SIZE, 1), 2),  # grey
    ((SIZE, 2 * SIZE, 3), 2),  # not square
    ((None, None, 3), 2),  # no size
    ((SIZE, SIZE, 3), 3),  # a third label
]


@pytest.mark.parametrize(("shape", "labels"), OTHER_SHAPES)
def test_a_network_of_another_shape_is_refused(
    shape: tuple[int | None, ...], labels: int, tmp_path: Path
) -> None:
    inputs = keras.Input(shape)
    outputs = keras.layers.Dense(labels)(keras.layers.GlobalAveragePooling2D()(inputs))
    keras.Model(inputs, outputs).save(tmp_path / "model.keras")
    with pytest.raises(InputError, match="must take"):
        load_network(tmp_path / "model.keras")
