"""Scores that mean what they say: one temperature, fitted on faces that training never saw.

Guo et al., "On Calibration of Modern Neural Networks", 2017.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
import numpy.typing as npt

from .augment import augment
from .network import SCORES_NAME
from .samples import Sample
from .training import answer

Floats = npt.NDArray[np.float64]

TEMPERATURES = np.geomspace(0.25, 8.0, 101)
LOOKS = 4
"""So often each face is shown."""


def calibrate(network: keras.Model, samples: Sequence[Sample], size: int, seed: int) -> float:
    """Divide the network's logits by the temperature that suits held-out faces best.

    The faces are shown as in training: small, blurred, badly lit and cut off-centre, as a camera
    gives them. Clean crops would hardly hold a mistake to learn from. Which of the labels is
    likelier stays as it is.

    Args:
        network: Its last layer is changed.
        samples: Faces of the validation split.
        size: Side of the input in pixels.
        seed: Start of every random draw.

    Returns:
        The temperature; above 1 the network was too sure.
    """
    rng = np.random.default_rng(seed)
    shown = [sample for sample in samples for _ in range(LOOKS)]
    crops = [augment(sample.patch, sample.inner, size, rng) for sample in shown]
    labels = np.array([sample.label_index for sample in shown])
    temperature = fit_temperature(answer(network, crops), labels)
    cool(network, temperature)
    return temperature


def fit_temperature(probabilities: Floats, labels: npt.NDArray[np.integer]) -> float:
    """Return the one of `TEMPERATURES` with the least negative log-likelihood.

    Args:
        probabilities: Of both labels for each face, shape (n, 2).
        labels: Index of the true label of each, shape (n,).
    """
    logits = np.log(np.clip(probabilities, 1e-12, 1.0))
    wrong = np.take_along_axis(logits, 1 - labels[:, np.newaxis], axis=1)
    right = np.take_along_axis(logits, labels[:, np.newaxis], axis=1)
    losses = [np.logaddexp(0.0, (wrong - right) / each).mean() for each in TEMPERATURES]
    return float(TEMPERATURES[int(np.argmin(losses))])


def cool(network: keras.Model, temperature: float) -> None:
    """Divide the logits of a network of `build_network` by a temperature."""
    scores = network.get_layer(SCORES_NAME)
    scores.set_weights([weights / temperature for weights in scores.get_weights()])
