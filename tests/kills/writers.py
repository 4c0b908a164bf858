"""Programs that add to what `maskwatch run` keeps on the disk, and say what is safe there.

    python writers.py statistics|queue FOLDER UNTIL

They go on after the last one that is in the file. Each addition that was acknowledged is a line on
stdout. Half-way, a file called `filler` is removed if there is one: so a full disk gets room.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from maskwatch_edge.cameras.state import CameraState
from maskwatch_edge.events import Event, EventKind
from maskwatch_edge.fault_log import warn
from maskwatch_edge.mqtt.backlog import Backlog, Entry
from maskwatch_edge.statistics.counting import Counts
from maskwatch_edge.statistics.recorder import Recorder
from maskwatch_edge.statistics.store import Store, read_minutes
from maskwatch_edge.verdict import Decision
from maskwatch_edge.view import View

FIRST_MINUTE = 29_500_000
REMOVED_OF = 3
"""Of so many messages, one is removed as if the broker had it."""

PAUSE_SECONDS = 0.005


class AcknowledgingStore(Store):
    """Says each minute that is in the file."""

    def add(self, batch: Mapping[int, Counts]) -> None:
        """Add to what is counted."""
        super().add(batch)
        for minute in batch:
            say("added", minute - FIRST_MINUTE)


class Clock:
    """The time of day, which is `now` minutes after the first one."""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> float:
        """Return seconds since 1970."""
        return 60.0 * (FIRST_MINUTE + self.now)


def somebody(track: int) -> View:
    """Return a view in which somebody with a mask has come."""
    event = Event(EventKind.APPEARED, 0.0, track, Decision.MASK)
    return View(None, (), (), (event,), CameraState.SEEING, 0.0, 60.0 * track)


def write_statistics(folder: Path, until: int) -> None:
    """Count somebody in each minute."""
    path, clock = folder / "statistics.db", Clock()
    minutes = read_minutes(path, 0, 1 << 40) if path.exists() else {}
    begin = max(minutes, default=FIRST_MINUTE - 1) + 1 - FIRST_MINUTE
    with Recorder(lambda: AcknowledgingStore(path, 90), warn, clock) as recorder:
        for clock.now in range(begin, until):
            make_room(folder, clock.now, until)
            recorder.show(somebody(clock.now + 1))
            time.sleep(PAUSE_SECONDS)  # the recorder writes in a thread of its own


def write_queue(folder: Path, until: int) -> None:
    """Add events, and remove the oldest one now and then."""
    path, clock = folder / "mqtt.sqlite", Clock()
    with Backlog(path, "board", 1000, warn, clock) as backlog:
        waiting = [(each.number, json.loads(each.payload)["n"]) for each in backlog.after(0, 1000)]
        for clock.now in range(waiting[-1][1] + 1 if waiting else 0, until):
            make_room(folder, clock.now, until)
            backlog.add([Entry(True, {"n": clock.now})])
            say("added", clock.now)
            remove_oldest(backlog, (clock.now + 1) // REMOVED_OF)
        remove_oldest(backlog, until // REMOVED_OF)  # of a run that was killed before it did


def remove_oldest(backlog: Backlog, before: int) -> None:
    """Remove what came before a message."""
    oldest = [each for each in backlog.after(0, 1000) if json.loads(each.payload)["n"] < before]
    backlog.remove([each.number for each in oldest])
    for each in oldest:
        say("removed", json.loads(each.payload)["n"])


def say(verb: str, number: int) -> None:
    """Print a line, all at once: half of one would be taken for another number."""
    os.write(sys.stdout.fileno(), f"{verb} {number}\n".encode())


def make_room(folder: Path, now: int, until: int) -> None:
    """Remove the filler half-way."""
    if now == until // 2:
        (folder / "filler").unlink(missing_ok=True)


if __name__ == "__main__":
    WRITERS = {"statistics": write_statistics, "queue": write_queue}
    WRITERS[sys.argv[1]](Path(sys.argv[2]), int(sys.argv[3]))
