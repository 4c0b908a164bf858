"""What the tests of the emulated board share; `make board-test` runs them."""

from __future__ import annotations

import math
import os
import shutil
import signal
import subprocess
import time
import traceback
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from types import FrameType

import pytest

from .board import Board
from .qemu import IMAGE, PROGRAM

KEY = pytest.StashKey[Board]()

MINUTES = float(os.environ.get("MASKWATCH_BOARD_MINUTES", "inf"))
"""So long the board's tests may take, counted from here; what has not ended by then is skipped."""

STARTED = time.monotonic()


def seconds_left() -> float:
    """Return how many of the granted seconds are left."""
    return STARTED + 60 * MINUTES - time.monotonic()


@contextmanager
def ended_in_time() -> Iterator[None]:
    """Skip what runs when the granted minutes are over, and say where it was.

    On a slow computer a test waits for long, and some calls wait for ever; neither may take more
    time than there is.
    """

    def leave(number: int, frame: FrameType | None) -> None:
        calls = [call for call in traceback.extract_stack(frame) if "tests/board" in call.filename]
        place = ", ".join(f"{call.name} line {call.lineno}" for call in calls[-3:])
        pytest.skip(
            f"not ended when the {MINUTES:g} minutes for the board's tests were over: {place}"
        )

    if math.isinf(MINUTES):
        yield
        return
    before = signal.signal(signal.SIGALRM, leave)
    signal.setitimer(signal.ITIMER_REAL, max(seconds_left(), 1.0))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None]:
    """Begin no test of the board, and go on with none, once the granted minutes are over."""
    if item.get_closest_marker("board") and seconds_left() <= 0:
        pytest.skip(f"the {MINUTES:g} minutes for the board's tests are over")
    with ended_in_time():
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """Go on with no test once the granted minutes are over."""
    with ended_in_time():
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the board's logs below a test that failed."""
    report = yield
    if report.failed and KEY in item.session.stash:
        report.sections.append(("the board", logs_of(item.session.stash[KEY])))
    return report


def logs_of(board: Board) -> str:
    """Return the board's logs, or why there are none: one that hangs does not answer."""
    try:
        return board.logs()
    except (OSError, RuntimeError, subprocess.TimeoutExpired) as error:
        return f"no logs: {error}"


@pytest.fixture(scope="session")
def image() -> None:
    """Skip, with the reason, where there is no image of the board to start."""
    if not shutil.which(PROGRAM):
        pytest.skip(f"needs {PROGRAM}, which is not installed; run tests/board/build-board.sh")
    if not (IMAGE / "key").exists():
        pytest.skip(f"needs the image of the board in {IMAGE}; run tests/board/build-board.sh")


@pytest.fixture(scope="session")
def started_board(
    image: None, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Board]:
    """Give a board that has been started once and kept as `fresh`."""
    with Board(tmp_path_factory.mktemp("board")) as board:
        request.session.stash[KEY] = board
        board.start()
        board.save("fresh")
        yield board


@pytest.fixture
def fresh_board(started_board: Board) -> Board:
    """Give a board as it is right after its first start, whatever earlier tests did to it."""
    started_board.restore("fresh")
    return started_board
