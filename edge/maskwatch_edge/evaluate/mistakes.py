"""What went wrong in annotated frames, face by face, so that people can look at it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path

from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.dataset import LabelledFace, LabelledFrame
from maskwatch_edge.metrics import counted, expected_of, kind_of, match_boxes
from maskwatch_edge.verdict import Decision, Sighting


class What(StrEnum):
    """What went wrong."""

    MISS = "miss"
    WRONG = "wrong verdict"
    FALSE_ALARM = "false alarm"


@dataclass(frozen=True)
class Mistake:
    """One thing that went wrong.

    Attributes:
        what: The kind of mistake.
        path: The picture.
        box: The face in it: the annotated one of a miss, otherwise the one that was found.
        kind: What the face truly shows, see `metrics.kind_of`; "" for a false alarm.
        said: What was said of it; "" for a miss.
        weight: The mistakes of most weight are shown first: size of a miss in pixels, score of
            the others.
        annotated: All faces that are annotated in the picture.
        found: All boxes that were found in it.
    """

    what: What
    path: Path
    box: FaceBox
    kind: str
    said: str
    weight: float
    annotated: tuple[FaceBox, ...] = ()
    found: tuple[FaceBox, ...] = ()

    @property
    def overlap(self) -> float:
        """The best IoU with a box of the other side: found for a miss, annotated otherwise."""
        others = self.found if self.what is What.MISS else self.annotated
        return max(map(self.box.iou, others), default=0.0)


def mistakes_in(
    frame: LabelledFrame, sightings: Sequence[Sighting], min_face_size: int
) -> Iterator[Mistake]:
    """Yield the mistakes of one frame, counted as `metrics.FrameScorer` counts them.

    Args:
        frame: What is true.
        sightings: What was seen.
        min_face_size: Faces with a shorter side, in pixels, are left out.
    """
    truths = [(face, face.box) for face in frame.faces if face.box is not None]
    annotated = tuple(box for _, box in truths)
    found = tuple(sighting.box for sighting in sightings)
    made = partial(Mistake, path=frame.path, annotated=annotated, found=found)
    matches = match_boxes(annotated, found)
    for place, (face, box) in enumerate(truths):
        if place not in matches.values() and box.size >= min_face_size:
            yield made(What.MISS, box=box, kind=kind_of(face), said="", weight=box.size)
    for index, match in counted(found, matches, frame.difficult):
        sighting = sightings[index]
        truth = None if match is None else truths[match]
        if wrong := _wrong(sighting, truth, min_face_size):
            what, kind, weight = wrong
            yield made(what, box=sighting.box, kind=kind, said=sighting.decision, weight=weight)


def _wrong(
    sighting: Sighting, truth: tuple[LabelledFace, FaceBox] | None, min_face_size: int
) -> tuple[What, str, float] | None:
    """Say what is wrong with a sighting, of which kind of face, and its weight."""
    if truth is None:
        is_large = sighting.box.size >= min_face_size
        return (What.FALSE_ALARM, "", sighting.box.score) if is_large else None
    face, box = truth
    is_right = sighting.decision in (Decision.UNSURE, expected_of(face))
    if is_right or box.size < min_face_size:
        return None
    return What.WRONG, kind_of(face), sighting.verdict.score


def worst(mistakes: Iterable[Mistake], what: What, limit: int) -> tuple[list[Mistake], int]:
    """Return those of one kind that weigh most, at most `limit`, and how many are left out."""
    ranked = sorted(
        (mistake for mistake in mistakes if mistake.what is what),
        key=lambda mistake: mistake.weight,
        reverse=True,
    )
    return ranked[:limit], max(len(ranked) - limit, 0)
