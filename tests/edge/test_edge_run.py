"""`maskwatch run`, started as a user starts it and ended as a user ends it."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from maskwatch_edge.video import VideoWriter

FRAMES = 400
Program = Callable[..., "subprocess.Popen[str]"]
Maskwatch = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a clip that the cascade needs many seconds for."""
    path = tmp_path_factory.mktemp("clip") / "long.mp4"
    grey = np.full((480, 640, 3), 128, dtype=np.uint8)
    with VideoWriter(path, 25) as writer:
        for _ in range(FRAMES):
            writer.write(grey)
    return path


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_sigterm_end_the_program_cleanly_after_the_frame(
    program: Program, long_clip: Path, tiny_model: Path, number: signal.Signals
) -> None:
    with program(
        "run", "--source", long_clip, "--display", "none", "--jsonl", "--model", tiny_model
    ) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        process.send_signal(number)
        rest, err = process.communicate(timeout=60)
    lines = [first, *rest.splitlines()]
    assert process.returncode == 0
    assert "Traceback" not in err
    assert "error" not in err
    assert [json.loads(line)["frame"] for line in lines] == list(range(len(lines)))
    assert len(lines) < FRAMES  # it did not wait for the end of the clip


def test_a_reader_that_goes_away_ends_the_program_without_a_traceback(
    program: Program, long_clip: Path, tiny_model: Path
) -> None:
    with program("run", "--source", long_clip, "--jsonl", "--model", tiny_model) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert json.loads(process.stdout.readline())["frame"] == 0
        process.stdout.close()
        err = process.stderr.read()
        assert process.wait(timeout=60) == 1
    assert "Traceback" not in err
    assert "BrokenPipe" not in err


def test_a_clip_is_watched_to_its_end_and_only_changes_are_told(
    maskwatch: Maskwatch, tmp_path: Path, tiny_model: Path
) -> None:
    with VideoWriter(tmp_path / "clip.mp4", 10) as writer:
        for _ in range(4):
            writer.write(np.full((48, 64, 3), 128, dtype=np.uint8))
    done = maskwatch("run", "--source", "clip.mp4", "--model", tiny_model)
    assert (done.returncode, done.stdout, done.stderr) == (0, "clip.mp4 0: no face\n", "")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((), "there is no camera /dev/video77"),  # the source is given below
        (("--model", "none.tflite"), r"none\.tflite"),
        (("--cascade", "none.xml"), r"there is no cascade file none\.xml"),
    ],
)
def test_what_is_missing_is_told_in_one_line(
    maskwatch: Maskwatch, tiny_model: Path, arguments: tuple[str, ...], expected: str
) -> None:
    done = maskwatch("run", "--source", "77", "--model", tiny_model, *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("maskwatch run: error: ")
    assert re.search(expected, done.stderr)
