"""The network that a training starts from: a new one, or an earlier run's, narrowed or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt

from maskwatch_edge.errors import InputError

from .config import TrainingConfig
from .devices import strategy
from .narrowing import narrow
from .network import BACKBONE_NAME, build_network, quicken_norms
from .run_folder import load_network, shapes_of


@dataclass(frozen=True, eq=False)
class Start:
    """What a training starts from.

    Attributes:
        network: Not compiled yet.
        is_narrowed: Whether it is an earlier run's of which only the channels that matter most
            were taken.
    """

    network: keras.Model
    is_narrowed: bool = False


def make_start(config: TrainingConfig) -> Start:
    """Build the network that a run starts from.

    Raises:
        InputError: If its weights are missing, broken, or of another network.
    """
    keras.utils.set_random_seed(config.seed)
    with strategy().scope():
        if config.earlier_network:
            return _of_earlier_run(config, config.earlier_network)
        network = _build(config, config.weights)
        if config.weights == "none":
            quicken_norms(network.get_layer(BACKBONE_NAME))
        return Start(network)


def mix_in(network: keras.Model, weights: Sequence[npt.NDArray[np.float32]], share: float) -> None:
    """Let each weight of a network be the mean of its own and another one.

    Wortsman et al., "Robust fine-tuning of zero-shot models", 2022: halfway between a network and
    what it becomes by learning something new, it often knows both.

    Args:
        network: It is changed.
        weights: As `network.get_weights()` has them.
        share: Of the other weights in the mean, 0 to 1.
    """
    pairs = zip(weights, network.get_weights(), strict=True)
    network.set_weights([share * other + (1 - share) * own for other, own in pairs])


def _of_earlier_run(config: TrainingConfig, path: Path) -> Start:
    earlier = load_network(path, compiled=False)
    if earlier.input_shape != (None, config.size, config.size, 3):
        raise InputError(
            f"the network {config.weights} takes {earlier.input_shape}; "
            f"expected the --size {config.size}"
        )
    network = _build(config, "none")
    if shapes_of(earlier) == shapes_of(network):
        network.set_weights(earlier.get_weights())
        return Start(network)
    narrow(earlier, network)
    if config.start_share:
        raise InputError(
            f"the network {config.weights} is narrowed to --alpha {config.alpha:g} and then knows "
            "little; give no --start-share"
        )
    _check_nothing_is_frozen(config)
    quicken_norms(network.get_layer(BACKBONE_NAME))
    return Start(network, is_narrowed=True)


def _check_nothing_is_frozen(config: TrainingConfig) -> None:
    """A narrowed network has lost most of what it knew, and all layers must make up for it."""
    if config.head_epochs or config.frozen_blocks:
        raise InputError(
            f"the network {config.weights} is narrowed to --alpha {config.alpha:g}: all of its "
            "layers must learn; give --head-epochs 0 --frozen-blocks 0"
        )


def _build(config: TrainingConfig, weights: str) -> keras.Model:
    return build_network(
        size=config.size,
        alpha=config.alpha,
        head=config.head,
        weights=weights,
        dropout=config.dropout,
    )
