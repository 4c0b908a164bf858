"""Judging people again only when there is a reason to: most faces look as they did a moment ago."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import cv2

from .boxes import FaceBox
from .frame import Pixels
from .motion import thumbnail
from .pairing import pair_up
from .tracks import SURE_FACE
from .verdict import Verdict

RECALL_SECONDS = 0.5
"""A verdict is never older than this, however little the face has changed."""

SAME_PLACE = 0.5
"""Overlap, intersection over union, from which a face is taken for the one that was there."""

CELLS = 8
"""Cells of a face along each side that are compared."""

CHANGED = 10.0
"""Mean change of the cells' colours, of 255, from which a face has changed. Noise and a box that
trembles by a pixel or two stay below; a mask that is put on or taken off changes half of them by
several times as much."""


class Judge(Protocol):
    """Anything that judges faces: `MaskClassifier`."""

    def classify(self, pixels: Pixels, boxes: Sequence[FaceBox]) -> list[Verdict]:
        """Return one verdict a box, in the same order."""
        ...


@dataclass(frozen=True, eq=False)
class _Known:
    """A face that was judged: where, what of, when, and what it looked like."""

    box: FaceBox
    verdict: Verdict
    judged_seconds: float
    cells: Pixels

    def has_changed(self, cells: Pixels) -> bool:
        return float(cv2.norm(self.cells, cells, cv2.NORM_L1)) / cells.size >= CHANGED


class RecallingJudge:
    """Judges a face that is new, unsure, changed or was judged long ago; recalls the others.

    Args:
        judge: Judges.
        min_score: Verdicts of a lower score are unsure, and never recalled; in [0, 1].
    """

    def __init__(self, judge: Judge, min_score: float) -> None:
        self._judge = judge
        self._min_score = min_score
        self._known: list[_Known] = []
        self._shape: tuple[int, ...] = ()
        self._are_the_same = False

    def classify(
        self, pixels: Pixels, boxes: Sequence[FaceBox], now_seconds: float
    ) -> list[Verdict]:
        """Return one verdict a box, in the same order.

        Args:
            pixels: The frame, shape (height, width, 3), uint8, RGB.
            boxes: All faces of it; who is missing here is forgotten.
            now_seconds: When the frame was taken; not before the one before.
        """
        seen = [_cells(pixels, box) for box in boxes]
        places = pair_up(self._overlaps(boxes))
        found = [*boxes, *(known.box for known in self._known)]
        is_sure = all(box.score >= SURE_FACE for box in found)
        self._are_the_same = is_sure and len(places) == len(boxes) == len(self._known)
        self._shape = pixels.shape
        recalled = self._recall(boxes, seen, places, now_seconds)
        new = [index for index in range(len(boxes)) if index not in recalled]
        verdicts = self._judge.classify(pixels, [boxes[index] for index in new])
        for index, verdict in zip(new, verdicts, strict=True):
            recalled[index] = _Known(boxes[index], verdict, now_seconds, seen[index])
        self._known = [recalled[index] for index in range(len(boxes))]
        return [known.verdict for known in self._known]

    def recalls_all(self, pixels: Pixels, now_seconds: float) -> bool:
        """Tell whether a frame shows again whom the last one showed, and nobody need be judged.

        That takes somebody, and that the last two times the same faces were found for sure: who
        has only just come, was missed, or may be none is to be searched for. Who comes now is not
        noticed.

        Args:
            pixels: As of `classify`.
            now_seconds: The same.
        """
        if not (self._known and self._are_the_same and pixels.shape == self._shape):
            return False
        return all(
            self._holds(known, now_seconds, RECALL_SECONDS)
            and not known.has_changed(_cells(pixels, known.box))
            for known in self._known
        )

    def forget(self) -> None:
        """Recall nobody: everyone is new."""
        self._known = []

    def _recall(
        self,
        boxes: Sequence[FaceBox],
        seen: Sequence[Pixels],
        places: Mapping[int, int],
        now: float,
    ) -> dict[int, _Known]:
        """Return what is known by the index of its box; its cells stay those that were judged."""
        ages = [now - self._known[place].judged_seconds for place in places.values()]
        is_due = max(ages, default=0.0) >= RECALL_SECONDS
        # Who is due soon is judged along, so that all come due, and are searched for, together.
        most_seconds = RECALL_SECONDS / 2 if is_due else RECALL_SECONDS
        return {
            index: replace(self._known[place], box=boxes[index])
            for index, place in places.items()
            if self._holds(self._known[place], now, most_seconds)
            and not self._known[place].has_changed(seen[index])
        }

    def _holds(self, known: _Known, now: float, most_seconds: float) -> bool:
        """Tell whether a verdict still holds if the face has not changed."""
        is_settled = known.verdict.score >= self._min_score
        return is_settled and 0.0 <= now - known.judged_seconds < most_seconds

    def _overlaps(self, boxes: Sequence[FaceBox]) -> Iterable[tuple[float, int, int]]:
        for index, box in enumerate(boxes):
            for place, known in enumerate(self._known):
                if (iou := box.iou(known.box)) >= SAME_PLACE:
                    yield iou, index, place


def _cells(pixels: Pixels, box: FaceBox) -> Pixels:
    return thumbnail(pixels[box.y1 : box.y2, box.x1 : box.x2], (CELLS, CELLS))
