"""`maskwatch sign`: write the signature of a model or a wheel beside it."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from maskwatch_edge.command import Command

from .signature import LARGEST_SERIAL


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("files", nargs="+", type=Path, metavar="FILE", help="models and wheels of Maskwatch")
    add("--key", type=Path, required=True, metavar="KEY", help="private key of: maskwatch keys new")
    add("--serial", type=_serial, metavar="N", help="the number by which a board tells an older "
        "version; the seconds since 1970 if it is not given, which rise by themselves")  # fmt: skip


def _serial(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or int(text[:20]) > LARGEST_SERIAL:
        raise argparse.ArgumentTypeError(
            f"expected a whole number from 0 to {LARGEST_SERIAL}, received {text!r}"
        )
    return int(text)


def _run(options: argparse.Namespace) -> int:
    from .keys import read_private
    from .signing import sign

    key = read_private(options.key)
    serial = int(time.time()) if options.serial is None else options.serial
    for path in options.files:
        print(f"wrote {sign(path, key, serial)}, serial {serial}")  # noqa: T201
    return 0


COMMAND = Command(
    "sign",
    "sign models and programs",
    _add_arguments,
    _run,
    "Write an Ed25519 signature of each file beside it, as FILE.sig. The two go together: to "
    "maskwatch verify, to maskwatch deploy and install.sh, and where model.trusted_keys is set.",
)
