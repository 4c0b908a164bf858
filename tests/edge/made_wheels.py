"""Wheels of Maskwatch with the real scripts in them, for the tests of deploying."""

from __future__ import annotations

import zipfile
from pathlib import Path

SCRIPTS = Path(__file__).parents[2] / "systemd"


def make_wheel(
    folder: Path, text: str, *requirements: str, name: str = "maskwatch", lock: str = ""
) -> Path:
    """Make a wheel; the pretended Python takes its text for a program and its model."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-0.1.0-py3-none-any.whl"
    metadata = [f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1.0\n"]
    metadata += [f"Requires-Dist: {requirement}\n" for requirement in requirements]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}-0.1.0.dist-info/METADATA", "".join(metadata))
        archive.writestr(
            f"{name}-0.1.0.dist-info/WHEEL",
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        archive.writestr(f"{name}-0.1.0.dist-info/RECORD", "")
        archive.writestr("text", text)
        if name == "maskwatch":
            _add_installer(archive)
            for board in ("board", "board-numpy1"):
                archive.writestr(f"maskwatch_edge/requirements/{board}.txt", lock)
    return path


def _add_installer(archive: zipfile.ZipFile) -> None:
    for path in SCRIPTS.rglob("*"):
        if path.is_file():
            inside = f"maskwatch_edge/systemd/{path.relative_to(SCRIPTS)}"
            # Packed, so that no word in the scripts is taken for the wheel's text.
            archive.write(path, inside, compress_type=zipfile.ZIP_DEFLATED)
