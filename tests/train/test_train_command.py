"""`maskwatch train` as it is used: killed, resumed, refused, and on a full disk."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from .conftest import EPOCHS, KERAS_AND_NUMPY, history_of, maskwatch, tiny_training, write_faces

pytestmark = pytest.mark.filterwarnings(KERAS_AND_NUMPY)

PATIENCE_SECONDS = 180
BYTES_LEFT = 300_000
"""Room on the disk of the tests: enough for texts and small pictures, not for a network."""


def error_line(capfd: pytest.CaptureFixture[str]) -> str:
    """Return what was said on stderr: a single line."""
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("maskwatch train: error: ")
    return lines[0]


def leftovers(run: Path) -> list[str]:
    return [path.name for path in run.rglob(".new-*")]


@contextmanager
def full_disk() -> Iterator[None]:
    """Let no file grow beyond `BYTES_LEFT` bytes; the kernel refuses the write that would."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (BYTES_LEFT, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def kill_after(epochs: int, arguments: list[str], run: Path) -> None:
    """Start the program and kill it as soon as so many epochs are saved."""
    command = [sys.executable, "-m", "maskwatch_edge", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + PATIENCE_SECONDS
    try:
        while len(history_of(run)) < epochs:
            assert process.poll() is None, "the program ended too early"
            assert time.monotonic() < deadline, "the program takes too long"
            time.sleep(0.01)
    finally:
        process.kill()
        process.wait()


def test_a_killed_training_goes_on_and_ends_as_if_nothing_had_happened(
    small_set: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    run = tmp_path / "run"
    arguments = tiny_training(small_set, run)
    with ThreadPoolExecutor() as pool:
        # Within the second stage, whose optimizer has a memory.
        killing = pool.submit(kill_after, 2, arguments, run)
        # Meanwhile, the training to compare with: two cores are better than one.
        finished_run: Path = request.getfixturevalue("finished_run")
        killing.result()
    killed = history_of(run)
    assert 2 <= len(killed) < EPOCHS

    assert maskwatch([*arguments, "--resume"]) == 0

    history, expected = history_of(run), history_of(finished_run)
    assert history[: len(killed)] == killed
    for entry, other in zip(history, expected, strict=True):
        assert entry.pop("stage") == other.pop("stage")
        del entry["seconds"], other["seconds"]
        assert entry == pytest.approx(other, rel=1e-4)
    assert (run / "model_card.md").is_file()
    assert leftovers(run) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--seed", "4"], "was started with another seed; give the same"),
        (["--epochs", "9", "--rate", "0.1"], "was started with another epochs, rate; give the"),
    ],
)
def test_a_run_is_not_resumed_with_other_options(
    options: list[str],
    message: str,
    finished_run: Path,
    small_set: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    before = (finished_run / "checkpoints" / "state.json").read_bytes()
    # A seed decides the splits too, so that the data is another: the options are told first.
    arguments = [*tiny_training(small_set, finished_run), "--resume", *options]
    assert maskwatch(arguments) == 1
    assert message in error_line(capfd)
    assert (finished_run / "checkpoints" / "state.json").read_bytes() == before


def test_a_run_is_not_resumed_on_other_data(
    finished_run: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    other = write_faces(tmp_path / "other", 20, first_seed=9000)
    assert maskwatch([*tiny_training(other, finished_run), "--resume"]) == 1
    assert "was started on other data" in error_line(capfd)


def test_a_folder_that_holds_something_is_not_written_to(
    small_set: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "thesis.txt").write_text("the only copy")
    assert maskwatch(tiny_training(small_set, tmp_path)) == 1
    assert "is not empty; give --resume to go on, or another folder" in error_line(capfd)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--size", "100"], "--size must be a multiple of 32 pixels; received 100"),
        (["--frozen-blocks", "17"], "--frozen-blocks must be 0 to 16; received 17"),
        (["--composed", "5"], "--composed needs --landmarks YUNET.onnx"),
        (["--start-share", "0.5"], "--start-share needs --weights RUN/model.keras, an earlier"),
        (["--weights", "no.h5"], "there is no weights file no.h5; expected imagenet, none or a"),
        (["--landmarks", "no.onnx"], "there is no YuNet file no.onnx"),
        (["--test-share", "0"], "the test split holds 0 faces of 0 classes; expected both"),
        (["--validation-share", "0"], "the validation split holds 0 faces of 0 classes"),
    ],
)
def test_options_that_cannot_work_end_in_one_line(
    options: list[str],
    message: str,
    small_set: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    run = tmp_path / "run"
    assert maskwatch([*tiny_training(small_set, run), *options]) == 1
    assert message in error_line(capfd)
    assert not run.exists()


def test_without_data_nothing_begins(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert maskwatch(["train", "--out", str(tmp_path / "run")]) == 1
    assert "no data given; name at least one folder, or use --data kaggle" in error_line(capfd)


def test_a_data_set_without_a_class_ends_in_one_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    data = write_faces(tmp_path / "data", 5)
    shutil.rmtree(data / "with_mask")
    assert maskwatch(tiny_training(data, tmp_path / "run")) == 1
    assert "lacks the class folder with_mask/" in error_line(capfd)
    assert not (tmp_path / "run").exists()


def test_weights_that_do_not_fit_end_in_one_line(
    small_set: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    weights, run = tmp_path / "w.weights.h5", tmp_path / "run"
    weights.write_bytes(b"no weights")
    assert maskwatch([*tiny_training(small_set, run), "--weights", str(weights)]) == 1
    assert "w.weights.h5 do not fit this network" in error_line(capfd)
    assert not run.exists()


def test_a_file_in_the_place_of_the_run_is_told(
    small_set: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    run.write_text("a file")
    assert maskwatch(tiny_training(small_set, run)) == 1
    assert "is a file; expected a folder for the run" in error_line(capfd)
    assert run.read_text() == "a file"


def test_a_disk_that_fills_up_in_training_leaves_nothing_half_written(
    small_set: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    with full_disk():
        assert maskwatch(tiny_training(small_set, run)) == 1
    assert "epoch-001.keras: File too large" in error_line(capfd)
    assert [path for path in run.rglob("*") if path.is_file()] == []


def test_a_disk_that_fills_up_in_the_report_leaves_the_old_one(
    finished_run: Path, small_set: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    shutil.copytree(finished_run, run)
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    with full_disk():
        assert maskwatch([*tiny_training(small_set, run), "--resume"]) == 1
    assert "model.keras: File too large" in error_line(capfd)
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


def test_a_run_goes_on_from_the_network_of_an_earlier_one(
    finished_run: Path, small_set: Path, tmp_path: Path
) -> None:
    earlier = json.loads((finished_run / "metrics.json").read_text())
    run = tmp_path / "later"
    options = [
        "--weights",
        str(finished_run / "model.keras"),
        "--head-epochs",
        "0",
        "--epochs",
        "1",
    ]
    assert maskwatch([*tiny_training(small_set, run), *options, "--rate", "1e-9"]) == 0
    later = json.loads((run / "metrics.json").read_text())
    # Next to nothing was learned, so it still says what the earlier one says.
    for figure in ("accuracy", "calibration_error"):
        assert later["test"][figure] == pytest.approx(earlier["test"][figure], abs=1e-4)
    assert [entry["stage"] for entry in history_of(run)] == ["fine-tune"]
    assert json.loads((run / "data.json").read_text())["epochs"] == 1 + earlier["epochs"]


def test_an_earlier_network_of_another_size_is_refused(
    finished_run: Path, small_set: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    options = ["--weights", str(finished_run / "model.keras"), "--size", "64"]
    assert maskwatch([*tiny_training(small_set, tmp_path / "later"), *options]) == 1
    assert "expected the --size 64" in capfd.readouterr().err
