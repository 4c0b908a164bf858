"""Lists of faces that nobody annotated, and what `maskwatch evaluate --difficult` makes of them."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.dataset import LabelledFrame, read_frames
from maskwatch_edge.errors import InputError
from maskwatch_edge.evaluate.difficult import with_difficult
from maskwatch_edge.metrics import is_one_of

ROOT = Path(__file__).parents[2]
FIRST, SECOND = hashlib.sha256(b"a.png").hexdigest(), hashlib.sha256(b"b.png").hexdigest()
ANNOTATED = FaceBox(1, 2, 3, 4)


@pytest.fixture
def frames(tmp_path: Path) -> list[LabelledFrame]:
    """Give two frames, the first with a difficult face, and one that cannot be read."""
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(name.encode())
    return [
        LabelledFrame(tmp_path / "a.png", (), (ANNOTATED,)),
        LabelledFrame(tmp_path / "b.png", ()),
        LabelledFrame(tmp_path / "gone.png", ()),
    ]


def listed(folder: Path, *lines: str) -> Path:
    file = folder / "list.txt"
    file.write_text("\n".join(lines))
    return file


def test_listed_faces_stand_beside_those_of_the_annotation(
    frames: list[LabelledFrame], tmp_path: Path
) -> None:
    file = listed(tmp_path, f"{FIRST}:5,6,7,8", f"{SECOND}:0,0,9,9", f"{SECOND}:9,9,20,20")
    assert [set(frame.difficult) for frame in with_difficult(frames, file)] == [
        {ANNOTATED, FaceBox(5, 6, 7, 8)},
        {FaceBox(0, 0, 9, 9), FaceBox(9, 9, 20, 20)},
        set(),
    ]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", "is empty; expected SHA-256:X1,Y1,X2,Y2"),
        ("abc:1,2,3,4", "received 'abc:1,2,3,4': it is not of that form"),
        (FIRST, "it is not of that form"),
        (f"{FIRST}:1,2,3,4,5", "it is not of that form"),
        (f"{FIRST}:5,5,5,9", "a face box needs x1 < x2 and y1 < y2"),
        (f"{'0' * 64}:1,2,3,4", f"1 of 1 pictures are not in it, such as the one with {'0' * 64}"),
    ],
)
def test_a_list_that_cannot_be_used_is_refused(
    frames: list[LabelledFrame], tmp_path: Path, line: str, expected: str
) -> None:
    file = listed(tmp_path, line)
    with pytest.raises(InputError) as caught:
        with_difficult(frames, file)
    assert str(file) in str(caught.value)
    assert expected.replace("one with ", "one with SHA-256 ") in str(caught.value)


def test_a_list_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read .*nowhere\.txt"):
        with_difficult([], tmp_path / "nowhere.txt")


@given(st.text("0123456789abcdef:,-. \n", max_size=200))
def test_no_text_does_more_than_be_refused(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.raises(InputError):
        with_difficult([], listed(Path(folder), text))


def test_people_whom_nobody_annotated_are_in_the_data_set_and_on_no_annotated_face(
    shared: Path,
) -> None:
    frames = with_difficult(
        read_frames(shared / "data" / "mask-frames"), ROOT / "benchmarks" / "not-annotated.txt"
    )
    assert any(frame.difficult for frame in frames)
    for frame in frames:
        assert not any(is_one_of(box, frame.boxes) for box in frame.difficult)
