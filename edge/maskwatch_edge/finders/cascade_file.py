"""Checks the file of a Haar cascade: OpenCV follows its numbers unseen, and may crash."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import numpy.typing as npt

from maskwatch_edge.files import read_at_most

Floats = npt.NDArray[np.float64]

MAX_BYTES = 16 * 1024 * 1024
"""OpenCV's own largest cascade has three."""

MAX_SIDE = 1000
"""Of the window, in pixels."""


def check_cascade(path: Path) -> None:
    """Check that every number leads to something that is there.

    Raises:
        OSError: If the file cannot be read, or is too large.
        ValueError: If it is no such cascade, or a broken one.
    """
    try:
        root = ElementTree.fromstring(read_at_most(path, MAX_BYTES))  # noqa: S314
    except (ElementTree.ParseError, LookupError) as error:
        raise ValueError(str(error)) from error
    cascade = root.find("*")
    if cascade is None or cascade.findtext("stageType") != "BOOST":
        raise ValueError("no cascade of OpenCV 2.4 or newer")
    _expect(cascade.findtext("featureType") == "HAAR")
    _expect(int(cascade.findtext("featureParams/maxCatCount", "0")) == 0)
    width, height = (int(cascade.findtext(side, "0")) for side in ("width", "height"))
    _expect(0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE)
    features = cascade.findall("features/_")
    for feature in features:
        _check_feature(feature, width, height)
    for tree in cascade.iterfind("stages/_/weakClassifiers/_"):
        _check_tree(tree, len(features))


def _check_feature(feature: ElementTree.Element, width: int, height: int) -> None:
    """Check that its one to three rectangles lie in the window, which the tilted ones hang in."""
    rectangles = [_numbers(item.text) for item in feature.iterfind("rects/_")]
    _expect(1 <= len(rectangles) <= 3 and all(len(one) == 5 for one in rectangles))
    for x, y, w, h, _ in rectangles:
        left, right, lower = x, x + w, y + h
        if int(feature.findtext("tilted", "0")):
            left, lower = x - h, y + w + h
        _expect(w > 0 and h > 0 and min(left, y) >= 0 and right <= width and lower <= height)


def _check_tree(tree: ElementTree.Element, features: int) -> None:
    """Check that each node leads to a later node or to a leaf, and asks for a known feature."""
    nodes = _numbers(tree.findtext("internalNodes")).reshape(-1, 4)
    leaves = len(_numbers(tree.findtext("leafValues")))
    _expect(len(nodes) > 0 and leaves == len(nodes) + 1)
    ways, own = nodes[:, :2], np.arange(len(nodes))[:, np.newaxis]
    is_node = (ways > own) & (ways < len(nodes))
    is_leaf = (ways <= 0) & (ways > -leaves)
    _expect(bool(np.all(is_node | is_leaf)))
    _expect(bool(np.all((nodes[:, 2] >= 0) & (nodes[:, 2] < features))))


def _numbers(text: str | None) -> Floats:
    numbers = np.array([float(word) for word in (text or "").split()])
    _expect(bool(np.all(np.isfinite(numbers))))
    return numbers


def _expect(is_so: bool) -> None:
    if not is_so:
        raise ValueError("it does not hold together")
