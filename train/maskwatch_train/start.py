"""The network that a training starts from: a new one, or that of an earlier run."""

from __future__ import annotations

from pathlib import Path

import keras

from maskwatch_edge.errors import InputError

from .config import TrainingConfig
from .network import BACKBONE_NAME, build_network, quicken_norms
from .run_folder import load_network


def check_start(config: TrainingConfig) -> None:
    """Refuse a file to start from that does not fit, before minutes are spent on the data.

    Raises:
        InputError: As for `first_network`.
    """
    if config.weights not in ("imagenet", "none"):
        first_network(config)


def first_network(config: TrainingConfig) -> keras.Model:
    """Build the network that a run starts from.

    Raises:
        InputError: If its weights are missing, broken, or of another network.
    """
    if config.weights.endswith(".keras"):
        return _network_of_earlier_run(config)
    network = _build(config, config.weights)
    if config.weights == "none":
        quicken_norms(network.get_layer(BACKBONE_NAME))
    return network


def _network_of_earlier_run(config: TrainingConfig) -> keras.Model:
    earlier = load_network(Path(config.weights), compiled=False)
    if earlier.input_shape != (None, config.size, config.size, 3):
        raise InputError(
            f"the network {config.weights} takes {earlier.input_shape}; "
            f"expected the --size {config.size}"
        )
    network = _build(config, "none")
    if _shapes(earlier) != _shapes(network):
        raise InputError(
            f"the network {config.weights} is of another width or head than --alpha "
            f"{config.alpha:g} --head {config.head}; give those that it was trained with"
        )
    network.set_weights(earlier.get_weights())
    return network


def _build(config: TrainingConfig, weights: str) -> keras.Model:
    return build_network(size=config.size, alpha=config.alpha, head=config.head, weights=weights)


def _shapes(network: keras.Model) -> list[tuple[int, ...]]:
    return [tuple(weights.shape) for weights in network.weights]
