"""A handful of kills of each program that writes; `make kills` does hundreds."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..edge.install.conftest import NEEDS_LINUX
from ..train.conftest import KERAS_AND_NUMPY
from .campaign import HAS_STRACE, Campaign
from .killing import fail_syncs, run
from .targets import TARGETS

pytestmark = [NEEDS_LINUX, pytest.mark.filterwarnings(KERAS_AND_NUMPY)]

NEEDS_STRACE = pytest.mark.skipif(not HAS_STRACE, reason="needs strace, which is not here")

# TensorFlow takes seconds to start; tests of training and converting kill and fill disks, too.
KILLS = {"train": 1, "convert": 1, "get": 3, "deploy": 2, "model": 4, "statistics": 3, "queue": 3}
QUICK = sorted(set(TARGETS) - {"train", "convert", "deploy"})


@pytest.mark.parametrize("name", TARGETS)
def test_what_was_killed_left_the_old_or_the_new_and_the_next_run_ends_well(
    name: str, tmp_path: Path
) -> None:
    campaign = Campaign(TARGETS[name], tmp_path, seed=1)
    for _ in range(KILLS[name]):
        campaign.kill()


@pytest.mark.parametrize("name", QUICK)
def test_a_disk_that_gets_full_leaves_the_old_or_the_new(name: str, tmp_path: Path) -> None:
    campaign = Campaign(TARGETS[name], tmp_path, seed=1)
    try:
        campaign.fill_disk()
    except PermissionError as error:
        pytest.skip(str(error))


@NEEDS_STRACE
@pytest.mark.parametrize("name", QUICK)
def test_a_disk_that_does_not_sync_leaves_the_old_or_the_new(name: str, tmp_path: Path) -> None:
    Campaign(TARGETS[name], tmp_path, seed=1).fail_sync()


@NEEDS_STRACE
@pytest.mark.parametrize("first", [1, 12, 30])
def test_a_queue_returns_to_a_disk_whose_syncs_failed(first: int, tmp_path: Path) -> None:
    """Found by `make kills`: the last write was there all the same, and barred the way back."""
    target, folder = TARGETS["queue"], tmp_path / "board"
    folder.mkdir()
    target.prepare(folder)
    done = run(fail_syncs(target.command(folder), f"{first}..{first + 2}"), folder, {})
    assert "are kept in state/mqtt.sqlite again" in done.err
    target.check_whole(folder, folder)
