"""Files of SQLite: how damage shows, and what must be known to move one away."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

ERRORS = (sqlite3.Error, UnicodeDecodeError)
"""What `sqlite3` raises; the second if its message would quote what a damaged file says."""


def is_damage(error: Exception, codes: Collection[int]) -> bool:
    """Tell whether what is wrong is the content of the file.

    Args:
        error: One of `ERRORS`.
        codes: SQLite's codes that say so.
    """
    code: int = getattr(error, "sqlite_errorcode", 0)
    return isinstance(error, UnicodeDecodeError) or code & 0xFF in codes


def set_aside(path: Path, aside: Path) -> None:
    """Give a broken database another name, in place of what had that name before.

    Raises:
        OSError: If that fails.
    """
    # The journals first: SQLite would play them into the new file.
    for ending in ("-wal", "-shm", ""):
        with suppress(FileNotFoundError):
            path.with_name(path.name + ending).replace(aside.with_name(aside.name + ending))
