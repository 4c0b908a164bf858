"""The plots: what they show, and that a file is whole or is not there."""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskwatch_edge.errors import MissingExtraError, OutputError
from maskwatch_edge.pictures import read_picture
from maskwatch_edge.plots import (
    drawing,
    per_cent,
    plot_calibration,
    plot_confusion,
    plot_precision_recall,
    plot_recall_by_size,
    whole_per_cent,
)

figure_module = pytest.importorskip(
    "matplotlib.figure", reason="needs matplotlib, which is not here"
)

SCORES = np.array([0.51, 0.52, 0.97, 0.98, 0.99, 1.0])
RIGHT = np.array([True, False, True, True, True, True])
CURVE = (np.array([0.5, 0.5, 1.0]), np.array([1.0, 0.5, 0.67]))
NO_CURVE = (np.array([]), np.array([]))
CURVES = {
    "with_mask": {"haar": CURVE, "yunet": CURVE},
    "without_mask": {"haar": NO_CURVE, "yunet": CURVE},
}
RECALLS = {
    "12": {"faces": 2, "recall": 0.0},
    "32": {"faces": 1234, "recall": 0.5},
    "256": {"faces": 3, "recall": 1.0},
}
ALL_FOUND = {size: row | {"recall": 1.0} for size, row in RECALLS.items()}
PLOTS: list[Callable[[Path], None]] = [
    lambda path: plot_confusion(path, [[252, 10], [16, 53]], "Faces"),
    lambda path: plot_calibration(path, SCORES, RIGHT),
    lambda path: plot_precision_recall(path, CURVES),
    lambda path: plot_recall_by_size(path, {"haar": RECALLS}),
    lambda path: plot_recall_by_size(path, {"haar": RECALLS, "yunet": ALL_FOUND}),
]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Give a list that collects every figure that is written."""
    figures: list[Any] = []
    save = figure_module.Figure.savefig

    def remember(figure: Any, *arguments: Any, **options: Any) -> None:
        figures.append(figure)
        save(figure, *arguments, **options)

    monkeypatch.setattr(figure_module.Figure, "savefig", remember)
    return figures


def texts_of(axes: Any) -> list[str]:
    return [text.get_text() for text in axes.texts]


@pytest.mark.parametrize("plot", PLOTS)
def test_every_plot_is_a_picture_with_named_axes_and_a_title(
    plot: Callable[[Path], None], tmp_path: Path, drawn: list[Any]
) -> None:
    path = tmp_path / "new" / "plot.png"
    plot(path)
    assert min(read_picture(path).shape[:2]) >= 500
    assert [each.name for each in path.parent.iterdir()] == ["plot.png"]
    axes = drawn[0].axes
    assert axes[0].get_title(loc="left")
    assert axes[0].get_ylabel()
    assert any(each.get_xlabel() for each in axes)


def test_the_confusion_is_written_in_counts_and_shares(tmp_path: Path, drawn: list[Any]) -> None:
    plot_confusion(tmp_path / "plot.png", [[75, 25], [0, 1200]], "Faces")
    expected = ["75", "75.0 %", "25", "25.0 %", "0", "0.0 %", "1,200", "100 %"]
    assert texts_of(drawn[0].axes[0]) == expected


def test_a_label_without_faces_has_no_share(tmp_path: Path, drawn: list[Any]) -> None:
    plot_confusion(tmp_path / "plot.png", [[5, 0], [0, 0]], "Faces")
    assert texts_of(drawn[0].axes[0])[4:] == ["0", "0.0 %", "0", "0.0 %"]


def test_calibration_shows_the_share_that_is_right_and_the_count(
    tmp_path: Path, drawn: list[Any]
) -> None:
    plot_calibration(tmp_path / "plot.png", SCORES, RIGHT)
    upper, lower = drawn[0].axes
    bars = {round(bar.get_x() + bar.get_width() / 2, 3): bar.get_height() for bar in upper.patches}
    assert bars == {0.525: 0.5, 0.975: 1.0}
    assert texts_of(lower) == ["2", "4"]


def test_precision_recall_tells_the_area_under_each_curve(tmp_path: Path, drawn: list[Any]) -> None:
    plot_precision_recall(tmp_path / "plot.png", CURVES)
    panels = drawn[0].axes
    assert [axes.get_title(loc="left") for axes in panels] == [
        "with mask, IoU 0.5",
        "without mask, IoU 0.5",
    ]
    assert [[text.get_text() for text in axes.get_legend().get_texts()] for axes in panels] == [
        ["haar: average precision 0.835", "yunet: average precision 0.835"],
        ["haar: average precision 0.000", "yunet: average precision 0.835"],
    ]


def test_recall_is_told_by_size_with_the_count_of_faces(tmp_path: Path, drawn: list[Any]) -> None:
    plot_recall_by_size(tmp_path / "plot.png", {"haar": RECALLS, "yunet": ALL_FOUND})
    axes = drawn[0].axes[0]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == [
        "12 to 15\n2 faces",
        "32 to 47\n1,234 faces",
        "256 and more\n3 faces",
    ]
    assert texts_of(axes) == ["0", "50", "100", "100", "100", "100"]
    assert axes.get_xlabel() == "shorter side of the face, pixels"
    assert [text.get_text() for text in drawn[0].legends[0].get_texts()] == ["haar", "yunet"]


def test_recall_by_size_says_which_faces_were_not_looked_for(
    tmp_path: Path, drawn: list[Any]
) -> None:
    plot_recall_by_size(tmp_path / "plot.png", {"haar": RECALLS}, smallest=24)
    assert drawn[0].axes[0].get_xlabel().endswith("; boxes of less than 24 were dropped")


@pytest.mark.parametrize("plot", PLOTS)
def test_a_full_disk_leaves_the_old_plot(plot: Callable[[Path], None], tmp_path: Path) -> None:
    path = tmp_path / "plot.png"
    path.write_bytes(b"old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, hard))
    try:
        with pytest.raises(OutputError, match=r"cannot write .*plot\.png: File too large"):
            plot(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["plot.png"]


def test_a_drawing_that_fails_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), drawing(tmp_path / "plot.png"):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_without_matplotlib_the_missing_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'maskwatch\[plot\]'"):
        plot_confusion(tmp_path / "plot.png", [[1, 0], [0, 1]], "Faces")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("share", "expected"),
    [(0.0, "0.0 %"), (0.5, "50.0 %"), (0.995, "99.5 %"), (0.9999, "99.9 %"), (1.0, "100 %")],
)
def test_shares_are_written_as_per_cent(share: float, expected: str) -> None:
    assert per_cent(share) == expected


@given(st.floats(0, 1, exclude_max=True))
def test_only_all_is_written_as_a_hundred_per_cent(share: float) -> None:
    assert not per_cent(share).startswith("100")


@pytest.mark.parametrize(
    ("share", "expected"), [(0.0, "0"), (0.001, "1"), (0.944, "94"), (0.999, "99"), (1.0, "100")]
)
def test_only_none_and_all_are_written_as_0_and_100(share: float, expected: str) -> None:
    assert whole_per_cent(share) == expected
