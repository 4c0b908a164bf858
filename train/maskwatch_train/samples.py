"""From data sets on disk to pictures in memory, divided so that no twin is on both sides."""

from __future__ import annotations

import hashlib
import sys
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.classifier import face_crop, resized
from maskwatch_edge.contract import FACE_MARGIN
from maskwatch_edge.dataset import MIN_FACE_SIZE, LabelledFace, read_faces
from maskwatch_edge.errors import InputError, SourceError
from maskwatch_edge.frame import Pixels
from maskwatch_edge.metrics import kind_of
from maskwatch_edge.pictures import read_picture

from .duplicates import HashPair, original_of, perceptual_hash
from .found_faces import MIN_IOU, BoxFinder
from .landmarks import LandmarkFinder
from .relabelled import MEANINGS, Relabelled, taken_for
from .splits import SPLITS, TEST, TRAIN, VALIDATION, Division, divide

PATCH_SIZE = 176
"""Side in pixels of the pictures kept in memory, from which augmentation cuts the crops."""

PATCH_CONTEXT = 0.3
"""Share of a face box's sides kept around it, so that a crop may be off-centre."""

WHOLE_PICTURE_INNER = (0.08, 0.08, 0.92, 0.92)
"""Where the face is taken to be in a picture that is a crop already, as shares."""

MAX_UNREADABLE_SHARE = 0.01

SMALLEST_TWIN = 32
"""Faces in frames that are smaller, in pixels, are not compared with pictures: they look alike."""


@dataclass(frozen=True, eq=False)
class Sample:
    """One face in memory.

    Attributes:
        patch: The face with what is around it, shape (PATCH_SIZE, PATCH_SIZE, 3), uint8, RGB.
        inner: Left, upper, right and lower edge of the face in the patch, as shares in [0, 1].
        crop: The face as the board would cut it, not augmented, same shape as a model's input.
        face: Where it came from.
        label_index: Index of its label in the model's output.
        repeats: How often an epoch shows it.
    """

    patch: Pixels
    inner: tuple[float, float, float, float]
    crop: Pixels
    face: LabelledFace
    label_index: int
    repeats: int = 1


@dataclass(frozen=True)
class DataSet:
    """The samples of each split, and the report on how they were divided.

    Attributes:
        splits: Every face once, as people boxed it.
        report: What `data.json` holds.
        found: Annotated faces of the training split once more, as a finder boxes them.
    """

    splits: dict[str, list[Sample]]
    report: dict[str, Any]
    found: list[Sample] = field(default_factory=list)

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the pictures, boxes, labels and splits, and of the finder's file if any.

        Not over what the finder finds: that may differ by a pixel from one processor to another.
        """
        return str(self.report["fingerprint"])


@dataclass(frozen=True)
class _Picture:
    """The faces of one file, with what is known once it was read."""

    faces: tuple[LabelledFace, ...]
    pixels: Pixels
    views: tuple[HashPair, ...]
    """Hashes of the whole, and of each larger face in it as somebody may have cut it out."""


def load_data_set(
    folders: Sequence[Path],
    division: Division,
    *,
    input_size: int,
    landmarks: LandmarkFinder | None = None,
    finder: BoxFinder | None = None,
    relabelled: Relabelled | None = None,
    learned_before: Collection[str] = (),
    warn: Callable[[str], None] = lambda line: print(line, file=sys.stderr),  # noqa: T201
) -> DataSet:
    """Read data sets, group twins, and divide the groups into splits.

    Args:
        folders: Data sets in any layout of `maskwatch_edge.dataset`.
        division: Decides which pictures are held out.
        input_size: Side of the model's input in pixels.
        landmarks: Finds the face in pictures of the "folders" layout, which are photographs as
            often as crops. Without it they are taken whole.
        finder: Boxes the annotated faces of the training split once more.
        relabelled: Labels in the place of the published ones, but for what is scored.
        learned_before: Identities of faces that the network was fitted on in an earlier run; they
            are neither scored nor used to choose the epoch.
        warn: Told the name of each unreadable picture.

    Raises:
        InputError: If a data set is unusable, or more than 1 % of its pictures are unreadable.
    """
    faces = [face for folder in folders for face in read_faces(folder)]
    pictures, unreadable = _read_pictures(faces, warn)
    firsts, views = [p.faces[0] for p in pictures], [p.views for p in pictures]
    splits, groups = divide(firsts, views, division)
    mended, meanings = _mend(pictures, splits, relabelled)
    samples = _cut_samples(mended, splits, input_size, landmarks)
    found = _found_samples(pictures, splits, input_size, finder)
    learned = _leave_out(samples, frozenset(learned_before))
    _check_classes(samples)
    report = _report(faces, pictures, groups, splits, samples, unreadable)
    report["fingerprint"] = _fingerprint(samples, finder)
    report["scored_with_a_copy_that_is_learned"] = _count_copies(firsts, splits)
    report["relabelled"] = _relabelled_report(relabelled, meanings)
    report["boxed_by_finder"] = _found_report(finder, samples[TRAIN], found)
    report["left_out_because_learned_before"] = learned
    report["identities"]["learned_before"] = sorted(learned_before)
    return DataSet(samples, report, found)


def _leave_out(samples: dict[str, list[Sample]], learned_before: Collection[str]) -> list[str]:
    """Take faces that an earlier run was fitted on out of what is scored; return them."""
    learned = []
    for split in (VALIDATION, TEST) if learned_before else ():
        known = [s.face.identity for s in samples[split]]
        learned += [identity for identity in known if identity in learned_before]
        pairs = zip(samples[split], known, strict=True)
        samples[split] = [s for s, identity in pairs if identity not in learned_before]
    return learned


def _read_pictures(
    faces: Sequence[LabelledFace], warn: Callable[[str], None]
) -> tuple[list[_Picture], list[str]]:
    by_path: dict[Path, list[LabelledFace]] = {}
    for face in faces:
        by_path.setdefault(face.path, []).append(face)
    pictures, unreadable = [], []
    for path, members in by_path.items():
        try:
            pixels = read_picture(path)
        except SourceError as error:
            warn(f"skipped: {error}")
            unreadable.append(str(path))
            continue
        pictures.append(_Picture(tuple(members), pixels, views_of(pixels, members)))
    check_unreadable(unreadable, len(by_path))
    return pictures, unreadable


def check_unreadable(unreadable: Sequence[str], count: int) -> None:
    """Refuse data of which too much is broken.

    Args:
        unreadable: Names of the pictures that cannot be read.
        count: How many pictures there are.

    Raises:
        InputError: If more than `MAX_UNREADABLE_SHARE` cannot.
    """
    if len(unreadable) > MAX_UNREADABLE_SHARE * count:
        raise InputError(
            f"{len(unreadable)} of {count} pictures cannot be read, the first is "
            f"{unreadable[0]}; at most 1 % may be: copy the data set again"
        )


def views_of(pixels: Pixels, faces: Sequence[LabelledFace]) -> tuple[HashPair, ...]:
    """Return the hashes by which a picture is known: of the whole, and of its larger faces."""
    boxes = [face.box for face in faces if face.box and face.box.size >= SMALLEST_TWIN]
    inside = [box.clipped(pixels.shape[1], pixels.shape[0]) for box in boxes]
    parts = [pixels[box.y1 : box.y2, box.x1 : box.x2] for box in inside if box]
    return tuple(map(perceptual_hash, (pixels, *parts)))


def _mend(
    pictures: Sequence[_Picture], splits: Sequence[str | None], relabelled: Relabelled | None
) -> tuple[list[_Picture], Counter[str]]:
    """Take pictures for what a list says, but for those that are scored; count what it said."""
    mended, meanings = list(pictures), Counter[str]()
    for place, (picture, split) in enumerate(zip(pictures, splits, strict=True)):
        if relabelled is None or split not in (TRAIN, VALIDATION):
            continue
        meaning = relabelled.meaning_of(picture.faces[0])
        if meaning is not None:
            faces = tuple(new for face in picture.faces for new in taken_for(face, meaning))
            mended[place] = replace(picture, faces=faces)
            meanings[meaning] += len(picture.faces)
    return mended, meanings


def _cut_samples(
    pictures: Sequence[_Picture],
    splits: Sequence[str | None],
    input_size: int,
    landmarks: LandmarkFinder | None,
) -> dict[str, list[Sample]]:
    samples: dict[str, list[Sample]] = {split: [] for split in SPLITS}
    for picture, split in zip(pictures, splits, strict=True):
        if split is not None:
            samples[split] += _samples_of(picture, input_size, landmarks)
    return samples


def _samples_of(
    picture: _Picture, input_size: int, landmarks: LandmarkFinder | None
) -> list[Sample]:
    samples = []
    for face in picture.faces:
        box = face.box
        if box is not None and box.size < MIN_FACE_SIZE:
            continue
        if face.layout == "folders" and landmarks is not None:
            found = landmarks.find_largest(picture.pixels)
            box = None if found is None else found.box
        samples.append(cut_sample(picture.pixels, face, box, input_size))
    return [sample for sample in samples if sample is not None]


def _found_samples(
    pictures: Sequence[_Picture],
    splits: Sequence[str | None],
    input_size: int,
    finder: BoxFinder | None,
) -> list[Sample]:
    if finder is None:
        return []
    learned = (p for p, split in zip(pictures, splits, strict=True) if split == TRAIN)
    return [sample for p in learned for sample in _found_in(p, input_size, finder)]


def _found_in(picture: _Picture, input_size: int, finder: BoxFinder) -> list[Sample]:
    """Cut the annotated faces of a frame as a finder boxes them; no others, and no crops."""
    boxed = [(face, face.box) for face in picture.faces if face.box is not None]
    if not boxed:
        return []
    found = finder.match(picture.pixels, [box for _, box in boxed])
    samples = (
        cut_sample(picture.pixels, boxed[place][0], box, input_size)
        for place, box in sorted(found.items())
        if boxed[place][1].size >= MIN_FACE_SIZE
    )
    return [sample for sample in samples if sample is not None]


def cut_sample(
    pixels: Pixels, face: LabelledFace, box: FaceBox | None, input_size: int
) -> Sample | None:
    """Cut one face out of its picture; None if the box lies outside."""
    height, width = pixels.shape[:2]
    if box is None:
        patch, crop = resized(pixels, PATCH_SIZE), resized(pixels, input_size)
        return Sample(patch, WHOLE_PICTURE_INNER, crop, face, face.label_index)
    inside = box.clipped(width, height)
    outer = box.expanded(PATCH_CONTEXT).clipped(width, height)
    if inside is None or outer is None:
        return None
    inner = (
        (inside.x1 - outer.x1) / outer.width,
        (inside.y1 - outer.y1) / outer.height,
        (inside.x2 - outer.x1) / outer.width,
        (inside.y2 - outer.y1) / outer.height,
    )
    patch = resized(pixels[outer.y1 : outer.y2, outer.x1 : outer.x2], PATCH_SIZE)
    crop = face_crop(pixels, inside, FACE_MARGIN, input_size)
    return Sample(patch, inner, crop, face, face.label_index)


def with_repeats(
    samples: Sequence[Sample], frame_repeats: int, worn_wrong_repeats: int
) -> list[Sample]:
    """Show faces of real frames more often, and those with a mask worn wrong more often still."""
    return [
        replace(
            sample,
            repeats=(frame_repeats if sample.face.layout == "frames" else 1)
            * (worn_wrong_repeats if sample.face.worn_wrong else 1),
        )
        for sample in samples
    ]


def _check_classes(samples: dict[str, list[Sample]]) -> None:
    for split, members in samples.items():
        labels = {sample.label_index for sample in members}
        if len(labels) < 2:
            raise InputError(
                f"the {split} split holds {len(members)} faces of {len(labels)} classes; "
                "expected both: give more data or other shares"
            )


def _report(
    faces: Sequence[LabelledFace],
    pictures: Sequence[_Picture],
    groups: npt.NDArray[np.int64],
    splits: Sequence[str | None],
    samples: dict[str, list[Sample]],
    unreadable: list[str],
) -> dict[str, Any]:
    sizes = Counter(groups.tolist())
    left_out = [
        str(picture.faces[0].path)
        for picture, split in zip(pictures, splits, strict=True)
        if split is None
    ]
    return {
        "pictures": len(pictures),
        "annotated_faces": len(faces),
        "unreadable": unreadable,
        "twin_groups": sum(1 for size in sizes.values() if size > 1),
        "pictures_with_a_twin": sum(size for size in sizes.values() if size > 1),
        "largest_twin_group": max(sizes.values()),
        "left_out_because_a_twin_is_held_out": left_out,
        "counts": {split: _counts(members) for split, members in samples.items()},
        "identities": {
            split: sorted(sample.face.identity for sample in members)
            for split, members in samples.items()
        },
    }


def _counts(samples: Sequence[Sample]) -> dict[str, int]:
    return dict(sorted(Counter(describe(sample.face) for sample in samples).items()))


def describe(face: LabelledFace) -> str:
    """Name a face in tables: its layout, and what it shows."""
    return f"{face.layout}/{kind_of(face)}"


def _count_copies(faces: Sequence[LabelledFace], splits: Sequence[str | None]) -> int:
    """Count the scored pictures of which a changed copy, by its name, is in another split."""
    pairs = [(original_of(face.path), split) for face, split in zip(faces, splits, strict=True)]
    learned = {original for original, split in pairs if split in (TRAIN, VALIDATION)}
    return sum(
        split == TEST and bool(original) and original in learned for original, split in pairs
    )


def _relabelled_report(
    relabelled: Relabelled | None, meanings: Counter[str]
) -> dict[str, Any] | None:
    if relabelled is None:
        return None
    return {
        "list_sha256": relabelled.sha256,
        "pictures": {meaning: meanings[meaning] for meaning in MEANINGS},
    }


def _found_report(
    finder: BoxFinder | None, learned: Sequence[Sample], found: Sequence[Sample]
) -> dict[str, Any] | None:
    if finder is None:
        return None
    return {
        "finder_sha256": finder.sha256,
        "min_iou": MIN_IOU,
        "annotated_faces": sum(sample.face.box is not None for sample in learned),
        "faces_added": len(found),
    }


def _fingerprint(samples: dict[str, list[Sample]], finder: BoxFinder | None) -> str:
    digest = hashlib.sha256()
    for split in SPLITS:
        for line in sorted(f"{s.face.identity} {s.face.label}" for s in samples[split]):
            digest.update(f"{split} {line}\n".encode())
    if finder is not None:
        digest.update(f"finder {finder.sha256}\n".encode())
    return digest.hexdigest()
