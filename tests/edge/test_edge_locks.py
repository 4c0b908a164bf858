"""The files in requirements/: that they fit pyproject.toml, and hold hashes and no address."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]

BOARD = ("display", "mqtt", "signatures", "web")
LOCKS = [
    ("board", BOARD, "3.11"),
    ("board", BOARD, "3.13"),
    ("board-numpy1", (*BOARD, "tflite-runtime"), "3.11"),
    ("workstation", ("dev",), "3.11"),
    ("workstation", ("dev",), "3.13"),
]
"""A lock, the extras that it is for, and a Python."""


def environment(python: str) -> dict[str, str]:
    return {
        "python_version": python,
        "python_full_version": f"{python}.7",
        "platform_machine": "aarch64",
        "sys_platform": "linux",
    }


def lines_of(name: str) -> list[str]:
    text = (ROOT / f"requirements/{name}.txt").read_text()
    return re.findall(r"^[^#\s].*(?:\n .*)*", text, re.MULTILINE)


def versions(name: str, python: str) -> dict[str, str]:
    """Return the locked versions for a Python on a board's processor, by name."""
    found: dict[str, str] = {}
    for line in lines_of(name):
        requirement = Requirement(line.partition(" \\")[0])
        if requirement.marker is None or requirement.marker.evaluate(environment(python)):
            (version,) = requirement.specifier
            assert version.operator == "=="
            found[canonicalize_name(requirement.name)] = version.version
    return found


def wanted(extra: str) -> Iterator[Requirement]:
    """Give what an extra of pyproject.toml asks for, with those that it names itself."""
    for requirement in map(Requirement, EXTRAS[extra]):
        if requirement.name == "maskwatch":
            for inner in requirement.extras:
                yield from wanted(inner)
        else:
            yield requirement


@pytest.mark.parametrize(("name", "extras", "python"), LOCKS)
def test_a_lock_has_what_pyproject_asks_for(
    name: str, extras: tuple[str, ...], python: str
) -> None:
    locked = versions(name, python)
    asked = [*map(Requirement, PROJECT["dependencies"])]
    for extra in extras:
        asked += wanted(extra)
    for requirement in asked:
        if requirement.marker is None or requirement.marker.evaluate(environment(python)):
            version = locked.get(canonicalize_name(requirement.name), "nothing")
            fits = version != "nothing" and version in requirement.specifier
            assert fits, f"{name} has {version} for {requirement}; refresh it with: make lock"


@pytest.mark.parametrize("name", sorted({name for name, *_ in LOCKS}))
def test_a_lock_has_hashes_for_all_and_an_address_for_none(name: str) -> None:
    for line in lines_of(name):
        assert re.fullmatch(r"[\w.-]+==\S+(?: ; [^\\]+?)?(?: \\\n +--hash=sha256:\w{64})+", line)
        assert "/" not in line


def test_a_board_is_given_what_is_tested_on_the_oldest_python() -> None:
    assert versions("board", "3.11").items() <= versions("workstation", "3.11").items()


def test_no_line_for_a_board_depends_on_the_workstation_that_reads_it() -> None:
    assert ";" not in "".join(lines_of("board") + lines_of("board-numpy1"))
