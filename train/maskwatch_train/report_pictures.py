"""The pictures of a run that only training has: learning curves, and a gallery of mistakes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING

from maskwatch_edge.contract import LABELS
from maskwatch_edge.plots import GREEN, GREY, VERMILION, draw_curves, drawing, per_cent, words

from .config import HEAD
from .samples import Sample
from .training import RunState

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GALLERY_COLUMNS = 6
GALLERY_ROWS = 5
NAME_LENGTH = 24
"""Letters of a file name that fit below a picture of the gallery."""


@dataclass(frozen=True, eq=False)
class Mistake:
    """A face that was answered wrong: the index of the label that was given, and its score."""

    sample: Sample
    answer: int
    score: float


def draw_learning_curves(path: Path, state: RunState, best: int) -> None:
    """Draw loss and accuracy over the epochs of both stages.

    Args:
        path: Where the PNG appears.
        state: The run.
        best: The epoch whose network is kept, counted from 1.
    """
    with drawing(path, 11.0, 4.8) as figure:
        left, right = figure.subplots(1, 2)
        _draw_measure(left, state, best, "loss")
        _draw_measure(right, state, best, "accuracy")
        right.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.4g} %")
        handles, labels = left.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))


def _draw_measure(axes: Axes, state: RunState, best: int, name: str) -> None:
    epochs = range(1, len(state.history) + 1)
    curves = {
        f"training {name}": [entry[name] for entry in state.history],
        f"validation {name}": [entry[f"val_{name}"] for entry in state.history],
    }
    head_epochs = state.epochs_done(HEAD)
    if head_epochs:
        axes.axvspan(0.5, head_epochs + 0.5, color="#EFEFEF", label="head alone")
    axes.axvline(best, color=GREEN, linestyle=":", label=f"best epoch, {best}")
    draw_curves(axes, list(epochs), {key.split()[0]: values for key, values in curves.items()})
    axes.set(xlabel="epoch", xlim=(0.5, len(epochs) + 0.5), title=name.capitalize())
    axes.locator_params(axis="x", integer=True)
    axes.grid(visible=False, axis="x")


def draw_mistakes(path: Path, mistakes: Sequence[Mistake], faces: int) -> None:
    """Draw a gallery of faces that were answered wrong, with truth, answer, score and file.

    Args:
        path: Where the PNG appears.
        mistakes: The worst first; as many as fit are shown.
        faces: How many faces were asked for.
    """
    shown = mistakes[: GALLERY_COLUMNS * GALLERY_ROWS]
    if not shown:
        _draw_no_mistakes(path, faces)
        return
    columns = min(GALLERY_COLUMNS, len(shown))
    rows = ceil(len(shown) / columns)
    with drawing(path, max(2.3 * columns, 6.4), 0.4 + 2.72 * rows) as figure:
        figure.suptitle(_gallery_title(len(shown), len(mistakes), faces), fontsize=14)
        for axes in figure.subplots(rows, columns, squeeze=False).flat:
            axes.axis("off")
        for axes, mistake in zip(figure.axes, shown, strict=False):
            _draw_mistake(axes, mistake)


def _gallery_title(shown: int, mistakes: int, faces: int) -> str:
    if shown < mistakes:
        return f"The {shown} surest of {mistakes:,} mistakes on {faces:,} test faces"
    return f"All mistakes on {faces:,} test faces: {mistakes:,}, the surest first"


def _draw_mistake(axes: Axes, mistake: Mistake) -> None:
    face = mistake.sample.face
    axes.imshow(mistake.sample.crop, interpolation="bilinear")
    lines = (
        ("is mask worn wrong" if face.worn_wrong else f"is {words(face.label)}", "black"),
        (f"answer {words(LABELS[mistake.answer])} {per_cent(mistake.score)}", VERMILION),
        (shortened(face.path.name), GREY),
    )
    for row, (text, colour) in enumerate(lines):
        axes.annotate(
            text,
            (0.5, 0.0),
            (0, -4 - 13 * row),
            xycoords="axes fraction",
            textcoords="offset points",
            ha="center",
            va="top",
            fontsize=10,
            color=colour,
            parse_math=False,  # a $ in a file name is just that
        )


def _draw_no_mistakes(path: Path, faces: int) -> None:
    with drawing(path, 6.4, 3.2) as figure:
        axes = figure.subplots()
        axes.set(xlim=(-2, 2), ylim=(-1, 1), aspect="equal")
        axes.axis("off")
        axes.plot([-0.35, -0.1, 0.4], [0.35, 0.1, 0.75], color=GREEN, linewidth=10)
        axes.text(0, -0.3, "No mistakes to show", ha="center", fontsize=18)
        right = f"All {faces:,} test faces were answered right."
        axes.text(0, -0.65, right, ha="center", fontsize=12, color=GREY)


def shortened(name: str) -> str:
    """Cut the middle out of a long file name; letters that a font may lack become "?"."""
    plain = name.encode("ascii", "replace").decode()
    half = (NAME_LENGTH - 3) // 2
    return plain if len(plain) <= NAME_LENGTH else f"{plain[:half]}...{plain[-half:]}"
