"""The wheel: the same bytes from the same sources, and with the locks in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from maskwatch_edge.deploy.wheels import HASHES, Wheel, digest, read_wheel

ROOT = Path(__file__).parents[2]
SOURCES = ("edge", "convert", "train", "models", "requirements", "systemd")
FILES = ("pyproject.toml", "README.md", "LICENSE")

pytest.importorskip("hatchling", reason="needs the extra dev")


def build(folder: Path, umask: int, seconds: int, zone: str) -> Wheel:
    """Build the wheel of a copy whose files were all written at that time."""
    before = os.umask(umask)
    try:
        for name in SOURCES:
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(
                ROOT / name, folder / name, ignore=ignored, copy_function=shutil.copyfile
            )
        for name in FILES:
            shutil.copyfile(ROOT / name, folder / name)
        for path in folder.rglob("*"):
            os.utime(path, (seconds, seconds))
        environment = os.environ | {"TZ": zone}
        environment.pop("SOURCE_DATE_EPOCH", None)
        command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel"]
        subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    finally:
        os.umask(before)
    return read_wheel(next((folder / "dist").glob("*.whl")))


def test_a_wheel_is_the_same_to_the_byte_wherever_and_whenever_it_is_built(tmp_path: Path) -> None:
    first = build(tmp_path / "first", 0o022, 1_600_000_000, "UTC")
    second = build(tmp_path / "elsewhere" / "second", 0o077, 1_700_000_001, "Asia/Tokyo")
    assert digest(first.path) == digest(second.path)
    for name in ("board.txt", "board-numpy1.txt"):
        lock = first.lock(name)
        assert lock == (ROOT / "requirements" / name).read_text()
        assert len(HASHES.findall(lock)) == lock.count("sha256")
