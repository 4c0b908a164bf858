"""Learning from a teacher: a large network's answers beside the labels.

Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural Network", 2015.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from maskwatch_edge.contract import LABELS
from maskwatch_edge.dataset import content_digest
from maskwatch_edge.errors import InputError

from .batches import AugmentedBatches
from .run_folder import load_network

Floats = npt.NDArray[np.float32]

TEMPERATURE = 4.0
"""What the logits of both are divided by. A trained network's are 16 or more apart for half of all
augmented crops, less than 9 for a quarter, and less than 4 for a tenth. Divided by 4 that is 98, 90
and 73 %: how hard each crop is can be learned, and two labels have nothing else to tell."""

TAUGHT_SHARE = 0.7
"""Weight of the teacher's answers in the loss; the rest is that of the labels: it has mistakes."""

SMALLEST = 1e-7
"""Probabilities below are taken for this: their logarithm must be finite."""


@dataclass(frozen=True, eq=False)
class Teacher:
    """A trained network that says what it sees in the crops that another one learns from.

    Attributes:
        network: Takes crops of shape (batch, size, size, 3), gives probabilities of the labels.
        path: Its file.
        sha256: Digest of the file, in hexadecimal.
    """

    network: keras.Model
    path: Path
    sha256: str

    @classmethod
    def open(cls, path: Path, size: int) -> Teacher:
        """Read the network of a finished run.

        Args:
            path: The folder of the run, or the `.keras` file in it.
            size: Side of the crops in pixels.

        Raises:
            InputError: If it is missing, broken, no mask network, or takes another size.
        """
        path = path / "model.keras" if path.is_dir() else path
        if not path.is_file():
            raise InputError(
                f"there is no teacher {path}; expected the folder of a finished maskwatch train, "
                "or the .keras file in it"
            )
        network = load_network(path, compiled=False)
        shapes = (network.input_shape, network.output_shape)
        if shapes != ((None, size, size, 3), (None, len(LABELS))):
            raise InputError(
                f"the teacher {path} takes {shapes[0]} and gives {shapes[1]}; expected a mask "
                f"network of the same --size {size}"
            )
        return cls(network, path, content_digest(path))

    def answer(self, crops: Floats) -> Floats:
        """Return the probabilities of the labels for each crop, shape (batch, 2).

        As on the board: nothing is dropped, and the batch norms learn nothing.
        """
        return np.asarray(self.network.predict_on_batch(crops), dtype=np.float32)


class TaughtBatches(keras.utils.PyDataset):  # type: ignore[misc]
    """Training batches with the teacher's answers to the very same crops.

    Yields what `AugmentedBatches` does, but with targets of shape (batch, 3), float32: the index of
    the label, then the teacher's probabilities of both labels.
    """

    def __init__(self, batches: AugmentedBatches, teacher: Teacher) -> None:
        super().__init__(workers=2, use_multiprocessing=False, max_queue_size=8)
        self._batches, self._teacher = batches, teacher

    def __len__(self) -> int:
        return len(self._batches)

    def __getitem__(self, step: int) -> tuple[Floats, Floats, Floats]:
        crops, labels, weights = self._batches[step]
        targets = np.column_stack([labels, self._teacher.answer(crops)]).astype(np.float32)
        return crops, targets, weights

    def on_epoch_end(self) -> None:
        """Draw the order of the next epoch."""
        self._batches.on_epoch_end()


def compile_network(network: keras.Model, optimizer: keras.optimizers.Optimizer) -> None:
    """Set what a training of the mask network minimizes, and what it tells of each epoch."""
    network.compile(optimizer=optimizer, loss=mask_loss, weighted_metrics=[accuracy])


@keras.saving.register_keras_serializable("maskwatch")  # type: ignore[untyped-decorator]
def mask_loss(targets: Any, answers: Any) -> Any:
    """Return how far answers are from the labels and from the teacher's answers.

    The teacher's part is scaled by the square of the temperature, as its gradients shrink by that.
    Without a teacher, as on validation faces, it is the cross-entropy with the labels alone.

    Args:
        targets: Label indices, shape (batch,); or those of `TaughtBatches`, shape (batch, 3).
        answers: Probabilities, shape (batch, 2).

    Returns:
        Shape (batch,).
    """
    logs = ops.log(ops.clip(ops.cast(answers, "float32"), SMALLEST, 1.0))
    from_labels = -ops.sum(ops.one_hot(_labels_of(targets), len(LABELS)) * logs, axis=-1)
    if not _are_taught(targets):
        return from_labels
    wanted = ops.softmax(ops.log(ops.clip(targets[:, 1:], SMALLEST, 1.0)) / TEMPERATURE)
    softened = ops.log_softmax(logs / TEMPERATURE)
    from_teacher = -(TEMPERATURE**2) * ops.sum(wanted * softened, axis=-1)
    return (1 - TAUGHT_SHARE) * from_labels + TAUGHT_SHARE * from_teacher


@keras.saving.register_keras_serializable("maskwatch", "accuracy")  # type: ignore[untyped-decorator]
def accuracy(targets: Any, answers: Any) -> Any:
    """Return 1 for each answer whose likelier label is the true one, else 0, shape (batch,)."""
    return ops.cast(ops.equal(_labels_of(targets), ops.argmax(answers, axis=-1)), "float32")


def _are_taught(targets: Any) -> bool:
    return len(targets.shape) == 2 and targets.shape[-1] == 1 + len(LABELS)


def _labels_of(targets: Any) -> Any:
    return ops.cast(targets[:, 0] if len(targets.shape) == 2 else targets, "int32")
