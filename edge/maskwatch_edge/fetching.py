"""Fetching a model file from its publisher: all of it and nothing else, or not at all."""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from .cameras.addresses import without_password
from .errors import InputError, MaskwatchError, SourceError
from .files import write_atomically
from .models import KnownModel
from .printing import one_line

SCHEMES = ("http://", "https://")
SILENCE_SECONDS = 20.0
"""A server that says nothing for so long is given up."""

LONGEST_SECONDS = 300.0
"""So is one that sends and sends and does not come to the end."""

CHUNK = 1 << 16


def fetch_model(model: KnownModel, folder: Path, source: str | None = None) -> Path:
    """Put a model file into a folder, after its checksum was found right.

    Args:
        model: What is fetched.
        folder: Made if need be.
        source: A file, or an http or https address, in place of the publisher's.

    Returns:
        The path of the file.

    Raises:
        InputError: If what came is something else.
        SourceError: If nothing came.
        OutputError: If the file cannot be written.
    """
    content = _read(model, source) if source else _read_published(model)
    path = folder / model.file_name
    write_atomically(path, content)
    return path


def _read_published(model: KnownModel) -> bytes:
    """Try the addresses one by one; if none has it, what was wrong with the first is told."""
    errors: list[MaskwatchError] = []
    for address in model.addresses:
        try:
            return _read(model, address)
        except (InputError, SourceError) as error:
            errors.append(error)
    raise errors[0]


def _read(model: KnownModel, source: str) -> bytes:
    """Read at most one byte more than the model has, and compare."""
    limit = model.size_bytes + 1
    content = _download(source, limit) if "://" in source else _read_file(Path(source), limit)
    if not model.is_content(content):
        came = f"more than {model.size_bytes:,}" if len(content) == limit else f"{len(content):,}"
        raise InputError(
            f"{_named(source)} is not {model.file_name}: expected {model.size_bytes:,} bytes with "
            f"the SHA-256 {model.sha256}, received {came} others; nothing was written"
        )
    return content


def _read_file(path: Path, limit: int) -> bytes:
    try:
        with path.expanduser().open("rb") as file:
            return file.read(limit)
    except (OSError, RuntimeError) as error:  # ~nobody is a RuntimeError
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"cannot read {path}: {reason}") from error


def _download(address: str, limit: int) -> bytes:
    if not address.lower().startswith(SCHEMES):
        raise InputError(f"expected a file or an http(s) address; received {_named(address)}")
    try:
        with urllib.request.urlopen(address, timeout=SILENCE_SECONDS) as answer:  # noqa: S310
            return b"".join(_chunks(answer, limit))
    # ValueError: an address that is none. HTTPException: a server that does not speak HTTP.
    except (OSError, ValueError, http.client.HTTPException) as error:
        if isinstance(error, urllib.error.HTTPError):
            error.close()  # it holds the connection
        raise SourceError(
            f"cannot fetch {_named(address)}: {_reason(error)}; without internet, copy the file "
            "here and give --from FILE"
        ) from error


def _chunks(answer: http.client.HTTPResponse, limit: int) -> Iterator[bytes]:
    deadline_seconds = time.monotonic() + LONGEST_SECONDS
    while limit > 0 and (chunk := answer.read1(min(CHUNK, limit))):
        if time.monotonic() > deadline_seconds:
            raise TimeoutError(f"it takes longer than {LONGEST_SECONDS:g} seconds")
        limit -= len(chunk)
        yield chunk


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.URLError) and isinstance(error.reason, Exception):
        return _reason(error.reason)
    return one_line(str(error) or type(error).__name__)


def _named(source: str) -> str:
    return one_line(without_password(source))
