"""Training the finder, with a checkpoint after every epoch."""

from __future__ import annotations

import math
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras

from maskwatch_edge.errors import InputError
from maskwatch_train.devices import strategy
from maskwatch_train.run_folder import (
    checkpoint_path,
    epochs_drawn,
    load_history,
    load_network,
    remove_old_checkpoints,
    save_history,
    save_network,
    shapes_of,
    sweep_checkpoints,
)
from maskwatch_train.splits import TRAIN, VALIDATION

from .batches import SceneBatches
from .config import FinderConfig
from .data import FinderData, Picture
from .losses import BOXES, HEAT, box_loss, heat_loss
from .measuring import measure
from .network import build_finder

WARM_UP = 0.05
"""Share of the steps in which the learning rate rises."""

WEIGHT_DECAY = 1e-4
CLIP_NORM = 10.0


@dataclass
class FinderState:
    """How far a run has come; saved beside the checkpoint after every epoch.

    Attributes:
        config: What the run was started with.
        fingerprint: The data it was started on.
        history: One entry an epoch: losses, val_ap50, val_recall, seconds.
    """

    config: FinderConfig
    fingerprint: str
    history: list[dict[str, Any]] = field(default_factory=list)

    @property
    def scenes_per_second(self) -> float:
        """Scenes learned from in a second of all epochs so far, scoring and saving included."""
        seconds = sum(float(entry["seconds"]) for entry in self.history)
        return len(self.history) * self.config.steps * self.config.batch_size / max(seconds, 1e-9)


class FinderCheckpointer(keras.callbacks.Callback):  # type: ignore[misc]
    """Scores and saves the network after every epoch, and tells the time left.

    Raises:
        InputError: If the loss is no number any more.
        OutputError: If a file cannot be written.
    """

    def __init__(self, run: Path, state: FinderState, frames: list[Picture]) -> None:
        super().__init__()
        self._run, self._state, self._frames = run, state, frames
        self._started = 0.0

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Start the clock."""
        self._started = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Score, then save."""
        entry: dict[str, Any] = {name: float(value) for name, value in (logs or {}).items()}
        if not all(map(math.isfinite, entry.values())):
            raise InputError("the loss is no number any more; start again with a lower --rate")
        figures = measure(self.model, self._frames)
        entry |= {"val_ap50": figures["ap50"], "val_recall": figures["recall"]}
        entry["seconds"] = round(time.monotonic() - self._started, 1)
        self._state.history.append(entry)
        self._save()
        left = (self._state.config.epochs - epoch - 1) * entry["seconds"] / 60
        tell(
            f"epoch {epoch + 1}: validation AP50 {figures['ap50']:.3f}, "
            f"{self._state.scenes_per_second:.1f} scenes a second, {left:.0f} minutes left"
        )

    def _save(self) -> None:
        state = self._state
        save_network(self.model, checkpoint_path(self._run, len(state.history)))
        save_history(self._run, state.config, state.fingerprint, state.history)
        remove_old_checkpoints(self._run, len(state.history))


def train_finder(
    start: keras.Model, data: FinderData, config: FinderConfig, run: Path
) -> tuple[keras.Model, FinderState]:
    """Train, or go on with a training that was interrupted.

    The network of the last epoch is the one that counts: the learning rate ends at zero, and the
    few frames of the validation split cannot tell neighbouring epochs apart.

    Args:
        start: What the first epoch begins with; see `make_start`.
        data: Pictures by split.
        config: See `FinderConfig`.
        run: Folder of the run; if it holds the state of an unfinished training, it is continued.

    Raises:
        InputError: If the run in that folder was started with other options or other data.
        OutputError: If a checkpoint cannot be written.
    """
    history = load_history(run, config, data.fingerprint)
    state = FinderState(config, data.fingerprint, history)
    sweep_checkpoints(run, len(history))
    with strategy().scope():
        network = _network(start, run, state)
        if len(history) < config.epochs:
            network.fit(
                SceneBatches(data.splits[TRAIN], config, epochs_drawn(config, history)),
                initial_epoch=len(history),
                epochs=config.epochs,
                callbacks=[FinderCheckpointer(run, state, data.splits[VALIDATION])],
                shuffle=False,  # the batches are drawn already, in a way that can be repeated
                verbose=1 if sys.stderr.isatty() else 2,
            )
        return network, state


def _network(start: keras.Model, run: Path, state: FinderState) -> keras.Model:
    if state.history:
        return load_network(checkpoint_path(run, len(state.history)))
    compile_finder(start, state.config)
    return start


def make_start(config: FinderConfig) -> keras.Model:
    """Build the network that a run starts from.

    Raises:
        InputError: If its weights are missing, broken, or of another network.
    """
    keras.utils.set_random_seed(config.seed)
    with strategy().scope():
        return _start(config)


def _start(config: FinderConfig) -> keras.Model:
    path = config.earlier_network
    network = build_finder(
        size_wh=config.size_wh,
        alpha=config.alpha,
        channels=config.channels,
        weights="none" if path else config.weights,
        expansion=config.expansion,
        frozen_blocks=config.frozen_blocks,
    )
    if path:
        earlier = load_network(path, compiled=False)
        if shapes_of(earlier) != shapes_of(network):
            raise InputError(
                f"{path} is another network; give the --alpha, --expansion and "
                "--channels that it was trained with"
            )
        network.set_weights(earlier.get_weights())
    return network


def compile_finder(network: keras.Model, config: FinderConfig) -> None:
    """Give a network its losses and its optimizer."""
    steps = config.steps * config.epochs
    warm_up = max(round(WARM_UP * steps), 1)
    rate = keras.optimizers.schedules.CosineDecay(
        config.rate / 20, max(steps - warm_up, 1), warmup_target=config.rate, warmup_steps=warm_up
    )
    optimizer = keras.optimizers.AdamW(rate, weight_decay=WEIGHT_DECAY, global_clipnorm=CLIP_NORM)
    network.compile(optimizer=optimizer, loss={HEAT: heat_loss, BOXES: box_loss})


def tell(line: str) -> None:
    """Say how far the training is."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201
