"""Counts as a picture. Only it needs matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from maskwatch_edge.command import need
from maskwatch_edge.metrics import Floats
from maskwatch_edge.plots import BLUE, GREY, VERMILION, drawing

from .series import Bucket

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DAYS = {"minute": 1 / 1440, "hour": 1 / 24, "day": 1.0}
"""Lengths of the steps, in days, as matplotlib counts time."""

PARTS = (("mask", BLUE, ""), ("no_mask", VERMILION, "//"), ("unsure", GREY, ".."))
"""Attribute of `Counts`, colour, and hatching for those who cannot tell the colours apart."""


def plot_counts(path: Path, buckets: Sequence[Bucket], step: str) -> None:
    """Draw people by verdict over time; where nobody watched, the ground is grey.

    Args:
        path: Where the PNG appears.
        buckets: In order, and at least one.
        step: One of `series.STEPS`.

    Raises:
        MissingExtraError: If matplotlib is not installed.
        OutputError: If the file cannot be written.
    """
    need("matplotlib", "matplotlib", "plot")
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
    from matplotlib.ticker import MaxNLocator

    # The clock on the wall: matplotlib would show UTC.
    moments = [bucket.start.replace(tzinfo=None) for bucket in buckets]
    starts = date2num(moments)  # type: ignore[no-untyped-call]
    blank = [not bucket.counts.seen_seconds for bucket in buckets]
    end = starts[-1] + DAYS[step]
    with drawing(path, 9.6, 4.8) as figure:
        axes = figure.subplots()
        below = np.zeros(len(buckets))
        for name, colour, hatch in PARTS:
            people = np.array([getattr(bucket.counts, name) for bucket in buckets])
            look: dict[str, Any] = {"color": colour, "hatch": hatch, "edgecolor": "white"}
            words = name.replace("_", " ")
            axes.bar(starts, people, DAYS[step], below, align="edge", label=words, **look)
            below += people
        _shade(axes, starts[blank], DAYS[step])
        locator = AutoDateLocator()  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_locator(locator)
        formatter = ConciseDateFormatter(locator)  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_formatter(formatter)
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(visible=False, axis="x")
        axes.set(ylabel=f"people in a {step}", xlim=(starts[0], end))
        axes.set(title="People by verdict", ylim=(0, 1.05 * max(below.max(), 1)))
        figure.legend(loc="outside lower center", ncols=4)


def _shade(axes: Axes, starts: Floats, width: float) -> None:
    """Make the ground grey from bottom to top."""
    if len(starts):
        whole_height = axes.get_xaxis_transform()
        look: dict[str, Any] = {"color": "#EBEBEB", "transform": whole_height, "zorder": 0}
        axes.bar(starts, 1.0, width, align="edge", label="not watched", **look)
