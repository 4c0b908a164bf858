"""Measuring a model on labelled faces, or finder and model together on annotated frames."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .classifier import MaskClassifier
from .crops import read_crops
from .dataset import LabelledFace, LabelledFrame, read_faces, read_frames
from .errors import InputError, MissingExtraError, SourceError
from .files import write_atomically
from .frame import Frame
from .metrics import FrameScorer, crop_metrics, kind_of
from .pictures import read_picture
from .pipeline import Watcher


@dataclass(frozen=True)
class Selection:
    """Which of the labelled faces are measured.

    Attributes:
        min_face_size: Shorter side in pixels from which a boxed face counts.
        split: Only this published split; None for all.
        held_out: Only these identities; None for all.
    """

    min_face_size: int
    split: str | None = None
    held_out: frozenset[str] | None = None

    @classmethod
    def read(cls, min_face_size: int, split: str | None, held_out: Path | None) -> Selection:
        """Build a selection, with the identities in a text file, one a line.

        Raises:
            InputError: If the file cannot be read.
        """
        if held_out is None:
            return cls(min_face_size, split)
        try:
            names = frozenset(held_out.read_text().split())
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"cannot read {held_out}: {error}") from error
        return cls(min_face_size, split, names)

    def has_face(self, face: LabelledFace) -> bool:
        """Tell whether a face is to be measured."""
        is_large = face.box is None or face.box.size >= self.min_face_size
        is_in_split = self.split in (None, face.published_split)
        return is_large and is_in_split and self._is_held_out(face)

    def has_frame(self, frame: LabelledFrame) -> bool:
        """Tell whether a frame is to be measured: all its faces are held out together."""
        return self.held_out is None or any(map(self._is_held_out, frame.faces))

    def _is_held_out(self, face: LabelledFace) -> bool:
        try:
            return self.held_out is None or face.identity in self.held_out
        except OSError:
            return True  # Where it is to be measured, it is named and skipped.


def evaluate_crops(
    classifier: MaskClassifier, folder: Path, selection: Selection, output: Path | None
) -> dict[str, Any]:
    """Measure a model on labelled faces; print a table, write figures and plots.

    Args:
        classifier: The model.
        folder: A data set in any layout of `dataset`.
        selection: Which of its faces count.
        output: A JSON file; plots are written beside it.

    Raises:
        InputError: If no face is left to measure.
    """
    faces = [face for face in read_faces(folder) if selection.has_face(face)]
    answers = []
    kept = []
    contract = classifier.contract
    for face, crop in read_crops(faces, contract.input_size, _warn, contract.face_margin):
        answers.append(classifier.probabilities(crop))
        kept.append(face)
    if not kept:
        raise InputError(f"{folder} has no face to measure after --split, --held-out and size")
    probabilities = np.stack(answers)
    truths = np.array([face.label_index for face in kept])
    figures = crop_metrics(truths, probabilities, [kind_of(face) for face in kept])
    print(crops_table(figures))  # noqa: T201
    if output is not None:
        _write_json(output, figures)
        right = probabilities.argmax(axis=1) == truths
        _plot_crops(output, figures, probabilities.max(axis=1), right)
    return figures


def evaluate_frames(
    watcher: Watcher, folder: Path, selection: Selection, output: Path | None
) -> dict[str, Any]:
    """Measure finder and model together; print a table, write figures and plots.

    Args:
        watcher: Finder and model.
        folder: Annotated frames, `images/` and `annotations/`.
        selection: Which of its frames count, and from which size a face does.
        output: A JSON file; plots are written beside it.

    Raises:
        InputError: If no frame is left to measure.
    """
    scorer = FrameScorer(selection.min_face_size)
    seconds = []
    for labelled in filter(selection.has_frame, read_frames(folder)):
        try:
            frame = Frame(read_picture(labelled.path), 0, 0.0, str(labelled.path))
        except SourceError as error:
            _warn(f"skipped: {error}")
            continue
        started = time.perf_counter()
        sightings = watcher.look(frame)
        seconds.append(time.perf_counter() - started)
        scorer.add(labelled.faces, sightings)
    if not seconds:
        raise InputError(f"{folder} has no frame to measure after --held-out")
    figures = scorer.result() | {"median_ms_per_frame": float(np.median(seconds)) * 1000}
    print(frames_table(figures))  # noqa: T201
    if output is not None:
        _write_json(output, figures)
        _plot_frames(output, figures, scorer)
    return figures


def crops_table(figures: dict[str, Any]) -> str:
    """Lay out the figures of `metrics.crop_metrics` as text."""
    lines = [f"{'':24}{'faces':>7}{'right':>7}{'%':>8}"]
    rows = {**figures["labels"], **figures["kinds"]}
    for name, row in rows.items():
        lines.append(f"{name:24}{row['faces']:7}{row['right']:7}{row['accuracy']:8.2%}")
    right = sum(row["right"] for row in figures["labels"].values())
    lines.append(f"{'all':24}{figures['faces']:7}{right:7}{figures['accuracy']:8.2%}")
    lines.append(f"confusion (rows: truth; columns: answer)   {figures['confusion']}")
    lines.append(f"calibration error   {figures['calibration_error']:.4f}")
    return "\n".join(lines)


def frames_table(figures: dict[str, Any]) -> str:
    """Lay out the figures of `metrics.FrameScorer` as text."""
    lines = [f"{'':24}{'faces':>7}{'right':>8}{'unsure':>8}{'wrong':>8}{'missed':>8}"]
    for kind, row in figures["outcomes"].items():
        shares = "".join(
            f"{row[what] / row['faces']:8.1%}" for what in ("right", "unsure", "wrong", "missed")
        )
        lines.append(f"{kind:24}{row['faces']:7}{shares}")
    lines.append(f"{'size from':24}{'faces':>7}{'found':>8}")
    for size, row in figures["recall_by_size"].items():
        lines.append(f"{size + ' px':24}{row['faces']:7}{row['recall']:8.1%}")
    precisions = ", ".join(f"{k} {v:.3f}" for k, v in figures["average_precision"].items())
    lines.append(f"mAP50 {figures['map50']:.3f} ({precisions})")
    lines.append(f"false alarms a frame {figures['false_alarms_per_frame']:.2f}")
    lines.append(f"{figures['frames']} frames, {figures['median_ms_per_frame']:.1f} ms a frame")
    return "\n".join(lines)


def _write_json(path: Path, figures: dict[str, Any]) -> None:
    write_atomically(path, json.dumps(figures, indent=2) + "\n")


def _plot_crops(output: Path, figures: dict[str, Any], scores: Any, right: Any) -> None:
    try:
        from . import plots

        plots.plot_confusion(
            _beside(output, "confusion"), figures["confusion"], "Faces by truth and answer"
        )
        plots.plot_calibration(_beside(output, "calibration"), scores, right)
    except MissingExtraError as error:
        _no_plots(error)


def _plot_frames(output: Path, figures: dict[str, Any], scorer: FrameScorer) -> None:
    try:
        from . import plots

        curves = {label: scorer.curve(label) for label in scorer.ranked}
        plots.plot_precision_recall(_beside(output, "precision-recall"), curves)
        plots.plot_recall_by_size(_beside(output, "recall-by-size"), figures["recall_by_size"])
    except MissingExtraError as error:
        _no_plots(error)


def _beside(output: Path, name: str) -> Path:
    return output.with_name(f"{output.stem}-{name}.png")


def _no_plots(error: MissingExtraError) -> None:
    print(f"maskwatch evaluate: no plots are written: {error}", file=sys.stderr)  # noqa: T201


def _warn(line: str) -> None:
    print(f"maskwatch evaluate: {line}", file=sys.stderr)  # noqa: T201
