"""Figures that tell how good a model is: on face crops, and end to end on frames."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from .boxes import FaceBox
from .contract import LABELS, WITH_MASK
from .dataset import WORN_WRONG, LabelledFace
from .verdict import Decision, Sighting

Floats = npt.NDArray[np.float64]

IOU = 0.5
"""Overlap from which a found box counts as the annotated face."""

SIZE_EDGES = (12, 16, 24, 32, 48, 64, 96, 128, 256)
"""Lower edges of the size classes in the table of recall, in pixels of the shorter side. Smaller
faces than the first are in no figure."""


def kind_of(face: LabelledFace) -> str:
    """Name what a face shows in tables: a label, or worn wrong by the data set's own name."""
    return WORN_WRONG if face.worn_wrong else face.label


def size_class(edge: int) -> str:
    """Name the size class that begins at `edge` pixels, such as "32 to 47"."""
    larger = [other for other in SIZE_EDGES if other > edge]
    return f"{edge} to {larger[0] - 1}" if larger else f"{edge} and more"


def expected_of(face: LabelledFace) -> Decision:
    """Return what is right to say of a face; a mask worn wrong counts as none."""
    return Decision.MASK if face.label == WITH_MASK else Decision.NO_MASK


def crop_metrics(
    truths: npt.NDArray[np.int64], probabilities: Floats, kinds: Sequence[str]
) -> dict[str, Any]:
    """Measure a classifier on face crops.

    Args:
        truths: Index of the true label, shape (faces,).
        probabilities: The model's answers, shape (faces, 2).
        kinds: A name for each face by which accuracy is also told apart.

    Returns:
        A dictionary ready for JSON. Row i, column j of "confusion" counts faces of label i that
        were given label j. Shares are in [0, 1].
    """
    answers = probabilities.argmax(axis=1)
    right = answers == truths
    confusion = np.zeros((len(LABELS), len(LABELS)), dtype=int)
    np.add.at(confusion, (truths, answers), 1)
    names = np.asarray(kinds)
    return {
        "faces": len(truths),
        "accuracy": _share(right),
        "labels": {name: tally(right[truths == i]) for i, name in enumerate(LABELS)},
        "kinds": {str(kind): tally(right[names == kind]) for kind in sorted(set(kinds))},
        "confusion": confusion.tolist(),
        "calibration_error": calibration_error(probabilities.max(axis=1), right),
    }


def calibration_error(scores: Floats, right: npt.NDArray[np.bool_], bins: int = 15) -> float:
    """Return the expected calibration error: how far scores lie from the share that is right.

    Guo et al., "On Calibration of Modern Neural Networks", 2017.

    Args:
        scores: Score of the most likely label, shape (faces,), in [0, 1].
        right: Whether that label is true, shape (faces,).
        bins: Score classes of equal width.
    """
    places = np.minimum((scores * bins).astype(int), bins - 1)
    gaps = [
        abs(scores[places == place].mean() - right[places == place].mean())
        * np.mean(places == place)
        for place in np.unique(places)
    ]
    return float(sum(gaps))


def _share(right: npt.NDArray[np.bool_]) -> float:
    return float(right.mean()) if len(right) else 0.0


def tally(right: npt.NDArray[np.bool_]) -> dict[str, Any]:
    """Count some faces, and those of them that are right, shape (faces,)."""
    return {"faces": len(right), "right": int(right.sum()), "accuracy": _share(right)}


@dataclass
class Outcome:
    """What became of the annotated faces of one kind."""

    faces: int = 0
    right: int = 0
    unsure: int = 0
    wrong: int = 0
    missed: int = 0

    def count(self, decision: Decision | None, expected: Decision) -> None:
        """Count one face by what was said of it; None means that it was not found."""
        self.faces += 1
        if decision is None:
            self.missed += 1
        elif decision is expected:
            self.right += 1
        elif decision is Decision.UNSURE:
            self.unsure += 1
        else:
            self.wrong += 1


@dataclass
class FrameScorer:
    """Compares what was seen in annotated frames with the truth, frame by frame.

    Faces smaller than `min_face_size` are neither asked for nor counted against the finder, except
    in the recall by size. Worn wrong masks count in the outcomes (right is `no_mask`) and are left
    out of the precision.

    Attributes:
        min_face_size: Shorter side in pixels from which a face counts.
        groups: Named groups of faces whose outcomes are told apart, too; a face may be in several.
    """

    min_face_size: int = 32
    groups: Mapping[str, Collection[LabelledFace]] = field(default_factory=dict)
    frames: int = 0
    false_alarms: int = 0
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    grouped: dict[str, Outcome] = field(default_factory=dict)
    sizes: dict[int, list[bool]] = field(default_factory=dict)
    ranked: dict[str, list[tuple[float, bool]]] = field(
        default_factory=lambda: {label: [] for label in LABELS}
    )

    def add(
        self,
        truths: Sequence[LabelledFace],
        sightings: Sequence[Sighting],
        difficult: Sequence[FaceBox] = (),
    ) -> None:
        """Score one frame.

        Args:
            truths: Its faces.
            sightings: What was seen.
            difficult: Faces that are not asked for, and that it is no false alarm to find.
        """
        self.frames += 1
        annotated = [(face, face.box) for face in truths if face.box is not None]
        matches = match_boxes([box for _, box in annotated], [s.box for s in sightings])
        found = {truth: sightings[index] for index, truth in matches.items()}
        for place, (face, box) in enumerate(annotated):
            self._count_size(box, place in found)
            if box.size >= self.min_face_size:
                self._count_face(face, found.get(place))
        for index, match in counted([s.box for s in sightings], matches, difficult):
            self._rank(sightings[index], None if match is None else annotated[match])

    def _count_size(self, box: FaceBox, is_found: bool) -> None:
        edge = max((edge for edge in SIZE_EDGES if edge <= box.size), default=None)
        if edge is not None:
            self.sizes.setdefault(edge, []).append(is_found)

    def _count_face(self, face: LabelledFace, sighting: Sighting | None) -> None:
        decision = sighting.decision if sighting else None
        outcome = self.outcomes.setdefault(kind_of(face), Outcome())
        outcome.count(decision, expected_of(face))
        for name in (name for name, faces in self.groups.items() if face in faces):
            self.grouped.setdefault(name, Outcome()).count(decision, expected_of(face))

    def _rank(self, sighting: Sighting, truth: tuple[LabelledFace, FaceBox] | None) -> None:
        if truth is None:
            if sighting.box.size < self.min_face_size:
                return
            self.false_alarms += 1
        else:
            face, box = truth
            if face.worn_wrong or box.size < self.min_face_size:
                return
        label = sighting.verdict.label
        score = sighting.box.score * sighting.verdict.score
        self.ranked[label].append((score, truth is not None and truth[0].label == label))

    def result(self) -> dict[str, Any]:
        """Return all figures of the frames added so far, ready for JSON."""
        precisions = {label: self.average_precision(label) for label in LABELS}
        faces = sum(outcome.faces for outcome in self.outcomes.values())
        missed = sum(outcome.missed for outcome in self.outcomes.values())
        return {
            "frames": self.frames,
            "faces": faces,
            "min_face_size": self.min_face_size,
            "recall": (faces - missed) / max(faces, 1),
            "recall_by_size": {
                str(edge): {"faces": len(hits), "recall": float(np.mean(hits))}
                for edge, hits in sorted(self.sizes.items())
            },
            "average_precision": precisions,
            "map50": float(np.mean(list(precisions.values()))),
            "outcomes": {kind: vars(o) for kind, o in sorted(self.outcomes.items())},
            "groups": {name: vars(self.grouped.get(name, Outcome())) for name in self.groups},
            "false_alarms_per_frame": self.false_alarms / max(self.frames, 1),
        }

    def average_precision(self, label: str) -> float:
        """Return the area under the precision-recall curve of one label."""
        recall, precision = self.curve(label)
        return average_precision(recall, precision)

    def curve(self, label: str) -> tuple[Floats, Floats]:
        """Return recall and precision of one label, from the surest sighting to the least."""
        outcome = self.outcomes.get(label, Outcome())
        hits = np.array([hit for _, hit in sorted(self.ranked[label], key=lambda r: -r[0])])
        right = np.cumsum(hits.astype(float))
        return right / max(outcome.faces, 1), right / np.arange(1, len(hits) + 1)


def average_precision(recall: Floats, precision: Floats) -> float:
    """Return the area under a precision-recall curve, precision made falling first.

    Everingham et al., "The PASCAL Visual Object Classes Challenge: A Retrospective", 2015.
    """
    if not len(recall):
        return 0.0
    falling = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(recall, prepend=0.0) * falling))


def match_boxes(truths: Sequence[FaceBox], found: Sequence[FaceBox]) -> dict[int, int]:
    """Pair found boxes with true ones, the surest first, each at most once.

    Returns:
        For each found box that meets a free true box with an IoU of at least `IOU`, its index
        and the index of that true box.
    """
    pairs: dict[int, int] = {}
    for index in sorted(range(len(found)), key=lambda index: -found[index].score):
        overlaps = {
            place: found[index].iou(truth)
            for place, truth in enumerate(truths)
            if place not in pairs.values()
        }
        best = max(overlaps, key=lambda place: overlaps[place], default=None)
        if best is not None and overlaps[best] >= IOU:
            pairs[index] = best
    return pairs


def counted(
    found: Sequence[FaceBox], matches: Mapping[int, int], difficult: Sequence[FaceBox]
) -> Iterator[tuple[int, int | None]]:
    """Yield the found boxes that count, for or against the finder: all but difficult faces.

    Args:
        found: All found boxes.
        matches: As `match_boxes` pairs them with true ones.
        difficult: Faces that are not asked for, and that it is no false alarm to find.

    Yields:
        The index of a found box, and that of its true box; None for a false alarm.
    """
    for index, box in enumerate(found):
        if index in matches or not is_one_of(box, difficult):
            yield index, matches.get(index)


def is_one_of(found: FaceBox, boxes: Iterable[FaceBox]) -> bool:
    """Tell whether a found box counts as one of these."""
    return any(found.iou(box) >= IOU for box in boxes)
