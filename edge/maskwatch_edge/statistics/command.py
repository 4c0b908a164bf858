"""`maskwatch stats`: how many people wore their masks, and when."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TextIO

from maskwatch_edge.command import Command, count
from maskwatch_edge.config.command import add_config_options, load_from_options
from maskwatch_edge.errors import InputError
from maskwatch_edge.files import write_atomically

from .counting import Counts
from .export import to_csv, to_json
from .series import STEPS, Bucket, read_series
from .store import default_file
from .table import Style, Table, summary

NOTHING = "nothing was counted in this time"
WIDTH = 80
"""Characters in a line of a file or pipe."""


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    span = parser.add_mutually_exclusive_group()
    span.add_argument(
        "--days", type=count, metavar="N", default=1, help="the last N days; 1 is today"
    )
    span.add_argument(
        "--since", type=_moment, metavar="WHEN", help="from a day or moment on: 2026-03-02, or "
        "2026-03-02T07:30",
    )  # fmt: skip
    parser.add_argument(
        "--by",
        choices=STEPS,
        help="what is added up in a line; hour if it is not given, and day for more than two days",
    )
    output = parser.add_argument_group("output, in place of the table").add_argument
    parser.add_argument(
        "--table", action="store_true", help="leave out the bars, as for a screen reader"
    )
    output("--json", action="store_true", help="print one JSON object")
    output("--csv", metavar="FILE", help="write a table for spreadsheets; - is standard output")
    output("--png", type=Path, metavar="FILE", help="draw a picture; needs the extra plot")
    add_config_options(parser)


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError, OSError) as error:
        raise argparse.ArgumentTypeError(
            f"expected a day or moment such as 2026-03-02T07:30, received {text!r}"
        ) from error


def _run(options: argparse.Namespace) -> int:
    path = load_from_options(options).config.statistics.path or default_file()
    now = datetime.now().astimezone()
    begin = options.since or now - timedelta(days=options.days - 1)
    if options.since is None:
        begin = begin.replace(hour=0, minute=0, second=0)
    step = options.by or ("hour" if now - begin <= timedelta(days=2) else "day")
    buckets = read_series(path, begin, now, step)
    if options.png is not None:
        _draw(options.png, buckets, step)
    if options.csv is not None:
        _write_csv(options.csv, buckets)
    if options.json:
        print(to_json(buckets, step))  # noqa: T201
    if options.png is None and options.csv is None and not options.json:
        _show(buckets, step, is_plain=options.table)
    return 0


def _draw(path: Path, buckets: Sequence[Bucket], step: str) -> None:
    if not buckets:
        raise InputError(f"{NOTHING}, so there is nothing to draw; try a longer time with --days")
    from .plot import plot_counts

    plot_counts(path, buckets, step)
    _say_written(path)


def _write_csv(file: str, buckets: Sequence[Bucket]) -> None:
    if file == "-":
        sys.stdout.write(to_csv(buckets))
    else:
        write_atomically(Path(file), to_csv(buckets))
        _say_written(file)


def _say_written(file: str | Path) -> None:
    print(f"wrote {file}", file=sys.stderr)  # noqa: T201


def _show(buckets: Sequence[Bucket], step: str, *, is_plain: bool) -> None:
    if not buckets:
        print(NOTHING)  # noqa: T201
        return
    for line in Table(buckets, step, style_of(sys.stdout, os.environ, is_plain=is_plain)).lines():
        print(line)  # noqa: T201
    print(summary(sum((bucket.counts for bucket in buckets), Counts())))  # noqa: T201


def style_of(out: TextIO, environment: Mapping[str, str], *, is_plain: bool) -> Style:
    """Return what an output can show.

    Args:
        out: Without a terminal there are no bars.
        environment: `NO_COLOR` takes the colours away (no-color.org), a `TERM` of `dumb` the bars.
        is_plain: Whether bars are not wanted.
    """
    is_terminal = out.isatty() and environment.get("TERM") != "dumb"
    return Style(
        width=shutil.get_terminal_size().columns if is_terminal else WIDTH,
        has_bars=is_terminal and not is_plain,
        blocks="█▒░" if _can_say("█▒░", out) else "#=.",
        has_colours=is_terminal and not environment.get("NO_COLOR"),
    )


def _can_say(text: str, out: TextIO) -> bool:
    try:
        text.encode(out.encoding)
    except UnicodeEncodeError:
        return False
    return True


COMMAND = Command(
    "stats",
    "tell how many people wore their masks, and when",
    _add_arguments,
    _run,
    "Tell how many people wore their masks, minute by minute or by hours or days, by the clock of "
    "this machine. maskwatch run counts them if statistics.enabled is true in the configuration. "
    "A person counts once, by what was claimed first; put on and taken off tell of changes after "
    "that. Where it says nobody, the camera saw nobody; not watched means that nothing was known.",
)
