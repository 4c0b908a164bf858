"""`maskwatch verify`: tell who signed a model or a wheel."""

from __future__ import annotations

import argparse
from pathlib import Path

from maskwatch_edge.command import Command


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("files", nargs="+", type=Path, metavar="FILE", help="with FILE.sig beside it")
    add("--trust", type=Path, required=True, metavar="KEYS", help="public keys, one a line")


def _run(options: argparse.Namespace) -> int:
    from .signing import check_file

    for path in options.files:
        signature = check_file(path, options.trust)
        print(f"{path}: signed by the key {signature.key}, serial {signature.serial}")  # noqa: T201
    return 0


COMMAND = Command(
    "verify",
    "check who signed models and programs",
    _add_arguments,
    _run,
    "Check that each file is the one that a trusted key signed, and tell which key and the serial; "
    "nothing of the file is parsed. The first one that is not ends it with exit code 1.",
)
