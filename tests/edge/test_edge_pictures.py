"""Reading and writing single pictures."""

from __future__ import annotations

import struct
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from maskwatch_edge.errors import OutputError, SourceError
from maskwatch_edge.frame import Pixels
from maskwatch_edge.pictures import read_picture, write_picture

CORNERS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255), "grey": (128, 128, 128)}


def quartered() -> Pixels:
    """Paint 64x48: red and green above, blue and grey below."""
    pixels = np.zeros((48, 64, 3), dtype=np.uint8)
    pixels[:24, :32], pixels[:24, 32:], pixels[24:, :32], pixels[24:, 32:] = CORNERS.values()
    return pixels


def corners_of(pixels: Pixels) -> list[str]:
    """Name the colours of the four quarters in reading order."""
    height, width = pixels.shape[:2]
    names = []
    for y in (height // 4, 3 * height // 4):
        for x in (width // 4, 3 * width // 4):
            colour = pixels[y, x].astype(int)
            names.append(min(CORNERS, key=lambda name: abs(colour - CORNERS[name]).sum()))
    return names


def with_orientation(jpeg: bytes, orientation: int) -> bytes:
    """Put an EXIF block that states only the orientation into a JPEG."""
    entry = struct.pack(">HHIHH", 0x0112, 3, 1, orientation, 0)
    exif = b"Exif\0\0MM\0*" + struct.pack(">IH", 8, 1) + entry + bytes(4)
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:]


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give one folder for all examples of a property."""
    return tmp_path_factory.mktemp("pictures")


pictures = hnp.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3)))


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".PNG"])
@settings(max_examples=15)
@given(pixels=pictures)
def test_a_picture_without_loss_comes_back_as_it_was(
    scratch: Path, suffix: str, pixels: npt.NDArray[np.uint8]
) -> None:
    path = scratch / f"picture{suffix}"
    write_picture(path, pixels)
    assert np.array_equal(read_picture(path), pixels)


@pytest.mark.parametrize("suffix", [".jpg", ".jpeg", ".webp", ".png", ".bmp"])
def test_colours_keep_their_names_in_every_format(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"picture{suffix}"
    write_picture(path, quartered())
    pixels = read_picture(path)
    assert pixels.shape == (48, 64, 3)
    assert pixels.dtype == np.uint8
    assert corners_of(pixels) == ["red", "green", "blue", "grey"]


@pytest.mark.parametrize(
    "stored",
    [
        np.full((5, 7), 200, np.uint8),  # grey
        np.full((5, 7), 200 * 257, np.uint16),  # grey of 16 bit
        np.full((5, 7, 3), 200 * 257, np.uint16),  # colours of 16 bit
        np.dstack([np.full((5, 7, 3), 200, np.uint8), np.zeros((5, 7), np.uint8)]),  # transparent
    ],
)
def test_every_kind_of_png_comes_out_as_8_bit_rgb(
    tmp_path: Path, stored: npt.NDArray[np.uint8 | np.uint16]
) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(cv2.imencode(".png", stored)[1].tobytes())
    pixels = read_picture(path)
    assert pixels.dtype == np.uint8
    assert np.array_equal(pixels, np.full((5, 7, 3), 200))


@pytest.mark.parametrize(
    ("orientation", "expected"),
    [
        (1, ["red", "green", "blue", "grey"]),  # upright
        (2, ["green", "red", "grey", "blue"]),  # mirrored
        (3, ["grey", "blue", "green", "red"]),  # upside down
        (6, ["blue", "red", "grey", "green"]),  # to be turned clockwise
        (8, ["green", "grey", "red", "blue"]),  # to be turned the other way
        (0, ["red", "green", "blue", "grey"]),  # no such orientation
    ],
)
def test_a_photograph_is_turned_as_its_camera_was_held(
    tmp_path: Path, orientation: int, expected: list[str]
) -> None:
    path = tmp_path / "photograph.jpg"
    write_picture(path, quartered())
    path.write_bytes(with_orientation(path.read_bytes(), orientation))
    pixels = read_picture(path)
    assert corners_of(pixels) == expected
    assert pixels.shape == ((64, 48, 3) if orientation in (6, 8) else (48, 64, 3))


def test_the_content_tells_the_format_and_not_the_name(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    write_picture(path, quartered())
    path = path.rename(tmp_path / "wrong.jpg")
    assert np.array_equal(read_picture(path), quartered())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 100,
        b"not a picture",
        b"\x89PNG\r\n\x1a\n",  # nothing behind the mark
        b"\xff\xd8\xff\xe0",
        b"GIF89a",
        # A header that promises more pixels than any memory holds.
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\x7f\xff\xff\xff\x7f\xff\xff\xff\x08\x02\0\0\0\0\0\0\0",
    ],
)
def test_a_file_that_is_no_picture_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(content)
    with pytest.raises(SourceError, match="is not a readable picture") as caught:
        read_picture(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".bmp", ".webp"])
@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_a_picture_that_is_cut_off_is_refused(tmp_path: Path, suffix: str, share: float) -> None:
    path = tmp_path / f"picture{suffix}"
    noise = np.random.default_rng(1).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    write_picture(path, noise)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(SourceError, match="is not a readable picture"):
        read_picture(path)


def test_a_missing_picture_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"cannot read .*nowhere.jpg: No such file"):
        read_picture(tmp_path / "nowhere.jpg")
    with pytest.raises(SourceError, match="Is a directory"):
        read_picture(tmp_path)


@pytest.mark.parametrize("name", ["picture.doc", "picture", "picture.", ".png"])
def test_an_unknown_format_is_refused_and_leaves_nothing(tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputError, match="unknown picture format"):
        write_picture(tmp_path / name, quartered())
    assert list(tmp_path.iterdir()) == []
