"""One run of each of some networks: `networks PACKAGE FILE...`."""

from __future__ import annotations

import sys
from pathlib import Path

from maskwatch_edge.interpreter import load_interpreter

from .counting import count


def main(package: str, *files: str) -> None:
    """Count them, run by an interpreter's package on one thread."""
    for file in files:
        # A file of ours has a tail, which the interpreter ignores.
        interpreter = load_interpreter(Path(file).read_bytes(), package, threads=1)
        names = [op["op_name"] for op in interpreter._get_ops_details()]
        count(file, interpreter.invoke, ops=len(names), delegates=names.count("DELEGATE"))


if __name__ == "__main__":
    main(*sys.argv[1:])
