"""What the tests of the edge share: the real program, a portrait, and a finder of painted faces."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.cameras.camera import CameraReader
from maskwatch_edge.classifier import MaskClassifier
from maskwatch_edge.config import Thresholds
from maskwatch_edge.frame import Frame, Pixels
from maskwatch_edge.models import YUNET
from maskwatch_edge.pipeline import Watcher

from .chromium import Chromium

# Warnings are errors in the program that is started, too.
PROGRAM = (sys.executable, "-W", "error", "-m", "maskwatch_edge")
GREY = 128
PATIENCE_SECONDS = 60.0


class PatchFinder:
    """Takes every coloured patch on grey ground for a face: knows no chance and needs no cascade.

    It answers as a real finder does: boxes in pixels of the frame, the surest first. The larger
    a patch, the surer; one of 100 px or more is certain.
    """

    def find(self, pixels: Pixels) -> list[FaceBox]:
        coloured = (np.abs(pixels.astype(int) - GREY).max(axis=2) > 30).astype(np.uint8)
        _, _, patches, _ = cv2.connectedComponentsWithStats(coloured)
        boxes = [
            FaceBox(int(x), int(y), int(x + w), int(y + h), min(int(w) / 100, 1.0))
            for x, y, w, h, _ in patches[1:]
        ]
        return sorted(boxes, key=lambda box: box.score, reverse=True)


@pytest.fixture(autouse=True)
def threads_of_its_own() -> Iterator[None]:
    """Let the threads of a test end before the next one counts its own."""
    before = threading.active_count()
    yield
    deadline = time.monotonic() + 5.0
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.002)


@pytest.fixture
def watcher(tiny_model: Path) -> Watcher:
    """Give a watcher that finds painted faces and judges them by colour: green is a mask."""
    return Watcher(PatchFinder(), MaskClassifier(tiny_model), Thresholds(min_face_score=0.0))


@pytest.fixture
def program(tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Give a function that starts `maskwatch` in `tmp_path`, its output in pipes."""

    def start(*arguments: str | Path) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*PROGRAM, *map(str, arguments)],
            cwd=tmp_path,
            env=os.environ | {"PYTHONIOENCODING": "utf-8:strict"},  # as on most desktops
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


@pytest.fixture
def maskwatch(
    program: Callable[..., subprocess.Popen[str]],
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Give a function that runs `maskwatch` in `tmp_path` to its end."""

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        with program(*arguments) as process:
            try:
                out, err = process.communicate(timeout=120)
            finally:
                process.kill()
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    return run


@pytest.fixture(scope="session")
def portrait() -> Pixels:
    """Give a real face that the Haar cascade finds: Eileen Collins, by NASA, 240x240."""
    data = pytest.importorskip(
        "skimage.data", reason="needs scikit-image's portrait of an astronaut"
    )
    return np.ascontiguousarray(np.asarray(data.astronaut(), dtype=np.uint8)[0:240, 100:340])


@pytest.fixture(scope="session")
def masked_portrait(portrait: Pixels) -> Pixels:
    """Give the same under green light: the tiny model takes it for a face with a mask."""
    return np.asarray(portrait * np.array([0.7, 1.0, 0.7]), dtype=np.uint8)


@pytest.fixture(scope="session")
def bare_portrait(portrait: Pixels) -> Pixels:
    """Give the same under pink light: the tiny model takes it for a face without a mask."""
    return np.asarray(portrait * np.array([1.0, 0.7, 1.0]), dtype=np.uint8)


@pytest.fixture(scope="session")
def yunet(shared: Path) -> Path:
    """Give the file of the finder YuNet."""
    path = shared / "weights" / YUNET.file_name
    if not path.is_file():
        pytest.skip(f"needs YuNet in {path}, which is not here")
    return path


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """Give a browser, if one is installed."""
    names = ("chromium", "google-chrome")
    program = next(filter(None, map(shutil.which, names)), None)
    if program is None:
        pytest.skip("needs Chromium to open a page in: apt install chromium")
    browser = Chromium(program, tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


def next_frame(reader: CameraReader) -> Frame:
    """Wait for the next frame of a camera."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (frame := reader.newest(0.05)) is None:
        assert time.monotonic() < deadline, (reader.state, reader.last_error)
    return frame
