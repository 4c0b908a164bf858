"""One target of the fuzzing, in a process of its own: `tests.fuzz.run` starts it."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["maskwatch_edge", "maskwatch_convert"]):
    from .targets import TARGETS


def main() -> None:
    """Fuzz the target that the first argument names; libFuzzer takes the others."""
    name = sys.argv.pop(1)
    memory = Path("/dev/shm")  # a file is written for each input
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        target = TARGETS[name]
        atheris.Setup(sys.argv, lambda content: target.try_content(content, Path(folder)))
        atheris.Fuzz()


if __name__ == "__main__":
    main()
