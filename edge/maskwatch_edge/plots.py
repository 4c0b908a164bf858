"""Plots of how good a model is, as PNG files. Only they need matplotlib.

The colours are those of Okabe and Ito, "Color Universal Design", 2008, which people with any
colour vision can tell apart; lines differ in stroke and marker as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .contract import LABELS
from .errors import MissingExtraError
from .files import replacing
from .metrics import Floats, average_precision, calibration_error, size_class

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, VERMILION, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#6B6B6B"
STROKES = ((BLUE, "-", "o"), (VERMILION, "--", "s"), (GREEN, "-.", "^"))
"""Colour, line and marker of the first, second and third curve of a plot."""

DOTS_PER_INCH = 150
STYLE: Any = {
    "font.size": 12,
    "axes.titlesize": 14,
    "axes.titlelocation": "left",
    "axes.titlepad": 12,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "#E3E3E3",
    "legend.frameon": False,
    "lines.linewidth": 2,
}

SCORE_BINS = 10
"""Score classes of the calibration plot, of equal width from 0.5 to 1."""


@contextmanager
def drawing(path: Path, width: float = 6.4, height: float = 4.8) -> Iterator[Figure]:
    """Give an empty figure; at the end of the block it is written, whole or not at all.

    Args:
        path: Where the PNG appears.
        width: In units of `DOTS_PER_INCH` pixels.
        height: In the same units.

    Raises:
        MissingExtraError: If matplotlib is not installed.
        OutputError: If the file cannot be written.
    """
    try:
        import matplotlib
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("matplotlib", "plot") from error
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(width, height), dpi=DOTS_PER_INCH, layout="constrained")
        FigureCanvasAgg(figure)  # pixels in memory: no window, and no global state of pyplot
        yield figure
        with replacing(path) as beside:
            figure.savefig(beside, format="png")


def plot_confusion(path: Path, confusion: list[list[int]], title: str) -> None:
    """Draw how faces of each label were answered.

    Args:
        path: Where the PNG appears.
        confusion: Row i, column j counts faces of label i that were given label j.
        title: Stands above the plot.
    """
    counts = np.asarray(confusion)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    names = [words(label) for label in LABELS]
    with drawing(path, 5.8, 4.8) as figure:
        axes = figure.subplots()
        image = axes.imshow(shares, cmap="Blues", vmin=0.0, vmax=1.0)
        axes.set_xticks(range(len(names)), names)
        axes.set_yticks(range(len(names)), names, rotation=90, va="center")
        axes.set(xlabel="answer", ylabel="truth", title=title)
        axes.grid(visible=False)
        axes.tick_params(length=0)
        for (row, column), count in np.ndenumerate(counts):
            share = float(shares[row, column])
            _write_cell(axes, row, column, int(count), share)
        bar = figure.colorbar(image, ax=axes, label="share of the true label", shrink=0.8)
        _percent(bar.ax)


def _write_cell(axes: Axes, row: int, column: int, count: int, share: float) -> None:
    colour = "white" if share > 0.5 else "black"
    place: dict[str, Any] = {"ha": "center", "color": colour}
    axes.text(column, row, f"{count:,}", va="bottom", fontsize=20, **place)
    axes.text(column, row + 0.06, per_cent(share), va="top", fontsize=12, **place)


def plot_calibration(path: Path, scores: Floats, right: npt.NDArray[np.bool_]) -> None:
    """Draw how often answers of each score are right, and how many there are.

    Args:
        path: Where the PNG appears.
        scores: Score of the most likely label, shape (faces,), in [0.5, 1].
        right: Whether that label is true, shape (faces,).
    """
    edges = np.linspace(0.5, 1.0, SCORE_BINS + 1)
    places = np.clip(np.digitize(scores, edges) - 1, 0, SCORE_BINS - 1)
    counts = np.bincount(places, minlength=SCORE_BINS)
    hits = np.bincount(places, weights=right, minlength=SCORE_BINS)
    middles, width = (edges[:-1] + edges[1:]) / 2, float(edges[1] - edges[0])
    with drawing(path, 6.4, 6.0) as figure:
        upper, lower = figure.subplots(2, sharex=True, height_ratios=[3, 1])
        upper.bar(
            middles[counts > 0],
            hits[counts > 0] / counts[counts > 0],
            0.9 * width,
            color=BLUE,
            label="share that is right",
        )
        upper.plot([0.5, 1], [0.5, 1], color=VERMILION, linestyle="--", label="score = share")
        error = calibration_error(np.asarray(scores), np.asarray(right))
        upper.set(ylabel="right", title=f"Calibration: error {error:.4f}", ylim=(0, 1.02))
        _percent(upper)
        _plot_counts(lower, middles, counts, width)
        lower.set(xlabel="score of the answer", xlim=(0.5, 1))
        figure.align_ylabels()
        figure.legend(loc="outside lower center", ncols=2)


def _plot_counts(axes: Axes, middles: Floats, counts: npt.NDArray[np.int_], width: float) -> None:
    """Bars of counts on a logarithmic axis: the sure answers are many times the rest."""
    axes.bar(middles, counts, 0.9 * width, color=GREY)
    axes.set(yscale="log", ylim=(0.5, max(counts.max(), 1) * 8), ylabel="faces")
    axes.set_yticks([])
    axes.minorticks_off()
    for middle, count in zip(middles, counts, strict=True):
        if count:
            axes.text(middle, count * 1.2, f"{count:,}", ha="center", va="bottom", fontsize=10)


def plot_precision_recall(
    path: Path, curves: Mapping[str, Mapping[str, tuple[Floats, Floats]]]
) -> None:
    """Draw precision over recall, a panel for each label, with the area under each curve.

    Args:
        path: Where the PNG appears.
        curves: By label and then by finder recall and precision, as `metrics.FrameScorer.curve`
            gives them.
    """
    with drawing(path, 5.4 * len(curves), 5.2) as figure:
        apart = {"wspace": 0.08}  # "100 %" and "0 %" would touch
        panels = figure.subplots(1, len(curves), sharey=True, squeeze=False, gridspec_kw=apart)[0]
        for axes, (label, finders) in zip(panels, curves.items(), strict=True):
            for (finder, (recall, precision)), stroke in zip(
                finders.items(), STROKES, strict=False
            ):
                _plot_curve(axes, finder, recall, precision, stroke)
            axes.set(xlabel="recall", xlim=(0, 1.01), ylim=(0, 1.02))
            axes.set_title(f"{words(label)}, IoU 0.5")
            axes.legend(loc="lower left")
            _percent(axes)
            axes.xaxis.set_major_formatter(axes.yaxis.get_major_formatter())
        panels[0].set_ylabel("precision")


def _plot_curve(
    axes: Axes, name: str, recall: Floats, precision: Floats, stroke: tuple[str, str, str]
) -> None:
    falling = np.maximum.accumulate(precision[::-1])[::-1]
    axes.step(
        np.concatenate([0.0 * recall[:1], recall]),  # from the axis, if it begins
        np.concatenate([falling[:1], falling]),
        where="pre",
        color=stroke[0],
        linestyle=stroke[1],
        label=f"{name}: average precision {average_precision(recall, precision):.3f}",
    )


def plot_recall_by_size(
    path: Path, finders: Mapping[str, Mapping[str, Mapping[str, Any]]], smallest: int = 0
) -> None:
    """Draw which share of the annotated faces each finder found, by their size.

    Args:
        path: Where the PNG appears.
        finders: By finder and then by lower edge of the size class in pixels "faces" and "recall",
            as `metrics.FrameScorer.result` gives them; the size classes are the same for all.
        smallest: Boxes with a shorter side, in pixels, were dropped.
    """
    classes = next(iter(finders.values()))
    names = [f"{size_class(int(edge))}\n{row['faces']:,} faces" for edge, row in classes.items()]
    with drawing(path, max(6.4, 1.25 * len(names)), 4.6) as figure:
        axes = figure.subplots()
        _plot_bars(axes, {name: _recalls(rows) for name, rows in finders.items()})
        axes.set_xticks(range(len(names)), names)
        axes.tick_params(axis="x", length=0, labelsize=11)
        axes.grid(visible=False, axis="x")
        xlabel = "shorter side of the face, pixels"
        if any(int(edge) < smallest for edge in classes):
            xlabel += f"; boxes of less than {smallest} were dropped"
        axes.set(xlabel=xlabel, ylabel="found", ylim=(0, 1.08))
        axes.set_title("Faces found, by size")
        figure.legend(loc="outside lower center", ncols=len(finders))
        _percent(axes)


def _recalls(rows: Mapping[str, Mapping[str, Any]]) -> list[float]:
    return [float(row["recall"]) for row in rows.values()]


def _plot_bars(axes: Axes, groups: Mapping[str, Sequence[float]]) -> None:
    """Draw shares side by side, a colour for each name; they say their per cent."""
    width = 0.8 / len(groups)
    for place, ((name, shares), stroke) in enumerate(zip(groups.items(), STROKES, strict=False)):
        middles = np.arange(len(shares)) + (place + 0.5) * width - 0.4
        bars = axes.bar(middles, shares, 0.9 * width, color=stroke[0], label=name)
        said = [whole_per_cent(share) for share in shares]
        axes.bar_label(bars, said, padding=3, fontsize=10)


def words(name: str) -> str:
    """Write a label as words."""
    return name.replace("_", " ")


def per_cent(share: float) -> str:
    """Write a share as per cent, such as "97.5 %"; only 1 gives "100 %"."""
    return "100 %" if share == 1 else f"{min(100 * share, 99.9):.1f} %"


def whole_per_cent(share: float) -> str:
    """Write a share as a whole number of per cent, for narrow places; only 0 and 1 are extreme."""
    return f"{100 * share:.0f}" if share in (0, 1) else f"{min(max(100 * share, 1), 99):.0f}"


def _percent(axes: Axes) -> None:
    axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")


def draw_curves(axes: Axes, xs: Sequence[float], curves: Mapping[str, Sequence[float]]) -> None:
    """Draw named curves over the same xs, told apart by colour, stroke and marker."""
    for (name, values), (colour, line, marker) in zip(curves.items(), STROKES, strict=False):
        axes.plot(xs, values, color=colour, linestyle=line, marker=marker, label=name)
