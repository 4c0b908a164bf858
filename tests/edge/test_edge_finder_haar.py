"""Finding faces with a Haar cascade."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.config import Thresholds
from maskwatch_edge.errors import InputError
from maskwatch_edge.finders.haar import CASCADES, DEFAULT_CASCADE, HaarFinder
from maskwatch_edge.pictures import read_picture


@pytest.fixture(scope="module")
def finder() -> HaarFinder:
    return HaarFinder()


@pytest.fixture(scope="module")
def found(shared: Path) -> list[FaceBox]:
    """Give what is found in a few real frames by both cascades that come with Maskwatch."""
    pictures = sorted((shared / "data" / "mask-frames" / "images").iterdir())[:6]
    finders = [HaarFinder(cascade) for cascade in sorted(CASCADES.iterdir())]
    return [
        box for finder in finders for path in pictures for box in finder.find(read_picture(path))
    ]


@pytest.mark.parametrize(
    ("name", "face"),
    [
        ("maksssksksss128.jpg", FaceBox(93, 183, 194, 295)),
        ("maksssksksss14.jpg", FaceBox(152, 192, 239, 319)),
        ("maksssksksss239.jpg", FaceBox(91, 208, 189, 317)),
    ],
)
def test_a_bare_face_in_a_real_picture_is_found(
    shared: Path, finder: HaarFinder, name: str, face: FaceBox
) -> None:
    boxes = finder.find(read_picture(shared / "data" / "mask-frames" / "images" / name))
    assert boxes[0].iou(face) > 0.5


def test_all_that_is_found_passes_the_default_threshold(found: list[FaceBox]) -> None:
    assert len(found) >= 5
    assert all(Thresholds().min_face_score <= box.score <= 1.0 for box in found)


def test_scores_tell_sure_faces_from_doubtful_ones(found: list[FaceBox]) -> None:
    scores = [box.score for box in found]
    assert max(scores) > 0.9
    assert min(scores) < 0.6


def test_faces_come_surest_first_and_inside_the_frame(shared: Path, finder: HaarFinder) -> None:
    pictures = sorted((shared / "data" / "mask-frames" / "images").iterdir())[:3]
    for path in pictures:
        pixels = read_picture(path)
        boxes = finder.find(pixels)
        assert boxes == sorted(boxes, key=lambda box: -box.score)
        assert all(box.clipped(pixels.shape[1], pixels.shape[0]) == box for box in boxes)


@settings(max_examples=25)
@given(st.integers(1, 200), st.integers(1, 200), st.integers(0, 255))
def test_an_empty_frame_has_no_faces(
    finder: HaarFinder, height: int, width: int, grey: int
) -> None:
    assert finder.find(np.full((height, width, 3), grey, dtype=np.uint8)) == []


@settings(max_examples=25)
@given(hnp.arrays(np.uint8, st.tuples(st.integers(1, 30), st.integers(1, 30), st.just(3))))
def test_noise_of_any_small_size_is_looked_at_without_a_crash(
    finder: HaarFinder, pixels: npt.NDArray[np.uint8]
) -> None:
    assert all(0.0 <= box.score <= 1.0 for box in finder.find(pixels))


@pytest.mark.parametrize(
    "shape",
    [
        (1, 1),  # the least that is a picture
        (1, 500),
        (500, 1),
        (19, 19),  # smaller than the window of the cascade
        (23, 23),  # smaller than the smallest face that is looked for
        (24, 24),  # just as large
    ],
)
def test_frames_too_small_for_a_face_have_none(finder: HaarFinder, shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (*shape, 3), dtype=np.uint8)
    assert finder.find(noise) == []


@pytest.mark.parametrize("cascade", sorted(CASCADES.iterdir()), ids=lambda path: path.stem)
def test_each_cascade_that_comes_with_maskwatch_loads(cascade: Path) -> None:
    assert HaarFinder(cascade).find(np.zeros((60, 60, 3), dtype=np.uint8)) == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 100,
        b"a cascade",
        b"<?xml version='1.0'?><html/>",
        b'<?xml version="1.0"?><opencv_storage><a>1</a></opencv_storage>',  # OpenCV's, no cascade
        DEFAULT_CASCADE.read_bytes()[:100_000],  # cut off
    ],
)
def test_a_file_that_is_no_cascade_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "cascade.xml"
    path.write_bytes(content)
    with pytest.raises(InputError, match="is not an OpenCV cascade XML") as caught:
        HaarFinder(path)
    assert str(path) in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (b"<featureType>HAAR", b"<featureType>LBP"),
        # Each of these crashes OpenCV:
        (b"0 1 0 4.3", b"0 1 9999999 4.3"),  # a feature that is not there
        (b"0 1 0 4.3", b"0 999999 0 4.3"),  # a node
        (b"0 1 0 4.3", b"-99999999 1 0 4.3"),  # a leaf
        (b"2 7 16 4 -1.", b"2 7 16 99999 -1."),  # pixels that are not in the window
    ],
)
def test_a_cascade_that_does_not_hold_together_is_refused(
    tmp_path: Path, right: bytes, wrong: bytes
) -> None:
    """Found by fuzzing: OpenCV looks at nothing and crashes."""
    path, content = tmp_path / "cascade.xml", DEFAULT_CASCADE.read_bytes()
    path.write_bytes(content)
    HaarFinder(path)
    path.write_bytes(content.replace(right, wrong, 1))
    with pytest.raises(InputError, match="is not an OpenCV cascade XML"):
        HaarFinder(path)


def test_a_missing_cascade_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nowhere.xml"):
        with pytest.raises(InputError, match=f"no cascade file {path}"):
            HaarFinder(path)
