"""What a training computes on: this machine's processor or GPUs, or several machines."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import cache
from typing import Any

import keras
import tensorflow as tf

from maskwatch_edge.errors import InputError

TF_CONFIG = "TF_CONFIG"
"""The variable by which TensorFlow's tools tell a program who trains with it."""

EXPECTED = '{"cluster": {"worker": ["HOST:PORT", ...]}, "task": {"type": "worker", "index": N}}'


@dataclass(frozen=True)
class Worker:
    """Which of the programs that train a network together this one is.

    Attributes:
        index: Counted from 0; the first one writes the run.
        count: How many there are.
    """

    index: int = 0
    count: int = 1

    @property
    def is_first(self) -> bool:
        """Whether it is the one that writes the run."""
        return self.index == 0


@cache
def this_worker() -> Worker:
    """Tell which worker this program is, by the variable TF_CONFIG; the only one without it.

    Raises:
        InputError: If TF_CONFIG is not what TensorFlow expects, or names other tasks than workers.
    """
    text = os.environ.get(TF_CONFIG)
    return parse_worker(text) if text else Worker()


def parse_worker(text: str) -> Worker:
    """Tell which worker a program is.

    Args:
        text: Value of TF_CONFIG.

    Raises:
        InputError: If it is not what TensorFlow expects, or names other tasks than workers.
    """
    try:
        config = json.loads(text)
        (cluster,), task = config["cluster"].items(), config["task"]
        worker = Worker(int(task["index"]), len(cluster[1]))
        if {cluster[0], task["type"]} == {"worker"} and 0 <= worker.index < worker.count:
            return worker
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    raise InputError(f"expected {TF_CONFIG} as {EXPECTED}; received {text}")


@cache
def strategy() -> Any:
    """Use every GPU there is, on all machines that train together.

    With a GPU arithmetic is in float16. It is always the same strategy: a network belongs to the
    one that it was built with.
    """
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        keras.mixed_precision.set_global_policy("mixed_float16")
    if this_worker().count > 1:
        return tf.distribute.MultiWorkerMirroredStrategy()
    return tf.distribute.MirroredStrategy() if len(gpus) > 1 else tf.distribute.get_strategy()
