"""Scores that mean what they say: a temperature and a bias, fitted on faces never trained on.

The temperature mends scores that are too sure (Guo et al., "On Calibration of Modern Neural
Networks", 2017). The bias mends a network that leans to one label, as it does after a training that
shows rare faces of it often; both together are Platt scaling (Platt, "Probabilistic Outputs for
Support Vector Machines", 1999).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import keras
import numpy as np
import numpy.typing as npt

from .augment import augment
from .network import SCORES_NAME
from .samples import Sample
from .training import answer

Floats = npt.NDArray[np.float64]

TEMPERATURES = np.geomspace(0.25, 8.0, 101)
BIASES = np.linspace(-3.0, 3.0, 121)
LOOKS = 4
"""So often each face is shown."""


@dataclass(frozen=True)
class Calibration:
    """How the log-odds of the second label are changed: divided, then moved.

    Attributes:
        temperature: Divides them; above 1 the network was too sure.
        bias: Is added; below 0 the network leaned to the second label.
    """

    temperature: float
    bias: float


def calibrate(network: keras.Model, samples: Sequence[Sample], size: int, seed: int) -> Calibration:
    """Change the network's log-odds to what suits held-out faces best.

    The faces are shown as in training: small, blurred, badly lit and cut off-centre, as a camera
    gives them. Clean crops would hardly hold a mistake to learn from.

    Args:
        network: Its last layer is changed.
        samples: Faces of the validation split.
        size: Side of the input in pixels.
        seed: Start of every random draw.
    """
    rng = np.random.default_rng(seed)
    shown = [sample for sample in samples for _ in range(LOOKS)]
    crops = [augment(sample.patch, sample.inner, size, rng) for sample in shown]
    labels = np.array([sample.label_index for sample in shown])
    calibration = fit_calibration(answer(network, crops), labels)
    apply_calibration(network, calibration)
    return calibration


def fit_calibration(probabilities: Floats, labels: npt.NDArray[np.integer]) -> Calibration:
    """Return those of `TEMPERATURES` and `BIASES` with the least negative log-likelihood.

    Args:
        probabilities: Of both labels for each face, shape (n, 2).
        labels: Index of the true label of each, shape (n,).
    """
    logits = np.log(np.clip(probabilities, 1e-12, 1.0))
    odds = logits[:, 1] - logits[:, 0]
    signs = np.where(labels == 1, -1.0, 1.0)
    choices = [Calibration(float(t), float(b)) for t, b in product(TEMPERATURES, BIASES)]
    losses = [np.logaddexp(0.0, signs * (odds / c.temperature + c.bias)).mean() for c in choices]
    return choices[int(np.argmin(losses))]


def apply_calibration(network: keras.Model, calibration: Calibration) -> None:
    """Build a calibration into the last layer of a network of `build_network`."""
    scores = network.get_layer(SCORES_NAME)
    kernel, bias = (weights / calibration.temperature for weights in scores.get_weights())
    scores.set_weights([kernel, bias + calibration.bias * np.array([-0.5, 0.5])])
