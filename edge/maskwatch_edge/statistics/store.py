"""The file of the counts: an SQLite database with a row for every minute that was watched.

It is in WAL mode, so that it can be read while the service writes. Each transaction is one write
and one fsync (`synchronous=FULL`): boards are switched off by pulling the plug, and with NORMAL
what was written since the last checkpoint, hours of it, could be lost.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from maskwatch_edge.closing import Closing
from maskwatch_edge.databases import ERRORS, is_damage, set_aside
from maskwatch_edge.errors import InputError, OutputError
from maskwatch_edge.state_folder import state_folder

from .counting import NAMES, Counts

FILE_NAME = "statistics.db"
VERSION = 1
"""Of the table; a file with a higher one is left alone."""

APPLICATION = 0x4D57_5354  # "MWST"
"""SQLite's `application_id`, by which a file of ours is told from another program's."""

MINUTES_PER_DAY = 24 * 60
BUSY_SECONDS = 5.0
DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

CREATE = f"""
    CREATE TABLE minutes (
        minute INTEGER PRIMARY KEY,
        {", ".join(f"{name} NOT NULL" for name in NAMES)}
    )
"""

# The clock may have been set back, so a minute may come twice; it has 60 seconds all the same.
ADD = f"""
    INSERT INTO minutes VALUES (?, {", ".join("?" for _ in NAMES)})
    ON CONFLICT (minute) DO UPDATE SET {
    ", ".join(
        f"{name} = min({name} + excluded.{name}, 60)"
        if name.endswith("seconds")
        else f"{name} = {name} + excluded.{name}"
        for name in NAMES
    )
}
"""  # noqa: S608

# By the days that there are and not by the clock: one that is years ahead for an hour would have
# all that is right deleted.
FORGET = f"""
    DELETE FROM minutes WHERE minute < {MINUTES_PER_DAY} * (
        SELECT min(day) FROM (
            SELECT DISTINCT minute / {MINUTES_PER_DAY} AS day FROM minutes ORDER BY day DESC LIMIT ?
        )
    )
"""  # noqa: S608

SELECT = f"""
    SELECT minute, {", ".join(NAMES)} FROM minutes WHERE minute >= ? AND minute < ? ORDER BY minute
"""  # noqa: S608


def default_file() -> Path:
    """Return where the counts are if the configuration does not say."""
    return state_folder() / FILE_NAME


class Store(Closing):
    """The file, open for writing; made if it is missing.

    A damaged file is set aside under another name, and the next opening begins a new one.

    Args:
        path: The file.
        keep_days: So many days with counts are kept, the newest ones.

    Raises:
        OutputError: If it cannot be written, is damaged, or is not a file of this program.
    """

    def __init__(self, path: Path, keep_days: int) -> None:
        self._path, self._keep_days = path, keep_days
        self._newest_day: int | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot make the folder {path.parent}: {error.strerror}") from error
        self._connection: sqlite3.Connection | None = None
        try:
            self._open()
        except OutputError:
            self.close()
            raise

    @property
    def is_open(self) -> bool:
        """Whether more can be added; not once the file was closed, removed or set aside."""
        return self._connection is not None

    def add(self, batch: Mapping[int, Counts]) -> None:
        """Add to what is counted, all of it or nothing.

        If that fails, it may be tried again, with this store as long as it is open: a commit whose
        fsync failed is in the journal, and another store would take it for done.

        Args:
            batch: Counts by minute since 1970, UTC.

        Raises:
            OutputError: If it cannot be written.
        """
        if self._connection is None or _identity(self._path) != self._identity:
            self.close()
            raise OutputError(f"{self._path} was removed")
        if not batch:
            return
        with self._told(), _transaction(self._connection) as connection:
            rows = [
                (minute, *map(counts.__getattribute__, NAMES)) for minute, counts in batch.items()
            ]
            connection.executemany(ADD, rows)
            if max(batch) // MINUTES_PER_DAY != self._newest_day:
                self._forget(connection)
                self._newest_day = max(batch) // MINUTES_PER_DAY

    def close(self) -> None:
        """Close the file; may be called twice."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(*ERRORS):  # what was added is safe already
                connection.close()

    def _open(self) -> None:
        with self._told():
            # Autocommit: transactions are begun and ended below.
            connection = sqlite3.connect(self._path, timeout=BUSY_SECONDS, isolation_level=None)
            self._connection = connection
            _prepare(connection, self._path)
            self._identity = _identity(self._path)
            self._forget(connection)

    def _forget(self, connection: sqlite3.Connection) -> None:
        connection.execute(FORGET, (self._keep_days,))

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except ERRORS as error:
            if not is_damage(error, DAMAGE):
                raise OutputError(f"cannot write {self._path}: {error}") from error
            self.close()
            aside = self._set_aside()
            raise OutputError(
                f"{self._path} is damaged ({error}); it is kept as {aside}, and a new one is begun"
            ) from error

    def _set_aside(self) -> Path:
        """Give a damaged file another name.

        Raises:
            OutputError: If that fails.
        """
        aside = self._path.with_name(f"{self._path.name}.damaged")
        try:
            set_aside(self._path, aside)
        except OSError as error:
            raise OutputError(
                f"cannot rename the damaged {self._path}: {error.strerror}"
            ) from error
        return aside


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    if not _is_empty(connection) and (problem := wrong_format(connection, path)):
        raise OutputError(problem)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA temp_store = MEMORY")
    with _transaction(connection):
        if _is_empty(connection):
            connection.execute(CREATE)
            connection.execute(f"PRAGMA application_id = {APPLICATION}")
            connection.execute(f"PRAGMA user_version = {VERSION}")


def _is_empty(connection: sqlite3.Connection) -> bool:
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return bool(tables == 0)


def wrong_format(connection: sqlite3.Connection, path: Path) -> str | None:
    """Say why a database is none that this program knows, if so."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION:
        return f"{path} is not a file of counts; name another one with statistics.path"
    if version > VERSION:
        return (
            f"{path} is of a newer Maskwatch (format {version}, expected at most {VERSION}); "
            "bring this one up to date, or name another file with statistics.path"
        )
    return None


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    connection.execute("BEGIN IMMEDIATE")
    with connection:  # commits, or rolls back
        yield connection


def _identity(path: Path) -> tuple[int, int] | None:
    """Return what tells one file from another of the same name."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def read_minutes(path: Path, begin: int, end: int) -> dict[int, Counts]:
    """Read counts, also while the service writes.

    Args:
        path: The file.
        begin: First minute since 1970, UTC.
        end: The minute after the last one.

    Returns:
        The counts of each minute that was watched, in order.

    Raises:
        InputError: If there is no such file, or it cannot be read.
    """
    try:
        with closing(_open_to_read(path)) as connection:
            if _is_empty(connection):  # it was begun this very moment
                return {}
            if problem := wrong_format(connection, path):
                raise InputError(problem)
            rows = connection.execute(SELECT, (begin, end)).fetchall()
    except ERRORS as error:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_READONLY_ROLLBACK:
            return {}  # who was beginning it was killed; only who writes can roll that back
        raise InputError(f"cannot read {path}: {error}") from error
    return {minute: Counts(*counts) for minute, *counts in rows}


def _open_to_read(path: Path) -> sqlite3.Connection:
    if not os.access(path, os.R_OK):
        raise InputError(_why_not(path))
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_SECONDS)


def _why_not(path: Path) -> str:
    if path.exists():
        return f"{path} may not be read by this user; try it with sudo"
    return (
        f"there are no counts in {path} yet; set statistics.enabled = true, and maskwatch run "
        "writes them within a minute. Those of the service are seen by root: use sudo"
    )
