"""Everything that a run holds beside its checkpoints: network, figures, pictures, model card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from maskwatch_edge.metrics import crop_metrics
from maskwatch_edge.plots import plot_calibration, plot_confusion

from .model_card import model_card
from .report_pictures import Mistake, draw_learning_curves, draw_mistakes
from .run_folder import epochs_drawn, save_figures, save_trained, without_resume
from .samples import DataSet, Sample, describe
from .splits import TEST, VALIDATION
from .training import RunState, predict

Floats = npt.NDArray[np.float64]

LARGE_FACE = 32
"""Shorter side in pixels from which a boxed face counts in the goals of the project."""


def write_report(
    run: Path,
    network: keras.Model,
    state: RunState,
    data: DataSet,
    temperature: float,
    command: str,
    *,
    is_narrowed: bool,
) -> dict[str, Any]:
    """Write the report of a finished training.

    Args:
        run: Folder of the run.
        network: Its best network.
        state: Its options and history.
        data: What it was trained and is measured on.
        temperature: What its logits were divided by.
        command: The command line; `--resume` is left out of what is recorded.
        is_narrowed: Whether it started with the channels of a wider network.

    Returns:
        The content of `metrics.json`.

    Raises:
        OutputError: If a file cannot be written; those that are there are whole.
    """
    validation, test = data.splits[VALIDATION], data.splits[TEST]
    answers = predict(network, test)
    figures: dict[str, Any] = {
        "command": without_resume(command),
        "config": asdict(state.config),
        "narrowed": is_narrowed,
        "fingerprint": data.fingerprint,
        "epochs": len(state.history),
        "best_epoch": best_epoch(state),
        "temperature": temperature,
        "validation": _measure(validation, predict(network, validation)),
        "test": _measure(test, answers),
        "test_faces_from_32_px": _measure_large(test, answers),
    }
    epochs = epochs_drawn(state.config, state.history)
    save_trained(run, network, data.report, epochs=epochs)
    _draw(run, state, test, answers, figures)
    save_figures(run, figures, model_card(figures, data.report))
    return figures


def best_epoch(state: RunState) -> int:
    """Return the epoch whose network is kept, counted from 1 over both stages.

    The last of several with the same loss, as `RunState.last_is_best` has it.
    """
    losses = [entry["val_loss"] for entry in state.history]
    return len(losses) - int(np.argmin(losses[::-1]))


def _measure(samples: Sequence[Sample], answers: Floats) -> dict[str, Any]:
    truths = np.array([sample.label_index for sample in samples], dtype=np.int64)
    return crop_metrics(truths, answers, [describe(sample.face) for sample in samples])


def _measure_large(samples: Sequence[Sample], answers: Floats) -> dict[str, Any]:
    """Figures of the faces cut out of frames, without the smallest."""
    places = [
        place
        for place, sample in enumerate(samples)
        if sample.face.box is not None and sample.face.box.size >= LARGE_FACE
    ]
    kinds: dict[str, Any] = _measure([samples[place] for place in places], answers[places])["kinds"]
    return kinds


def _draw(
    run: Path,
    state: RunState,
    test: Sequence[Sample],
    answers: Floats,
    figures: dict[str, Any],
) -> None:
    truths = np.array([sample.label_index for sample in test])
    right = answers.argmax(axis=1) == truths
    draw_learning_curves(run / "learning_curves.png", state, best_epoch(state))
    title = f"{len(test):,} faces of the test split"
    plot_confusion(run / "confusion.png", figures["test"]["confusion"], title)
    plot_calibration(run / "calibration.png", answers.max(axis=1), right)
    draw_mistakes(run / "mistakes.png", worst_mistakes(test, answers), len(test))


def worst_mistakes(samples: Sequence[Sample], answers: Floats) -> list[Mistake]:
    """List the samples that were answered wrong, the surest mistake first.

    Args:
        samples: Faces.
        answers: Probabilities of the labels for each, shape (samples, 2).
    """
    mistakes = [
        Mistake(sample, int(answer.argmax()), float(answer.max()))
        for sample, answer in zip(samples, answers, strict=True)
        if answer.argmax() != sample.label_index
    ]
    return sorted(mistakes, key=lambda mistake: -mistake.score)
