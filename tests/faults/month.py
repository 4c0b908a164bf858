"""Let a month pass before the service, with thousands of faults drawn by lot.

    python -m tests.faults.month --days 30 --seed 0

Who stands before the camera changes with every fault. After each one the service must be well again
within a bounded time, and at every moment nothing may be said that is too old (`world`).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random

from maskwatch_edge.statistics.counting import NAMES, Counts
from maskwatch_edge.statistics.store import read_minutes
from maskwatch_edge.verdict import Decision

from .kinds import KINDS, Kind
from .world import NotSurvivedError, World

EVERY_SECONDS = 900.0
QUIET_SECONDS = 120.0
"""Between two faults there is never less, so that each is judged by itself."""

QUIET_STEP_SECONDS = 4.0
"""The camera gives so few pictures while nothing happens, so that a month takes minutes."""

RECOVERY_SECONDS = 60.0
"""Waits grow to 33 s; finding somebody again, or starting afresh, takes a few more."""

DAY_SECONDS = 86400.0
END_OF_TIME = 2**40
PEOPLE = (Decision.MASK, Decision.NO_MASK, None)


@dataclass
class Record:
    """What became of the faults of one kind.

    Attributes:
        times: How often it struck.
        survived: After how many of them all was well again.
        longest_seconds: The longest until all was well, once the fault was over.
    """

    times: int = 0
    survived: int = 0
    longest_seconds: float = 0.0


class Month:
    """Days with faults before a service.

    Args:
        world: The service, and what can break.
        random: Draws the faults.
    """

    def __init__(self, world: World, random: Random) -> None:
        self._world, self._random = world, random
        self.records = {kind.name: Record() for kind in KINDS}

    def pass_days(self, days: float, every_seconds: float = EVERY_SECONDS) -> None:
        """Let days pass, with a fault every so often in the mean."""
        until = self._world.clock() + days * DAY_SECONDS
        while self._world.clock() < until:
            for kind in self._random.sample(KINDS, len(KINDS)):
                self._rest(every_seconds)
                self._strike(kind)

    def _rest(self, every_seconds: float) -> None:
        spread_seconds = max(every_seconds - QUIET_SECONDS, 0.0)
        self._world.show_somebody(self._random.choice(PEOPLE))
        seconds = QUIET_SECONDS + self._random.uniform(0.0, spread_seconds)
        self._world.live(seconds, QUIET_STEP_SECONDS)
        self._world.live(10.0)

    def _strike(self, kind: Kind) -> None:
        world, record = self._world, self.records[kind.name]
        breaking = kind.breaking(world, self._random)
        record.times += 1
        next(breaking)
        world.live(self._random.uniform(1.0, kind.longest_seconds))
        next(breaking, None)
        recovery_seconds = world.recover(RECOVERY_SECONDS)
        record.survived += 1
        record.longest_seconds = max(record.longest_seconds, recovery_seconds)


def check_statistics(world: World) -> Counts:
    """Compare what the file holds with what was seen; the world must be closed."""
    assert world.file is not None
    written = sum(read_minutes(world.file, 0, END_OF_TIME).values(), Counts())
    world.ledger.begin_anew()
    if any(abs(getattr(written, name) - getattr(world.ledger.counts, name)) > 1 for name in NAMES):
        raise NotSurvivedError(f"counted were {world.ledger.counts}, written {written}")
    return written


def main() -> int:
    """Let the days pass, and print what became of the faults; return 1 if one was not survived."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=float, default=30.0, help="of simulated time (30)")
    parser.add_argument("--seed", type=int, default=0, help="another one draws other faults (0)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, World(Path(folder)) as world:
        month = Month(world, Random(options.seed))
        try:
            month.pass_days(options.days)
            world.close()
            counts = check_statistics(world)
        except NotSurvivedError as error:
            print_table(month.records)
            print(f"error: {error}", file=sys.stderr)
            return 1
    print_table(month.records)
    print(f"{options.days:g} days, {world.restarts} restarts by systemd, {counts.people} counted")
    return 0


def print_table(records: Mapping[str, Record]) -> None:
    """Print a line for each kind of fault, and one for all."""
    print(f"{'fault':24} times  survived  longest recovery")
    faults = Record(
        sum(record.times for record in records.values()),
        sum(record.survived for record in records.values()),
        max(record.longest_seconds for record in records.values()),
    )
    for name, record in {**records, "all": faults}.items():
        print(f"{name:24} {record.times:5}  {record.survived:8}  {record.longest_seconds:14.1f} s")


if __name__ == "__main__":
    sys.exit(main())
