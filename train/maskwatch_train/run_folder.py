"""The folder of a run while it is trained: checkpoints, and how far it has come."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import keras

from maskwatch_edge.contract import UNREADABLE
from maskwatch_edge.errors import InputError
from maskwatch_edge.files import remove_leftovers, replacing, write_atomically

from .config import AFTER_TRAINING, CommonConfig
from .splits import TEST, TRAIN

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Config = TypeVar("Config", bound="DataclassInstance")


CHECKPOINTS = "checkpoints"
"""The folder of a run that lets it be continued."""

EPOCHS = "epochs"
"""In the data report: how many epochs the data was drawn from, those of earlier runs included."""


def check_folder(run: Path, may_resume: bool) -> None:
    """Refuse a folder that a run may not write to.

    Raises:
        InputError: If it holds something, and the run is not to be resumed.
    """
    if run.exists() and not run.is_dir():
        raise InputError(f"{run} is a file; expected a folder for the run")
    if run.exists() and any(run.iterdir()) and not may_resume:
        raise InputError(f"{run} is not empty; give --resume to go on, or another folder")


def without_resume(command: str) -> str:
    """Return the command line that starts a run from the one that started or resumed it."""
    # argparse takes abbreviations too, down to the first that is not --rate.
    words = [
        word
        for word in shlex.split(command)
        if not (word.startswith("--re") and "--resume".startswith(word))
    ]
    return shlex.join(words)


def save_network(network: keras.Model, path: Path) -> None:
    """Write a network, with the state of its optimizer if it has one, whole or not at all.

    Raises:
        OutputError: If it cannot be written.
    """
    with replacing(path) as beside:
        network.save(beside)


def load_network(path: Path, *, compiled: bool = True) -> keras.Model:
    """Read a network that `save_network` wrote.

    Raises:
        InputError: If the file is missing or broken.
    """
    try:
        return keras.models.load_model(path, compile=compiled)
    except (OSError, TypeError, *UNREADABLE) as error:
        reason = (str(error).splitlines() or [""])[0]
        raise InputError(f"cannot read the network {path}: {reason}") from error


def save_trained(run: Path, network: keras.Model, data: dict[str, Any], *, epochs: int) -> None:
    """Write what a run has trained, and on what: the network, data report and held-out list.

    Args:
        run: Its folder.
        network: What it trained.
        data: The data report, with the identities of each split.
        epochs: As in `epochs_drawn`.

    Raises:
        OutputError: If a file cannot be written; those that are there are whole.
    """
    save_network(network, run / "model.keras")
    _write_json(run / "data.json", data | {EPOCHS: epochs})
    write_atomically(run / "held_out.txt", "\n".join(data["identities"][TEST]) + "\n")


def save_figures(run: Path, figures: dict[str, Any], card: str) -> None:
    """Write what a run was measured at; `metrics.json` comes last and says that all is there.

    Args:
        run: Its folder.
        figures: The content of `metrics.json`; "command" is the command line.
        card: The model card.

    Raises:
        OutputError: If a file cannot be written; those that are there are whole.
    """
    write_atomically(run / "command.txt", figures["command"] + "\n")
    write_atomically(run / "model_card.md", card)
    _write_json(run / "metrics.json", figures)


def _write_json(path: Path, content: dict[str, Any]) -> None:
    write_atomically(path, json.dumps(content, indent=1) + "\n")


def shapes_of(network: keras.Model) -> list[tuple[int, ...]]:
    """Return the shapes of a network's weights, by which one is told from another."""
    return [tuple(weights.shape) for weights in network.weights]


def learned_by(network: Path) -> set[str]:
    """Return the identities of all that a network was fitted on, in whatever run.

    Args:
        network: Its file, in the folder of its run.

    Raises:
        InputError: If the data report beside the file is missing or broken.
    """
    path = network.with_name("data.json")
    try:
        identities = json.loads(path.read_text())["identities"]
        return {*identities[TRAIN], *identities.get("learned_before", ())}
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(
            f"cannot read {path}: {error}; it tells which faces {network} was fitted on, and "
            "without it they might be scored: keep the file beside the network"
        ) from error


def epochs_before(config: CommonConfig) -> int:
    """Return for how many epochs the network that a run goes on from was trained, in all runs.

    What is drawn at random goes on there, too, or the same would be shown once more.

    Returns:
        0 if there is no earlier run, or one of a version that did not tell.
    """
    if config.earlier_network is None:
        return 0
    try:
        report = json.loads(config.earlier_network.with_name("data.json").read_text())
        return max(int(report[EPOCHS]), 0)
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return 0


def epochs_drawn(config: CommonConfig, history: Sequence[object]) -> int:
    """Return how many epochs the data was drawn from, by this run so far and those before it.

    Args:
        config: What the run was started with.
        history: One entry for each of its epochs.
    """
    return epochs_before(config) + len(history)


def best_path(run: Path) -> Path:
    """Where a run keeps the network of its best epoch."""
    return run / CHECKPOINTS / "best.keras"


def checkpoint_path(run: Path, epochs: int) -> Path:
    """Where a run keeps the network after so many epochs of both stages."""
    return run / CHECKPOINTS / f"epoch-{epochs:03d}.keras"


def remove_old_checkpoints(run: Path, newest: int) -> None:
    """Remove all checkpoints but the newest."""
    for path in (run / CHECKPOINTS).glob("epoch-*.keras"):
        if path != checkpoint_path(run, newest):
            path.unlink(missing_ok=True)


def sweep_checkpoints(run: Path, newest: int) -> None:
    """Remove what processes that ended early have left beside the newest checkpoint."""
    remove_leftovers(run / CHECKPOINTS)
    remove_old_checkpoints(run, newest)


def _state_path(run: Path) -> Path:
    return run / CHECKPOINTS / "state.json"


def save_history(
    run: Path, config: DataclassInstance, fingerprint: str, history: list[dict[str, Any]]
) -> None:
    """Write how far a run has come.

    Args:
        run: Its folder.
        config: What it was started with, a dataclass of plain values.
        fingerprint: Names the data it was started on.
        history: One entry an epoch.

    Raises:
        OutputError: If it cannot be written.
    """
    state = {"config": asdict(config), "fingerprint": fingerprint, "history": history}
    write_atomically(_state_path(run), json.dumps(state, indent=1))


def load_history(run: Path, config: Config, fingerprint: str) -> list[dict[str, Any]]:
    """Read how far a run has come; an empty list if it has not begun.

    Raises:
        InputError: If it was started with other options or other data, or cannot be read.
    """
    path = _state_path(run)
    if not path.exists():
        return []
    try:
        state = json.loads(path.read_text())
        saved, data = type(config)(**state["config"]), state["fingerprint"]
        history = list(state["history"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"cannot read {path}: {error}; start again in another folder") from error
    differing = [k for k, v in asdict(config).items() if v != asdict(saved)[k]]
    changed = [name for name in differing if name not in AFTER_TRAINING]
    if changed:
        raise InputError(f"{run} was started with another {', '.join(changed)}; give the same")
    if data != fingerprint:
        raise InputError(f"{run} was started on other data; give the same data")
    return history
