"""Every program of Maskwatch that changes files, and what must be so after it was killed.

The property of each: what is there is the old or the new, whole; and the same command once more
ends as if it had never been interrupted.
"""

from __future__ import annotations

import hashlib
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from ..convert.conftest import colour_network, finish_run, paint_all
from .boards import (
    board_environment,
    check_cut_board,
    check_whole_board,
    deploy,
    prepare_board,
    replace_model,
)
from .kept import (
    check_cut_queue,
    check_cut_statistics,
    check_whole_queue,
    check_whole_statistics,
    prepare_kept,
    write,
)
from .killing import Command, Ended
from .trained import check_cut_train, check_whole_train, prepare_train, train

MASKWATCH = (sys.executable, "-m", "maskwatch_edge")


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
