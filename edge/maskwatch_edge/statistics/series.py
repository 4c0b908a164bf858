"""Counts of minutes, added up by the minutes, hours or days of a clock on the wall."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from pathlib import Path

from .counting import Counts
from .store import read_minutes

STEPS = ("minute", "hour", "day")


@dataclass(frozen=True)
class Bucket:
    """A stretch of time and what happened in it.

    Attributes:
        start: Its first moment, by the clock on the wall and with its offset from UTC.
        counts: What happened.
    """

    start: datetime
    counts: Counts


def today(path: Path, now: datetime, zone: tzinfo | None = None) -> Counts:
    """Return what was counted since midnight.

    Args:
        path: The file of the counts.
        now: With its time zone.
        zone: Whose midnight; None for that of this machine.

    Raises:
        InputError: If the file is not there or cannot be read.
    """
    begin = _midnight(now.astimezone(zone).date(), zone)
    return total(read_minutes(path, _minute(begin), _minute(now) + 1))


def total(minutes: dict[int, Counts]) -> Counts:
    """Return the sum."""
    return sum(minutes.values(), Counts())


def read_series(
    path: Path, begin: datetime, end: datetime, step: str, zone: tzinfo | None = None
) -> list[Bucket]:
    """Read the counts between two moments.

    Args:
        path: The file of the counts.
        begin: The bucket that it falls into is the first one, unless counts begin later.
        end: The bucket that it falls into is the last one.
        step: One of `STEPS`.
        zone: Whose hours and days; None for those of this machine.

    Returns:
        One bucket after the other without a gap, or none if nothing was counted.

    Raises:
        InputError: If the file is not there or cannot be read.
    """
    begin = _floor(begin.astimezone(zone), step, zone)
    minutes = read_minutes(path, _minute(begin), _minute(end) + 1)
    if not minutes:
        return []
    first = datetime.fromtimestamp(60 * next(iter(minutes)), UTC).astimezone(zone)
    starts = list(_starts(_floor(first, step, zone), end, step, zone))
    sums = [Counts()] * len(starts)
    edges = [_minute(start) for start in starts]
    for minute, counts in minutes.items():
        sums[bisect_right(edges, minute) - 1] += counts
    return [Bucket(start, counts) for start, counts in zip(starts, sums, strict=True)]


def _starts(begin: datetime, end: datetime, step: str, zone: tzinfo | None) -> Iterator[datetime]:
    start = begin
    while start <= end:
        yield start
        if step == "day":
            start = _midnight(start.date() + timedelta(days=1), zone)
        else:
            # By UTC: where the clock is set back, an hour of the wall comes twice.
            length = timedelta(hours=1) if step == "hour" else timedelta(minutes=1)
            start = (start.astimezone(UTC) + length).astimezone(zone)


def _floor(moment: datetime, step: str, zone: tzinfo | None) -> datetime:
    if step == "day":
        return _midnight(moment.date(), zone)
    minute = 0 if step == "hour" else moment.minute
    return moment.replace(minute=minute, second=0, microsecond=0)


def _midnight(day: date, zone: tzinfo | None) -> datetime:
    # Without a zone this is what Python calls naive, and means the clock of this machine.
    return datetime.combine(day, time.min, zone).astimezone(zone)


def _minute(moment: datetime) -> int:
    return int(moment.timestamp() // 60)
