"""Wheels for another machine than this one."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from maskwatch_edge.deploy.wheels import (
    Target,
    digest,
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


def put_dependency(index: Path, version: str, tag: str) -> str:
    """Publish a wheel, and return its line of a lock."""
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
    return f" \\\n    --hash=sha256:{digest(path)}"


def test_wheels_are_chosen_for_the_board_and_not_for_this_machine(
    index: Path, tmp_path: Path
) -> None:
    hashes = [put_dependency(index, "1.0", tag) for tag in TAGS]
    lock = f"needed==1.0{''.join(hashes)}\n"
    wheel = read_wheel(make_wheel(tmp_path, "", "needed>=1", lock=lock))
    paths = fetch_dependencies(wheel, "", BOARD, tmp_path / "cache")
    assert [path.name for path in paths] == [f"needed-1.0-{TAGS[0]}.whl"]


def test_what_was_fetched_once_is_not_asked_for_again(index: Path, tmp_path: Path) -> None:
    lock = f"needed==1.0{put_dependency(index, '1.0', TAGS[0])}\n"
    wheel = read_wheel(make_wheel(tmp_path / "old", "", "needed>=1", lock=lock))
    first = fetch_dependencies(wheel, "", BOARD, tmp_path / "cache")
    (index / first[0].name).unlink()
    assert fetch_dependencies(wheel, "", BOARD, tmp_path / "cache") == first
    newer = f"needed==1.1{put_dependency(index, '1.1', TAGS[0])}\n"
    wheel = read_wheel(make_wheel(tmp_path / "new", "", "needed>=1", lock=newer))
    (other,) = fetch_dependencies(wheel, "", BOARD, tmp_path / "cache")
    assert other.name.startswith("needed-1.1-"), "another question has its own answer"


def test_a_newer_version_does_not_take_the_place_of_the_locked_one(
    index: Path, tmp_path: Path
) -> None:
    lock = f"needed==1.0{put_dependency(index, '1.0', TAGS[0])}\n"
    put_dependency(index, "1.1", TAGS[0])
    wheel = read_wheel(make_wheel(tmp_path, "", "needed>=1", lock=lock))
    (path,) = fetch_dependencies(wheel, "", BOARD, tmp_path / "cache")
    assert path.name == f"needed-1.0-{TAGS[0]}.whl"


@pytest.mark.parametrize("lock", ["needed==1.0 \\\n    --hash=sha256:" + 64 * "0" + "\n", ""])
def test_a_wheel_that_is_not_in_the_lock_is_refused_and_not_kept(
    index: Path, tmp_path: Path, lock: str
) -> None:
    put_dependency(index, "1.0", TAGS[0])
    wheel = read_wheel(make_wheel(tmp_path, "", "needed>=1", lock=lock))
    with pytest.raises(OutputError, match=r"needed-1\.0-.*is not what .* is locked to"):
        fetch_dependencies(wheel, "", BOARD, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_wheel_that_went_bad_here_is_refused_and_fetched_anew(
    index: Path, tmp_path: Path
) -> None:
    lock = f"needed==1.0{put_dependency(index, '1.0', TAGS[0])}\n"
    wheel = read_wheel(make_wheel(tmp_path, "", "needed>=1", lock=lock))
    (path,) = fetch_dependencies(wheel, "", BOARD, tmp_path / "cache")
    path.write_bytes(b"")  # as after a power cut
    with pytest.raises(OutputError, match=r"needed-1\.0-.*is not what .* is locked to"):
        fetch_dependencies(wheel, "", BOARD, tmp_path / "cache")
    (path,) = fetch_dependencies(wheel, "", BOARD, tmp_path / "cache")
    assert digest(path) in lock


def test_what_cannot_be_fetched_is_told_and_leaves_nothing(index: Path, tmp_path: Path) -> None:
    wheel = read_wheel(make_wheel(tmp_path, "", "needed>=1"))
    with pytest.raises(OutputError, match=r"pip download failed: .*needed"):
        fetch_dependencies(wheel, "", BOARD, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_wheel_without_the_scripts_or_the_lock_is_refused(tmp_path: Path) -> None:
    wheel = read_wheel(make_wheel(tmp_path, ""))
    assert set(wheel.installer()) >= {"install.sh", "common.sh", "user/maskwatch.service"}
    path = tmp_path / "maskwatch-0.0.1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("maskwatch-0.0.1.dist-info/METADATA", "Name: maskwatch\nVersion: 0.0.1\n")
    with pytest.raises(InputError, match=r"carries no .*install.sh; build it anew"):
        read_wheel(path).installer()
    with pytest.raises(InputError, match=r"carries no .*board.txt; build it anew"):
        fetch_dependencies(read_wheel(path), "", BOARD, tmp_path)


def test_an_environment_without_pip_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(OutputError, match="python -m ensurepip"):
        run_pip("--version")
