"""Parts of the repository's other texts, so that no figure stands in two places."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path


def section(root: Path, file: str, heading: str) -> str:
    """Return what is below a heading of the second level, until the next one.

    Raises:
        ValueError: If the file has no such heading.
    """
    lines, is_inside = [], False
    for line, is_code in _lines(root / file):
        if line.startswith("## ") and not is_code:
            is_inside = line == f"## {heading}"
        elif is_inside:
            lines.append(line)
    if not lines:
        raise ValueError(f"{file} has no heading ## {heading}; name one that it has")
    return "\n".join(lines).strip()


def whole_file(root: Path, file: str) -> str:
    """Return a file without its title."""
    lines = [line for line, is_code in _lines(root / file) if is_code or not _is_title(line)]
    return "\n".join(lines).strip()


def _is_title(line: str) -> bool:
    return line.startswith("# ")


def _lines(path: Path) -> Iterator[tuple[str, bool]]:
    """Give each line, and whether it is in a block of code, where # begins a comment."""
    is_code = False
    for line in path.read_text().splitlines():
        is_fence = line.startswith("```")
        yield line, is_code or is_fence
        is_code ^= is_fence
