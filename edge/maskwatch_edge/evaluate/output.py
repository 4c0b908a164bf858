"""What the measurements say beside their tables, and the files that they write."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from maskwatch_edge.errors import MissingExtraError
from maskwatch_edge.files import write_atomically


def write_json(path: Path, figures: Mapping[str, Any]) -> None:
    """Write figures, whole or not at all.

    Raises:
        OutputError: If the file cannot be written.
    """
    write_atomically(path, json.dumps(figures, indent=2) + "\n")


def beside(output: Path, name: str) -> Path:
    """Return the path of a plot beside the figures."""
    return output.with_name(f"{output.stem}-{name}.png")


def warn_of_missing_plots(error: MissingExtraError) -> None:
    """Say on stderr why there are no plots."""
    warn(f"no plots are written: {error}")


def warn(line: str) -> None:
    """Say something on stderr; the measurement goes on."""
    print(f"maskwatch evaluate: {line}", file=sys.stderr)  # noqa: T201
