"""Training on several machines, here two programs on one: they learn what one alone would."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import pytest

from maskwatch_edge.errors import InputError
from maskwatch_train.batches import AugmentedBatches
from maskwatch_train.config import TrainingConfig
from maskwatch_train.devices import TF_CONFIG, Worker, parse_worker

from .conftest import KERAS_AND_NUMPY, history_of, maskwatch, tiny_training
from .test_train_training import make_samples

pytestmark = pytest.mark.filterwarnings(KERAS_AND_NUMPY)

PATIENCE_SECONDS = 300
EPOCHS_TOGETHER = 3


def cluster(index: int, addresses: list[str]) -> str:
    task = {"type": "worker", "index": index}
    return json.dumps({"cluster": {"worker": addresses}, "task": task})


def free_addresses(count: int) -> list[str]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]


@contextmanager
def started_workers(arguments: list[str], count: int = 2) -> Iterator[list[subprocess.Popen[str]]]:
    """Start a training on so many machines, all of them this one; end what is left of them."""
    addresses = free_addresses(count)
    with ExitStack() as stack:
        processes = []
        for index in range(count):
            process = subprocess.Popen(
                [sys.executable, "-m", "maskwatch_edge", *arguments],
                env=os.environ | {TF_CONFIG: cluster(index, addresses)},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            processes.append(process)
        yield processes


def test_without_tf_config_a_program_is_alone() -> None:
    assert Worker() == Worker(0, 1)
    assert Worker().is_first


def test_tf_config_tells_which_worker_a_program_is() -> None:
    worker = parse_worker(cluster(1, ["a:1", "b:1", "c:1"]))
    assert worker == Worker(1, 3)
    assert not worker.is_first


@pytest.mark.parametrize(
    "text",
    [
        "no json",
        "[]",
        "{}",
        '{"cluster": {}, "task": {"type": "worker", "index": 0}}',
        '{"cluster": {"worker": ["a:1"]}}',
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker"}}',
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}',
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": "one"}}',
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "ps", "index": 0}}',
        '{"cluster": {"worker": ["a:1"], "ps": ["b:1"]}, "task": {"type": "worker", "index": 0}}',
    ],
)
def test_another_tf_config_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"expected TF_CONFIG as .*; received ") as caught:
        parse_worker(text)
    assert text in str(caught.value)


def test_the_shares_of_all_workers_are_the_batches_of_one_alone() -> None:
    config = TrainingConfig(size=32, batch_size=4)
    samples = make_samples(9)

    def batches_of(worker: Worker) -> AugmentedBatches:
        return AugmentedBatches(samples, config, 0, worker)

    alone = batches_of(Worker())
    shares = [batches_of(Worker(index, 2)) for index in range(2)]
    assert len(alone) == 2
    for step in range(len(alone)):
        whole, parts = alone[step], [share[step] for share in shares]
        for place, array in enumerate(whole):
            together = np.empty_like(array)
            together[0::2], together[1::2] = parts[0][place], parts[1][place]
            np.testing.assert_array_equal(together, array)


def test_a_batch_must_be_shared_out_evenly(small_set: Path, tmp_path: Path) -> None:
    arguments = [*tiny_training(small_set, tmp_path / "run"), "--batch-size", "15"]
    with started_workers(arguments) as processes:
        for process in processes:
            _, told = process.communicate(timeout=PATIENCE_SECONDS)
            assert process.returncode == 1
            assert "--batch-size must be a multiple of the 2 workers" in told


def wait_for_epochs(count: int, run: Path, processes: list[subprocess.Popen[str]]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(history_of(run)) < count:
        for process in processes:
            assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline, "the workers take too long"
        time.sleep(0.05)


def test_two_workers_learn_as_one_and_go_on_after_one_was_killed(
    small_set: Path, finished_run: Path, tmp_path: Path
) -> None:
    alone, run = tmp_path / "alone", tmp_path / "run"
    # Random weights are drawn otherwise by several machines, and each drops inputs by itself.
    same = ("--weights", str(finished_run / "model.keras"), "--head-epochs", "0", "--dropout", "0")
    # Batch norms over 16 places, as in the last blocks of so small a picture, blow up what rounding
    # leaves; with more of them, or faster, both drift apart.
    rates = ("--epochs", str(EPOCHS_TOGETHER), "--rate", "1e-4", "--frozen-blocks", "15")
    arguments = [*tiny_training(small_set, run), *same, *rates]
    with started_workers(arguments) as (first, second):
        wait_for_epochs(1, run, [first, second])
        second.kill()
        told = first.communicate(timeout=PATIENCE_SECONDS)[1].splitlines()[-1]
        assert first.returncode == 1
        assert "another machine of this training does not answer" in told
        assert "--resume" in told
    assert not (run / "model.keras").exists()

    with started_workers([*arguments, "--resume"]) as resumed:
        assert maskwatch([*tiny_training(small_set, alone), *same, *rates]) == 0
        for process in resumed:
            told = process.communicate(timeout=PATIENCE_SECONDS)[1]
            assert process.returncode == 0, told

    history, expected = history_of(run), history_of(alone)
    assert len(history) == EPOCHS_TOGETHER
    losses = [entry["loss"] for entry in expected]
    assert max(losses) > 1.01 * min(losses), "there should be something to compare"
    for entry, other in zip(history, expected, strict=True):
        assert entry.pop("stage") == other.pop("stage")
        del entry["seconds"], other["seconds"]
        assert entry == pytest.approx(other, rel=1e-3)
    assert (run / "model_card.md").is_file()
