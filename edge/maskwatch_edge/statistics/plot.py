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

PALE = "#EBEBEB"


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
    edges = np.append(starts, starts[-1] + DAYS[step])
    blank = np.array([not bucket.counts.seen_seconds for bucket in buckets])
    with drawing(path, 9.6, 4.8) as figure:
        axes = figure.subplots()
        below = np.zeros(len(buckets))
        for name, colour, hatch in PARTS:
            above = below + [getattr(bucket.counts, name) for bucket in buckets]
            look: dict[str, Any] = {"facecolor": colour, "hatch": hatch, "edgecolor": "white"}
            _fill(axes, edges, below, above, label=name.replace("_", " "), **look)
            below = above
        if blank.any():
            ground: dict[str, Any] = {"transform": axes.get_xaxis_transform(), "zorder": 0}
            _fill(axes, edges, 0 * below, blank, label="not watched", color=PALE, **ground)
        locator = AutoDateLocator()  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_locator(locator)
        formatter = ConciseDateFormatter(locator)  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_formatter(formatter)
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(visible=False, axis="x")
        axes.set(ylabel=f"people per {step}", xlim=(edges[0], edges[-1]))
        axes.set(title="People by verdict", ylim=(0, 1.05 * max(below.max(), 1)))
        figure.legend(loc="outside lower center", ncols=4)


def _fill(axes: Axes, edges: Floats, low: Floats, high: Floats, **look: Any) -> None:
    """Draw steps as one polygon: of single bars there might be ten thousand."""
    bottom, top = (np.append(values, values[-1]) for values in (low, high))
    axes.fill_between(edges, bottom, top, step="post", linewidth=0, **look)
