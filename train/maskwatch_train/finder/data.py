"""From data sets on disk to pictures with boxes in memory, divided as for the classifier."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from maskwatch_edge.dataset import LabelledFrame, content_digest, read_pictures
from maskwatch_edge.errors import InputError, SourceError
from maskwatch_edge.frame import Pixels
from maskwatch_edge.pictures import read_picture
from maskwatch_train.duplicates import HashPair
from maskwatch_train.samples import check_unreadable, views_of
from maskwatch_train.splits import SPLITS, TEST, TRAIN, VALIDATION, Division, divide

from .truths import Teacher, Truths, annotated

MAX_SIDE = 640
"""Pictures to learn from are kept at this length in pixels at the most."""


@dataclass(frozen=True, eq=False)
class Picture:
    """One picture in memory.

    Attributes:
        pixels: Shape (height, width, 3), uint8, RGB.
        truths: Where its faces are, in its pixels.
        identities: Names of its faces, or of the picture where none is annotated.
        layout: "kaggle", "folders" or "frames"; see `maskwatch_edge.dataset`.
    """

    pixels: Pixels
    truths: Truths
    identities: tuple[str, ...]
    layout: str


@dataclass(frozen=True)
class FinderData:
    """The pictures of each split, and the report on how they were divided."""

    splits: dict[str, list[Picture]]
    report: dict[str, Any]

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the pictures, boxes and splits."""
        return str(self.report["fingerprint"])


def load_pictures(
    folders: Sequence[Path],
    division: Division,
    teacher: Teacher | None,
    warn: Callable[[str], None],
) -> FinderData:
    """Read data sets and divide them by the lot that the classifier's training draws, too.

    Only annotated frames are scored. Photographs and crops need the teacher; those that fall to
    validation or test, or in which it is sure of no face, are left out.

    Args:
        folders: Data sets in any layout of `maskwatch_edge.dataset`.
        division: Decides which pictures are held out.
        teacher: Finds the faces of what is not annotated; without it only frames are used.
        warn: Told the name of each unreadable picture.

    Raises:
        InputError: If a data set is unusable, too many pictures cannot be read, or a split holds
            no annotated face.
    """
    by_path = _by_path(folders, annotated_only=teacher is None)
    hashes, unreadable = _hashes(by_path, warn)
    firsts = [by_path[path].faces[0] for path in hashes]
    splits, _ = divide(firsts, list(hashes.values()), division)
    pictures: dict[str, list[Picture]] = {split: [] for split in SPLITS}
    for path, split in zip(hashes, splits, strict=True):
        labelled = by_path[path]
        if split is not None and (split == TRAIN or _is_boxed(labelled)):
            picture = _read(labelled, teacher, to_learn=split == TRAIN)
            pictures[split] += [] if picture is None else [picture]
    for split, members in pictures.items():
        _check_split(split, members)
    return FinderData(pictures, _report(pictures, unreadable, len(by_path)))


def _by_path(folders: Sequence[Path], *, annotated_only: bool) -> dict[Path, LabelledFrame]:
    by_path = {
        labelled.path: labelled
        for folder in folders
        for labelled in read_pictures(folder)
        if labelled.faces and (_is_boxed(labelled) or not annotated_only)
    }
    if not by_path:
        raise InputError(
            "no annotated frames given; name a folder with images/ and annotations/, or give "
            "--landmarks YUNET.onnx, which finds the faces of other pictures"
        )
    return by_path


def _hashes(
    paths: dict[Path, LabelledFrame], warn: Callable[[str], None]
) -> tuple[dict[Path, tuple[HashPair, ...]], list[str]]:
    """Return the hashes of each picture that can be read, and the names of the others."""
    hashes, unreadable = {}, []
    for path, labelled in paths.items():
        try:
            hashes[path] = views_of(read_picture(path), labelled.faces)
        except SourceError as error:
            warn(f"skipped: {error}")
            unreadable.append(str(path))
    check_unreadable(unreadable, len(paths))
    return hashes, unreadable


def _is_boxed(labelled: LabelledFrame) -> bool:
    return labelled.faces[0].box is not None


def _read(labelled: LabelledFrame, teacher: Teacher | None, *, to_learn: bool) -> Picture | None:
    """Read a picture with its faces; None if the teacher is sure of none."""
    pixels, digest = read_picture(labelled.path), content_digest(labelled.path)
    layout = labelled.faces[0].layout
    scale = min(MAX_SIDE / max(pixels.shape[:2]), 1.0) if to_learn else 1.0
    if scale < 1.0:
        pixels = _shrunk(pixels, scale)
    if _is_boxed(labelled):
        truths = annotated(labelled.boxes, labelled.difficult).scaled(scale)
        if teacher is not None and to_learn:
            truths = teacher.mark_hard(pixels, truths)
        return Picture(pixels, truths, tuple(f.identity_in(digest) for f in labelled.faces), layout)
    found = None if teacher is None else teacher.teach(pixels)
    return None if found is None else Picture(pixels, found, (digest,), layout)


def _shrunk(pixels: Pixels, scale: float) -> Pixels:
    shrunk = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(shrunk, np.uint8)


def _check_split(split: str, pictures: Sequence[Picture]) -> None:
    if not any(picture.truths.sure.any() for picture in pictures):
        scored = "annotated " if split in (VALIDATION, TEST) else ""
        raise InputError(
            f"the {split} split holds no {scored}face: give more annotated frames or other shares"
        )


def _report(
    pictures: dict[str, list[Picture]], unreadable: Sequence[str], count: int
) -> dict[str, Any]:
    return {
        "pictures": count,
        "unreadable": list(unreadable),
        "fingerprint": _fingerprint(pictures),
        "counts": {split: _counts(members) for split, members in pictures.items()},
        "identities": {
            split: sorted(name for picture in members for name in picture.identities)
            for split, members in pictures.items()
        },
    }


def _counts(pictures: Sequence[Picture]) -> dict[str, int]:
    counts = Counter({f"{picture.layout} pictures": 0 for picture in pictures})
    for picture in pictures:
        counts[f"{picture.layout} pictures"] += 1
        counts[f"{picture.layout} faces"] += int(picture.truths.sure.sum())
    return dict(sorted(counts.items()))


def _fingerprint(pictures: dict[str, list[Picture]]) -> str:
    digest = hashlib.sha256()
    for split in SPLITS:
        for names, boxes in sorted(
            (p.identities, p.truths.boxes.tolist()) for p in pictures[split]
        ):
            digest.update(f"{split} {names} {boxes}\n".encode())
    return digest.hexdigest()
