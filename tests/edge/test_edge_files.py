"""Writing whole files or nothing."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maskwatch_edge.errors import OutputError, SourceError
from maskwatch_edge.files import replacing, write_atomically


class FullDisk:
    """Takes the place of `os.fsync`, and fails as a full disk does."""

    def __call__(self, descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Give a file that has been written before."""
    path = tmp_path / "figures.json"
    path.write_text("old")
    return path


def assert_untouched(target: Path) -> None:
    assert target.read_text() == "old"
    assert list(target.parent.iterdir()) == [target], "nothing is left beside it"


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give one path for all examples of a property."""
    return tmp_path_factory.mktemp("files") / "file"


@settings(max_examples=25)
@given(content=st.binary() | st.text())
def test_a_file_holds_what_was_written(scratch: Path, content: bytes | str) -> None:
    write_atomically(scratch, content)
    assert scratch.read_bytes() == (content.encode() if isinstance(content, str) else content)
    assert list(scratch.parent.iterdir()) == [scratch]


def test_missing_folders_are_made(tmp_path: Path) -> None:
    write_atomically(tmp_path / "run" / "plots" / "a.txt", "new")
    assert (tmp_path / "run" / "plots" / "a.txt").read_text() == "new"


def test_a_reader_sees_the_old_content_until_the_end(target: Path) -> None:
    with replacing(target) as beside:
        beside.write_text("new")
        assert target.read_text() == "old"
        assert beside.suffix == target.suffix, "some writers ask the name for the format"
    assert target.read_text() == "new"
    assert list(target.parent.iterdir()) == [target]


def fail_half_way(target: Path, error: BaseException) -> None:
    with replacing(target) as beside:
        beside.write_text("half")
        raise error


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("half way"),
        KeyboardInterrupt(),
        # These two are OSErrors, and neither means that this file cannot be written.
        SourceError("cannot read face.jpg"),
        BrokenPipeError(errno.EPIPE, "Broken pipe"),
    ],
)
def test_a_block_that_fails_leaves_the_old_content_and_keeps_its_error(
    target: Path, error: BaseException
) -> None:
    with pytest.raises(type(error)) as caught:
        fail_half_way(target, error)
    assert caught.value is error
    assert_untouched(target)


def test_a_block_that_cannot_write_is_told_with_the_name_of_the_file(target: Path) -> None:
    with pytest.raises(OutputError, match=r"cannot write .*figures.json: Input/output error$"):
        fail_half_way(target, OSError(errno.EIO, os.strerror(errno.EIO)))
    assert_untouched(target)


def test_a_full_disk_leaves_the_old_content(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.fsync", FullDisk())
    with pytest.raises(OutputError, match=r"cannot write .*figures.json: No space left on device$"):
        write_atomically(target, "new")
    assert_untouched(target)


def test_a_disk_that_fills_while_writing_leaves_the_old_content(target: Path) -> None:
    script = f"""
import resource, sys
from pathlib import Path
from maskwatch_edge.errors import OutputError
from maskwatch_edge.files import write_atomically
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    write_atomically(Path({str(target)!r}), "x" * 100_000)
except OutputError as error:
    sys.exit(str(error))
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert result.stderr == f"cannot write {target}: File too large\n"
    assert_untouched(target)


def make_folder(path: Path) -> Path:
    path.mkdir()
    return path


def make_fifo(path: Path) -> Path:
    os.mkfifo(path)
    return path


def put_below_a_file(path: Path) -> Path:
    path.write_text("")
    return path / "figures.json"


NO_PLACES: list[tuple[Callable[[Path], Path], str]] = [
    (make_folder, "it is not a regular file"),
    (make_fifo, "it is not a regular file"),  # as /dev/null: a rename would take its place
    (put_below_a_file, "Not a directory|File exists"),
    (lambda path: make_folder(path) / ("x" * 300), "File name too long"),
]


@pytest.mark.parametrize(("make", "expected"), NO_PLACES)
def test_a_place_that_cannot_be_written_is_told(
    tmp_path: Path, make: Callable[[Path], Path], expected: str
) -> None:
    path = make(tmp_path / "place")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(OutputError, match=f"cannot write .*({expected})"):
        write_atomically(path, "new")
    assert sorted(tmp_path.rglob("*")) == before


@pytest.fixture
def umask() -> Iterator[Callable[[int], int]]:
    before = os.umask(0o022)
    yield os.umask
    os.umask(before)


@pytest.mark.parametrize(
    ("mask", "mode"),
    [
        (0o022, 0o644),  # the usual one: readable for all
        (0o077, 0o600),  # a user who shares nothing
        (0o002, 0o664),  # a group that works together
    ],
)
def test_a_new_file_has_the_mode_that_the_umask_asks_for(
    tmp_path: Path, umask: Callable[[int], int], mask: int, mode: int
) -> None:
    umask(mask)
    write_atomically(tmp_path / "a.txt", "new")
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == mode


WRITE_FOR_EVER = """
import sys, time
from pathlib import Path
from maskwatch_edge.files import replacing
with replacing(Path(sys.argv[1])) as beside:
    beside.write_text("new")
    print(flush=True)
    time.sleep(600)
"""


def begin_to_write(path: Path) -> subprocess.Popen[bytes]:
    """Start a process that is writing a file when this returns."""
    command = [sys.executable, "-c", WRITE_FOR_EVER, str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    return process


def test_what_a_killed_process_left_is_removed_and_what_another_one_writes_is_not(
    target: Path,
) -> None:
    killed, other = begin_to_write(target), begin_to_write(target)
    with killed, other:
        killed.kill()
        killed.wait()
        (written, left) = sorted(target.parent.glob(".new-*"), key=is_locked, reverse=True)
        write_atomically(target, "newest")
        assert set(target.parent.iterdir()) == {target, written}
        assert target.read_text() == "newest"
        assert not left.exists()
        other.kill()


def is_locked(path: Path) -> bool:
    with path.open("r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def test_files_of_other_programs_are_left_alone(tmp_path: Path) -> None:
    mine = tmp_path / ".new-ideas.txt"
    mine.write_text("mine")
    write_atomically(tmp_path / "figures.json", "new")
    assert mine.read_text() == "mine"
