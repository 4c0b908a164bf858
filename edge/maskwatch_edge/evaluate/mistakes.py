"""What went wrong in annotated frames, face by face, so that people can look at it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.dataset import LabelledFrame
from maskwatch_edge.metrics import expected_of, kind_of, match_boxes
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
    """

    what: What
    path: Path
    box: FaceBox
    kind: str
    said: str
    weight: float


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
    matches = match_boxes([box for _, box in truths], [sighting.box for sighting in sightings])
    for place, (face, box) in enumerate(truths):
        if place not in matches.values() and box.size >= min_face_size:
            yield Mistake(What.MISS, frame.path, box, kind_of(face), "", box.size)
    for index, sighting in enumerate(sightings):
        box, said = sighting.box, sighting.decision
        if index not in matches:
            if box.size >= min_face_size:
                yield Mistake(What.FALSE_ALARM, frame.path, box, "", said, box.score)
            continue
        face, truth = truths[matches[index]]
        if said not in (Decision.UNSURE, expected_of(face)) and truth.size >= min_face_size:
            score = sighting.verdict.score
            yield Mistake(What.WRONG, frame.path, box, kind_of(face), said, score)


def worst(mistakes: Iterable[Mistake], what: What, limit: int) -> tuple[list[Mistake], int]:
    """Return those of one kind that weigh most, at most `limit`, and how many are left out."""
    ranked = sorted(
        (mistake for mistake in mistakes if mistake.what is what),
        key=lambda mistake: mistake.weight,
        reverse=True,
    )
    return ranked[:limit], max(len(ranked) - limit, 0)
