"""What a training computes on."""

from __future__ import annotations

from functools import cache
from typing import Any

import keras
import tensorflow as tf


@cache
def strategy() -> Any:
    """Use every GPU there is: float16 arithmetic with one, mirrored networks with several.

    It is always the same one: a network belongs to the strategy that it was built with.
    """
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        keras.mixed_precision.set_global_policy("mixed_float16")
    return tf.distribute.MirroredStrategy() if len(gpus) > 1 else tf.distribute.get_strategy()
