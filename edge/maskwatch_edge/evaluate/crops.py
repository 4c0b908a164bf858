"""Measuring a model on labelled faces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from maskwatch_edge.classifier import MaskClassifier
from maskwatch_edge.crops import read_crops
from maskwatch_edge.dataset import read_faces
from maskwatch_edge.errors import InputError, MissingExtraError
from maskwatch_edge.metrics import crop_metrics, kind_of, tally

from .groups import NO_GROUPS, Groups
from .output import beside, warn, warn_of_missing_plots, write_json
from .selection import Selection


def evaluate_crops(
    classifier: MaskClassifier,
    folder: Path,
    selection: Selection,
    output: Path | None,
    groups: Groups = NO_GROUPS,
) -> dict[str, Any]:
    """Measure a model on labelled faces; print a table, write figures and plots.

    Args:
        classifier: The model.
        folder: A data set in any layout of `dataset`.
        selection: Which of its faces count.
        output: A JSON file; plots are written beside it.
        groups: Lists of faces that are told apart in the figures.

    Raises:
        InputError: If no face is left to measure, or a list names no face of these.
    """
    every = read_faces(folder)
    faces = [face for face in every if selection.has_face(face)]
    members = groups.among(every, faces) if groups.files else {}
    answers = []
    kept = []
    contract = classifier.contract
    for face, crop in read_crops(faces, contract.input_size, warn, contract.face_margin):
        answers.append(classifier.probabilities(crop))
        kept.append(face)
    if not kept:
        raise InputError(f"{folder} has no face to measure after --split, --held-out and size")
    probabilities = np.stack(answers)
    truths = np.array([face.label_index for face in kept])
    right = probabilities.argmax(axis=1) == truths
    figures = crop_metrics(truths, probabilities, [kind_of(face) for face in kept])
    figures["groups"] = {
        name: tally(right[[face in group for face in kept]]) for name, group in members.items()
    }
    print(crops_table(figures))  # noqa: T201
    if output is not None:
        write_json(output, figures)
        _plot_crops(output, figures, probabilities.max(axis=1), right)
    return figures


def crops_table(figures: dict[str, Any]) -> str:
    """Lay out the figures of `evaluate_crops` as text."""
    lines = [f"{'':24}{'faces':>7}{'right':>7}{'%':>8}"]
    lines += _rows({**figures["labels"], **figures["kinds"]})
    right = sum(row["right"] for row in figures["labels"].values())
    lines.append(f"{'all':24}{figures['faces']:7}{right:7}{figures['accuracy']:8.2%}")
    lines += _rows(figures["groups"])
    lines.append(f"confusion (rows: truth; columns: answer)   {figures['confusion']}")
    lines.append(f"calibration error   {figures['calibration_error']:.4f}")
    return "\n".join(lines)


def _rows(counts: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for name, row in counts.items():
        yield f"{name:24}{row['faces']:7}{row['right']:7}{row['accuracy']:8.2%}"


def _plot_crops(output: Path, figures: dict[str, Any], scores: Any, right: Any) -> None:
    try:
        from maskwatch_edge import plots

        plots.plot_confusion(
            beside(output, "confusion"), figures["confusion"], "Faces by truth and answer"
        )
        plots.plot_calibration(beside(output, "calibration"), scores, right)
    except MissingExtraError as error:
        warn_of_missing_plots(error)
