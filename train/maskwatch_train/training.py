"""Training in two stages, with a checkpoint after every epoch."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from maskwatch_edge.errors import InputError
from maskwatch_edge.frame import Pixels

from .batches import AugmentedBatches
from .config import FINE_TUNE, STAGES, TrainingConfig
from .devices import strategy, this_worker
from .distillation import TaughtBatches, Teacher, compile_network
from .network import set_trainable, synchronize_norms
from .run_folder import (
    best_path,
    checkpoint_path,
    epochs_drawn,
    load_history,
    load_network,
    remove_old_checkpoints,
    save_history,
    save_network,
    sweep_checkpoints,
)
from .samples import Sample
from .splits import TRAIN, VALIDATION
from .workers import check_all_see, fit, wait_for_all

FACES_AT_ONCE = 256
"""Faces that are in memory as float32 at a time while a network answers."""


@dataclass
class RunState:
    """How far a run has come; saved beside the checkpoint after every epoch.

    Attributes:
        config: What the run was started with.
        fingerprint: The data it was started on.
        history: One entry an epoch: stage, loss, accuracy, val_loss, val_accuracy, seconds.
    """

    config: TrainingConfig
    fingerprint: str
    history: list[dict[str, Any]] = field(default_factory=list)

    def epochs_done(self, stage: str) -> int:
        """Epochs of that stage that are finished."""
        return sum(1 for entry in self.history if entry["stage"] == stage)

    def is_done(self, stage: str) -> bool:
        """Whether the stage has had its epochs, or stopped early."""
        losses = [entry["val_loss"] for entry in self.history if entry["stage"] == stage]
        return len(losses) >= self.config.stage_epochs(stage) or (
            stage == FINE_TUNE and should_stop(losses, self.config.patience)
        )

    def last_is_best(self) -> bool:
        """Whether the newest epoch has the lowest validation loss so far."""
        losses = [float(entry["val_loss"]) for entry in self.history]
        return losses[-1] <= min(losses)


def should_stop(losses: Sequence[float], patience: int) -> bool:
    """Tell whether the lowest loss lies `patience` or more epochs back."""
    return len(losses) > patience and len(losses) - 1 - int(np.argmin(losses)) >= patience


class Checkpointer(keras.callbacks.Callback):  # type: ignore[misc]
    """Saves the network and the state of the run after every epoch, and tells the time left.

    Of several workers all save, as TensorFlow wants them to; what the first one does is kept, and
    the others wait until it has.

    Args:
        folder: Where this worker saves.
        state: How far the run has come.
        stage: The stage that is trained.

    Raises:
        InputError: If the loss is no number any more.
        OutputError: If a file cannot be written.
    """

    def __init__(self, folder: Path, state: RunState, stage: str) -> None:
        super().__init__()
        self._folder, self._state, self._stage = folder, state, stage
        self._started = 0.0

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Start the clock, and make what is dropped out the same in a resumed run."""
        self._started = time.monotonic()
        seed_dropout(
            self.model, self._state.config.seed, len(self._state.history), this_worker().index
        )

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Save, and stop when the stage is done."""
        seconds = time.monotonic() - self._started
        entry = {name: float(value) for name, value in (logs or {}).items()}
        if not all(map(math.isfinite, entry.values())):
            raise InputError("the loss is no number any more; start again with a lower --rate")
        self._state.history.append({"stage": self._stage, "seconds": round(seconds, 1), **entry})
        if self._state.is_done(self._stage):
            self.model.stop_training = True
        self._save()
        left = (self._state.config.stage_epochs(self._stage) - epoch - 1) * seconds / 60
        if this_worker().is_first:
            _tell(f"{self._stage} epoch {epoch + 1}: at most {left:.0f} minutes left")
        wait_for_all()

    def _save(self) -> None:
        epochs = len(self._state.history)
        save_network(self.model, checkpoint_path(self._folder, epochs))
        if self._state.last_is_best():
            save_network(self.model, best_path(self._folder))
        save_state(self._folder, self._state)
        remove_old_checkpoints(self._folder, epochs)


def train_network(
    start: keras.Model,
    splits: dict[str, list[Sample]],
    config: TrainingConfig,
    fingerprint: str,
    run: Path,
    teacher: Teacher | None = None,
) -> tuple[keras.Model, RunState]:
    """Train, or go on with a training that was interrupted.

    Args:
        start: What the first epoch begins with; see `start.make_start`.
        splits: Samples by split.
        config: See `TrainingConfig`.
        fingerprint: Names the data.
        run: Folder of the run; if it holds the state of an unfinished training, it is continued.
        teacher: Its answers are learned, too.

    Returns:
        The network of the epoch with the lowest validation loss, and the state of the run.

    Raises:
        InputError: If the run in that folder was started with other options or other data.
        OutputError: If a checkpoint cannot be written.
        WorkerError: If another worker of this training does not answer any more.
    """
    keras.utils.set_random_seed(config.seed)
    state = load_state(run, config, fingerprint)
    check_all_see(len(state.history), f"epochs done in {run}")
    if this_worker().is_first:
        sweep_checkpoints(run, len(state.history))
    with _folder_to_save_in(run) as folder:
        for stage in STAGES:
            if not state.is_done(stage) and config.stage_epochs(stage):
                network = _stage_network(start, state, stage, run)
                _train_stage(network, splits, state, stage, folder, teacher)
    best = load_network(best_path(run), compiled=False)
    synchronize_norms(best, is_on=False)
    return best, state


@contextmanager
def _folder_to_save_in(run: Path) -> Iterator[Path]:
    if this_worker().is_first:
        yield run
    else:
        with TemporaryDirectory(prefix="maskwatch-") as folder:
            yield Path(folder)


def _train_stage(
    network: keras.Model,
    splits: dict[str, list[Sample]],
    state: RunState,
    stage: str,
    folder: Path,
    teacher: Teacher | None,
) -> None:
    config, done = state.config, state.epochs_done(stage)
    drawn = epochs_drawn(config, state.history)
    batches = AugmentedBatches(splits[TRAIN], config, drawn, this_worker())
    if not network.compiled:
        with strategy().scope():
            compile_network(network, _optimizer(config, stage, steps=len(batches)))
    fit(
        network,
        TaughtBatches(batches, teacher) if teacher else batches,
        validation_data=plain_batch(splits[VALIDATION]),
        initial_epoch=done,
        epochs=config.stage_epochs(stage),
        callbacks=[Checkpointer(folder, state, stage)],
        shuffle=False,  # the batches are shuffled already, in a way that can be repeated
        verbose=_verbosity(),
    )


def _verbosity() -> int:
    """How much Keras tells: 0 nothing, 1 a bar that moves, 2 a line an epoch."""
    if not this_worker().is_first:
        return 0
    return 1 if sys.stderr.isatty() else 2


def _stage_network(start: keras.Model, state: RunState, stage: str, run: Path) -> keras.Model:
    """Return the network to go on with, compiled only if it is in the middle of its stage."""
    newest = checkpoint_path(run, len(state.history))
    with strategy().scope():
        is_begun = state.epochs_done(stage) > 0
        network = load_network(newest, compiled=is_begun) if state.history else start
        synchronize_norms(network, is_on=strategy().num_replicas_in_sync > 1)
        if not is_begun:
            frozen_blocks = state.config.frozen_blocks
            set_trainable(network, backbone=stage == FINE_TUNE, frozen_blocks=frozen_blocks)
        return network


def _optimizer(config: TrainingConfig, stage: str, steps: int) -> keras.optimizers.Optimizer:
    rate = config.head_rate
    if stage == FINE_TUNE:
        rate = keras.optimizers.schedules.CosineDecay(config.rate, steps * config.epochs)
    return keras.optimizers.Adam(rate)


def seed_dropout(network: keras.Model, seed: int, epoch: int, worker: int = 0) -> None:
    """Set the generators of all dropout layers: a saved network does not keep their state."""
    for place, layer in enumerate(network.layers):
        if isinstance(layer, keras.layers.Dropout) and layer.rate:
            state = np.random.default_rng((seed, epoch, place, worker)).integers(2**31, size=2)
            layer.seed_generator.state.assign(state)


def plain_batch(
    samples: Sequence[Sample],
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int32]]:
    """Return all crops as the board sees them, float32 in 0 to 255, and their label indices."""
    crops = np.stack([sample.crop for sample in samples]).astype(np.float32)
    return crops, np.array([sample.label_index for sample in samples], dtype=np.int32)


def predict(network: keras.Model, samples: Sequence[Sample]) -> npt.NDArray[np.float64]:
    """Return the network's answers to crops as the board sees them, shape (samples, 2)."""
    return answer(network, [sample.crop for sample in samples])


def answer(network: keras.Model, crops: Sequence[Pixels]) -> npt.NDArray[np.float64]:
    """Return the network's answers to crops of its size, shape (crops, 2)."""
    chunks = [crops[start : start + FACES_AT_ONCE] for start in range(0, len(crops), FACES_AT_ONCE)]
    answers = [network.predict(np.stack(chunk).astype(np.float32), verbose=0) for chunk in chunks]
    return np.concatenate(answers).astype(np.float64)


def save_state(run: Path, state: RunState) -> None:
    """Write how far the run has come."""
    save_history(run, state.config, state.fingerprint, state.history)


def load_state(run: Path, config: TrainingConfig, fingerprint: str) -> RunState:
    """Read how far the run has come; a fresh state if it has not begun.

    Raises:
        InputError: If it was started with other options or other data, or cannot be read.
    """
    return RunState(config, fingerprint, load_history(run, config, fingerprint))


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201
