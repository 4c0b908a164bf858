"""The output that counts, and hands the counts of each minute to a thread that writes them."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from threading import Condition, Thread

from maskwatch_edge.closing import Closing
from maskwatch_edge.errors import words_of
from maskwatch_edge.faults import Fault, Warn
from maskwatch_edge.view import View

from .counting import Counts, Tally
from .store import MINUTES_PER_DAY, Store

CLOCK_SET_SECONDS = 1_577_836_800  # 2020-01-01
"""A clock that says less, in seconds since 1970, was never set: nothing is counted by it."""

MOST_PENDING = MINUTES_PER_DAY
"""So many minutes are held while the disk takes none; then the oldest are dropped."""

CLOSE_SECONDS = 5.0
"""How long the last write may take."""


class Recorder(Closing):
    """An `Output` that keeps counts in a file, and never fails.

    `show` only adds numbers in memory. A thread writes each minute once it is over, and the
    running one at the end: killed at any moment, at most the running minute is lost. What cannot
    be written is told once, held, and tried again every minute.

    Args:
        open_store: Opens the file; called by the thread, and again after a failure.
        warn: Told when the file cannot be written, and when it can again.
        clock: The time of day, in seconds since 1970. Counts go into the minute that it says when
            they are made; where it is set back, into minutes that were counted before.
    """

    def __init__(
        self,
        open_store: Callable[[], Store],
        warn: Warn,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._open_store, self._warn, self._clock = open_store, warn, clock
        self._tally = Tally()
        self._store: Store | None = None
        self._has_failed = self._has_told_clock = False
        self._changed = Condition()
        self._pending: dict[int, Counts] = {}
        self._minute: int | None = None
        self._written_at: int | None = None
        self._is_over = False
        # A daemon: a disk that hangs must not keep the program from ending.
        self._thread = Thread(target=self._run, name="statistics", daemon=True)
        self._thread.start()

    def show(self, view: View) -> None:
        """Count what a view tells."""
        self._count(self._tally.take(view))

    def close(self) -> None:
        """Write the running minute and close the file; may be called twice."""
        if not self._is_over:
            self._count(self._tally.end())
        with self._changed:
            self._is_over = True
            self._changed.notify_all()
        self._thread.join(CLOSE_SECONDS)
        if self._thread.is_alive():
            told = "the statistics: the disk does not answer; the last minute may be lost"
            self._warn(Fault.DISK_STUCK.once(told))

    def _count(self, counts: Counts) -> None:
        now_seconds = self._clock()
        if now_seconds < CLOCK_SET_SECONDS:
            self._tell_clock()
            return
        if self._has_told_clock:
            self._warn(Fault.CLOCK_NOT_SET.ended("the clock is set; statistics are counted"))
        self._has_told_clock = False
        minute, second = divmod(now_seconds, 60)
        before, counts = counts.split(second)
        with self._changed:
            if before != Counts():
                self._add(int(minute) - 1, before)
            self._add(int(minute), counts)
            if minute != self._minute:
                self._minute = int(minute)
                self._changed.notify_all()

    def _add(self, minute: int, counts: Counts) -> None:
        self._pending[minute] = self._pending.get(minute, Counts()) + counts

    def _tell_clock(self) -> None:
        if not self._has_told_clock:
            told = "the clock is not set; nothing is counted for the statistics until it is"
            self._warn(Fault.CLOCK_NOT_SET.begun(told))
        self._has_told_clock = True

    def _run(self) -> None:
        is_last = False
        while not is_last:
            with self._changed:
                self._changed.wait_for(lambda: self._is_over or self._minute != self._written_at)
                self._written_at, is_last = self._minute, self._is_over
                batch = self._take_finished(is_last)
            self._write(batch)
        self._let_go()

    def _take_finished(self, is_last: bool) -> dict[int, Counts]:
        running = None if is_last else self._minute
        batch = {minute: c for minute, c in self._pending.items() if minute != running}
        self._pending = {minute: c for minute, c in self._pending.items() if minute == running}
        return batch

    def _write(self, batch: dict[int, Counts]) -> None:
        try:
            if self._store is None or not self._store.is_open:
                self._store = self._open_store()
            self._store.add(batch)
        except Exception as error:  # the thread has to live on, whatever the disk does
            self._hold(batch)
            self._tell(error)
            return
        if self._has_failed:
            self._warn(Fault.STATISTICS_UNWRITABLE.ended("the statistics are written again"))
        self._has_failed = False

    def _hold(self, batch: dict[int, Counts]) -> None:
        with self._changed:
            for minute, counts in batch.items():
                self._add(minute, counts)
            for minute in sorted(self._pending)[:-MOST_PENDING]:
                del self._pending[minute]

    def _tell(self, error: Exception) -> None:
        if not self._has_failed:
            told = f"{words_of(error)}; the statistics are held in memory for a day at most"
            self._warn(Fault.STATISTICS_UNWRITABLE.begun(told))
        self._has_failed = True

    def _let_go(self) -> None:
        store, self._store = self._store, None
        if store is not None:
            with suppress(Exception):  # what could not be written is told, and held
                store.close()
