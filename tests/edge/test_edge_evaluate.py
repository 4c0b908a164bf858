"""`maskwatch evaluate`, on painted data sets that the tiny model knows by their colour."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maskwatch_edge.__main__ import main
from maskwatch_edge.dataset import content_digest, read_faces
from maskwatch_edge.errors import InputError
from maskwatch_edge.evaluate.conditions import Conditions
from maskwatch_edge.evaluate.frames import print_trials, try_finders
from maskwatch_edge.evaluate.groups import Groups
from maskwatch_edge.evaluate.selection import Selection
from maskwatch_edge.frame import Pixels
from maskwatch_edge.pictures import write_picture
from maskwatch_edge.pipeline import Watcher

GREEN, RED, GREY = (60, 200, 60), (200, 60, 60), (128, 128, 128)
Colour = tuple[int, int, int]
Object = tuple[str, tuple[int, int, int, int]]


def paint(path: Path, colour: Colour) -> None:
    """Write a face; every path gets another picture, as faces are known by their content."""
    shade = sum(str(path).encode()) % 50
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full((40, 40, 3), colour, dtype=np.uint8)
    pixels[0, 0] = shade
    write_picture(path, pixels)


def annotate_frame(folder: Path, name: str, pixels: Pixels, objects: list[Object]) -> None:
    """Write a frame and its Pascal VOC annotation."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    (folder / "annotations").mkdir(exist_ok=True)
    write_picture(folder / "images" / f"{name}.png", pixels)
    items = "".join(
        f"<object><name>{label}</name><bndbox><xmin>{x1}</xmin><ymin>{y1}</ymin>"
        f"<xmax>{x2}</xmax><ymax>{y2}</ymax></bndbox></object>"
        for label, (x1, y1, x2, y2) in objects
    )
    xml = f"<annotation>{items}</annotation>"
    (folder / "annotations" / f"{name}.xml").write_text(xml)


def street(*faces: tuple[Colour, tuple[int, int, int, int]]) -> Pixels:
    """Paint faces on a grey frame of 320x240."""
    pixels = np.full((240, 320, 3), GREY, dtype=np.uint8)
    for colour, (x1, y1, x2, y2) in faces:
        pixels[y1:y2, x1:x2] = colour
    return pixels


LEFT, MIDDLE = (10, 20, 70, 90), (100, 20, 160, 90)
RIGHT, SMALL = (200, 20, 300, 120), (10, 200, 30, 220)


@pytest.fixture
def frames(tmp_path: Path) -> Path:
    """Paint two frames of which each figure can be counted by hand."""
    folder = tmp_path / "frames"
    annotate_frame(
        folder,
        "first",
        street((GREEN, LEFT), (GREEN, MIDDLE), (RED, RIGHT), (RED, SMALL)),
        [
            ("with_mask", LEFT),  # right
            ("without_mask", MIDDLE),  # wrong: it looks green
            ("mask_weared_incorrect", RIGHT),  # right: it is flagged
            ("without_mask", SMALL),  # too small to count
        ],
    )
    annotate_frame(
        folder,
        "second",
        street((RED, LEFT), (GREEN, RIGHT)),
        [
            ("without_mask", LEFT),  # right
            ("with_mask", MIDDLE),  # missed: it is grey
            # the patch on the right is a false alarm
        ],
    )
    return folder


@pytest.fixture
def crops(tmp_path: Path) -> Path:
    """Paint the layout with two folders: one face of four is not what its folder says."""
    folder = tmp_path / "crops"
    paint(folder / "with_mask" / "a.png", GREEN)
    paint(folder / "with_mask" / "b.png", GREEN)
    paint(folder / "without_mask" / "c.png", RED)
    paint(folder / "without_mask" / "d.png", GREEN)
    return folder


@pytest.fixture
def kaggle(tmp_path: Path) -> Path:
    """Paint the layout of the Kaggle set: the Test split is wrong in every face."""
    folder = tmp_path / "kaggle"
    for split, masked, bare in (("Train", GREEN, RED), ("Test", RED, GREEN)):
        paint(folder / split / "WithMask" / "a.png", masked)
        paint(folder / split / "WithoutMask" / "b.png", bare)
    return folder


@pytest.fixture
def without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pretend that matplotlib is not installed; that also saves the time to draw."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)


@pytest.fixture
def evaluate(
    tmp_path: Path, tiny_model: Path, without_matplotlib: None
) -> Callable[..., dict[str, Any]]:
    """Give a function that runs the command and returns the figures that it wrote."""

    def run(*arguments: str | Path) -> dict[str, Any]:
        output = tmp_path / "figures" / "scores.json"
        words = ["evaluate", tiny_model, *arguments, "--json", output]
        assert main([str(word) for word in words]) == 0
        figures: dict[str, Any] = json.loads(output.read_text())
        return figures

    return run


Evaluate = Callable[..., dict[str, Any]]


def test_faces_in_folders_are_counted_by_label(
    evaluate: Evaluate, crops: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = evaluate("--crops", crops)
    assert figures["faces"] == 4
    assert figures["accuracy"] == 0.75
    assert figures["confusion"] == [[2, 0], [1, 1]]
    assert figures["labels"]["with_mask"] == {"faces": 2, "right": 2, "accuracy": 1.0}
    assert figures["labels"]["without_mask"] == {"faces": 2, "right": 1, "accuracy": 0.5}
    assert 0.2 < figures["calibration_error"] < 0.3  # certain, and wrong once in four
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["with_mask", "2", "2", "100.00%"] in lines
    assert ["without_mask", "2", "1", "50.00%"] in lines
    assert ["all", "4", "3", "75.00%"] in lines


@pytest.mark.parametrize(
    ("split", "faces", "accuracy"), [(None, 4, 0.5), ("Train", 2, 1.0), ("Test", 2, 0.0)]
)
def test_one_published_split_can_be_measured_alone(
    evaluate: Evaluate, kaggle: Path, split: str | None, faces: int, accuracy: float
) -> None:
    figures = evaluate("--crops", kaggle, *(["--split", split] if split else []))
    assert (figures["faces"], figures["accuracy"]) == (faces, accuracy)


def test_annotated_faces_are_cut_out_and_told_apart_by_kind(
    evaluate: Evaluate, frames: Path
) -> None:
    figures = evaluate("--crops", frames)
    assert figures["faces"] == 5  # of six, one is small
    assert figures["kinds"]["mask_weared_incorrect"]["accuracy"] == 1.0
    assert figures["kinds"]["without_mask"] == {"faces": 2, "right": 1, "accuracy": 0.5}
    assert evaluate("--crops", frames, "--min-face-size", "10")["faces"] == 6


def test_only_held_out_faces_are_measured(evaluate: Evaluate, crops: Path) -> None:
    names = [face.identity for face in read_faces(crops) if face.path.name in ("a.png", "d.png")]
    (crops.parent / "held_out.txt").write_text("\n".join(names) + "\n")
    figures = evaluate("--crops", crops, "--held-out", crops.parent / "held_out.txt")
    assert figures["confusion"] == [[1, 0], [1, 0]]


def test_faces_of_a_group_are_counted_apart(
    evaluate: Evaluate, crops: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [face.identity for face in read_faces(crops) if face.path.name in ("a.png", "d.png")]
    (crops.parent / "green.txt").write_text("\n".join(names))
    figures = evaluate("--crops", crops, "--groups", crops.parent / "green.txt")
    assert figures["groups"] == {"green": {"faces": 2, "right": 1, "accuracy": 0.5}}
    assert figures["faces"] == 4
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["green", "2", "1", "50.00%"] in lines


def test_a_broken_face_is_named_and_skipped(
    evaluate: Evaluate, crops: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (crops / "with_mask" / "e.jpg").write_text("not a picture")
    (crops / "with_mask" / "f.jpg").symlink_to("nowhere.jpg")
    (crops.parent / "held_out.txt").write_text(
        "\n".join(f.identity for f in read_faces(crops) if f.path.suffix == ".png")
    )
    assert evaluate("--crops", crops)["faces"] == 4
    skipped = [line for line in capsys.readouterr().err.splitlines() if "skipped" in line]
    assert len(skipped) == 2
    assert all(line.startswith("maskwatch evaluate: skipped: ") for line in skipped)
    assert "e.jpg" in skipped[0]
    assert "f.jpg" in skipped[1]
    # A file that cannot be read has no identity to look up, either.
    assert evaluate("--crops", crops, "--held-out", crops.parent / "held_out.txt")["faces"] == 4


def test_a_box_outside_its_picture_is_named_and_skipped(
    evaluate: Evaluate, frames: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outside = (1000, 1000, 1100, 1100)
    annotate_frame(frames, "third", street((RED, LEFT)), [("with_mask", outside)])
    assert evaluate("--crops", frames)["faces"] == 5
    err = capsys.readouterr().err
    assert "third.png: the box (1000, 1000, 1100, 1100) lies outside the frame" in err


EXPECTED_OUTCOMES = {
    "with_mask": {"faces": 2, "right": 1, "unsure": 0, "wrong": 0, "missed": 1},
    "without_mask": {"faces": 2, "right": 1, "unsure": 0, "wrong": 1, "missed": 0},
    "mask_weared_incorrect": {"faces": 1, "right": 1, "unsure": 0, "wrong": 0, "missed": 0},
}


def measure(watcher: Watcher, folder: Path, selection: Selection) -> dict[str, Any]:
    """Measure one finder, and return what it is printed from."""
    return print_trials(try_finders({"patches": watcher}, folder, selection))["patches"]


def test_frames_are_measured_with_finder_and_model_together(
    watcher: Watcher, frames: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = measure(watcher, frames, Selection(32))
    assert figures["frames"] == 2
    assert figures["faces"] == 5
    assert figures["outcomes"] == EXPECTED_OUTCOMES
    assert figures["recall"] == pytest.approx(4 / 5)
    assert figures["recall_by_size"] == {
        "16": {"faces": 1, "recall": 1.0},  # too small for the other figures
        "48": {"faces": 4, "recall": 0.75},
        "96": {"faces": 1, "recall": 1.0},
    }
    assert figures["false_alarms_per_frame"] == 0.5
    # The false alarm on the right is the largest patch, and so ranks before the one hit.
    assert figures["average_precision"]["without_mask"] == pytest.approx(1 / 2)
    assert figures["average_precision"]["with_mask"] == pytest.approx(1 / 2 * 1 / 2)
    assert figures["map50"] == pytest.approx(3 / 8)
    assert figures["median_ms_per_frame"] > 0
    json.dumps(figures)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["with_mask", "2", "50.0%", "0.0%", "0.0%", "50.0%"] in lines
    assert ["mask_weared_incorrect", "1", "100.0%", "0.0%", "0.0%", "0.0%"] in lines
    assert ["false", "alarms", "a", "frame", "0.50"] in lines


@pytest.mark.parametrize(("smallest", "is_said"), [(17, True), (16, False), (12, False)])
def test_recall_by_size_says_which_faces_were_not_looked_for(
    watcher: Watcher,
    frames: Path,
    smallest: int,
    is_said: bool,
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_trials(try_finders({"a": watcher}, frames, Selection(32), Conditions(smallest)))
    assert (f"Boxes of less than {smallest} px were dropped" in capsys.readouterr().out) is is_said


def test_the_json_says_under_which_conditions_was_measured(
    evaluate: Evaluate, frames: Path
) -> None:
    words = ("--min-face-score", "0.3", "--min-score", "0.7", "--smallest-face", "12")
    figures = evaluate("--frames", frames, "--finder", "haar", *words)["finders"]["haar"]
    assert figures["conditions"] == {
        "smallest_face_px": 12,
        "min_face_score": 0.3,
        "min_score": 0.7,
        "held_out": "",
        "difficult": "",
    }


def listed(picture: Path, box: tuple[int, ...]) -> str:
    """Name a face as the lists do."""
    return f"{content_digest(picture)}:{','.join(map(str, box))}\n"


def test_what_a_list_calls_difficult_is_no_false_alarm(
    watcher: Watcher, frames: Path, tmp_path: Path
) -> None:
    file = tmp_path / "difficult.txt"
    file.write_text(listed(frames / "images" / "second.png", RIGHT))
    (frames / "images" / "broken.png").write_text("not a picture")
    (frames / "annotations" / "broken.xml").write_text("<annotation/>")
    trials = try_finders({"patches": watcher}, frames, Selection(32), difficult=file)
    figures = print_trials(trials)["patches"]
    assert figures["outcomes"] == EXPECTED_OUTCOMES
    assert figures["false_alarms_per_frame"] == 0.0
    assert figures["average_precision"]["without_mask"] == pytest.approx(1 / 2)
    assert figures["average_precision"]["with_mask"] == pytest.approx(1 / 2)  # it ranks first now


def test_the_command_says_what_it_took_for_difficult(
    evaluate: Evaluate, frames: Path, tmp_path: Path
) -> None:
    file = tmp_path / "difficult.txt"
    file.write_text(listed(frames / "images" / "second.png", RIGHT))
    words = ("--finder", "haar", "--difficult", file, "--report", tmp_path / "page")
    figures = evaluate("--frames", frames, *words)["finders"]["haar"]
    assert figures["conditions"]["difficult"] == str(file)
    page = (tmp_path / "page" / "index.html").read_text()
    assert f"To find a face that {file} names is no false alarm." in page


def test_groups_of_faces_in_frames_are_told_apart(
    evaluate: Evaluate, frames: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who is small or in a frame that is not held out counts in no group."""
    faces = read_faces(frames)
    (tmp_path / "all.txt").write_text("\n".join(face.identity for face in faces))
    (tmp_path / "one.txt").write_text(faces[0].identity)
    (tmp_path / "held_out.txt").write_text(faces[0].identity)
    words = ("--groups", tmp_path / "all.txt", tmp_path / "one.txt", "--finder", "haar")
    held_out = ("--held-out", tmp_path / "held_out.txt")
    groups = evaluate("--frames", frames, *words)["finders"]["haar"]["groups"]
    assert {name: row["faces"] for name, row in groups.items()} == {"all": 5, "one": 1}
    figures = evaluate("--frames", frames, *words, *held_out)["finders"]["haar"]
    assert figures["groups"]["all"]["faces"] == figures["faces"] == 3
    assert ["group", "faces", "haar:", "found", "haar:", "right"] in [
        line.split() for line in capsys.readouterr().out.splitlines()
    ]


def test_a_frame_that_cannot_be_read_does_not_count_in_its_group(
    watcher: Watcher, frames: Path, tmp_path: Path
) -> None:
    (frames / "images" / "first.png").write_text("not a picture")
    first = next(face for face in read_faces(frames) if face.path.stem == "first")
    (tmp_path / "first.txt").write_text(first.identity)
    (tmp_path / "all.txt").write_text("\n".join(face.identity for face in read_faces(frames)))
    groups = Groups.read([tmp_path / "first.txt", tmp_path / "all.txt"])
    trials = try_finders({"patches": watcher}, frames, Selection(32), Conditions(), groups)
    rows = print_trials(trials)["patches"]["groups"]
    assert {name: row["faces"] for name, row in rows.items()} == {"first": 0, "all": 2}


def test_a_frame_is_held_out_with_all_its_faces(watcher: Watcher, frames: Path) -> None:
    name = next(f.identity for f in read_faces(frames) if f.path.stem == "second")
    selection = Selection(32, held_out=frozenset([name]))
    figures = measure(watcher, frames, selection)
    assert figures["frames"] == 1
    assert figures["faces"] == 2


def test_a_broken_frame_is_named_and_skipped(
    watcher: Watcher, frames: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (frames / "images" / "first.png").write_text("not a picture")
    assert measure(watcher, frames, Selection(32))["frames"] == 1
    err = capsys.readouterr().err
    assert "skipped: " in err
    assert "first.png is not a readable picture" in err


def test_the_command_measures_frames_with_the_haar_cascade(
    evaluate: Evaluate, tmp_path: Path, masked_portrait: Pixels
) -> None:
    face = (76, 66, 173, 162)
    annotate_frame(tmp_path / "set", "collins", masked_portrait, [("with_mask", face)])
    figures = evaluate("--frames", tmp_path / "set", "--finder", "haar")["finders"]["haar"]
    assert figures["outcomes"]["with_mask"]["right"] == 1
    assert figures["map50"] == pytest.approx(0.5)  # of two labels, one is not there
    assert figures["false_alarms_per_frame"] == 0.0


@pytest.mark.parametrize(
    ("what", "plots"),
    [
        ("crops", ["scores-calibration.png", "scores-confusion.png"]),
        ("frames", ["scores-precision-recall.png", "scores-recall-by-size.png"]),
    ],
)
def test_plots_are_written_beside_the_json(
    tiny_model: Path,
    tmp_path: Path,
    frames: Path,
    crops: Path,
    what: str,
    plots: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip("matplotlib", reason="plots need matplotlib, of the extra plot")
    data, output = str(frames if what == "frames" else crops), str(tmp_path / "out" / "scores.json")
    assert main(["evaluate", str(tiny_model), f"--{what}", data, "--json", output]) == 0
    written = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert written == sorted([*plots, "scores.json"])
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("what", ["crops", "frames"])
def test_without_matplotlib_one_line_says_what_to_install_and_the_figures_are_written(
    evaluate: Evaluate,
    tmp_path: Path,
    frames: Path,
    crops: Path,
    what: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    evaluate(f"--{what}", frames if what == "frames" else crops)
    assert [path.name for path in (tmp_path / "figures").iterdir()] == ["scores.json"]
    err = capsys.readouterr().err
    assert err.startswith("maskwatch evaluate: no plots are written: ")
    assert "pip install 'maskwatch[plot]'" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--crops", "crops", "--split", "Test"], "has no face to measure"),  # it has no splits
        (["--crops", "frames", "--min-face-size", "5000"], "has no face to measure"),
        (["--crops", "crops", "--held-out", "empty.txt"], "has no face to measure"),
        (["--frames", "frames", "--held-out", "empty.txt"], "has no frame to measure"),
        (["--frames", "frames", "--split", "Test"], "--split goes with --crops"),
        (["--crops", "crops", "--finder", "haar"], "--finder and --report go with --frames"),
        (["--crops", "crops", "--report", "out"], "--finder and --report go with --frames"),
        (["--crops", "crops", "--difficult", "empty.txt"], "--difficult goes with --frames"),
        (["--frames", "frames", "--difficult", "empty.txt"], "empty.txt is empty; expected"),
        (["--crops", "crops", "--held-out", "none.txt"], "cannot read none.txt"),
        (["--crops", "crops", "--groups", "none.txt"], "cannot read none.txt"),
        (["--frames", "frames", "--groups", "empty.txt"], "empty.txt is empty; expected"),
        (["--crops", "nowhere"], "nowhere is not a folder"),
        (["--crops", "."], "holds no known layout"),
        (["--frames", "crops"], "holds no annotated frames"),
        (["--crops", "crops", "--json", "crops"], "cannot write crops"),  # a folder
    ],
)
def test_what_cannot_be_measured_is_told_in_one_line(
    tmp_path: Path,
    tiny_model: Path,
    frames: Path,
    crops: Path,
    arguments: list[str],
    expected: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.txt").write_text("")
    assert main(["evaluate", str(tiny_model), *arguments]) == 1
    err = capsys.readouterr().err
    assert err.startswith("maskwatch evaluate: error: ")
    assert expected in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        [],  # neither crops nor frames
        ["--crops", "a", "--frames", "b"],  # both
        ["--crops", "a", "--split", "train"],  # the splits are spelt as their folders
        ["--crops", "a", "--min-face-size", "-3"],
        ["--frames", "a", "--finder", "hog"],
    ],
)
def test_a_wrong_command_line_ends_with_2(tiny_model: Path, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["evaluate", str(tiny_model), *arguments])
    assert caught.value.code == 2


def test_a_held_out_list_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "held_out.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match=r"cannot read \S*held_out\.txt"):
        Selection.read(32, None, tmp_path / "held_out.txt")
