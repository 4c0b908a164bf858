"""What a finished training of the finder leaves in its folder."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras

from maskwatch_edge.contract import FINDER
from maskwatch_train.run_folder import (
    epochs_drawn,
    save_figures,
    save_trained,
    without_resume,
)
from maskwatch_train.splits import TEST, VALIDATION

from .card import finder_card
from .data import FinderData
from .measuring import measure
from .training import FinderState


def write_finder_report(
    run: Path, network: keras.Model, state: FinderState, data: FinderData, command: str
) -> dict[str, Any]:
    """Write the report of a finished training.

    Args:
        run: Folder of the run.
        network: Its network.
        state: Its options and history.
        data: What it was trained and is measured on.
        command: The command line; `--resume` is left out of what is recorded.

    Returns:
        The content of `metrics.json`.

    Raises:
        OutputError: If a file cannot be written; those that are there are whole.
    """
    figures: dict[str, Any] = {
        "kind": FINDER,
        "command": without_resume(command),
        "config": asdict(state.config),
        "fingerprint": data.fingerprint,
        "history": state.history,
        "scenes_per_second": round(state.scenes_per_second, 2),
        "validation": measure(network, data.splits[VALIDATION]),
        "test": measure(network, data.splits[TEST]),
    }
    epochs = epochs_drawn(state.config, state.history)
    save_trained(run, network, data.report, epochs=epochs)
    save_figures(run, figures, finder_card(figures, data.report))
    return figures
