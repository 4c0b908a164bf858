"""The finder's network: MobileNetV2 cut at stride 16, joined with its own stride 8.

Lin et al., "Feature Pyramid Networks for Object Detection", 2017, of one level; Sandler et al.,
"MobileNetV2", 2018.
"""

from __future__ import annotations

import math
from typing import Any

import keras

from maskwatch_edge.errors import InputError
from maskwatch_edge.finders.codes import STRIDE
from maskwatch_train.narrowing import thin
from maskwatch_train.network import (
    BACKBONE_NAME,
    MOMENTUM,
    build_backbone,
    quicken_norms,
    set_trainable,
)

from .config import EXPANSION
from .losses import BOXES, HEAT

DEEP, SHALLOW = "block_13_expand_relu", "block_6_expand_relu"
"""Where the backbone is cut, and where its finer half is taken from: strides 16 and 8."""

PRIOR = 0.01
"""The score that an untrained network gives each place: nearly all of them are background."""


def build_finder(
    *,
    size_wh: tuple[int, int],
    alpha: float,
    channels: int,
    weights: str,
    expansion: float = EXPANSION,
    frozen_blocks: int = 0,
) -> keras.Model:
    """Build the finder's network.

    Input: (batch, height, width, 3), RGB, 0 to 255; the scaling to [-1, 1] is in the graph.
    Outputs by name: "heat", shape (batch, height / 8, width / 8, 1), in [0, 1]; "boxes", the same
    with 4 channels, in [-1, 1]; `maskwatch_edge.finders.codes` tells what they mean.

    Args:
        size_wh: Width and height of the input in pixels; multiples of 32.
        alpha: Width of the backbone.
        channels: Channels of the layers that are added to it.
        weights: "imagenet" to download, "none" for random, or a Keras 3 `.weights.h5` file.
        expansion: Channels inside the blocks of the backbone for each that they take, at the most
            `EXPANSION`; the weights are those of the whole backbone, thinned.
        frozen_blocks: First blocks of the backbone that stay as they are, 0 to 12.

    Raises:
        InputError: If a size is unusable, or the weights do not fit.
    """
    if any(side % 32 or side < 32 for side in size_wh):
        raise InputError(f"the input must be multiples of 32 pixels; received {size_wh}")
    shape = (size_wh[1], size_wh[0])
    inputs = keras.Input((*shape, 3), name="frame_rgb")
    scaled = keras.layers.Rescaling(1 / 127.5, offset=-1.0, name="scaling")(inputs)
    shallow, deep = _cut_backbone(shape, alpha, weights, expansion)(scaled)
    features = _join(shallow, deep, channels)
    network = keras.Model(inputs, _answers(features), name="finder")
    set_trainable(network, backbone=True, frozen_blocks=frozen_blocks)
    return network


def _cut_backbone(
    shape: tuple[int, int], alpha: float, weights: str, expansion: float
) -> keras.Model:
    whole = build_backbone(shape, alpha, weights)
    if expansion != EXPANSION:
        whole = thin(whole, expansion / EXPANSION)
    quicken_norms(whole)
    outputs = [whole.get_layer(name).output for name in (SHALLOW, DEEP)]
    return keras.Model(whole.input, outputs, name=BACKBONE_NAME)


def _join(shallow: Any, deep: Any, channels: int) -> Any:
    deep = _separable(_separable(_mixed(deep, channels), channels), channels)
    up = keras.layers.UpSampling2D(STRIDE // 4, interpolation="nearest")(deep)
    joined = keras.layers.Add()([up, _mixed(shallow, channels)])
    return _separable(_separable(joined, channels), channels)


def _answers(features: Any) -> dict[str, Any]:
    """Add both outputs; float32 even under mixed precision."""
    bias = keras.initializers.Constant(math.log(PRIOR / (1 - PRIOR)))
    heat = keras.layers.Conv2D(
        1, 1, bias_initializer=bias, activation="sigmoid", dtype="float32", name=HEAT
    )
    boxes = keras.layers.Conv2D(4, 1, activation="tanh", dtype="float32", name=BOXES)
    return {HEAT: heat(features), BOXES: boxes(features)}


def _mixed(features: Any, channels: int) -> Any:
    mixed = keras.layers.Conv2D(channels, 1, use_bias=False)(features)
    return _normed(mixed)


def _separable(features: Any, channels: int) -> Any:
    spread = keras.layers.DepthwiseConv2D(3, padding="same", use_bias=False)(features)
    return _mixed(_normed(spread), channels)


def _normed(features: Any) -> Any:
    normed = keras.layers.BatchNormalization(momentum=MOMENTUM)(features)
    return keras.layers.ReLU(6.0)(normed)
