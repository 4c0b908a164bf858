"""Every program of Maskwatch that changes files, and what must be so after it was killed.

The property of each: what is there is the old or the new, whole; and the same command once more
ends as if it had never been interrupted.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import sys
import threading
import zipfile
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cache, partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from maskwatch_edge.pictures import read_picture
from maskwatch_edge.statistics.store import read_minutes

from ..convert.conftest import colour_network, finish_run, paint_all
from ..train.conftest import history_of, tiny_training, write_faces
from .boards import (
    board_environment,
    check_cut_board,
    check_whole_board,
    deploy,
    prepare_board,
    replace_model,
)
from .killing import Command, Ended
from .writers import FIRST_MINUTE, KEPT_OF

MASKWATCH = (sys.executable, "-m", "maskwatch_edge")
HERE = Path(__file__).parent


def no_environment(folder: Path) -> Mapping[str, str]:
    """Return nothing."""
    return {}


@dataclass(frozen=True)
class Target:
    """A program.

    Attributes:
        prepare: Writes what is there before into an empty folder.
        command: Returns the command that is run in a copy of that folder.
        check_cut: Asserts that an interrupted run left the old or the new. Is given its folder,
            the one before, one that was written without interruption, and how the run ended.
        check_whole: Asserts that a folder is as the one that was written without interruption.
        environment: Returns variables for the command.
        disk: What is on the disk that fills up, below the folder.
        room_bytes: How much of a full disk may be left; more is enough.
        has_steps: Whether it is a script whose steps are counted, and not a single process.
        has_threads: Whether another thread than the main one writes.
        goes_on: Whether it must survive that the disk fails, and not end with an error.
    """

    prepare: Callable[[Path], None]
    command: Callable[[Path], Command]
    check_cut: Callable[[Path, Path, Path, Ended], None]
    check_whole: Callable[[Path, Path], None]
    environment: Callable[[Path], Mapping[str, str]] = no_environment
    disk: str = "."
    room_bytes: int = 1 << 16
    has_steps: bool = False
    has_threads: bool = False
    goes_on: bool = False


# --- convert, models get: one file that is replaced ----------------------------------------------


def _files(folder: Path) -> dict[str, bytes]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def _visible(folder: Path) -> dict[str, bytes]:
    return {name: content for name, content in _files(folder).items() if ".new-" not in name}


def check_cut_file(folder: Path, before: Path, whole: Path, ended: Ended) -> None:
    """Check that what is in `out` is the old file or the new one."""
    assert _visible(folder / "out") in (_visible(before / "out"), _visible(whole / "out"))


def check_whole_file(folder: Path, whole: Path) -> None:
    """Check that the new file is in `out`, and nothing else."""
    assert _files(folder / "out") == _files(whole / "out")


def prepare_convert(folder: Path) -> None:
    """Write pictures, a finished training on them, and an old model."""
    paint_all(folder / "pictures")
    finish_run(folder / "run", colour_network(), folder / "pictures")
    (folder / "out").mkdir()
    (folder / "out/model.tflite").write_bytes(b"old" * 1000)


def convert(folder: Path) -> Command:
    """Return the command."""
    options = ("--calibrate", "pictures", "--out", "out/model.tflite", "--samples", "3")
    return [*MASKWATCH, "convert", "run", *options]


PUBLISHED = bytes(range(256)) * 400
GET = """
import sys
from maskwatch_edge.__main__ import main
from maskwatch_edge.models import KNOWN_MODELS, KnownModel
address, sha256, size = sys.argv[1:]
KNOWN_MODELS["ours"] = KnownModel("ours", "ours.onnx", int(size), sha256, (address,), "made up")
sys.exit(main(["models", "get", "ours", "--to", "out"]))
"""


class Publisher(BaseHTTPRequestHandler):
    """Sends a model, a little at a time."""

    def do_GET(self) -> None:
        """Send it."""
        self.send_response(200)
        self.end_headers()
        for start in range(0, len(PUBLISHED), 4096):
            threading.Event().wait(0.002)
            try:
                self.wfile.write(PUBLISHED[start : start + 4096])
            except OSError:  # the reader was killed
                return

    def log_message(self, *words: Any) -> None:
        """Say nothing."""


@cache
def publisher() -> str:
    """Start a server that lives as long as this process, and return its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Publisher)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/model"


def prepare_get(folder: Path) -> None:
    """Write an earlier edition of the model."""
    (folder / "out").mkdir()
    (folder / "out/ours.onnx").write_bytes(PUBLISHED[:50_000])


def get(folder: Path) -> Command:
    """Return the command, with a model of ours among the known ones."""
    sha256 = hashlib.sha256(PUBLISHED).hexdigest()
    return [sys.executable, "-c", GET, publisher(), sha256, str(len(PUBLISHED))]


# --- train: a folder that grows ------------------------------------------------------------------


def prepare_train(folder: Path) -> None:
    """Write a data set."""
    write_faces(folder / "data", 40)


def train(folder: Path) -> Command:
    """Return the command, which begins and goes on."""
    return [*MASKWATCH, *tiny_training(Path("data"), Path("run")), "--epochs", "2", "--resume"]


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
    if (run / "metrics.json").exists():
        check_whole_train(folder, whole)


def check_whole_train(folder: Path, whole: Path) -> None:
    """Check that a run is finished, and as good as the other."""
    run, other = folder / "run", whole / "run"
    assert _plain(history_of(run)) == _comparable(history_of(other))
    assert set(_files(run)) == set(_files(other))
    figures, expected = (json.loads((each / "metrics.json").read_text()) for each in (run, other))
    assert figures["command"] == expected["command"]
    assert figures["test"]["accuracy"] == pytest.approx(expected["test"]["accuracy"], abs=0.05)
    assert figures["temperature"] == pytest.approx(expected["temperature"], rel=0.01)


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


# --- statistics and queue: what `maskwatch run` keeps --------------------------------------------

WRITTEN = 60


def prepare_kept(folder: Path) -> None:
    """Make the folder of the state."""
    (folder / "state").mkdir()


def write(kind: str, folder: Path) -> Command:
    """Return the command that adds."""
    return [sys.executable, HERE / "writers.py", kind, "state", str(WRITTEN)]


def _said(ended: Ended, verb: str) -> int:
    """Return how many have been acknowledged."""
    numbers = [line.partition(" ")[2] for line in ended.out.splitlines() if line.startswith(verb)]
    return int(numbers[-1]) + 1 if numbers else 0


def _counted(folder: Path) -> list[int]:
    path = folder / "state/statistics.db"
    minutes = read_minutes(path, 0, 1 << 40) if path.exists() else {}
    assert all(counts.people == 1 for counts in minutes.values()), "somebody was counted twice"
    return [minute - FIRST_MINUTE for minute in minutes]


def _queued(folder: Path) -> list[int]:
    with TemporaryDirectory() as copy:  # opening it mends it, and the next run is to do that
        shutil.copytree(folder / "state", copy, dirs_exist_ok=True)
        with closing(sqlite3.connect(Path(copy) / "mqtt.sqlite")) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            if not database.execute("SELECT 1 FROM sqlite_master").fetchone():
                return []
            rows = database.execute("SELECT payload FROM messages ORDER BY number").fetchall()
    return [json.loads(payload)["n"] for (payload,) in rows]


def check_cut_statistics(folder: Path, before: Path, whole: Path, ended: Ended) -> None:
    """Check that each minute that was acknowledged is there, once, and at most those after it."""
    counted = _counted(folder)
    assert counted == list(range(len(counted)))
    assert len(counted) >= _said(ended, "added")


def check_whole_statistics(folder: Path, whole: Path) -> None:
    """Check that each minute is there, once."""
    assert _counted(folder) == list(range(WRITTEN))


def check_cut_queue(folder: Path, before: Path, whole: Path, ended: Ended) -> None:
    """Check that each message that was acknowledged is there in order, but for those removed."""
    queued, added, removed = _queued(folder), _said(ended, "added"), _said(ended, "removed")
    first = queued[0] if queued else 0
    assert queued == list(range(first, first + len(queued)))
    assert added <= first + len(queued) <= added + 1
    assert removed <= first <= removed + 1


def check_whole_queue(folder: Path, whole: Path) -> None:
    """Check that each message is there that was not removed."""
    assert _queued(folder) == list(range(WRITTEN // KEPT_OF, WRITTEN))


TARGETS = {
    "train": Target(prepare_train, train, check_cut_train, check_whole_train, room_bytes=4_000_000),
    "convert": Target(prepare_convert, convert, check_cut_file, check_whole_file),
    "get": Target(prepare_get, get, check_cut_file, check_whole_file),
    "deploy": Target(
        prepare_board,
        deploy,
        check_cut_board,
        check_whole_board,
        board_environment,
        disk="board/root",
        has_steps=True,
    ),
    "model": Target(
        prepare_board,
        replace_model,
        check_cut_board,
        check_whole_board,
        board_environment,
        disk="board/root",
        has_steps=True,
    ),
    "statistics": Target(
        prepare_kept,
        partial(write, "statistics"),
        check_cut_statistics,
        check_whole_statistics,
        disk="state",
        has_threads=True,
        goes_on=True,
    ),
    "queue": Target(
        prepare_kept,
        partial(write, "queue"),
        check_cut_queue,
        check_whole_queue,
        disk="state",
        goes_on=True,
    ),
}
