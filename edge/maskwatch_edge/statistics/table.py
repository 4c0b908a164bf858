"""Counts as lines for a terminal: a table, and bars in it where there is room."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from .counting import Counts
from .series import Bucket

NARROWEST_BAR, GOOD_BAR = 10, 20
"""In characters; with less room than the first there are none."""

GAP = "  "
COLOURS = (34, 33, 90)
"""ANSI's blue, yellow and grey, which people with any colour vision can tell apart."""


@dataclass(frozen=True)
class Style:
    """What the terminal can show.

    Attributes:
        width: Characters in a line.
        has_bars: Whether there are bars at all; a screen reader would read them out.
        blocks: Characters of bars for mask, no mask and unsure.
        has_colours: Whether these have colours, too.
    """

    width: int = 80
    has_bars: bool = True
    blocks: str = "█▒░"
    has_colours: bool = False

    def bar(self, parts: Sequence[int]) -> str:
        """Return a bar of so many characters for mask, no mask and unsure."""
        return "".join(map(self._paint, self.blocks, parts, COLOURS))

    def legend(self) -> str:
        """Say what the characters mean."""
        names = ("mask", "no mask", "unsure")
        painted = map(self._paint, self.blocks, (1, 1, 1), COLOURS)
        return GAP.join(f"{block} {name}" for block, name in zip(painted, names, strict=True))

    def _paint(self, block: str, length: int, colour: int) -> str:
        text = block * length
        return f"\x1b[{colour}m{text}\x1b[0m" if text and self.has_colours else text


@dataclass(frozen=True)
class Column:
    """A column of numbers; the more important, the further to the left."""

    name: str
    width: int
    write: Callable[[Counts], str]


COLUMNS = (
    Column("people", 6, lambda counts: str(counts.people)),
    Column("mask", 5, lambda counts: str(counts.mask)),
    Column("no mask", 7, lambda counts: str(counts.no_mask)),
    Column("unsure", 6, lambda counts: str(counts.unsure)),
    Column("watched", 11, lambda counts: duration(counts.seen_seconds)),
    Column("put on", 6, lambda counts: str(counts.put_on)),
    Column("taken off", 9, lambda counts: str(counts.taken_off)),
)

BEFORE_BARS = 4
"""So many columns are more important than bars are."""


class Table:
    """A line for every bucket; those without people that follow each other share one.

    Args:
        buckets: In order, and at least one.
        step: One of `series.STEPS`.
        style: What the terminal can show. Columns that it has no room for are left out.
    """

    def __init__(self, buckets: Sequence[Bucket], step: str, style: Style) -> None:
        self._buckets, self._style = buckets, style
        self._format = "%Y-%m-%d" if step == "day" else "%Y-%m-%d %H:%M"
        self._most = max(bucket.counts.people for bucket in buckets)
        self._columns, room = self._choose_columns()
        self._bar_width = max(room - len(GAP), 0)

    def _choose_columns(self) -> tuple[list[Column], int]:
        """Return those that there is room for, and the characters that are left."""
        chosen: list[Column] = []
        room = self._style.width - len(self._stamp(self._buckets[0]))
        for column in COLUMNS:
            is_less_than_bars = self._style.has_bars and column not in COLUMNS[:BEFORE_BARS]
            left = room - len(GAP) - column.width
            if left < (len(GAP) + GOOD_BAR if is_less_than_bars else 0):
                break
            chosen.append(column)
            room = left
        return chosen, room

    @property
    def has_bars(self) -> bool:
        """Whether there is room for bars, and they are wanted."""
        return self._style.has_bars and self._bar_width >= NARROWEST_BAR and self._most > 0

    def lines(self) -> Iterator[str]:
        """Give the heading and the lines below it."""
        names = (column.name.rjust(column.width) for column in self._columns)
        yield GAP.join([" " * len(self._stamp(self._buckets[0])), *names])
        for state, run in groupby(self._buckets, lambda bucket: state_of(bucket.counts)):
            if state:
                yield self._empty(state, list(run))
            else:
                yield from map(self._full, run)
        if self.has_bars:
            yield self._style.legend()

    def _stamp(self, bucket: Bucket) -> str:
        return bucket.start.strftime(self._format)

    def _empty(self, state: str, run: Sequence[Bucket]) -> str:
        counts = sum((bucket.counts for bucket in run), Counts())
        seconds = counts.seen_seconds or counts.away_seconds
        said = f"{state}, {duration(seconds)}" if seconds else state
        return f"{self._stamp(run[0])}{GAP}{said}"

    def _full(self, bucket: Bucket) -> str:
        cells = (column.write(bucket.counts).rjust(column.width) for column in self._columns)
        line = GAP.join([self._stamp(bucket), *cells])
        if not self.has_bars:
            return line
        parts = bar_parts(bucket.counts, self._most, self._bar_width)
        return f"{line}{GAP}{self._style.bar(parts)}".rstrip()


def state_of(counts: Counts) -> str:
    """Say why there is nothing to tell of a stretch of time; "" if there is something."""
    if counts.people or counts.put_on or counts.taken_off:
        return ""
    if counts.seen_seconds:
        return "nobody"
    return "camera away" if counts.away_seconds else "not watched"


def bar_parts(counts: Counts, most: int, width: int) -> tuple[int, int, int]:
    """Share out the characters of a bar.

    Args:
        counts: What it shows: `mask`, `no_mask` and `unsure`.
        most: People of the longest bar, at least those of this one.
        width: Characters of the longest bar.

    Returns:
        Characters of each. The ends of the parts are rounded, so that rounding does not add up.
    """
    first = round(width * counts.mask / most)
    second = round(width * (counts.mask + counts.no_mask) / most)
    return first, second - first, round(width * counts.people / most) - second


def duration(seconds: float) -> str:
    """Write a length of time, such as "7 h 12 min"; only nothing gives "0 s"."""
    if seconds < 60:
        return f"{max(round(seconds), 1) if seconds else 0} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def summary(counts: Counts) -> str:
    """Say in one line what a table adds up to."""
    people = "1 person" if counts.people == 1 else f"{counts.people} people"
    away = f"; camera away for {duration(counts.away_seconds)}" if counts.away_seconds else ""
    return (
        f"{people}: {counts.mask} masked, {counts.no_mask} unmasked, {counts.unsure} unsure; "
        f"put on {counts.put_on}, taken off {counts.taken_off}; "
        f"watched for {duration(counts.seen_seconds)}{away}"
    )
