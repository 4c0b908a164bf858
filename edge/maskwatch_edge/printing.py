"""Words for a person: on one line, and on stderr."""

from __future__ import annotations

import sys


def one_line(text: str) -> str:
    """Escape what would break a line or cannot be printed: names of files may hold anything."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def say_on_stderr(line: str, program: str = "maskwatch") -> None:
    """Print one line after the name of the program."""
    print(f"{program}: {line}", file=sys.stderr, flush=True)  # noqa: T201
