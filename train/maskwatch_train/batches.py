"""What a training of the mask network sees, batch by batch."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
import numpy.typing as npt

from maskwatch_edge.frame import Pixels

from .augment import augment
from .config import TrainingConfig
from .devices import Worker
from .samples import Sample

ALONE = Worker()


class AugmentedBatches(keras.utils.PyDataset):  # type: ignore[misc]
    """Augmented training batches; every epoch is another draw, and can be repeated.

    Yields float32 crops of shape (batch, size, size, 3) in 0 to 255, label indices of shape
    (batch,), and weights that make both classes count the same. Several workers get the same
    batches as one would, each its share of every one.
    """

    def __init__(
        self,
        samples: Sequence[Sample],
        config: TrainingConfig,
        first_epoch: int,
        worker: Worker = ALONE,
    ) -> None:
        super().__init__(workers=2, use_multiprocessing=False, max_queue_size=8)
        self._samples = samples
        self._indices = np.repeat(np.arange(len(samples)), [s.repeats for s in samples])
        self._config = config
        self._epoch = first_epoch
        self._worker = worker
        labels = np.array([sample.label_index for sample in samples])[self._indices]
        self._class_weights = len(labels) / (2.0 * np.bincount(labels, minlength=2))
        self._shuffle()

    def __len__(self) -> int:
        # What does not fill a batch is left for another epoch; a tiny data set is one batch.
        return max(len(self._order) // self._config.batch_size, 1)

    def __getitem__(
        self, step: int
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int32], npt.NDArray[np.float32]]:
        first = step * self._config.batch_size
        last = min(first + self._config.batch_size, len(self._order))
        places = range(first + self._worker.index, last, self._worker.count)
        chosen = [self._samples[self._order[place]] for place in places]
        crops = [self._augmented(s, place) for s, place in zip(chosen, places, strict=True)]
        labels = np.array([s.label_index for s in chosen], dtype=np.int32)
        weights = self._class_weights[labels].astype(np.float32)
        return np.stack(crops).astype(np.float32), labels, weights

    def _augmented(self, sample: Sample, place: int) -> Pixels:
        rng = np.random.default_rng((self._config.seed, self._epoch, place))
        return augment(sample.patch, sample.inner, self._config.size, rng)

    def on_epoch_end(self) -> None:
        """Draw the order of the next epoch."""
        self._epoch += 1
        self._shuffle()

    def _shuffle(self) -> None:
        rng = np.random.default_rng((self._config.seed, self._epoch))
        self._order = rng.permutation(self._indices)
