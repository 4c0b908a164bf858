"""`maskwatch keys`: make the pair of keys that `maskwatch sign` and `--trust` take."""

from __future__ import annotations

import argparse
from pathlib import Path

from maskwatch_edge.command import Command


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    acts = parser.add_subparsers(required=True, metavar="ACT", help="what to do")
    new = acts.add_parser(
        "new",
        help="write a private key, and the public key beside it",
        description="Write a private key that only you can read, and the public key beside it as "
        "KEY.pub, which boards may trust. Whoever has the private key can sign for you: keep it "
        "off the boards. No file is ever replaced.",
    )
    new.add_argument("key", type=Path, metavar="KEY", help="the file of the private key")


def _run(options: argparse.Namespace) -> int:
    from .keys import new_key

    public_file, name = new_key(options.key)
    print(f"wrote {options.key}, which must stay secret, and {public_file}: the key {name}")  # noqa: T201
    return 0


COMMAND = Command("keys", "make a key that signs models and programs", _add_arguments, _run)
