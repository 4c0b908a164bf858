"""A narrow MobileNetV2 that starts with the channels of a wider one that matter most.

Li et al., "Pruning Filters for Efficient ConvNets", 2017, keep the channels with the largest
filters. How far a batch norm lets a channel vary counts here, too, as in Liu et al., "Learning
Efficient Convolutional Networks through Network Slimming", 2017.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import keras
import numpy as np
import numpy.typing as npt

from maskwatch_edge.contract import LABELS
from maskwatch_edge.errors import InputError

from .network import BACKBONE_NAME, SCORES_NAME

BLOCKS = tuple(f"block_{number}" for number in range(1, 17))
NORMS = {"Conv1": "bn_Conv1", "Conv_1": "Conv_1_bn"}
"""Batch norms that are not called after their layer, with `_BN` behind it."""

NORMAL = np.linspace(-2.5, 2.5, 41)
"""Values of a channel before its batch norm gives it scale and offset, in standard deviations."""

NORMAL_WEIGHTS = np.exp(-(NORMAL**2) / 2) / np.exp(-(NORMAL**2) / 2).sum()

Indices = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass
class Stream:
    """Channels that several layers of MobileNetV2 share: kept or dropped in all of them.

    Attributes:
        writers: Convolutions that give them; several where blocks add to what they were given.
        filters: Depthwise convolutions that each channel passes for itself.
        readers: Pointwise convolutions that take them.
    """

    writers: list[str]
    filters: list[str] = field(default_factory=list)
    readers: list[str] = field(default_factory=list)


def narrow(wide: keras.Model, target: keras.Model) -> None:
    """Fill a network with the channels of a wider one that matter most.

    The statistics of the batch norms come along, but they are those of the wider network: the
    target has to learn its own.

    Args:
        wide: A network of `build_network`.
        target: Another one, as wide or less.

    Raises:
        InputError: If the target is wider or has another head, or the other is no such network.
    """
    features = _narrow_backbone(_backbone(wide), _backbone(target))
    _copy_head(wide, target, features)


def thin(backbone: keras.Model, share: float) -> keras.Model:
    """Return MobileNetV2 with fewer channels inside its blocks: those that matter most.

    What one block gives to the next stays as wide as it was.

    Args:
        backbone: MobileNetV2, which stays as it is.
        share: How many of the channels inside are kept, above 0 and at most 1.
    """
    inner = {stream.writers[0] for stream in find_streams(backbone) if stream.filters}

    def thinned(layer: keras.Layer) -> keras.Layer:
        config = layer.get_config()
        if layer.name in inner:
            config["filters"] = _in_eights(layer.filters * share)
        return type(layer).from_config(config)

    body = keras.models.clone_model(backbone, clone_function=thinned)
    _narrow_backbone(backbone, body)
    return body


def _in_eights(channels: float) -> int:
    """Round as MobileNetV2 does: processors take eight channels or more at once."""
    return max(round(channels / 8) * 8, 8)


def _narrow_backbone(source: keras.Model, body: keras.Model) -> Indices:
    """Fill a backbone, and return the channels of its last layer that were kept."""
    if list(find_streams(source)) != list(find_streams(body)):
        raise InputError(
            "the earlier network adds other layers than this one; give another --alpha"
        )
    inputs: dict[str, Indices | None] = {"Conv1": np.arange(3)}
    outputs: dict[str, Indices] = {}
    for stream in find_streams(source):
        chosen = choose_channels(source, stream, body.get_layer(stream.writers[0]).filters)
        outputs |= dict.fromkeys([*stream.writers, *stream.filters], chosen)
        inputs |= dict.fromkeys(stream.readers, chosen)
    for name, kept in outputs.items():
        _copy(source, body, name, inputs.get(name), kept)
    return outputs["Conv_1"]


def find_streams(backbone: keras.Model) -> Iterator[Stream]:
    """Yield the streams of MobileNetV2: each of its convolutions writes or filters one."""
    names = {layer.name for layer in backbone.layers}
    yield Stream(["Conv1"], ["expanded_conv_depthwise"], ["expanded_conv_project"])
    trunk = Stream(["expanded_conv_project"])
    for block in BLOCKS:
        trunk.readers.append(f"{block}_expand")
        yield Stream([f"{block}_expand"], [f"{block}_depthwise"], [f"{block}_project"])
        if f"{block}_add" in names:
            trunk.writers.append(f"{block}_project")
        else:
            yield trunk
            trunk = Stream([f"{block}_project"])
    trunk.readers.append("Conv_1")
    yield trunk
    yield Stream(["Conv_1"])


def choose_channels(backbone: keras.Model, stream: Stream, count: int) -> Indices:
    """Return the channels of a stream that matter most, in ascending order.

    A channel matters by how much it varies, times how much those who read it weigh it.

    Args:
        backbone: MobileNetV2.
        stream: One of its streams.
        count: How many to keep.

    Raises:
        InputError: If there are fewer.
    """
    spreads = [_spread(backbone, name) for name in stream.filters or stream.writers]
    weights = [_weights(backbone, name) for name in stream.readers]
    matter = np.sqrt(np.square(spreads).sum(axis=0)) * (np.sum(weights, axis=0) if weights else 1)
    if count > len(matter):
        raise InputError(
            f"the earlier network has {len(matter)} channels in {stream.writers[0]}, this one "
            f"{count}: only a wider one can be narrowed; give a lower --alpha"
        )
    return np.sort(np.argsort(-matter, kind="stable")[:count])


def _backbone(network: keras.Model) -> keras.Model:
    try:
        return network.get_layer(BACKBONE_NAME)
    except ValueError as error:
        raise InputError("the earlier network is none of maskwatch train") from error


def norm_of(backbone: keras.Model, name: str) -> keras.Layer:
    """Return the batch norm behind a convolution of MobileNetV2."""
    return backbone.get_layer(NORMS.get(name, f"{name}_BN"))


def _spread(backbone: keras.Model, name: str) -> Floats:
    """Return the standard deviation of each channel after the batch norm of a convolution."""
    norm = norm_of(backbone, name)
    values = np.outer(NORMAL, np.asarray(norm.gamma)) + np.asarray(norm.beta)
    if not name.endswith("_project"):  # only projections pass no ReLU6
        values = np.clip(values, 0.0, 6.0)
    mean = NORMAL_WEIGHTS @ values
    return np.asarray(np.sqrt(NORMAL_WEIGHTS @ (values - mean) ** 2))


def _weights(backbone: keras.Model, name: str) -> Floats:
    """Return the L1 norm of what a pointwise convolution and its batch norm make of a channel."""
    norm = norm_of(backbone, name)
    scale = np.abs(norm.gamma) / np.sqrt(np.asarray(norm.moving_variance) + norm.epsilon)
    return np.asarray(np.abs(backbone.get_layer(name).kernel)[0, 0] @ scale)


def _copy(
    source: keras.Model, target: keras.Model, name: str, inputs: Indices | None, outputs: Indices
) -> None:
    """Copy channels of a convolution, without inputs a depthwise one, and of its batch norm."""
    kernel = np.asarray(source.get_layer(name).kernel)
    kernel = kernel[:, :, outputs] if inputs is None else kernel[:, :, inputs][..., outputs]
    target.get_layer(name).set_weights([kernel])
    norm = [values[outputs] for values in norm_of(source, name).get_weights()]
    norm_of(target, name).set_weights(norm)


def _copy_head(wide: keras.Model, target: keras.Model, features: Indices) -> None:
    """Copy the dense layer, which has a row for each feature, at each place if it is flattened."""
    kernel, bias = wide.get_layer(SCORES_NAME).get_weights()
    width = wide.get_layer(BACKBONE_NAME).output.shape[-1]
    kernel = kernel.reshape(-1, width, len(LABELS))[:, features].reshape(-1, len(LABELS))
    head = target.get_layer(SCORES_NAME)
    if head.kernel.shape != kernel.shape:
        raise InputError("the earlier network has another head; give the --head of its training")
    head.set_weights([kernel, bias])
