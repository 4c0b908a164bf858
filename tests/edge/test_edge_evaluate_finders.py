"""`maskwatch evaluate --frames` with several finders: the comparison, and the page about it."""

from __future__ import annotations

import html
import json
import subprocess
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.contract import WITH_MASK, WITHOUT_MASK
from maskwatch_edge.dataset import WORN_WRONG, LabelledFace, LabelledFrame
from maskwatch_edge.evaluate.difficult import with_difficult
from maskwatch_edge.evaluate.frames import Trial
from maskwatch_edge.evaluate.gallery import (
    ANNOTATED,
    FOUND,
    LIMIT,
    SIDE_PX,
    cut_out,
    room_around,
)
from maskwatch_edge.evaluate.mistakes import Mistake, What, mistakes_in, worst
from maskwatch_edge.evaluate.page import write_report
from maskwatch_edge.evaluate.tables import comparison
from maskwatch_edge.frame import Pixels
from maskwatch_edge.metrics import FrameScorer
from maskwatch_edge.pictures import read_picture, write_picture
from maskwatch_edge.verdict import Sighting, Verdict, decide

Maskwatch = Callable[..., subprocess.CompletedProcess[str]]
COLLINS = FaceBox(76, 66, 173, 162)


def annotate(folder: Path, name: str, pixels: Pixels, label: str, box: FaceBox) -> None:
    """Write a frame with one face and its Pascal VOC annotation."""
    (folder / "annotations").mkdir(parents=True, exist_ok=True)
    write_picture(folder / "images" / f"{name}.png", pixels)
    edges = zip(("xmin", "ymin", "xmax", "ymax"), box.xyxy, strict=True)
    bndbox = "".join(f"<{edge}>{value}</{edge}>" for edge, value in edges)
    item = f"<object><name>{label}</name><bndbox>{bndbox}</bndbox></object>"
    (folder / "annotations" / f"{name}.xml").write_text(f"<annotation>{item}</annotation>")


@pytest.fixture
def frames(tmp_path: Path, masked_portrait: Pixels, bare_portrait: Pixels) -> Path:
    """Write two frames with a face that every finder sees: a miss and a false alarm each."""
    annotate(tmp_path / "set", "masked", masked_portrait, "with_mask", COLLINS)
    annotate(tmp_path / "set", "bare", bare_portrait, "without_mask", FaceBox(0, 150, 60, 230))
    return tmp_path / "set"


def test_every_finder_that_was_asked_for_is_in_one_table(
    maskwatch: Maskwatch, tiny_model: Path, frames: Path, yunet: Path, tmp_path: Path
) -> None:
    words = ("evaluate", tiny_model, "--frames", frames, "--finder-model", yunet, "--json", "j")
    result = maskwatch(*words, "--finder", "yunet", "--finder", "haar")
    assert result.returncode == 0, result.stderr
    lines = [line.split() for line in result.stdout.splitlines()]
    place = lines.index(["yunet", "haar"])
    assert [line[0] for line in lines[place + 1 : place + 4]] == ["mAP50", "AP50", "AP50"]
    assert ["masked:", "found", "100.0%", "100.0%"] in lines[place:]
    assert ["unmasked:", "found", "0.0%", "0.0%"] in lines[place:]
    assert lines[-1][:4] == ["median", "ms", "a", "frame"]
    assert lines[0] == ["finder", "yunet"], "the tables of each finder come first"
    written = json.loads((tmp_path / "j").read_text())
    assert list(written["finders"]) == ["yunet", "haar"]
    assert written["unavailable"] == {}


def test_a_finder_that_is_not_there_is_left_out_of_all_with_the_reason(
    maskwatch: Maskwatch, tiny_model: Path, frames: Path, tmp_path: Path
) -> None:
    words = ("evaluate", tiny_model, "--frames", frames, "--finder-model", "no.onnx")
    result = maskwatch(*words, "--finder", "all", "--json", "j")
    assert result.returncode == 0
    assert result.stderr.startswith("maskwatch evaluate: left out: yunet: there is no YuNet file")
    written = json.loads((tmp_path / "j").read_text())
    assert list(written["finders"]) == ["tflite", "tflite-small", "haar"]
    assert "maskwatch models get yunet" in written["unavailable"]["yunet"]


@pytest.mark.parametrize("finders", [["yunet"], ["all", "yunet"]])
def test_a_finder_that_is_not_there_is_an_error_if_it_was_named(
    maskwatch: Maskwatch, tiny_model: Path, frames: Path, finders: list[str]
) -> None:
    words = ("evaluate", tiny_model, "--frames", frames, "--finder-model", "no.onnx")
    result = maskwatch(*words, *(word for name in finders for word in ("--finder", name)))
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr.startswith("maskwatch evaluate: error: there is no YuNet file no.onnx")


def test_an_option_out_of_its_range_is_an_error_for_all_finders_too(
    maskwatch: Maskwatch, tiny_model: Path, frames: Path
) -> None:
    words = ("evaluate", tiny_model, "--frames", frames, "--work-size", "5")
    result = maskwatch(*words, "--finder", "all")
    assert result.returncode == 1
    assert "work_size_px: expected a whole number from 64 to 4096; received 5" in result.stderr


def test_a_file_of_one_finder_is_not_given_to_the_others(
    maskwatch: Maskwatch, tiny_model: Path, frames: Path, tmp_path: Path
) -> None:
    words = ("evaluate", tiny_model, "--frames", frames, "--finder-model", "no.tflite")
    result = maskwatch(*words, "--finder", "all", "--json", "j")
    assert result.returncode == 0, result.stderr
    unavailable = json.loads((tmp_path / "j").read_text())["unavailable"]
    assert "no.tflite" in unavailable.pop("tflite")
    assert "no.tflite" not in str(unavailable)


def test_a_kind_of_faces_that_is_not_there_has_no_row() -> None:
    scorer = FrameScorer()
    scorer.add([face(0, WORN_WRONG)], [])
    figures = {"haar": scorer.result() | {"median_ms_per_frame": 1.25}}
    rows = dict(comparison(figures))
    assert "masked: found" not in rows
    assert rows["mask worn wrong: found"] == ["0.0%"]
    assert rows["median ms a frame"] == ["1.2"]


# --- mistakes


def face(x: int, label: str = WITH_MASK, size: int = 40) -> LabelledFace:
    """Annotate a face; its picture is "a.png"."""
    worn_wrong = label == WORN_WRONG
    known = WITHOUT_MASK if worn_wrong else label
    box = FaceBox(x, 0, x + size, size)
    return LabelledFace(Path("a.png"), known, "frames", box=box, worn_wrong=worn_wrong)


def seen(x: int, label: str = WITH_MASK, score: float = 0.9, size: int = 40) -> Sighting:
    verdict = Verdict(label, score)
    return Sighting(FaceBox(x, 0, x + size, size, 0.7), verdict, decide(verdict, 0.8))


@pytest.mark.parametrize(
    ("faces", "sightings", "expected"),
    [
        ([], [], []),
        ([face(0)], [seen(0)], []),  # right
        ([face(0)], [seen(0, WITHOUT_MASK, 0.6)], []),  # unsure is no mistake
        ([face(0)], [seen(0, WITHOUT_MASK)], [(What.WRONG, WITH_MASK, "no_mask", 0.9)]),
        ([face(0, WORN_WRONG)], [seen(0)], [(What.WRONG, WORN_WRONG, "mask", 0.9)]),
        ([face(0, WORN_WRONG)], [seen(0, WITHOUT_MASK)], []),
        ([face(0)], [], [(What.MISS, WITH_MASK, "", 40)]),
        ([], [seen(0)], [(What.FALSE_ALARM, "", "mask", 0.7)]),
        # What is smaller than 32 px is neither asked for nor held against anybody.
        ([face(0, size=31)], [seen(100, size=31)], []),
        ([face(0, size=31)], [seen(0, WITHOUT_MASK, size=31)], []),
    ],
)
def test_mistakes_are_told_by_what_went_wrong(
    faces: list[LabelledFace],
    sightings: list[Sighting],
    expected: list[tuple[What, str, str, float]],
) -> None:
    found = mistakes_in(LabelledFrame(Path("a.png"), tuple(faces)), sightings, 32)
    assert [(one.what, one.kind, one.said, one.weight) for one in found] == expected


def test_to_find_a_difficult_face_is_no_mistake_nor_is_not_to() -> None:
    box = face(100).box
    assert box is not None
    frame = LabelledFrame(Path("a.png"), (face(0),), (box,))
    assert list(mistakes_in(frame, [seen(0), seen(100, WITHOUT_MASK)], 32)) == []
    assert list(mistakes_in(frame, [seen(0)], 32)) == []
    assert [one.what for one in mistakes_in(frame, [seen(0), seen(130)], 32)] == [What.FALSE_ALARM]


def test_only_the_worst_mistakes_are_shown_and_the_others_counted() -> None:
    box = FaceBox(0, 0, 9, 9)
    made = [Mistake(What.MISS, Path("a"), box, "", "", size) for size in (40, 90, 33, 60)]
    shown, left_out = worst(made, What.MISS, 2)
    assert [one.weight for one in shown] == [90, 60]
    assert left_out == 2
    assert worst(made, What.WRONG, 2) == ([], 0)


@pytest.mark.parametrize(
    ("faces", "sightings", "expected"),
    [
        ([face(0)], [], [0.0]),
        # A box that lies beside its face is a miss and a false alarm, and both say how far.
        ([face(0)], [seen(20)], [1 / 3, 1 / 3]),
        # A second box on a face that has one.
        ([face(0)], [seen(0), seen(0)], [1.0]),
    ],
)
def test_a_mistake_tells_how_near_the_other_side_was(
    faces: list[LabelledFace], sightings: list[Sighting], expected: list[float]
) -> None:
    found = mistakes_in(LabelledFrame(Path("a.png"), tuple(faces)), sightings, 32)
    assert [one.overlap for one in found] == pytest.approx(expected)


BOXES = [
    FaceBox(40, 30, 80, 80),
    FaceBox(0, 0, 100, 80),  # the whole picture
    FaceBox(-20, -20, 10, 10),  # reaches over the edge
    FaceBox(99, 79, 100, 80),  # a single pixel
]


@pytest.mark.parametrize("box", BOXES)
def test_a_cut_out_mistake_has_one_size_and_both_boxes_drawn(box: FaceBox) -> None:
    beside = FaceBox(box.x1 - 1, box.y1 - 1, box.x2 - 1, box.y2 - 1, 0.7)
    miss = Mistake(What.MISS, Path("a"), box, "", "", 40, (box,), (beside,))
    picture = cut_out(np.zeros((80, 100, 3), dtype=np.uint8), miss)
    assert max(picture.shape[:2]) == SIDE_PX
    assert {ANNOTATED, FOUND} <= set(map(tuple, picture.reshape(-1, 3).tolist()))


@st.composite
def boxes_and_frames(draw: st.DrawFn) -> tuple[FaceBox, tuple[int, int]]:
    """Draw a frame's size and a box of which at least a part is inside."""
    width, height = draw(st.integers(1, 200)), draw(st.integers(1, 200))
    x1, y1 = draw(st.integers(-50, width - 1)), draw(st.integers(-50, height - 1))
    x2, y2 = draw(st.integers(max(x1, 0) + 1, 250)), draw(st.integers(max(y1, 0) + 1, 250))
    return FaceBox(x1, y1, x2, y2), (width, height)


@given(boxes_and_frames())
def test_the_room_around_a_face_holds_what_is_seen_of_it(
    drawn: tuple[FaceBox, tuple[int, int]],
) -> None:
    box, (width, height) = drawn
    room, part = room_around(box, (width, height)), box.clipped(width, height)
    assert part is not None
    assert room.clipped(width, height) == room
    assert room.x1 <= part.x1 < part.x2 <= room.x2
    assert room.y1 <= part.y1 < part.y2 <= room.y2
    assert room.width == room.height or room.width == width or room.height == height


# --- the page


class Page(HTMLParser):
    """Reads a page back: its pictures, and all its text."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.pictures: list[dict[str, str | None]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self.pictures.append(dict(attrs))
        elif tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def report(folder: Path, source: Path, sightings: int) -> Page:
    """Write a report of a finder that saw so many false alarms in one picture."""
    trial = Trial(None, FrameScorer(), seconds=[0.01])  # type: ignore[arg-type]
    frame = LabelledFrame(source, ())
    alarms = [seen(2 * place, size=50) for place in range(sightings)]
    trial.scorer.add([face(400), face(500, size=12)], alarms)
    trial.mistakes += mistakes_in(frame, alarms, 32)
    return Page(write_report(folder, "a & b", {"haar": trial}, {"yunet": "no <file>"}))


def test_the_page_shows_figures_plots_and_mistakes(
    maskwatch: Maskwatch, tiny_model: Path, frames: Path, tmp_path: Path
) -> None:
    pytest.importorskip("matplotlib", reason="plots need matplotlib, of the extra plot")
    result = maskwatch("evaluate", tiny_model, "--frames", frames, "--report", "out")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.splitlines()[-1] == f"wrote {Path('out', 'index.html')}"
    page = Page(tmp_path / "out" / "index.html")
    assert page.open == []
    for words in ("tiny-int8.tflite on set", "mAP50", "tflite: 1 miss", "tflite: 1 false alarm"):
        assert words in page.text
    assert {picture["src"] for picture in page.pictures} == {
        path.name for path in (tmp_path / "out").glob("*.png")
    }
    assert all(picture["alt"] for picture in page.pictures)


def test_false_alarms_are_listed_as_the_option_takes_them(tmp_path: Path, portrait: Pixels) -> None:
    source = tmp_path / "a.png"
    write_picture(source, portrait)
    page = report(tmp_path / "out", source, LIMIT + 4)
    listed = tmp_path / "out" / "haar-false-alarms.txt"
    assert listed.name in page.text
    assert len(listed.read_text().splitlines()) == LIMIT + 4
    (frame,) = with_difficult([LabelledFrame(source, ())], listed)
    alarms = [seen(2 * place, size=50) for place in range(LIMIT + 4)]
    assert set(frame.difficult) == {FaceBox(*alarm.box.xyxy) for alarm in alarms}
    assert list(mistakes_in(frame, alarms, 32)) == []


def test_without_false_alarms_there_is_no_list(tmp_path: Path, portrait: Pixels) -> None:
    write_picture(tmp_path / "a.png", portrait)
    page = report(tmp_path / "out", tmp_path / "a.png", 0)
    assert "haar-false-alarms.txt" not in page.text
    assert list((tmp_path / "out").glob("*.txt")) == []


def test_the_page_says_what_was_measured_and_how(tmp_path: Path, portrait: Pixels) -> None:
    write_picture(tmp_path / "a.png", portrait)
    page = report(tmp_path / "out", tmp_path / "a.png", 1)
    for words in (
        "looked at 1 frame in which",
        "1 annotated face of 32 px and more: 1 masked.",
        "the finder scores below 0.4; a verdict that the model scores below 0.8 is unsure.",
        "Boxes of less than 24 px were dropped; --smallest-face 12 looks for all.",
        "OpenCV's Haar cascade",
        "Left out: no <file>",
        "their IoU",
        "called mask, face score 0.70",
        "no annotated face there",
    ):
        assert words in page.text
    assert "Groups" not in page.text


def test_the_page_tells_groups_of_faces(tmp_path: Path) -> None:
    trial = Trial(None, FrameScorer(groups={"<profile>": [face(0)]}))  # type: ignore[arg-type]
    trial.seconds.append(0.01)
    trial.scorer.add([face(0)], [seen(0)])
    page = Page(write_report(tmp_path, "a", {"haar": trial}, {}))
    for words in ("Groups of faces", "<profile>", "haar: found", "1 (100%)"):
        assert words in page.text


def test_a_name_that_looks_like_html_is_shown_as_it_is(tmp_path: Path, portrait: Pixels) -> None:
    source = tmp_path / "<b onload='x'>&amp;\".png"
    write_picture(source, portrait)
    page = report(tmp_path / "out", source, 1)
    assert page.open == []
    assert source.name in page.text
    assert "a & b" in page.text
    assert "no <file>" in page.text
    raw = (tmp_path / "out" / "index.html").read_text()
    assert html.escape(source.name) in raw
    assert "<b " not in raw


def test_a_name_that_is_not_utf_8_does_not_stop_the_page(tmp_path: Path, portrait: Pixels) -> None:
    source = tmp_path / "caf\udce9.png"
    write_picture(source, portrait)
    assert "caf?.png" in report(tmp_path / "out", source, 1).text


def test_the_page_tells_how_many_mistakes_it_leaves_out(tmp_path: Path, portrait: Pixels) -> None:
    write_picture(tmp_path / "a.png", portrait)
    page = report(tmp_path / "out", tmp_path / "a.png", LIMIT + 3)
    shown = [picture["src"] or "" for picture in page.pictures if "alarm" in str(picture["src"])]
    assert len(shown) == LIMIT
    assert "3 more are not shown." in page.text
    assert all(read_picture(tmp_path / "out" / unquote(name)).size for name in shown)
