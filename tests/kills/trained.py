"""`maskwatch train` as a target: a folder that grows epoch by epoch, and gets a report at last."""

from __future__ import annotations

import json
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from maskwatch_edge.pictures import read_picture

from ..train.conftest import history_of, tiny_training, write_faces
from .killing import Command, Ended


def prepare_train(folder: Path) -> None:
    """Write a data set."""
    write_faces(folder / "data", 40)


def train(folder: Path) -> Command:
    """Return the command, which begins and goes on."""
    return [
        sys.executable,
        "-m",
        "maskwatch_edge",
        *tiny_training(Path("data"), Path("run")),
        "--epochs",
        "2",
        "--resume",
    ]


def _comparable(history: list[dict[str, Any]]) -> list[Any]:
    return [
        (entry["stage"], pytest.approx({k: entry[k] for k in ("loss", "val_loss")}, rel=1e-4))
        for entry in history
    ]


def _plain(history: list[dict[str, Any]]) -> list[Any]:
    return [(entry["stage"], {k: entry[k] for k in ("loss", "val_loss")}) for entry in history]


def check_cut_train(folder: Path, before: Path, whole: Path, ended: Ended) -> None:
    """Check that the run has its first epochs, and that each file in it is whole."""
    run, history = folder / "run", history_of(folder / "run")
    assert _plain(history) == _comparable(history_of(whole / "run")[: len(history)])
    for path in run.rglob("*"):
        if path.is_file() and ".new-" not in path.name:
            READERS[path.suffix](path)
    if history:
        checkpoints = run / "checkpoints"
        assert (checkpoints / f"epoch-{len(history):03d}.keras").is_file()
        assert (checkpoints / "best.keras").is_file()
    if (run / "metrics.json").exists():  # it was reported anew, and what was there before stays
        _check_report(run, whole / "run")


def check_whole_train(folder: Path, whole: Path) -> None:
    """Check that a run is finished, and as good as the other."""
    _check_report(folder / "run", whole / "run")
    assert not list(folder.rglob(".new-*")), "something is left behind"


def _check_report(run: Path, other: Path) -> None:
    assert _plain(history_of(run)) == _comparable(history_of(other))
    assert _names(run) == _names(other)
    figures, expected = (json.loads((each / "metrics.json").read_text()) for each in (run, other))
    assert figures["command"] == expected["command"]
    assert figures["test"]["accuracy"] == pytest.approx(expected["test"]["accuracy"], abs=0.05)
    assert figures["temperature"] == pytest.approx(expected["temperature"], rel=0.01)


def _names(run: Path) -> set[Path]:
    return {path.relative_to(run) for path in run.rglob("*") if ".new-" not in path.name}


def _read_network(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None


READERS: dict[str, Callable[[Path], object]] = {
    ".keras": _read_network,
    ".json": lambda path: json.loads(path.read_text()),
    ".png": read_picture,
    ".txt": Path.read_text,
    ".md": Path.read_text,
}
