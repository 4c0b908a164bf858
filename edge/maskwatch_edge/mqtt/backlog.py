"""Messages that the broker has not acknowledged yet, kept on the disk in the order they came."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from maskwatch_edge.closing import Closing
from maskwatch_edge.databases import ERRORS, is_damage, set_aside
from maskwatch_edge.faults import Fault, Warn

T = TypeVar("T")
Row = tuple[int, bool, str]

RETRY_SECONDS = 600.0
"""A disk that failed is tried again after so long."""

BROKEN_CODES = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR}
"""The file is none of ours and will not be. With other errors, as of a full disk, it still is."""

# Numbers never come again, also after all messages were removed: that is what AUTOINCREMENT is for.
SCHEMA = """
CREATE TABLE IF NOT EXISTS messages (
    number INTEGER PRIMARY KEY AUTOINCREMENT, is_event INTEGER NOT NULL, payload TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS by_kind ON messages (is_event, number);
"""
INSERT = "INSERT INTO messages VALUES (?, ?, ?)"
# A damaged file may hold anything; SQLite takes what is declared NOT NULL for granted.
DROP_GARBLED = """DELETE FROM messages
    WHERE typeof(is_event) != 'integer' OR typeof(payload) != 'text'"""
ALL = """SELECT * FROM messages
    WHERE typeof(is_event) = 'integer' AND typeof(payload) = 'text' ORDER BY number"""
NEXT = "SELECT * FROM messages WHERE number > ? ORDER BY number LIMIT ?"
LAST = """SELECT COALESCE(MAX(seq), 0) FROM sqlite_sequence
    WHERE name = 'messages' AND typeof(seq) = 'integer' AND seq < 1 << 62"""
REMOVE = "DELETE FROM messages WHERE number = ?"
DROP_OLDEST = """DELETE FROM messages WHERE number IN (
    SELECT number FROM messages WHERE is_event = ? ORDER BY number LIMIT ?)"""


@dataclass(frozen=True)
class Entry:
    """A message before it has a number.

    Attributes:
        is_event: An event, which is dropped last, or a statistic, which is dropped first.
        body: What it says.
    """

    is_event: bool
    body: Mapping[str, Any]


@dataclass(frozen=True)
class Waiting:
    """A message that waits.

    Attributes:
        number: Grows from message to message.
        is_event: See `Entry`.
        payload: JSON.
    """

    number: int
    is_event: bool
    payload: str


def wall_milliseconds() -> int:
    """Return the time of day."""
    return time.time_ns() // 1_000_000


class Backlog(Closing):
    """A bounded queue on the disk. If the disk fails, it goes on in memory, and says so.

    Each message gets a number: one more than the last one's, or the time of day in milliseconds if
    that is larger. So numbers grow even if the file is lost, unless the clock is turned back as
    well. To be used from one thread.

    Args:
        path: The file; its folder is made if it is missing.
        name: What ids begin with: the device and the run.
        limit: The most messages that wait. Beyond it the oldest statistics go first; if there are
            none, the oldest events.
        warn: Told when the disk fails or works again, and when events are dropped.
        clock: Monotonic seconds.
        milliseconds: The time of day.
    """

    def __init__(
        self,
        path: Path,
        name: str,
        limit: int,
        warn: Warn,
        clock: Callable[[], float] = time.monotonic,
        milliseconds: Callable[[], int] = wall_milliseconds,
    ) -> None:
        self._path, self._name, self._limit = path, name, limit
        self._warn, self._clock, self._milliseconds = warn, clock, milliseconds
        self._retry_at: float | None = None
        self._is_dropping = False
        self._last = 0
        # What is in memory, or was, and may be in the file: also a commit that failed may be there.
        self._taken: set[int] = set()
        try:
            self._database = _open(path)
        except (*ERRORS, OSError) as error:
            self._database = _open_memory()
            self._leave_disk(error)
        self._size = self._guarded(self._measure)

    def __len__(self) -> int:
        return self._size

    def add(self, entries: Sequence[Entry]) -> None:
        """Put messages behind the others; on return they are on the disk, if it works."""
        is_due = self._retry_at is not None and self._clock() >= self._retry_at
        if is_due and self._return_to_disk():
            told = f"MQTT messages are kept in {self._path} again"
            self._warn(Fault.QUEUE_IN_MEMORY.ended(told))
        rows = [self._numbered(entry) for entry in entries]
        self._guarded(lambda: self._insert(rows), _numbers(rows))
        self._size += len(rows)
        self._shrink()

    def after(self, number: int, most: int) -> list[Waiting]:
        """Return the oldest messages after a number, and leave them; 0 is before all."""
        rows = self._guarded(lambda: self._database.execute(NEXT, (number, most)).fetchall())
        return [Waiting(number, bool(is_event), payload) for number, is_event, payload in rows]

    def remove(self, numbers: Collection[int]) -> None:
        """Forget messages that the broker has acknowledged."""
        if not numbers:
            return
        # Not written at once: if power fails before they are, they are sent once more, with the
        # same ids.
        removed = self._guarded(lambda: self._delete(REMOVE, [(one,) for one in numbers]))
        self._size -= removed
        self._is_dropping = self._is_dropping and self._size > 0

    def close(self) -> None:
        """Close the file; may be called twice."""
        if self._retry_at is not None and self._size and not self._return_to_disk():
            told = f"{self._size} MQTT messages were kept in memory only, and are lost"
            self._warn(Fault.QUEUE_LOST.once(told))
        self._size, self._retry_at = 0, None
        self._database.close()

    def _numbered(self, entry: Entry) -> Row:
        self._last = max(self._last + 1, self._milliseconds())
        number = {"id": f"{self._name}-{self._last}", "sequence": self._last}
        return self._last, entry.is_event, json.dumps({**number, **entry.body})

    def _measure(self) -> int:
        self._delete(DROP_GARBLED, [()])
        self._last = max(self._last, self._database.execute(LAST).fetchone()[0])
        return int(self._database.execute("SELECT COUNT(*) FROM messages").fetchone()[0])

    def _insert(self, rows: Iterable[Row]) -> None:
        self._database.execute("PRAGMA synchronous = FULL")
        with self._database:
            self._database.executemany(INSERT, rows)

    def _delete(self, statement: str, values: Collection[tuple[int, ...]]) -> int:
        self._database.execute("PRAGMA synchronous = NORMAL")
        with self._database:
            return self._database.executemany(statement, values).rowcount

    def _shrink(self) -> None:
        self._drop_oldest(is_event=False)
        dropped = self._drop_oldest(is_event=True)
        if dropped and not self._is_dropping:
            told = (
                f"the MQTT broker is away for too long: {self._size} messages wait, and the oldest "
                "events are dropped; more are kept with a larger mqtt.waiting_messages"
            )
            self._warn(Fault.QUEUE_FULL.once(told))
        self._is_dropping = self._is_dropping or dropped > 0

    def _drop_oldest(self, is_event: bool) -> int:
        surplus = self._size - self._limit
        if surplus <= 0:
            return 0
        dropped = self._guarded(lambda: self._delete(DROP_OLDEST, [(is_event, surplus)]))
        self._size -= dropped
        return dropped

    def _guarded(self, act: Callable[[], T], added: Collection[int] = ()) -> T:
        """Do something with the file, or, if the disk fails, with what could be saved of it."""
        try:
            return act()
        except ERRORS as error:
            if self._retry_at is not None:
                raise
            rows = self._readable()
            self._database.close()
            self._database = _open_memory()
            self._insert(rows)
            self._taken = {*_numbers(rows), *added}
            self._size = len(rows)
            self._leave_disk(error)
            return act()

    def _readable(self) -> list[Row]:
        rows: list[Row] = []
        with suppress(*ERRORS):
            for row in self._database.execute(ALL):
                rows.append(row)
        return rows

    def _leave_disk(self, error: Exception) -> None:
        """Go on in memory, or with a new file in place of a broken one."""
        self._retry_at = self._clock() + RETRY_SECONDS
        told = f"cannot keep MQTT messages in {self._path}: {error}"
        aside = _set_aside(self._path) if is_damage(error, BROKEN_CODES) else None
        if aside and self._return_to_disk():
            told = f"{told}; that file is now {aside.name}, and a new one is begun"
            self._warn(Fault.QUEUE_DAMAGED.once(told))
        else:
            self._warn(Fault.QUEUE_IN_MEMORY.begun(f"{told}; they are kept in memory"))

    def _return_to_disk(self) -> bool:
        """Put what is in memory into the file, if that works again."""
        self._retry_at = self._clock() + RETRY_SECONDS
        try:
            database = _open(self._path)
        except (*ERRORS, OSError):
            return False
        rows = self._readable()
        self._taken.update(_numbers(rows))
        try:
            with database:
                # What was saved from the file was sent from memory meanwhile, or is still there.
                database.executemany(REMOVE, [(one,) for one in self._taken])
                database.executemany(INSERT, rows)
        except ERRORS:
            database.close()
            return False
        self._database.close()
        self._database, self._retry_at, self._taken = database, None, set()
        self._size = self._measure()
        return True


def _numbers(rows: Iterable[Row]) -> list[int]:
    return [number for number, _, _ in rows]


def _open(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return _prepared(sqlite3.connect(path, timeout=0.0))


def _open_memory() -> sqlite3.Connection:
    return _prepared(sqlite3.connect(":memory:"))


def _prepared(database: sqlite3.Connection) -> sqlite3.Connection:
    # A damaged letter must not hold up the messages behind it.
    database.text_factory = lambda raw: raw.decode(errors="replace")
    try:
        # Two programs that send the same messages would be worse than one that has no file.
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        database.execute("PRAGMA journal_mode = WAL")
        database.executescript(SCHEMA)
    except ERRORS:
        database.close()
        raise
    return database


def _set_aside(path: Path) -> Path | None:
    """Give a broken file another name, in place of an earlier one; None if that fails."""
    aside = path.with_name(f"{path.stem}-broken{path.suffix}")
    try:
        set_aside(path, aside)
    except OSError:
        return None
    return aside
