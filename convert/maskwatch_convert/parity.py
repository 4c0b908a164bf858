"""Comparing a converted model with the float network, through the edge's own classifier."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from maskwatch_edge.classifier import MaskClassifier
from maskwatch_edge.dataset import LabelledFace
from maskwatch_edge.errors import InputError
from maskwatch_edge.frame import Pixels
from maskwatch_edge.metrics import Floats, crop_metrics, kind_of

REFERENCE = "float32"
TURN = 16
"""Faces that one model judges before it is the other's turn: the load of the machine changes
from second to second, and should meet both alike."""


@dataclass(frozen=True, eq=False)
class Answers:
    """What one model said of the held-out faces.

    Attributes:
        probabilities: Shape (faces, 2).
        seconds: Time that each face took, shape (faces,).
        file_bytes: Size of the model's file.
    """

    probabilities: Floats
    seconds: Floats
    file_bytes: int

    @property
    def labels(self) -> npt.NDArray[np.int64]:
        """Index of the most likely label, shape (faces,)."""
        return np.asarray(self.probabilities.argmax(axis=1), dtype=np.int64)

    @property
    def milliseconds(self) -> float:
        """Median time a face."""
        return float(np.median(self.seconds)) * 1000


@dataclass(frozen=True, eq=False)
class Parity:
    """The answers of the float model and of a variant about the same faces.

    Attributes:
        variant: One of `contract.VARIANTS`.
        faces: The held-out faces.
        answers: By variant, in the order of the faces; `REFERENCE` is always there.
    """

    variant: str
    faces: list[LabelledFace]
    answers: dict[str, Answers]

    @property
    def truths(self) -> npt.NDArray[np.int64]:
        """Index of the true label, shape (faces,)."""
        return np.array([face.label_index for face in self.faces])

    def accuracy(self, name: str) -> float:
        """Share of faces, in [0, 1], that a model judged rightly."""
        return float((self.answers[name].labels == self.truths).mean())

    def agreement(self, name: str) -> float:
        """Share of faces, in [0, 1], that a model judged as the float model did."""
        return float((self.answers[name].labels == self.answers[REFERENCE].labels).mean())

    @property
    def lost_points(self) -> float:
        """Percentage points of accuracy that the variant lost; negative if it gained."""
        # Rounded, so that a loss of exactly --max-drop is not refused for its last bit.
        return round(100 * (self.accuracy(REFERENCE) - self.accuracy(self.variant)), 6)

    def scores(self) -> dict[str, float]:
        """Return the figures for the contract: shares in [0, 1], and no times."""
        kinds = [kind_of(face) for face in self.faces]
        figures = crop_metrics(self.truths, self.answers[self.variant].probabilities, kinds)
        by_kind = {f"accuracy_{kind}": row["accuracy"] for kind, row in figures["kinds"].items()}
        return {
            "accuracy": figures["accuracy"],
            "float_accuracy": self.accuracy(REFERENCE),
            "agreement": self.agreement(self.variant),
            "calibration_error": figures["calibration_error"],
            **by_kind,
        }

    def table(self) -> str:
        """Lay out both models side by side as text."""
        lines = [f"{'variant':9}{'accuracy':>10}{'agreement':>11}{'size':>10}{'ms a face':>11}"]
        for name, answers in self.answers.items():
            lines.append(
                f"{name:9}{self.accuracy(name):10.2%}{self.agreement(name):11.2%}"
                f"{answers.file_bytes / 1e6:7.2f} MB{answers.milliseconds:11.3f}"
            )
        if self.variant != REFERENCE:
            lines.append(self._speed())
        return "\n".join(lines)

    def _speed(self) -> str:
        ratio = self.answers[REFERENCE].milliseconds / self.answers[self.variant].milliseconds
        times, what = (ratio, "faster") if ratio >= 1 else (1 / ratio, "slower")
        return f"{self.variant} is {times:.1f} x {what} than {REFERENCE}"


def compare(
    models: Mapping[str, Path],
    variant: str,
    crops: Iterator[tuple[LabelledFace, Pixels]],
    *,
    threads: int = 1,
) -> Parity:
    """Let the edge's classifier judge the same faces with each model, taking turns.

    Args:
        models: The file of `REFERENCE` and of the variant.
        variant: One of `contract.VARIANTS`.
        crops: Held-out faces with their crops.
        threads: Threads of the interpreter.

    Raises:
        InputError: If there is no face.
        ModelError: If the edge refuses a model.
    """
    classifiers = {name: MaskClassifier(path, threads=threads) for name, path in models.items()}
    judged: dict[str, list[tuple[Floats, float]]] = {name: [] for name in models}
    faces: list[LabelledFace] = []
    while turn := list(islice(crops, TURN)):
        faces += [face for face, _ in turn]
        for name, classifier in classifiers.items():
            judged[name] += [_judge(classifier, crop) for _, crop in turn]
    if not faces:
        raise InputError("no held-out face can be read; copy the data set again")
    answers = {name: _answers(judged[name], path) for name, path in models.items()}
    return Parity(variant, faces, answers)


def _judge(classifier: MaskClassifier, crop: Pixels) -> tuple[Floats, float]:
    started = time.perf_counter()
    probabilities = classifier.probabilities(crop)
    return probabilities, time.perf_counter() - started


def _answers(judged: list[tuple[Floats, float]], path: Path) -> Answers:
    probabilities, seconds = zip(*judged, strict=True)
    return Answers(np.stack(probabilities), np.array(seconds), path.stat().st_size)
