"""Comparing a converted face finder with the float one, through the edge's own finder."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from maskwatch_edge.dataset import LabelledFrame
from maskwatch_edge.errors import InputError
from maskwatch_edge.finders.scoring import FinderScorer
from maskwatch_edge.finders.tflite import TfliteFinder
from maskwatch_edge.frame import Pixels

from .parity import REFERENCE

MIN_SCORE = 0.05
"""Low enough to see all of the curve of precision and recall."""

FIGURES = (
    "ap50",
    "recall_at_few_false_alarms",
    "score_at_few_false_alarms",
    "faces",
    "frames",
)
"""Figures of `FinderScorer` that go into the model file."""


@dataclass(frozen=True, eq=False)
class FinderAnswers:
    """What one model found in the held-out frames.

    Attributes:
        figures: What `FinderScorer` says of it.
        milliseconds: Median time of a frame, letterbox and decoding included.
        file_bytes: Size of the model's file.
    """

    figures: dict[str, Any]
    milliseconds: float
    file_bytes: int


@dataclass(frozen=True, eq=False)
class FinderParity:
    """The float model and a variant on the same frames.

    Attributes:
        variant: One of `contract.VARIANTS`.
        answers: By variant; `REFERENCE` is always there.
    """

    variant: str
    answers: dict[str, FinderAnswers]

    @property
    def lost_points(self) -> float:
        """Percentage points of AP50 that the variant lost; negative if it gained."""
        names = (REFERENCE, self.variant)
        reference, variant = (float(self.answers[name].figures["ap50"]) for name in names)
        return round(100 * (reference - variant), 6)

    def scores(self) -> dict[str, float]:
        """Return the figures for the contract: shares in [0, 1] and counts, and no times."""
        figures = self.answers[self.variant].figures
        scores = {name: float(figures[name]) for name in FIGURES}
        return scores | {"float_ap50": float(self.answers[REFERENCE].figures["ap50"])}

    def table(self) -> str:
        """Lay out both models side by side as text."""
        one = self.answers[REFERENCE].figures
        lines = [
            f"{one['faces']} faces of {one['min_face_size']} px and more in {one['frames']} frames",
            f"{'variant':9}{'AP50':>8}{'found':>9}{'at score':>10}{'size':>10}{'ms a frame':>12}",
        ]
        for name, answers in self.answers.items():
            figures = answers.figures
            lines.append(
                f"{name:9}{figures['ap50']:8.4f}{figures['recall_at_few_false_alarms']:9.2%}"
                f"{figures['score_at_few_false_alarms']:10.3f}"
                f"{answers.file_bytes / 1e6:7.2f} MB{answers.milliseconds:12.2f}"
            )
        return "\n".join(lines)


def compare_finders(
    models: Mapping[str, Path],
    variant: str,
    frames: Iterable[tuple[LabelledFrame, Pixels]],
    *,
    threads: int = 1,
) -> FinderParity:
    """Let the edge's finder look at the same frames with each model, taking turns.

    Args:
        models: The file of `REFERENCE` and of the variant.
        variant: One of `contract.VARIANTS`.
        frames: Held-out frames with their pixels.
        threads: Threads of the interpreter.

    Raises:
        InputError: If there is no frame.
        ModelError: If the edge refuses a model.
    """
    finders = {
        name: TfliteFinder(path, threads=threads, min_score=MIN_SCORE)
        for name, path in models.items()
    }
    scorers = {name: FinderScorer() for name in models}
    seconds: dict[str, list[float]] = {name: [] for name in models}
    for frame, pixels in frames:
        for name, finder in finders.items():
            started = time.perf_counter()
            found = finder.find(pixels)
            seconds[name].append(time.perf_counter() - started)
            scorers[name].add(frame.boxes, found, frame.difficult)
    if not seconds[REFERENCE]:
        raise InputError("no held-out frame can be read; copy the data set again")
    return FinderParity(
        variant,
        {
            name: FinderAnswers(
                scorers[name].result(),
                float(np.median(seconds[name])) * 1000,
                path.stat().st_size,
            )
            for name, path in models.items()
        },
    )
