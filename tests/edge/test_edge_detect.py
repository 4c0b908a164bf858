"""`maskwatch detect`: the real program on recorded frames, read as a script reads it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maskwatch_edge.__main__ import main
from maskwatch_edge.annotate import COLOURS
from maskwatch_edge.cameras.sources import open_source
from maskwatch_edge.classifier import MaskClassifier
from maskwatch_edge.frame import Pixels
from maskwatch_edge.pictures import read_picture, write_picture
from maskwatch_edge.verdict import Decision
from maskwatch_edge.video import VideoWriter

Maskwatch = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def walls(tmp_path: Path) -> Path:
    """Put two pictures of nobody into `tmp_path`."""
    for name in ("wall.png", "other.JPG"):
        write_picture(tmp_path / name, np.full((40, 50, 3), 128, dtype=np.uint8))
    return tmp_path


@pytest.fixture
def pictures(tmp_path: Path, masked_portrait: Pixels, bare_portrait: Pixels) -> Path:
    """Put three pictures into `tmp_path`: a mask, no mask, and nobody."""
    write_picture(tmp_path / "mask.png", masked_portrait)
    write_picture(tmp_path / "bare.JPG", bare_portrait)
    write_picture(tmp_path / "wall.png", np.full((40, 50, 3), 128, dtype=np.uint8))
    return tmp_path


@pytest.fixture
def clip(tmp_path: Path, masked_portrait: Pixels, bare_portrait: Pixels) -> Path:
    """Put a clip of four frames into `tmp_path`: the mask is taken off in the third."""
    with VideoWriter(tmp_path / "clip.mp4", 5) as writer:
        for pixels in (masked_portrait, masked_portrait, bare_portrait, bare_portrait):
            writer.write(pixels)
    return tmp_path / "clip.mp4"


def objects(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    """Parse stdout, of which every line must be a JSON object."""
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_stdout_holds_one_json_object_a_frame_and_nothing_else(
    maskwatch: Maskwatch, pictures: Path, clip: Path, tiny_model: Path
) -> None:
    sources = ["mask.png", "bare.JPG", "wall.png", "clip.mp4"]
    done = maskwatch("detect", *sources, "--jsonl", "--model", tiny_model)
    assert (done.returncode, done.stderr) == (0, "")
    frames = objects(done)
    assert [(frame["source"], frame["frame"]) for frame in frames] == [
        ("mask.png", 0),
        ("bare.JPG", 0),
        ("wall.png", 0),
        *(("clip.mp4", number) for number in range(4)),
    ]
    verdicts = [[face["verdict"] for face in frame["faces"]] for frame in frames]
    assert verdicts == [["mask"], ["no_mask"], [], ["mask"], ["mask"], ["no_mask"], ["no_mask"]]


def test_each_object_has_the_schema_of_the_issue(
    maskwatch: Maskwatch, pictures: Path, tiny_model: Path
) -> None:
    (frame,) = objects(maskwatch("detect", "mask.png", "--jsonl", "--model", tiny_model))
    assert list(frame) == ["source", "frame", "width", "height", "faces"]
    assert (frame["width"], frame["height"]) == (240, 240)
    (face,) = frame["faces"]
    assert list(face) == ["box", "label", "score", "face_score", "verdict"]
    x1, y1, x2, y2 = face["box"]
    assert all(isinstance(edge, int) for edge in face["box"])
    assert 0 <= x1 < 120 < x2 <= 240  # the face is in the middle
    assert 0 <= y1 < 110 < y2 <= 240
    assert face["label"] == "with_mask"
    assert 0.8 <= face["score"] <= 1.0
    assert 0.5 <= face["face_score"] <= 1.0
    assert face["verdict"] == "mask"


@pytest.mark.parametrize(
    ("options", "verdicts"),
    [
        (["--min-score", "0"], ["mask", "no_mask"]),
        (["--min-score", "1.0"], ["unsure", "unsure"]),
        (["--min-score", "1.0", "--min-face-score", "0.3"], ["unsure", "unsure"]),
        (["--min-face-score", "1.0"], []),  # no face is that certain
    ],
)
def test_thresholds_change_what_is_claimed_and_never_the_label(
    pictures: Path,
    tiny_model: Path,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    verdicts: list[str],
) -> None:
    sources = [str(pictures / "mask.png"), str(pictures / "bare.JPG")]
    assert main(["detect", *sources, "--jsonl", "--model", str(tiny_model), *options]) == 0
    frames = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    faces = [face for frame in frames for face in frame["faces"]]
    assert len(frames) == 2
    assert [face["verdict"] for face in faces] == verdicts
    assert [face["label"] for face in faces] in ([], ["with_mask", "without_mask"])


def test_a_broken_source_is_named_in_one_line_and_the_others_are_judged(
    maskwatch: Maskwatch, walls: Path, tiny_model: Path
) -> None:
    for name in ("broken.jpg", "broken.mp4"):
        (walls / name).write_text("not a picture")
    for name in ("broken.jpg", "broken.mp4", "nowhere.png"):
        sources = ["other.JPG", name, "wall.png"]
        done = maskwatch("detect", *sources, "--jsonl", "--model", tiny_model)
        assert done.returncode == 1
        assert [frame["source"] for frame in objects(done)] == ["other.JPG", "wall.png"]
        assert done.stderr.startswith("maskwatch detect: error: ")
        assert name in done.stderr
        assert done.stderr.count("\n") == 1


def test_a_broken_file_in_a_folder_is_named_and_makes_the_exit_code_1(
    maskwatch: Maskwatch, walls: Path, tiny_model: Path
) -> None:
    (walls / "broken.jpg").write_text("not a picture")
    done = maskwatch("detect", ".", "--jsonl", "--model", tiny_model)
    assert done.returncode == 1
    assert [frame["source"] for frame in objects(done)] == ["other.JPG", "wall.png"]
    assert done.stderr.count("\n") == 1
    assert "broken.jpg is not a readable picture" in done.stderr


def test_without_jsonl_a_line_is_printed_for_every_picture_and_every_change(
    maskwatch: Maskwatch, pictures: Path, clip: Path, tiny_model: Path
) -> None:
    done = maskwatch("detect", "wall.png", "mask.png", "clip.mp4", "--model", tiny_model)
    assert (done.returncode, done.stderr) == (0, "")
    starts = [line.partition(" %")[0] for line in done.stdout.splitlines()]
    assert [start.rstrip("0123456789") for start in starts] == [
        "wall.png: no face",
        "mask.png: mask ",
        "clip.mp4 0: mask ",
        "clip.mp4 2: no mask ",
    ]


def test_annotated_frames_are_written_beside_the_lines(
    maskwatch: Maskwatch, pictures: Path, clip: Path, tiny_model: Path
) -> None:
    sources = ["mask.png", "bare.JPG", "clip.mp4"]
    done = maskwatch("detect", *sources, "--annotate", "out", "--model", tiny_model, "--jsonl")
    assert (done.returncode, done.stderr) == (0, "")
    out = pictures / "out"
    assert sorted(path.name for path in out.iterdir()) == ["bare.jpg", "clip.mp4", "mask.png"]
    x1, y1, _, y2 = objects(done)[0]["faces"][0]["box"]
    pixel = read_picture(out / "mask.png")[(y1 + y2) // 2, x1]
    assert tuple(pixel) == COLOURS[Decision.MASK]
    with open_source(str(out / "clip.mp4")) as source:
        assert [(frame.width, frame.height) for frame in source.frames()] == [(240, 240)] * 4


def test_the_sources_are_never_replaced_by_annotated_ones(
    maskwatch: Maskwatch, walls: Path, tiny_model: Path
) -> None:
    before = (walls / "wall.png").read_bytes()
    done = maskwatch("detect", ".", "--annotate", ".", "--model", tiny_model)
    assert done.returncode == 1
    assert "would replace the sources" in done.stderr
    assert done.stderr.count("\n") == 1
    assert (walls / "wall.png").read_bytes() == before
    assert sorted(path.name for path in walls.iterdir()) == ["other.JPG", "wall.png"]


def test_a_reader_that_goes_away_is_no_error_worth_a_traceback(
    walls: Path,
    tiny_model: Path,
    program: Callable[..., subprocess.Popen[str]],
) -> None:
    sources = ["wall.png"] * 200
    with program("detect", *sources, "--jsonl", "--model", tiny_model) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert json.loads(process.stdout.readline())["source"] == "wall.png"
        process.stdout.close()  # as `| head -1` does
        err = process.stderr.read()
    assert "Traceback" not in err
    assert "BrokenPipe" not in err
    assert "error" not in err


def test_an_odd_file_name_is_told_as_it_can_be(
    maskwatch: Maskwatch, walls: Path, tiny_model: Path
) -> None:
    (walls / "wall.png").rename(walls / "\udcffwall\n.png")
    done = maskwatch("detect", "\udcffwall\n.png", "--jsonl", "--model", tiny_model)
    assert (done.returncode, done.stderr) == (0, "")
    (frame,) = objects(done)
    assert frame["source"] == "\udcffwall\n.png"
    done = maskwatch("detect", "\udcffwall\n.png", "--model", tiny_model)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "\\udcffwall\\n.png: no face\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--colour", "red"],  # no such option
        ["--min-score", "2", "a.jpg"],
        ["--min-face-score", "much", "a.jpg"],
        ["--threads", "0", "a.jpg"],
        [],  # no source
    ],
)
def test_a_wrong_command_line_ends_with_2(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["detect", *arguments])
    assert caught.value.code == 2
    assert capsys.readouterr().out == ""


def test_a_missing_model_is_told_before_any_source_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["detect", "nowhere.png", "--model", str(tmp_path / "none.tflite")]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("maskwatch detect: error: ")
    assert "none.tflite" in err
    assert err.count("\n") == 1


def test_a_run_over_many_sources_loads_the_model_once(
    walls: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[Path] = []

    class CountedClassifier(MaskClassifier):
        def __init__(self, path: Path, **options: Any) -> None:
            loaded.append(path)
            super().__init__(path, **options)

    monkeypatch.setattr("maskwatch_edge.classifier.MaskClassifier", CountedClassifier)
    sources = [str(walls), str(walls / "wall.png"), str(walls)]
    assert main(["detect", *sources, "--model", str(tiny_model)]) == 0
    assert loaded == [tiny_model]


def test_real_photographs_give_faces_inside_the_frame(
    shared: Path, tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images = shared / "data" / "mask-frames" / "images"
    sources = [str(path) for path in sorted(images.iterdir())[:4]]
    assert main(["detect", *sources, "--jsonl", "--model", str(tiny_model)]) == 0
    frames = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [frame["source"] for frame in frames] == sources
    assert any(frame["faces"] for frame in frames)
    for frame in frames:
        for face in frame["faces"]:
            x1, y1, x2, y2 = face["box"]
            assert 0 <= x1 < x2 <= frame["width"]
            assert 0 <= y1 < y2 <= frame["height"]
            assert face["score"] >= 0.5
