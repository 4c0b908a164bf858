"""Measuring finders and model together, on annotated frames."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from maskwatch_edge.contract import LABELS
from maskwatch_edge.dataset import LabelledFace, LabelledFrame, read_frames
from maskwatch_edge.errors import InputError, MissingExtraError, SourceError
from maskwatch_edge.frame import Frame
from maskwatch_edge.metrics import FrameScorer
from maskwatch_edge.pictures import read_picture
from maskwatch_edge.pipeline import Watcher

from .conditions import Conditions
from .difficult import with_difficult
from .groups import NO_GROUPS, Groups
from .mistakes import Mistake, mistakes_in
from .output import beside, warn, warn_of_missing_plots
from .selection import Selection
from .tables import comparison_table, frames_table, groups_table


@dataclass
class Trial:
    """One finder, together with the model, and what the two made of the frames so far.

    Attributes:
        watcher: Finder and model.
        scorer: Counts.
        seconds: The time that each frame took.
        mistakes: What went wrong.
        conditions: What else the figures depend on.
    """

    watcher: Watcher
    scorer: FrameScorer
    seconds: list[float] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)
    conditions: Conditions = field(default_factory=Conditions)

    def look(self, labelled: LabelledFrame, frame: Frame) -> None:
        """Measure one frame."""
        started = time.perf_counter()
        sightings = self.watcher.look(frame)
        self.seconds.append(time.perf_counter() - started)
        self.scorer.add(labelled.faces, sightings, labelled.difficult)
        self.mistakes += mistakes_in(labelled, sightings, self.scorer.min_face_size)

    def figures(self) -> dict[str, Any]:
        """Return all figures, ready for JSON."""
        median_ms = float(np.median(self.seconds)) * 1000
        others = {"median_ms_per_frame": median_ms, "conditions": asdict(self.conditions)}
        return self.scorer.result() | others


def try_finders(
    watchers: Mapping[str, Watcher],
    folder: Path,
    selection: Selection,
    conditions: Conditions = Conditions(),  # noqa: B008 - it is frozen
    groups: Groups = NO_GROUPS,
    difficult: Path | None = None,
) -> dict[str, Trial]:
    """Let every finder look at every frame.

    Args:
        watchers: Finder and model, by the finder's name.
        folder: Annotated frames, `images/` and `annotations/`.
        selection: Which of its frames count, and from which size a face does.
        conditions: How the watchers were opened.
        groups: Lists of faces that are told apart in the figures.
        difficult: A list of faces beside the annotated ones, see `difficult.with_difficult`.

    Raises:
        InputError: If no frame is left to measure, or a list names no face of these.
    """
    frames = read_frames(folder)
    if difficult:
        frames = with_difficult(frames, difficult)
    measured = list(filter(selection.has_frame, frames))
    members = _members(groups, frames, measured, selection.min_face_size)
    trials = {
        name: Trial(watcher, FrameScorer(selection.min_face_size, members), conditions=conditions)
        for name, watcher in watchers.items()
    }
    count = 0
    for labelled in measured:
        try:
            frame = Frame(read_picture(labelled.path), 0, 0.0, str(labelled.path))
        except SourceError as error:
            warn(f"skipped: {error}")
            continue
        count += 1
        for trial in trials.values():
            trial.look(labelled, frame)
    if not count:
        raise InputError(f"{folder} has no frame to measure after --held-out")
    return trials


def _members(
    groups: Groups,
    frames: Iterable[LabelledFrame],
    measured: Iterable[LabelledFrame],
    min_face_size: int,
) -> dict[str, frozenset[LabelledFace]]:
    if not groups.files:
        return {}
    large = (
        face
        for frame in measured
        for face in frame.faces
        if face.box is not None and face.box.size >= min_face_size
    )
    return groups.among((face for frame in frames for face in frame.faces), large)


def print_trials(trials: Mapping[str, Trial]) -> dict[str, dict[str, Any]]:
    """Print a table for each finder, one that compares them, and one of the groups, if any.

    Returns:
        All figures by the finder's name, ready for JSON.
    """
    figures = {name: trial.figures() for name, trial in trials.items()}
    for name, one in figures.items():
        print(f"finder {name}\n{frames_table(one)}\n")  # noqa: T201
    if len(figures) > 1:
        print(comparison_table(figures))  # noqa: T201
    if any(one["groups"] for one in figures.values()):
        print(f"\n{groups_table(figures)}")  # noqa: T201
    return figures


def plot_beside(output: Path, trials: Mapping[str, Trial]) -> None:
    """Write the plots beside the figures, if matplotlib is there."""
    try:
        plot_trials(trials, beside(output, "precision-recall"), beside(output, "recall-by-size"))
    except MissingExtraError as error:
        warn_of_missing_plots(error)


def plot_trials(trials: Mapping[str, Trial], precision_recall: Path, recall: Path) -> None:
    """Draw all finders.

    Args:
        trials: By the finder's name.
        precision_recall: Where the PNG with precision over recall appears.
        recall: Where the one with recall by size does.

    Raises:
        MissingExtraError: If matplotlib is not installed.
        OutputError: If a file cannot be written.
    """
    from maskwatch_edge import plots

    curves = {
        label: {name: trial.scorer.curve(label) for name, trial in trials.items()}
        for label in LABELS
    }
    plots.plot_precision_recall(precision_recall, curves)
    sizes = {name: trial.scorer.result()["recall_by_size"] for name, trial in trials.items()}
    smallest = max(trial.conditions.smallest_face_px for trial in trials.values())
    plots.plot_recall_by_size(recall, sizes, smallest)
