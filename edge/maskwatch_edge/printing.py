"""Words for a person: on one line, and on stderr."""

from __future__ import annotations

import sys


def one_line(text: str) -> str:
    """Escape what would break a line or cannot be printed: names of files may hold anything."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def warn_on_stderr(line: str) -> None:
    """Print one line of a program that goes on."""
    print(f"maskwatch: {line}", file=sys.stderr, flush=True)  # noqa: T201
