"""Scoring a network on annotated frames, by the code that the board runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np

from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.finders.codes import BoxCode, find_boxes
from maskwatch_edge.finders.letterbox import fill_letterbox
from maskwatch_edge.finders.scoring import FinderScorer
from maskwatch_edge.finders.tflite import frame_boxes

from .data import Picture
from .losses import BOXES, HEAT
from .truths import Floats

MIN_SCORE = 0.05
"""Faces are ranked from here on: low enough to see all of the curve of precision and recall."""

FRAMES_AT_ONCE = 32


def measure(network: keras.Model, frames: Sequence[Picture]) -> dict[str, Any]:
    """Return the figures of `FinderScorer` for a network on annotated frames."""
    scorer = FinderScorer()
    for frame, found in _found(network, frames):
        truths = frame.truths
        scorer.add(_boxes(truths.boxes[truths.sure]), found, _boxes(truths.boxes[~truths.sure]))
    return scorer.result()


def _boxes(edges: Floats) -> list[FaceBox]:
    return [FaceBox(*box) for box in np.round(edges).astype(int).tolist()]


def _found(
    network: keras.Model, frames: Sequence[Picture]
) -> Iterator[tuple[Picture, list[FaceBox]]]:
    shape = network.input_shape[1:]
    for start in range(0, len(frames), FRAMES_AT_ONCE):
        chunk = frames[start : start + FRAMES_AT_ONCE]
        batch = np.empty((len(chunk), *shape), np.float32)
        boxes_of = [
            fill_letterbox(frame.pixels, target) for frame, target in zip(chunk, batch, strict=True)
        ]
        answers = network.predict_on_batch(batch)
        for index, (frame, letterbox) in enumerate(zip(chunk, boxes_of, strict=True)):
            heat, codes = answers[HEAT][index, ..., 0], answers[BOXES][index]
            boxes, scores = find_boxes(heat, codes, BoxCode(), min_score=MIN_SCORE)
            yield frame, frame_boxes(boxes, scores, letterbox, frame.pixels.shape[:2])
