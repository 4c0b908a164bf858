"""`maskwatch licences`: what is Maskwatch made of, and under which licences?"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict

from maskwatch_edge.command import Command

from .packages import Package, needed_packages
from .works import WORKS, Work


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--check", action="store_true", help="fail if the licence of a package is "
        "not known, or not known to be free")  # fmt: skip


def _run(options: argparse.Namespace) -> int:
    packages = needed_packages()
    if options.json:
        told = {"packages": [*map(asdict, packages)], "works": [*map(asdict, WORKS)]}
        print(json.dumps(told))  # noqa: T201
    else:
        print("\n".join([*_lines(packages), "", *_works(WORKS)]))  # noqa: T201
    unfree = [package for package in packages if options.check and not package.is_free]
    for package in unfree:
        line = f"{package.name} {package.version}: not known to be free: {package.licence}"
        print(f"maskwatch licences: error: {line}", file=sys.stderr)  # noqa: T201
    return 1 if unfree else 0


def _lines(packages: Iterable[Package]) -> Iterator[str]:
    for package in packages:
        yield f"{package.name + ' ' + package.version:36}  {package.licence}"


def _works(works: Iterable[Work]) -> Iterator[str]:
    for work in works:
        yield f"{work.name}: {work.licence} ({work.origin})"
        yield from (f"    from {line}" for line in _works(work.made_from))


COMMAND = Command(
    "licences",
    "say what Maskwatch is made of, and under which licences",
    _add_arguments,
    _run,
    "List the installed packages that Maskwatch needs, and the models, cascades and pictures that "
    "come with it, with the licence of each, and what the models learned from.",
)
