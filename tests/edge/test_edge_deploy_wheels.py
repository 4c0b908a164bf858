"""Wheels for another machine than this one."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from maskwatch_edge.deploy.wheels import (
    Target,
    fetch_dependencies,
    read_wheel,
    run_pip,
)
from maskwatch_edge.errors import InputError, OutputError

from .made_wheels import make_wheel

BOARD = Target("aarch64", (3, 11), (2, 36))

TAGS = [
    "cp311-cp311-manylinux_2_28_aarch64",
    "cp311-cp311-manylinux_2_40_aarch64",  # needs a newer glibc
    "cp311-cp311-manylinux_2_28_x86_64",  # this machine, perhaps
    "cp313-cp313-manylinux_2_28_aarch64",  # another Python
]


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the only folder in which pip looks for wheels."""
    folder = tmp_path / "index"
    folder.mkdir()
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_CONFIG_FILE"):
        monkeypatch.setenv(name, "" if "URL" in name else os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def put_dependency(index: Path, version: str, tag: str) -> None:
    path = index / f"needed-{version}-{tag}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        inside = f"needed-{version}.dist-info"
        archive.writestr(
            f"{inside}/METADATA", f"Metadata-Version: 2.1\nName: needed\nVersion: {version}\n"
        )
        archive.writestr(
            f"{inside}/WHEEL",
            f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: false\nTag: {tag}\n",
        )
        archive.writestr(f"{inside}/RECORD", "")


def test_wheels_are_chosen_for_the_board_and_not_for_this_machine(
    index: Path, tmp_path: Path
) -> None:
    for minor, tag in enumerate(TAGS):
        put_dependency(index, f"1.{minor}", tag)
    wheel = read_wheel(make_wheel(tmp_path, "", "needed>=1"))
    paths = fetch_dependencies(wheel, "", BOARD, tmp_path / "cache")
    assert [path.name for path in paths] == [f"needed-1.0-{TAGS[0]}.whl"]


def test_what_was_fetched_once_is_not_asked_for_again(index: Path, tmp_path: Path) -> None:
    put_dependency(index, "1.0", TAGS[0])
    wheel = read_wheel(make_wheel(tmp_path, "", "needed>=1"))
    first = fetch_dependencies(wheel, "", BOARD, tmp_path / "cache")
    put_dependency(index, "1.1", TAGS[0])
    assert fetch_dependencies(wheel, "", BOARD, tmp_path / "cache") == first
    constrained = Target("aarch64", (3, 11), (2, 36), "needed<1.1")
    (other,) = fetch_dependencies(wheel, "", constrained, tmp_path / "cache")
    assert other.name.startswith("needed-1.0-")
    assert other not in first, "another question has its own answer"


def test_what_cannot_be_fetched_is_told_and_leaves_nothing(index: Path, tmp_path: Path) -> None:
    wheel = read_wheel(make_wheel(tmp_path, "", "needed>=1"))
    with pytest.raises(OutputError, match=r"pip download failed: .*needed"):
        fetch_dependencies(wheel, "", BOARD, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_wheel_without_the_scripts_is_refused(tmp_path: Path) -> None:
    wheel = read_wheel(make_wheel(tmp_path, ""))
    assert set(wheel.installer()) >= {"install.sh", "common.sh", "user/maskwatch.service"}
    path = tmp_path / "maskwatch-0.0.1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("maskwatch-0.0.1.dist-info/METADATA", "Name: maskwatch\nVersion: 0.0.1\n")
    with pytest.raises(InputError, match=r"carries no .*install.sh; build it anew"):
        read_wheel(path).installer()


def test_an_environment_without_pip_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(OutputError, match="python -m ensurepip"):
        run_pip("--version")
