"""The output that counts: what reaches the file, when, and what happens if nothing can."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event as Flag

import pytest

from maskwatch_edge.cameras.state import CameraState
from maskwatch_edge.config import StatisticsConfig
from maskwatch_edge.errors import OutputError
from maskwatch_edge.events import Event, EventKind
from maskwatch_edge.faults import Fault, Notice
from maskwatch_edge.run_command import open_statistics
from maskwatch_edge.statistics.counting import Counts
from maskwatch_edge.statistics.recorder import CLOCK_SET_SECONDS, Recorder
from maskwatch_edge.statistics.store import Store, read_minutes
from maskwatch_edge.verdict import Decision
from maskwatch_edge.view import View

NOON = 29_500_000
PATIENCE_SECONDS = 60.0


class Clock:
    """The time of day, set by hand."""

    def __init__(self, minute: int = NOON) -> None:
        self.seconds = 60.0 * minute + 30.0

    def __call__(self) -> float:
        return self.seconds


class Disk:
    """Opens a file, or refuses to while it is full."""

    def __init__(self, path: Path) -> None:
        self.path, self.is_full = path, False

    def open(self) -> Store:
        if self.is_full:
            raise OutputError("the disk is full")
        store = Store(self.path, 90)
        add = store.add

        def add_if_it_is_not_full(batch: dict[int, Counts]) -> None:
            if self.is_full:
                raise OutputError("the disk is full")
            add(batch)

        store.add = add_if_it_is_not_full  # type: ignore[method-assign, assignment]
        return store

    def people(self) -> dict[int, int]:
        """Return the people of each minute in the file."""
        if not self.path.exists():
            return {}
        return {m: counts.people for m, counts in read_minutes(self.path, 0, 1 << 40).items()}


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    return Disk(tmp_path / "statistics.db")


def somebody(track: int) -> View:
    event = Event(EventKind.APPEARED, 0.0, track, Decision.MASK)
    return View(None, (), (), (event,), CameraState.SEEING, 0.0, float(track))


def empty(seconds: float) -> View:
    return View(None, (), (), (), CameraState.SEEING, 0.0, seconds)


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_minute_is_written_once_it_is_over_and_the_running_one_at_the_end(disk: Disk) -> None:
    clock, warnings = Clock(), list[Notice]()
    recorder = Recorder(disk.open, warnings.append, clock)
    recorder.show(somebody(1))
    recorder.show(somebody(2))
    clock.seconds += 60
    recorder.show(somebody(3))
    wait_until(lambda: disk.people() == {NOON: 2})
    recorder.close()
    recorder.close()
    assert disk.people() == {NOON: 2, NOON + 1: 1}
    assert warnings == []


def test_a_clock_that_is_set_back_or_ahead_loses_nobody(disk: Disk) -> None:
    clock = Clock()
    recorder = Recorder(disk.open, lambda notice: pytest.fail(str(notice)), clock)
    for track, minute in enumerate((NOON, NOON + 5_000_000, NOON + 1, NOON), 1):
        clock.seconds = 60.0 * minute + 30.0
        recorder.show(somebody(track))
    recorder.close()
    assert disk.people() == {NOON: 2, NOON + 1: 1, NOON + 5_000_000: 1}


def test_the_time_of_a_turn_goes_to_the_minutes_in_which_it_lies(disk: Disk) -> None:
    clock = Clock()
    with Recorder(disk.open, lambda notice: pytest.fail(str(notice)), clock) as recorder:
        for seconds in (56.5, 59.5, 63.0):
            clock.seconds = 60.0 * NOON + seconds
            recorder.show(empty(seconds))
    minutes = read_minutes(disk.path, 0, 1 << 40)
    assert minutes == {NOON: Counts(seen_seconds=3.5), NOON + 1: Counts(seen_seconds=3.0)}


def test_nothing_is_counted_under_the_date_of_a_clock_that_was_never_set(disk: Disk) -> None:
    clock, warnings = Clock(), list[Notice]()
    clock.seconds = CLOCK_SET_SECONDS - 1.0
    recorder = Recorder(disk.open, warnings.append, clock)
    recorder.show(somebody(1))
    recorder.show(somebody(2))
    clock.seconds += 30.0
    recorder.show(somebody(3))
    recorder.close()
    assert disk.people() == {CLOCK_SET_SECONDS // 60: 1}
    told = "the clock is not set; nothing is counted for the statistics until it is"
    assert warnings == [
        Fault.CLOCK_NOT_SET.begun(told),
        Fault.CLOCK_NOT_SET.ended("the clock is set; statistics are counted"),
    ]


def test_what_a_full_disk_does_not_take_is_written_when_it_has_room(disk: Disk) -> None:
    clock, warnings = Clock(), list[Notice]()
    recorder = Recorder(disk.open, warnings.append, clock)
    recorder.show(somebody(1))
    wait_until(disk.path.exists)
    disk.is_full = True
    for track in (2, 3, 4):
        clock.seconds += 60
        recorder.show(somebody(track))
        wait_until(lambda: len(warnings) == 1)
    disk.is_full = False
    clock.seconds += 60
    recorder.show(somebody(5))
    wait_until(lambda: len(warnings) == 2)
    recorder.close()
    assert disk.people() == {NOON + minute: 1 for minute in range(5)}
    told = "the disk is full; the statistics are held in memory for a day at most"
    assert warnings == [
        Fault.STATISTICS_UNWRITABLE.begun(told),
        Fault.STATISTICS_UNWRITABLE.ended("the statistics are written again"),
    ]


def test_a_disk_that_stays_full_costs_no_more_memory_than_a_day(
    disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maskwatch_edge.statistics.recorder.MOST_PENDING", 3)
    clock, tries = Clock(), list[int]()
    disk.is_full = True

    def open_store() -> Store:
        tries.append(1)
        return disk.open()

    recorder = Recorder(open_store, lambda line: None, clock)
    for track in range(1, 8):
        clock.seconds += 60
        recorder.show(somebody(track))
        wait_until(lambda track=track: len(tries) >= track)  # type: ignore[misc]
    disk.is_full = False
    recorder.close()
    assert list(disk.people()) == [NOON + minute for minute in (5, 6, 7)]


def test_a_disk_that_hangs_holds_up_neither_the_loop_nor_the_end(
    disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maskwatch_edge.statistics.recorder.CLOSE_SECONDS", 0.01)
    may_go_on, warnings = Flag(), list[Notice]()

    def open_store() -> Store:
        may_go_on.wait(PATIENCE_SECONDS)
        return disk.open()

    recorder = Recorder(open_store, warnings.append, Clock())
    for track in range(1, 100):
        recorder.show(somebody(track))
    recorder.close()
    told = "the statistics: the disk does not answer; the last minute may be lost"
    assert warnings == [Fault.DISK_STUCK.once(told)]
    may_go_on.set()
    wait_until(lambda: disk.people() == {NOON: 99})


def test_a_broken_file_does_not_stop_the_watching(tmp_path: Path) -> None:
    path = tmp_path / "statistics.db"
    path.write_bytes(b"not a database " * 100)
    notices: list[Notice] = []
    recorder = open_statistics(StatisticsConfig(enabled=True, path=path), notices.append)
    recorder.show(somebody(1))
    wait_until(lambda: not path.exists())
    recorder.close()
    assert path.with_name("statistics.db.damaged").exists()


def test_a_kill_loses_the_running_minute_at_most(tmp_path: Path, disk: Disk) -> None:
    code = f"""
import sys, time
sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
from {Path(__file__).stem} import Clock, Disk, Recorder, somebody
clock = Clock()
recorder = Recorder(Disk(Path({str(disk.path)!r})).open, print, clock)
for track in range(1, 4):
    recorder.show(somebody(track))
    clock.seconds += 60
time.sleep(1000)
"""
    with subprocess.Popen([sys.executable, "-c", code]) as process:
        try:
            wait_until(lambda: len(disk.people()) == 2)
        finally:
            process.send_signal(signal.SIGKILL)
    assert disk.people() == {NOON: 1, NOON + 1: 1}
