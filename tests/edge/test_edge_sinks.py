"""Where sightings go: lines and files. The window has a file of its own."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from maskwatch_edge.annotate import COLOURS
from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.cameras.sources import open_source
from maskwatch_edge.contract import WITH_MASK, WITHOUT_MASK
from maskwatch_edge.errors import OutputError
from maskwatch_edge.frame import Frame
from maskwatch_edge.pictures import read_picture
from maskwatch_edge.sinks import AnnotatedFiles, JsonLines, TextLines, to_dict
from maskwatch_edge.verdict import Decision, Sighting, Verdict

VIDEO, PICTURE = 10.0, None


def frame_of(
    source: str, number: int = 0, rate: float | None = PICTURE, size: tuple[int, int] = (64, 48)
) -> Frame:
    pixels = np.full((size[1], size[0], 3), 128, dtype=np.uint8)
    return Frame(pixels, number, number / 10, source, rate)


MASKED = Sighting(
    FaceBox(5, 6, 35, 46, score=0.912345), Verdict(WITH_MASK, 0.98765432), Decision.MASK
)
BARE = Sighting(FaceBox(1, 2, 31, 32), Verdict(WITHOUT_MASK, 0.9), Decision.NO_MASK)
DOUBTFUL = Sighting(FaceBox(1, 2, 31, 32), Verdict(WITHOUT_MASK, 0.6), Decision.UNSURE)


def test_a_frame_as_data_has_the_fields_of_the_issue_in_their_order() -> None:
    data = to_dict(frame_of("a.jpg", 7, VIDEO), [MASKED, DOUBTFUL])
    assert json.dumps(data) == (
        '{"source": "a.jpg", "frame": 7, "width": 64, "height": 48, "faces": ['
        '{"box": [5, 6, 35, 46], "label": "with_mask", "score": 0.9877, '
        '"face_score": 0.9123, "verdict": "mask"}, '
        '{"box": [1, 2, 31, 32], "label": "without_mask", "score": 0.6, '
        '"face_score": 1.0, "verdict": "unsure"}]}'
    )


def test_a_frame_without_faces_has_an_empty_list() -> None:
    assert to_dict(frame_of("a.jpg"), [])["faces"] == []


@pytest.mark.parametrize(
    "source",
    [
        "a.jpg",
        "two\nlines.jpg",  # a file name may hold anything but / and NUL
        'quo"tes.jpg',
        "Gesichtsmaßnahme.jpg",
        "\udcff.jpg",  # not UTF-8 on the disk
    ],
)
def test_json_lines_prints_one_object_a_frame(
    capsys: pytest.CaptureFixture[str], source: str
) -> None:
    sink = JsonLines()
    sink.show(frame_of(source), [MASKED])
    sink.show(frame_of(source, 1), [])
    sink.close()
    sink.close()
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["source"] for line in lines] == [source, source]
    assert [len(json.loads(line)["faces"]) for line in lines] == [1, 0]


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        # a video tells of its first frame, and of those that differ in their counts
        (
            [("v", VIDEO, [BARE]), ("v", VIDEO, [BARE]), ("v", VIDEO, [MASKED])],
            [True, False, True],
        ),
        # no face is news once
        ([("v", VIDEO, []), ("v", VIDEO, []), ("v", VIDEO, [BARE])], [True, False, True]),
        # the order of the faces is none
        ([("v", VIDEO, [BARE, MASKED]), ("v", VIDEO, [MASKED, BARE])], [True, False]),
        # how many there are is
        ([("v", VIDEO, [BARE]), ("v", VIDEO, [BARE, BARE])], [True, True]),
        # every picture is told of
        ([("a", PICTURE, [BARE]), ("b", PICTURE, [BARE])], [True, True]),
        # and so is every new video
        ([("v", VIDEO, [BARE]), ("w", VIDEO, [BARE])], [True, True]),
    ],
)
def test_text_lines_tell_what_is_new(
    capsys: pytest.CaptureFixture[str],
    shown: list[tuple[str, float | None, list[Sighting]]],
    printed: list[bool],
) -> None:
    sink = TextLines()
    for (source, rate, sightings), is_printed in zip(shown, printed, strict=True):
        sink.show(frame_of(source, rate=rate), sightings)
        assert bool(capsys.readouterr().out) is is_printed
    sink.close()


@pytest.mark.parametrize(
    ("frame", "sightings", "line"),
    [
        (frame_of("a.jpg"), [], "a.jpg: no face\n"),
        (frame_of("a.jpg"), [MASKED], "a.jpg: mask 99 % at 5,6\n"),
        (frame_of("v.mp4", 12, VIDEO), [], "v.mp4 12: no face\n"),
        (frame_of("Maß\n\udcff.jpg"), [], "Maß\\n\\udcff.jpg: no face\n"),  # any file name
        (
            frame_of("v.mp4", 3, VIDEO),
            [BARE, DOUBTFUL],
            "v.mp4 3: no mask 90 % at 1,2; unsure 60 % at 1,2\n",
        ),
    ],
)
def test_text_lines_say_where_and_what(
    capsys: pytest.CaptureFixture[str], frame: Frame, sightings: list[Sighting], line: str
) -> None:
    TextLines().show(frame, sightings)
    assert capsys.readouterr().out == line


def write_all(folder: Path, frames: list[Frame]) -> list[str]:
    sink = AnnotatedFiles(folder)
    for frame in frames:
        sink.show(frame, [BARE])
    sink.close()
    sink.close()
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    ("sources", "names"),
    [
        (["in/a.jpg"], ["a.jpg"]),
        (["in/a.JPG"], ["a.jpg"]),  # as cameras write it
        (["in/a.jpg", "other/a.jpg"], ["a-2.jpg", "a.jpg"]),  # one name in two folders
        (["in/a.jpg", "other/a.JPG", "third/a.jpg"], ["a-2.jpg", "a-3.jpg", "a.jpg"]),
        (["in/a-2.jpg", "in/a.jpg", "other/a.jpg"], ["a-2.jpg", "a-3.jpg", "a.jpg"]),
        (["in/a.jpg", "in/a.png"], ["a.jpg", "a.png"]),
        (["in/b.c.bmp"], ["b.c.bmp"]),
    ],
)
def test_annotated_pictures_are_named_as_their_sources(
    tmp_path: Path, sources: list[str], names: list[str]
) -> None:
    assert write_all(tmp_path / "out", [frame_of(source) for source in sources]) == names


def video(source: str, frames: int) -> list[Frame]:
    return [frame_of(source, number, VIDEO) for number in range(frames)]


def lengths(folder: Path) -> dict[str, int]:
    counts = {}
    for path in sorted(folder.glob("*.mp4")):
        with open_source(str(path)) as source:
            counts[path.name] = len(list(source.frames()))
    return counts


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        (video("in/a.mp4", 3), {"a.mp4": 3}),
        (video("in/a.avi", 2), {"a.mp4": 2}),  # always written as MP4
        (video("in/a.mp4", 3) + video("in/b.mp4", 2), {"a.mp4": 3, "b.mp4": 2}),
        # a picture between two videos, as in a folder
        ([*video("in/a.mp4", 3), frame_of("in/b.png"), *video("in/c.mp4", 2)],
         {"a.mp4": 3, "c.mp4": 2}),
        (video("in/a.mp4", 3) + video("other/a.mp4", 2), {"a-2.mp4": 2, "a.mp4": 3}),
        (video("in/a.mp4", 3) + video("in/a.mp4", 2), {"a-2.mp4": 2, "a.mp4": 3}),  # given twice
    ],
)  # fmt: skip
def test_annotated_videos_hold_the_frames_of_their_sources(
    tmp_path: Path, frames: list[Frame], expected: dict[str, int]
) -> None:
    write_all(tmp_path / "out", frames)
    assert lengths(tmp_path / "out") == expected


def test_the_boxes_are_on_the_written_picture(tmp_path: Path) -> None:
    write_all(tmp_path / "out", [frame_of("in/a.png")])
    picture = read_picture(tmp_path / "out" / "a.png")
    assert tuple(picture[31, 10]) == COLOURS[Decision.NO_MASK]


def test_an_earlier_run_is_replaced(tmp_path: Path) -> None:
    for _ in range(2):
        assert write_all(tmp_path / "out", [frame_of("in/a.png")]) == ["a.png"]


def test_the_folder_of_the_sources_is_refused_before_they_are_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to(tmp_path)
    frames = [
        (tmp_path, frame_of(str(tmp_path / "a.png"))),
        (Path(), frame_of("a.png")),
        (Path("link"), frame_of("a.mp4", rate=VIDEO)),
    ]
    for folder, frame in frames:
        with pytest.raises(OutputError, match=r"would replace the sources.*another folder"):
            AnnotatedFiles(folder).show(frame, [])
    assert [path.name for path in tmp_path.iterdir()] == ["link"]


def test_a_folder_that_cannot_be_made_is_told_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for folder in (tmp_path / "file", tmp_path / "file" / "out"):
        with pytest.raises(OutputError, match="cannot make the folder"):
            AnnotatedFiles(folder)


def test_a_picture_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "out" / "a.png").mkdir(parents=True)
    with pytest.raises(OutputError, match=r"cannot write \S*a\.png"):
        AnnotatedFiles(tmp_path / "out").show(frame_of("in/a.png"), [])
