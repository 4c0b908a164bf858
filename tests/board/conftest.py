"""What the tests of the emulated board share; `make board-test` runs them."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Generator, Iterator

import pytest

from .board import Board
from .qemu import IMAGE, PROGRAM

KEY = pytest.StashKey[Board]()


STARTED = time.monotonic()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Begin no test of the board after the minutes that `MASKWATCH_BOARD_MINUTES` grants."""
    minutes = float(os.environ.get("MASKWATCH_BOARD_MINUTES", "inf"))
    if item.get_closest_marker("board") and time.monotonic() - STARTED > 60 * minutes:
        pytest.skip(f"the {minutes:g} minutes for the board's tests are over")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the board's logs below a test that failed."""
    report = yield
    if report.failed and KEY in item.session.stash:
        report.sections.append(("the board", item.session.stash[KEY].logs()))
    return report


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
