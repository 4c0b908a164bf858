"""Writing videos."""

from __future__ import annotations

import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from maskwatch_edge.cameras.sources import open_source
from maskwatch_edge.errors import OutputError
from maskwatch_edge.frame import Pixels
from maskwatch_edge.video import VideoWriter


def grey(width: int = 64, height: int = 48) -> Pixels:
    return np.full((height, width, 3), 128, dtype=np.uint8)


def sizes_in(path: Path) -> list[tuple[int, int]]:
    with open_source(str(path)) as source:
        return [(frame.width, frame.height) for frame in source.frames()]


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((640, 480), (640, 480)),
        ((2, 2), (2, 2)),  # the smallest
        ((65, 48), (64, 48)),  # MPEG-4 has even sides
        ((64, 49), (64, 48)),
    ],
)
def test_a_video_holds_every_frame(
    tmp_path: Path, size: tuple[int, int], expected: tuple[int, int]
) -> None:
    path = tmp_path / "clip.mp4"
    with VideoWriter(path, 10) as writer:
        for _ in range(3):
            writer.write(grey(*size))
    assert sizes_in(path) == [expected] * 3


def test_a_video_takes_its_place_when_it_is_closed_and_may_be_closed_twice(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_text("an earlier one")
    writer = VideoWriter(path, 10)
    writer.write(grey())
    assert path.read_text() == "an earlier one"
    writer.close()
    writer.close()
    assert len(sizes_in(path)) == 1
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_missing_is_made(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "new" / "deeper" / "clip.mp4", 10) as writer:
        writer.write(grey())
    assert len(sizes_in(tmp_path / "new" / "deeper" / "clip.mp4")) == 1


def test_a_writer_without_frames_leaves_no_file(tmp_path: Path) -> None:
    VideoWriter(tmp_path / "clip.mp4", 10).close()
    assert list(tmp_path.iterdir()) == []


def write_two_sizes(path: Path) -> None:
    with VideoWriter(path, 10) as writer:
        writer.write(grey(64, 48))
        writer.write(grey(48, 64))


def test_an_error_on_the_way_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="received"):
        write_two_sizes(tmp_path / "clip.mp4")
    assert list(tmp_path.iterdir()) == []


def test_a_frame_of_another_size_is_refused_with_both_sizes(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "clip.mp4", 10) as writer:
        writer.write(grey(64, 48))
        with pytest.raises(ValueError, match=r"\(64, 48\); received \(48, 64\)"):
            writer.write(grey(48, 64))


def test_another_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"written as \.mp4; received .*clip\.avi"):
        VideoWriter(tmp_path / "clip.avi", 10)


@pytest.mark.parametrize(
    ("size", "rate"),
    [
        ((1, 1), 10.0),  # no even side
        ((64, 48), 0.0),
    ],
)
def test_what_opencv_cannot_write_is_one_clear_line_and_leaves_no_file(
    tmp_path: Path, size: tuple[int, int], rate: float
) -> None:
    writer = VideoWriter(tmp_path / "clip.mp4", rate)
    with pytest.raises(OutputError, match=r"^cannot write \S+clip\.mp4: OpenCV writes no mp4v"):
        writer.write(grey(*size))
    writer.close()
    assert list(tmp_path.iterdir()) == []


def test_a_path_under_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    writer = VideoWriter(tmp_path / "file" / "clip.mp4", 10)
    with pytest.raises(OutputError, match="cannot write"):
        writer.write(grey())


@contextmanager
def files_limited_to(size: int) -> Iterator[None]:
    """Let no file of this process grow over `size` bytes, as on a disk that is nearly full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_full_disk_is_told_and_nothing_half_written_is_left(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (480, 640, 3)).astype(np.uint8)
    writer = VideoWriter(tmp_path / "clip.mp4", 10)
    with files_limited_to(100_000):
        for _ in range(5):
            writer.write(noise)
        with pytest.raises(OutputError, match=r"the video is not whole; is the disk full\?"):
            writer.close()
    assert list(tmp_path.iterdir()) == []
