"""Training on several machines: each learns from its share of every batch, and they stay alike.

TensorFlow's `MultiWorkerMirroredStrategy`: the gradients are summed over all machines in each step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import keras
import tensorflow as tf

from maskwatch_edge.errors import InputError, WorkerError

from .devices import strategy, this_worker
from .distillation import compile_network

PREFETCHED = 8
"""Batches that are ready before they are needed."""


def fit(network: keras.Model, batches: keras.utils.PyDataset, **options: Any) -> None:
    """Fit a network on all that `strategy()` uses.

    Args:
        network: Built and compiled in the scope of the strategy.
        batches: This machine's share of each batch.
        options: As for Keras' `fit`.

    Raises:
        WorkerError: If another machine does not answer any more.
    """
    if this_worker().count > 1:
        _fit_together(network, batches, **options)
    else:
        with strategy().scope():
            network.fit(batches, **options)


def _fit_together(network: keras.Model, batches: keras.utils.PyDataset, **options: Any) -> None:
    """Fit on several machines.

    Keras' own `fit` fails there, when it looks at a first batch and when it reduces the figures of
    a step (https://github.com/keras-team/keras/issues/20585). Its steps themselves are right, and
    are run here as TensorFlow has it.
    """
    # Made outside of the strategy, so that `fit` does not look at a batch beforehand.
    shared = keras.Model(network.inputs, network.outputs, name=network.name)
    with strategy().scope(), _all_answering():
        compile_network(shared, network.optimizer)
        shared.train_function = _on_all(shared.train_step)
        shared.test_function = _on_all(shared.test_step)
        shared.fit(_distributed(batches), steps_per_epoch=len(batches), **options)


def _on_all(step: Callable[[Any], dict[str, Any]]) -> Callable[[Any], dict[str, Any]]:
    def on_all(batches: Any) -> dict[str, Any]:
        logs = strategy().run(step, args=(next(batches),))
        return {name: strategy().experimental_local_results(x)[0] for name, x in logs.items()}

    function: Callable[[Any], dict[str, Any]] = tf.function(on_all)
    return function


def _distributed(batches: keras.utils.PyDataset) -> Any:
    signature = tuple(tf.TensorSpec((None, *part.shape[1:]), part.dtype) for part in batches[0])

    def endless() -> Iterator[Any]:
        while True:
            batches.on_epoch_end()  # as Keras' own `fit`, also before the first epoch
            yield from (batches[step] for step in range(len(batches)))

    def own_share(_: Any) -> Any:
        made = tf.data.Dataset.from_generator(endless, output_signature=signature)
        return made.prefetch(PREFETCHED)

    return strategy().distribute_datasets_from_function(own_share)


def wait_for_all() -> None:
    """Wait until all machines have come to this place.

    Raises:
        WorkerError: If one does not answer.
    """
    _sum_over_all(0)


def check_all_see(value: int, what: str) -> None:
    """Check that a number is the same on all machines.

    Args:
        value: What this one sees.
        what: What it is, in words.

    Raises:
        InputError: If another one sees another number.
        WorkerError: If one does not answer.
    """
    if _sum_over_all(value) != value * this_worker().count:
        raise InputError(
            f"the machines of this training see different {what}, here {value}: "
            "give them one folder that all of them see"
        )


def _sum_over_all(value: int) -> int:
    if this_worker().count == 1:
        return value
    with _all_answering():
        return int(_sum_function()(value))


@cache
def _sum_function() -> Callable[[int], Any]:
    @tf.function(input_signature=[tf.TensorSpec((), tf.int32)])  # type: ignore[untyped-decorator]
    def sum_up(value: Any) -> Any:
        each = strategy().run(lambda own: tf.identity(own), args=(value,))
        return strategy().reduce("SUM", each, axis=None)

    function: Callable[[int], Any] = sum_up
    return function


@contextmanager
def _all_answering() -> Iterator[None]:
    try:
        yield
    except tf.errors.OpError as error:
        import traceback

        traceback.print_exc()
        raise WorkerError(
            f"another machine of this training does not answer ({type(error).__name__}); "
            "start it again on all of them, with --resume"
        ) from error
