"""From a Keras network to the bytes of a TFLite model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from maskwatch_edge.contract import LABELS, UNREADABLE
from maskwatch_edge.errors import ConversionError, InputError
from maskwatch_edge.frame import Pixels
from maskwatch_edge.interpreter import load_interpreter
from maskwatch_edge.quiet import quiet

from .converting import scratch_folder


def load_network(path: Path) -> keras.Model:
    """Read the network of a classifier's run, for float32 arithmetic throughout.

    Raises:
        InputError: If the file is broken, or holds another kind of network.
    """
    network = _load(path)
    _check_shapes(path, network)
    return network


def load_finder(path: Path) -> keras.Model:
    """Read the network of a finder's run, for float32 arithmetic throughout.

    Raises:
        InputError: If the file is broken, or holds another kind of network.
    """
    network = _load(path)
    received = network.input_shape
    outputs = [tuple(output.shape) for output in network.outputs]
    if sorted(shape[-1] for shape in outputs) != [1, 4] or None in received[1:]:
        raise InputError(
            f"the network {path} must take frames of one size and give a heat map of 1 channel "
            f"and boxes of 4; received {received} and {outputs}"
        )
    return network


def with_input(network: keras.Model, size_wh: tuple[int, int]) -> keras.Model:
    """Return a finder's network for frames of another size; no weight depends on it.

    Args:
        network: What `load_finder` returned.
        size_wh: Width and height in pixels, multiples of 32.
    """
    shape = (size_wh[1], size_wh[0], 3)

    def copied(layer: Any) -> Any:
        if isinstance(layer, keras.Model):
            return keras.models.clone_model(layer, keras.Input(shape))
        return layer.from_config(layer.get_config())

    clone = keras.models.clone_model(network, keras.Input(shape, name="frame_rgb"), copied)
    clone.set_weights(network.get_weights())
    return clone


def _load(path: Path) -> keras.Model:
    try:
        with quiet():
            network = keras.models.load_model(path, compile=False)
    except (OSError, TypeError, *UNREADABLE) as error:
        raise InputError(f"cannot read the network {path}: {_first_line(error)}") from error
    for layer in _layers_of(network):
        layer.dtype_policy = "float32"  # a training on a GPU leaves float16 behind
    return network


def _check_shapes(path: Path, network: keras.Model) -> None:
    shapes = network.input_shape, network.output_shape
    size = shapes[0][1]
    if not size or shapes != ((None, size, size, 3), (None, len(LABELS))):
        raise InputError(
            f"the network {path} must take (None, size, size, 3) and give (None, {len(LABELS)}); "
            f"received {shapes[0]} and {shapes[1]}"
        )


def _layers_of(network: keras.Model) -> Iterator[Any]:
    for layer in network.layers:
        yield layer
        if isinstance(layer, keras.Model):
            yield from _layers_of(layer)


def convert_variants(
    network: keras.Model, variants: Iterable[str], pictures: Sequence[Pixels], input_name: str
) -> dict[str, bytes]:
    """Convert a network to several variants; one that is named twice is made once.

    Args:
        network: See `export_network`.
        variants: Of `contract.VARIANTS`.
        pictures: See `convert_network`.
        input_name: See `export_network`.

    Returns:
        The flatbuffers by variant.

    Raises:
        ConversionError: If it cannot be converted.
    """
    with scratch_folder() as scratch:
        export_network(network, scratch, input_name)
        return {
            variant: convert_network(scratch, variant, pictures)
            for variant in dict.fromkeys(variants)
        }


def export_network(network: keras.Model, folder: Path, input_name: str) -> None:
    """Write the network as a SavedModel that takes one picture at a time.

    XNNPACK runs the whole of a TFLite model only if all its shapes are known. The name of the
    input is fixed because it becomes part of the TFLite file.

    Raises:
        ConversionError: If TensorFlow cannot write it.
    """
    one = tf.TensorSpec((1, *network.input_shape[1:]), tf.float32, name=input_name)
    try:
        with quiet():
            network.export(folder, verbose=False, input_signature=[one])
    except Exception as error:  # TensorFlow passes on the errors of several libraries
        raise ConversionError(f"cannot export the network: {_first_line(error)}") from error


def convert_network(saved_model: Path, variant: str, crops: Sequence[Pixels]) -> bytes:
    """Convert what `export_network` wrote; the same arguments give the same bytes.

    Args:
        saved_model: The folder.
        variant: One of `contract.VARIANTS`.
        crops: Pictures for calibration, of the shape of the input, uint8, RGB; only int8 needs
            them.

    Returns:
        A TFLite flatbuffer without contract.

    Raises:
        ConversionError: If an operation has no counterpart in TFLite, or none in integers.
    """
    try:
        with quiet():
            converter = tf.lite.TFLiteConverter.from_saved_model(str(saved_model))
            _configure(converter, variant, crops)
            flatbuffer = bytes(converter.convert())
    except Exception as error:  # TensorFlow passes on the errors of several libraries
        raise ConversionError(f"cannot convert to {variant}: {_first_line(error)}") from error
    if variant == "int8":
        check_all_integer(flatbuffer)
    return flatbuffer


def _configure(converter: Any, variant: str, crops: Sequence[Pixels]) -> None:
    if variant == "float32":
        return
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if variant == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if variant == "int8":
        converter.representative_dataset = lambda: ([face] for face in _calibration_batches(crops))
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tf.uint8
        converter.inference_output_type = tf.uint8


def _calibration_batches(crops: Sequence[Pixels]) -> Iterator[npt.NDArray[np.float32]]:
    """Yield the crops, and one all black and one all white.

    With the range of the input known to be 0 to 255, its quantization is exactly (1.0, 0): the
    bytes of a picture go in as they are.
    """
    extremes = [np.full_like(crops[0], value) for value in (0, 255)]
    for crop in (*crops, *extremes):
        yield crop[np.newaxis].astype(np.float32)


def check_all_integer(flatbuffer: bytes) -> None:
    """Refuse a model that computes in floats, or does not take a picture's bytes as they are.

    Raises:
        ConversionError: If so, with the name of the operation.
    """
    interpreter = load_interpreter(flatbuffer, threads=1)
    tensors = tensors_of(interpreter)
    for operation in interpreter._get_ops_details():
        for index in (*operation["inputs"], *operation["outputs"]):
            tensor = tensors.get(int(index))
            if tensor is not None and np.issubdtype(tensor["dtype"], np.floating):
                raise ConversionError(
                    f"the int8 model keeps the float operation {operation['op_name']} "
                    f"({tensor['name']}); expected integers only: use layers that TFLite quantizes"
                )
    quantization = interpreter.get_input_details()[0]["quantization"]
    if quantization != (1.0, 0):
        raise ConversionError(
            "the input quantization (scale, zero point) must be (1.0, 0); "
            f"received {quantization}: scale pixels in the network, not before it"
        )


def tensors_of(interpreter: Any) -> dict[int, dict[str, Any]]:
    """Return what the interpreter knows of each tensor, by index."""
    return {tensor["index"]: tensor for tensor in interpreter.get_tensor_details()}


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
