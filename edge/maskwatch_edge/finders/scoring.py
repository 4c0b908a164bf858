"""Figures that tell how well faces are found, whatever they wear."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.metrics import Floats, average_precision, counted, match_boxes

FALSE_ALARMS = 0.05
"""False alarms a frame at which the figures name score and recall."""

MIN_FACE_SIZE = 32
"""Shorter side in pixels of the frame from which a face counts in the goals of the project."""


class FinderScorer:
    """Collects annotated and found boxes, frame by frame.

    Faces smaller than `min_face_size` count neither as found nor as missed, nor does what is
    found on them; a false alarm smaller than that counts as little.

    Args:
        min_face_size: Shorter side in pixels from which a face counts.
    """

    def __init__(self, min_face_size: int = MIN_FACE_SIZE) -> None:
        self._min_face_size = min_face_size
        self._frames = 0
        self._faces = 0
        self._ranked: list[tuple[float, bool]] = []

    def add(
        self,
        truths: Sequence[FaceBox],
        found: Sequence[FaceBox],
        difficult: Sequence[FaceBox] = (),
    ) -> None:
        """Score one frame.

        Args:
            truths: Its faces.
            found: What was found.
            difficult: Faces that are not asked for, and that it is no false alarm to find.
        """
        self._frames += 1
        self._faces += sum(truth.size >= self._min_face_size for truth in truths)
        matches = match_boxes(truths, found)
        for index, match in counted(found, matches, difficult):
            sized = found[index] if match is None else truths[match]
            if sized.size >= self._min_face_size:
                self._ranked.append((found[index].score, match is not None))

    def result(self) -> dict[str, Any]:
        """Return all figures of the frames added so far, ready for JSON; shares in [0, 1]."""
        scores, hits = self._sorted()
        right, wrong = np.cumsum(hits), np.cumsum(1.0 - hits)
        recall = right / max(self._faces, 1)
        allowed = np.flatnonzero(wrong <= FALSE_ALARMS * self._frames)
        last = int(allowed[-1]) if len(allowed) else -1
        return {
            "frames": self._frames,
            "faces": self._faces,
            "min_face_size": self._min_face_size,
            "ap50": average_precision(recall, right / np.arange(1, len(hits) + 1)),
            "recall": float(recall[-1]) if len(recall) else 0.0,
            "false_alarms_per_frame": float(wrong[-1]) / self._frames if len(wrong) else 0.0,
            "recall_at_few_false_alarms": float(recall[last]) if last >= 0 else 0.0,
            "score_at_few_false_alarms": float(scores[last]) if last >= 0 else 1.0,
        }

    def _sorted(self) -> tuple[Floats, Floats]:
        ranked = sorted(self._ranked, key=lambda entry: -entry[0])
        scores = np.array([score for score, _ in ranked])
        return scores, np.array([float(hit) for _, hit in ranked])
