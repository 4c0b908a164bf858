"""Reading files of a bounded size, and writing them so that a reader never finds half of one."""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from .errors import MaskwatchError, OutputError

LEFTOVERS = ".new-" + 16 * "[0-9a-f]" + "*"
"""How files that are being written are called, and those that a killed process has left."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a path beside `path` to write to; at the end it takes the place of `path`.

    If the block raises, what it wrote is removed and `path` keeps its old content. The new file
    has the mode that the umask asks for, as if it had been opened in place. What killed processes
    have left in that folder is removed, once in the life of this one.

    Raises:
        OutputError: If the disk is full, the folder may not be written, or `path` is no file.
    """
    beside = path.parent / f".new-{secrets.token_hex(8)}{path.suffix}"
    try:
        # A rename would put a file in the place of /dev/null, too.
        if path.exists() and not path.is_file():
            raise FileExistsError(errno.EEXIST, "it is not a regular file")
        path.parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(path.parent.absolute())
        lock = _create(beside)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from error
    try:
        yield beside
        _sync(beside)
        beside.replace(path)
        _sync(path.parent)
    # Some errors of ours are OSErrors, too, and so is a reader of stdout that went away.
    except (MaskwatchError, BrokenPipeError):
        raise
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        os.close(lock)


def read_at_most(path: Path, most_bytes: int) -> bytes:
    """Read a whole file, unless it is larger than so many bytes, which are whole MiB.

    Raises:
        OSError: If it cannot be read, or is larger.
    """
    with path.open("rb") as file:
        content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise OSError(errno.EFBIG, f"it has more than {most_bytes >> 20} MiB")
    return content


def write_atomically(path: Path, content: bytes | str) -> None:
    """Write a whole file: beside its place, to the disk, then by rename into its place.

    Raises:
        OutputError: If it cannot be written; the old content, if any, is still there.
    """
    data = content.encode() if isinstance(content, str) else content
    with replacing(path) as beside:
        beside.write_bytes(data)


def _create(path: Path) -> int:
    """Make an empty file, locked for as long as the descriptor that is returned is open."""
    # Not tempfile: its files are for their owner alone, whatever the umask says.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    with suppress(OSError):  # some network's disks know no locks; what is left there stays
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    if os.fstat(descriptor).st_nlink:
        return descriptor
    os.close(descriptor)  # between the two, another process took it for a leftover
    return _create(path)


@cache
def remove_leftovers(folder: Path) -> None:
    """Remove what killed processes were writing in a folder; done once in the life of this one."""
    for path in folder.glob(LEFTOVERS):
        with suppress(OSError), path.open("r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # who writes it still, holds it
            path.unlink()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
