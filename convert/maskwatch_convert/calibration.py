"""Which faces calibrate a model, and which ones score it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby, islice
from pathlib import Path

import numpy as np

from maskwatch_edge.contract import LABELS
from maskwatch_edge.crops import read_crops
from maskwatch_edge.dataset import MIN_FACE_SIZE, LabelledFace, content_digest, read_faces
from maskwatch_edge.errors import InputError
from maskwatch_edge.frame import Pixels

from .training_run import TrainingRun

Warn = Callable[[str], None]


@dataclass(frozen=True)
class RunFaces:
    """The faces of a run that were found again in data sets, by identity.

    Attributes:
        fitted: Those that the network was trained on.
        held_out: Those that it never saw.
    """

    fitted: dict[str, LabelledFace] = field(default_factory=dict)
    held_out: dict[str, LabelledFace] = field(default_factory=dict)


def find_faces(folders: Sequence[Path], run: TrainingRun, warn: Warn) -> RunFaces:
    """Find the faces of a run in data sets; a face that is there twice counts once.

    Args:
        folders: Data sets in any layout of `maskwatch_edge.dataset`.
        run: The training whose faces are looked for.
        warn: Told of each picture that cannot be read.

    Raises:
        InputError: If a data set is unusable, or the faces found lack a label.
    """
    found = RunFaces()
    for folder in folders:
        for identity, face in _identified(read_faces(folder), warn):
            if identity in run.fitted:
                found.fitted.setdefault(identity, face)
            elif identity in run.held_out:
                found.held_out.setdefault(identity, face)
    _check_labels("was fitted to", found.fitted, folders)
    _check_labels("has held out", found.held_out, folders)
    return found


def _identified(faces: Iterable[LabelledFace], warn: Warn) -> Iterator[tuple[str, LabelledFace]]:
    for digest, members in digested(faces, warn):
        for face in members:
            if face.box is None or face.box.size >= MIN_FACE_SIZE:
                yield face.identity_in(digest), face


def digested(
    faces: Iterable[LabelledFace], warn: Warn
) -> Iterator[tuple[str, tuple[LabelledFace, ...]]]:
    """Yield the digest of each picture, and its faces; pictures that cannot be read are told."""
    for path, members in groupby(faces, key=lambda face: face.path):
        try:
            digest = content_digest(path)
        except OSError as error:
            warn(f"skipped: cannot read {path}: {error.strerror}")
            continue
        yield digest, tuple(members)


def _check_labels(role: str, faces: dict[str, LabelledFace], folders: Sequence[Path]) -> None:
    for label in LABELS:
        if not any(face.label == label for face in faces.values()):
            raise InputError(
                f"{', '.join(map(str, folders))}: none of the faces that the run {role} shows "
                f"{label}; give the data sets that the run was trained with"
            )


def choose_crops(
    faces: dict[str, LabelledFace], size: int, count: int, seed: int, warn: Warn
) -> list[Pixels]:
    """Draw faces for calibration, as many of each label, and cut them out.

    The draw depends on what the pictures hold and on the seed, not on where they lie.

    Args:
        faces: Faces by identity.
        size: Side of a crop in pixels.
        count: How many; fewer if a label has less than its half.
        seed: Decides which.
        warn: Told of each picture that cannot be read.

    Returns:
        Crops of shape (size, size, 3), uint8, RGB.

    Raises:
        InputError: If no face of a label can be read.
    """
    rng = np.random.default_rng(seed)
    half = (count + 1) // 2
    by_label = []
    for label in LABELS:
        names = sorted(name for name, face in faces.items() if face.label == label)
        drawn = (faces[name] for name in rng.permutation(names))
        by_label.append([crop for _, crop in islice(read_crops(drawn, size, warn), half)])
        if not by_label[-1]:
            raise InputError(f"no face {label} can be read; copy the data set again")
    return [crop for pair in zip(*by_label, strict=False) for crop in pair]
