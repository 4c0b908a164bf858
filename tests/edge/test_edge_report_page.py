"""The page of `maskwatch evaluate --report`, opened in a real Chromium."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from maskwatch_edge.dataset import read_faces
from maskwatch_edge.frame import Pixels
from maskwatch_edge.pictures import write_picture

from .chromium import DESKTOP_WIDTH, PHONE_WIDTH, TOO_WIDE, Chromium

MISSING_PICTURES = """
[...document.images].filter(image => !image.complete || !image.naturalWidth)
    .map(image => image.getAttribute("src"))"""


@pytest.fixture
def report(
    tmp_path: Path,
    maskwatch: Callable[..., subprocess.CompletedProcess[str]],
    tiny_model: Path,
    masked_portrait: Pixels,
) -> Path:
    """Write the report of a frame with a long name: a miss and a false alarm."""
    name = "a-frame-with-a-name-that-is-longer-than-a-phone-is-wide-" * 2
    box = "<bndbox><xmin>0</xmin><ymin>150</ymin><xmax>60</xmax><ymax>230</ymax></bndbox>"
    item = f"<annotation><object><name>with_mask</name>{box}</object></annotation>"
    (tmp_path / "set" / "annotations").mkdir(parents=True)
    (tmp_path / "set" / "annotations" / f"{name}.xml").write_text(item)
    write_picture(tmp_path / "set" / "images" / f"{name}.png", masked_portrait)
    group = tmp_path / "a-group-with-a-long-name.txt"
    group.write_text(read_faces(tmp_path / "set")[0].identity)
    words = ("--frames", "set", "--finder", "all", "--finder-model", "no.onnx", "--report", "out")
    result = maskwatch("evaluate", tiny_model, *words, "--groups", group)
    assert result.returncode == 0, result.stderr
    return tmp_path / "out" / "index.html"


@pytest.mark.parametrize("width", [PHONE_WIDTH, DESKTOP_WIDTH])
def test_the_page_is_whole_and_fits_the_screen(
    chromium: Chromium, report: Path, width: int
) -> None:
    chromium.open(report.as_uri(), width)
    assert chromium.complaints() == []
    assert chromium.value_of("document.images.length") >= 4  # a miss and an alarm by two finders
    assert chromium.value_of(MISSING_PICTURES) == []
    assert chromium.value_of(TOO_WIDE) == []
    assert chromium.value_of("document.documentElement.scrollWidth") <= width


def test_every_link_of_the_page_leads_to_something(chromium: Chromium, report: Path) -> None:
    chromium.open(report.as_uri(), DESKTOP_WIDTH)
    links = chromium.value_of("[...document.links].map(link => link.getAttribute('href'))")
    places = chromium.value_of("[...document.querySelectorAll('[id]')].map(one => '#' + one.id)")
    files = [path.name for path in report.parent.iterdir()]
    assert len(links) >= 6
    assert set(links) <= {*places, *files}


def test_the_browser_would_tell_what_is_wrong_with_a_page(
    chromium: Chromium, tmp_path: Path
) -> None:
    page = tmp_path / "index.html"
    page.write_text(
        '<!DOCTYPE html><img src="no.png"><p style="width: 400px">wide</p>'
        '<div class="wide" style="overflow-x: auto"><table style="width: 400px"></table></div>'
        '<script>console.error("oh")</script>'
    )
    chromium.open(page.as_uri(), PHONE_WIDTH)
    assert "oh" in "".join(chromium.complaints())
    assert chromium.value_of(MISSING_PICTURES) == ["no.png"]
    assert chromium.value_of(TOO_WIDE) == ["p"]
    assert chromium.value_of("document.documentElement.scrollWidth") > PHONE_WIDTH
