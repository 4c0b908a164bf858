"""What `maskwatch run` keeps as targets: the statistics, and the messages for a broker."""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from maskwatch_edge.statistics.store import read_minutes

from .killing import Command, Ended
from .writers import FIRST_MINUTE, REMOVED_OF

WRITTEN = 60


def prepare_kept(folder: Path) -> None:
    """Make the folder of the state."""
    (folder / "state").mkdir()


def write(kind: str, folder: Path) -> Command:
    """Return the command that adds."""
    return [sys.executable, Path(__file__).parent / "writers.py", kind, "state", str(WRITTEN)]


def _said(ended: Ended, verb: str) -> int:
    """Return how many have been acknowledged."""
    numbers = [line.partition(" ")[2] for line in ended.out.splitlines() if line.startswith(verb)]
    return int(numbers[-1]) + 1 if numbers else 0


def _counted(folder: Path) -> list[int]:
    path = folder / "state/statistics.db"
    minutes = read_minutes(path, 0, 1 << 40) if path.exists() else {}
    assert all(counts.people == 1 for counts in minutes.values()), "somebody was counted twice"
    return [minute - FIRST_MINUTE for minute in minutes]


def _queued(folder: Path) -> list[int]:
    with TemporaryDirectory() as copy:  # opening it mends it, and the next run is to do that
        shutil.copytree(folder / "state", copy, dirs_exist_ok=True)
        with closing(sqlite3.connect(Path(copy) / "mqtt.sqlite")) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            if not database.execute("SELECT 1 FROM sqlite_master").fetchone():
                return []
            rows = database.execute("SELECT payload FROM messages ORDER BY number").fetchall()
    return [json.loads(payload)["n"] for (payload,) in rows]


def check_cut_statistics(folder: Path, before: Path, whole: Path, ended: Ended) -> None:
    """Check that each minute that was acknowledged is there, once, and at most those after it."""
    counted = _counted(folder)
    assert counted == list(range(len(counted)))
    assert len(counted) >= _said(ended, "added")


def check_whole_statistics(folder: Path, whole: Path) -> None:
    """Check that each minute is there, once."""
    assert _counted(folder) == list(range(WRITTEN))


def check_cut_queue(folder: Path, before: Path, whole: Path, ended: Ended) -> None:
    """Check that each message that was acknowledged is there in order, but for those removed."""
    queued, added, removed = _queued(folder), _said(ended, "added"), _said(ended, "removed")
    first = queued[0] if queued else 0
    assert queued == list(range(first, first + len(queued)))
    assert added <= first + len(queued) <= added + 1
    assert removed <= first <= removed + 1


def check_whole_queue(folder: Path, whole: Path) -> None:
    """Check that each message is there that was not removed."""
    assert _queued(folder) == list(range(WRITTEN // REMOVED_OF, WRITTEN))
