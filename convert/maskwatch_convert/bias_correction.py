"""Bias correction: what int8 adds to the mean answer of each layer is taken back.

Rounded weights shift what a layer answers on average, channel by channel, and the shifts of all
layers add up: a network may then lean to one of its labels. From the first layer to the last, the
mean of each channel is compared with that of the float32 network, and the int32 biases, which cost
nothing, are moved by the difference.

Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", 2019, which
corrects before the activation. TFLite fuses it with the layer, so the means are taken behind it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from tensorflow.lite.python import schema_py_generated as schema

from maskwatch_edge.errors import ConversionError
from maskwatch_edge.frame import Pixels
from maskwatch_edge.quiet import quiet

from .converter import tensors_of

WITH_BIAS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")

MOST_PICTURES = 64
"""More gain nothing: means over all places of a picture need few of them."""

Means = npt.NDArray[np.float64]
"""Of each channel, shape (channels,)."""


@dataclass(frozen=True)
class Layer:
    """A layer that may have a bias.

    Attributes:
        output: Index of the tensor that it gives, channels last.
        channels: How many.
        bias: Index of the tensor of its bias, shape (channels,); -1 if it has none.
    """

    output: int
    channels: int
    bias: int


def correct_biases(float32: bytes, int8: bytes, pictures: Sequence[Pixels]) -> bytes:
    """Move the biases of a quantized network so that its layers answer as before on average.

    Biases that several layers share stay: TFLite keeps equal ones once, such as those of a network
    that was never trained.

    Args:
        float32: The network as a TFLite flatbuffer.
        int8: The same, quantized.
        pictures: Those that calibrated it, of the shape of its input, uint8, RGB; the first
            `MOST_PICTURES` are used.

    Returns:
        The quantized network with other biases.

    Raises:
        ConversionError: If the two are not the same network.
    """
    pictures = pictures[:MOST_PICTURES]
    exact, rounded = _load(float32), _load(int8)
    layers = _layers(rounded)
    wanted = _means(exact, [layer.output for layer in _layers(exact)], pictures)
    if [len(each) for each in wanted] != [layer.channels for layer in layers]:
        raise ConversionError("int8 has other layers than float32; biases cannot be corrected")
    movable = _unshared(int8)
    corrected = bytearray(int8)
    for layer, mean in zip(layers, wanted, strict=True):
        if layer.bias in movable:
            rounded = _load(bytes(corrected))
            shift = mean - _means(rounded, [layer.output], pictures)[0]
            _move_bias(corrected, rounded, layer.bias, shift)
    return bytes(corrected)


def _load(flatbuffer: bytes) -> Any:
    """Load a network so that what its layers give can be read, which XNNPACK does not keep."""
    resolvers = tf.lite.experimental.OpResolverType
    with quiet():
        interpreter = tf.lite.Interpreter(
            model_content=flatbuffer,
            experimental_op_resolver_type=resolvers.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
            experimental_preserve_all_tensors=True,
        )
        interpreter.allocate_tensors()
    return interpreter


def _layers(interpreter: Any) -> list[Layer]:
    tensors = tensors_of(interpreter)
    layers = []
    for operation in interpreter._get_ops_details():
        if operation["op_name"] in WITH_BIAS:
            output, bias = int(operation["outputs"][0]), int(operation["inputs"][2])
            layers.append(Layer(output, int(tensors[output]["shape"][-1]), bias))
    return layers


def _unshared(flatbuffer: bytes) -> set[int]:
    """Return the tensors whose content no other tensor shares."""
    graph = schema.Model.GetRootAsModel(bytearray(flatbuffer), 0).Subgraphs(0)
    buffers = [graph.Tensors(index).Buffer() for index in range(graph.TensorsLength())]
    counts = Counter(buffers)
    return {index for index, buffer in enumerate(buffers) if counts[buffer] == 1}


def _means(interpreter: Any, outputs: Sequence[int], pictures: Sequence[Pixels]) -> list[Means]:
    """Return what some layers answer on average to all pictures, in real numbers."""
    received = interpreter.get_input_details()[0]
    sums = [np.zeros(1) for _ in outputs]
    for picture in pictures:
        interpreter.set_tensor(received["index"], picture[np.newaxis].astype(received["dtype"]))
        interpreter.invoke()
        for place, output in enumerate(outputs):
            answer = interpreter.get_tensor(output)
            channels = answer.reshape(-1, answer.shape[-1]).mean(axis=0, dtype=np.float64)
            sums[place] = sums[place] + channels
    tensors = tensors_of(interpreter)
    return [
        _real(total / len(pictures), *tensors[output]["quantization"])
        for total, output in zip(sums, outputs, strict=True)
    ]


def _real(values: Means, scale: float, zero_point: int) -> Means:
    return (values - zero_point) * scale if scale else values  # float32 has no scale


def _move_bias(flatbuffer: bytearray, interpreter: Any, bias: int, shift: Means) -> None:
    """Add real numbers to a bias where it lies in the flatbuffer."""
    scales = tensors_of(interpreter)[bias]["quantization_parameters"]["scales"]
    moved = interpreter.get_tensor(bias) + np.round(shift / scales).astype(np.int64)
    model = schema.Model.GetRootAsModel(flatbuffer, 0)
    place = model.Buffers(model.Subgraphs(0).Tensors(bias).Buffer())
    place.DataAsNumpy()[:] = moved.astype("<i4").view(np.uint8)
