"""The network: MobileNetV2 without its top, and a small head.

Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", 2018.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import keras

from maskwatch_edge.contract import LABELS
from maskwatch_edge.errors import InputError

from .config import TrainingConfig

HEADS = ("flatten", "gap")
BACKBONE_NAME, SCORES_NAME = "backbone", "scores"

MOMENTUM = 0.95
"""Of batch norms that start from nothing. Keras' MobileNetV2 has 0.999: after a short training the
statistics are still those of the start, and the saved network knows nothing."""


def build_network(
    *, size: int, alpha: float, head: str, weights: str, dropout: float = TrainingConfig.dropout
) -> keras.Model:
    """Build the mask network.

    Input: (batch, size, size, 3), RGB, 0 to 255; the scaling to [-1, 1] is a layer of the graph.
    Output: (batch, 2), probabilities in the order of `contract.LABELS`.

    Args:
        size: Side of the input in pixels; a multiple of 32.
        alpha: Width of the backbone; 1.0 has 2.2 million parameters.
        head: "flatten" keeps the place of each feature, "gap" averages it away.
        weights: "imagenet" to download, "none" for random, or a Keras 3 `.weights.h5` file.
        dropout: Share of features dropped in training.

    Raises:
        InputError: If the size or head is unusable, or the weights do not fit.
    """
    if size % 32 or size < 32:
        raise InputError(f"the input size must be a multiple of 32 pixels; received {size}")
    if head not in HEADS:
        raise InputError(f"the head must be one of {', '.join(HEADS)}; received {head!r}")
    backbone = build_backbone((size, size), alpha, weights)
    inputs = keras.Input((size, size, 3), name="face_rgb")
    scaled = keras.layers.Rescaling(1 / 127.5, offset=-1.0, name="scaling")(inputs)
    features = backbone(scaled)
    pool = keras.layers.Flatten() if head == "flatten" else keras.layers.GlobalAveragePooling2D()
    dropped = keras.layers.Dropout(dropout)(pool(features))
    # float32 even under mixed precision: a softmax in float16 loses the small probabilities.
    scores = keras.layers.Dense(
        len(LABELS), activation="softmax", dtype="float32", name=SCORES_NAME
    )
    return keras.Model(inputs, scores(dropped), name="maskwatch")


def set_trainable(network: keras.Model, *, backbone: bool, frozen_blocks: int = 0) -> None:
    """Choose what training changes: the head always, the backbone from a block upwards.

    Args:
        network: What `build_network` returned.
        backbone: Whether the backbone learns at all.
        frozen_blocks: Its first blocks, 0 to 16, that stay as they are; they hold edges and
            colours, and cost more than half of the time.
    """
    body = network.get_layer(BACKBONE_NAME)
    body.trainable = backbone
    if not backbone or not frozen_blocks:
        return
    names = [layer.name for layer in body.layers]
    first = names.index(f"block_{frozen_blocks}_expand")
    for layer in body.layers[:first]:
        layer.trainable = False


def quicken_norms(backbone: keras.Model) -> None:
    """Let all batch norms of a backbone learn their statistics within a short training.

    For a start without statistics that fit. Those of trained weights had better change slowly, as
    they do by default: they always learn, except in frozen blocks. Calling the backbone with
    `training=False` would not stop them, whatever the guide on transfer learning says: `fit` passes
    its own on (https://github.com/keras-team/keras/issues/20285).
    """
    for layer in backbone.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = MOMENTUM


def synchronize_norms(network: keras.Model, *, is_on: bool = True) -> None:
    """Let batch norms take their statistics from the whole batch, not from one machine's share."""
    for layer in network.get_layer(BACKBONE_NAME).layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized = is_on


def build_backbone(size_hw: tuple[int, int], alpha: float, weights: str) -> Any:
    """Build MobileNetV2 without its top, with the weights that a training starts from.

    Args:
        size_hw: Height and width of the input in pixels, multiples of 32.
        alpha: Its width.
        weights: "imagenet" to download, "none" for random, or a Keras 3 `.weights.h5` file.

    Raises:
        InputError: If the weights are missing or do not fit.
    """
    arguments = {
        "input_shape": (*size_hw, 3),
        "alpha": alpha,
        "include_top": False,
        "name": BACKBONE_NAME,
    }
    download = "imagenet" if weights == "imagenet" else None
    try:
        backbone = keras.applications.MobileNetV2(weights=download, **arguments)
    except Exception as error:  # a failed download is a bare Exception in Keras
        reason = (str(error).splitlines() or [""])[0]
        raise InputError(
            f"cannot build MobileNetV2 with alpha {alpha} and weights {weights}: {reason}"
        ) from error
    if weights not in ("imagenet", "none"):
        _load_weights(backbone, Path(weights))
    return backbone


def _load_weights(backbone: keras.Model, path: Path) -> None:
    if not path.is_file():
        raise InputError(f"there is no weights file {path}; expected imagenet, none or a file")
    try:
        with warnings.catch_warnings():
            # Keras only warns of layers that are not in the file and stay random.
            warnings.simplefilter("error", UserWarning)
            backbone.load_weights(path)
    except (ValueError, OSError, KeyError, UserWarning) as error:
        reason = (str(error).splitlines() or [""])[0]
        raise InputError(f"the weights in {path} do not fit this network: {reason}") from error
