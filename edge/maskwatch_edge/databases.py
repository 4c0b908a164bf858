"""Files of SQLite: what must be known to move one away."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def set_aside(path: Path, aside: Path) -> None:
    """Give a broken database another name, in place of what had that name before.

    Raises:
        OSError: If that fails.
    """
    # The journals first: SQLite would play them into the new file.
    for ending in ("-wal", "-shm", ""):
        with suppress(FileNotFoundError):
            path.with_name(path.name + ending).replace(aside.with_name(aside.name + ending))
