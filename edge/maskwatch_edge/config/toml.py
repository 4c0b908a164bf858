"""TOML: reading a file of it with clear errors, and writing single values."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

from .keys import ConfigError, Problem

MAX_BYTES = 1 << 20
"""A larger file is no configuration, and a board's memory is small."""


def read_document(path: Path, *, may_be_missing: bool = False) -> dict[str, Any] | None:
    """Read a TOML file; None if it is missing and may be.

    Raises:
        ConfigError: If it cannot be read, is too large, or is not TOML in UTF-8.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        # A link that leads nowhere was put there on purpose.
        if may_be_missing and not path.is_symlink():
            return None
        raise _unreadable(path, "there is no such file") from error
    except OSError as error:
        raise _unreadable(path, f"cannot read it: {error.strerror}") from error
    if len(data) > MAX_BYTES:
        raise _unreadable(path, f"expected at most {MAX_BYTES} bytes; it is larger")
    return _parse(path, data)


def _parse(path: Path, data: bytes) -> dict[str, Any]:
    try:
        # Some editors begin a file with a byte order mark.
        return tomllib.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _unreadable(path, f"expected UTF-8; line {line} is not") from error
    except RecursionError as error:
        raise _unreadable(path, "lists or tables are nested too deeply") from error
    except ValueError as error:
        place = f"at line {len(data.splitlines())}, the end of the file"
        reason = str(error).replace("at end of document", place)
        raise _unreadable(path, f"it is not TOML: {reason}") from error


def _unreadable(path: Path, text: str) -> ConfigError:
    return ConfigError([Problem((), text, str(path))])


def written(value: object) -> str:
    """Write a single value, or an empty list; None, which TOML lacks, as the empty text."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list) and not value:
        return "[]"
    # A string of JSON is one of TOML, too.
    return json.dumps("" if value is None else str(value), ensure_ascii=False)
