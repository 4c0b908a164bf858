"""A folder that is taken for a board: our real scripts, and a pretended system around them."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

FAKES = Path(__file__).parent / "fake_board"

NOTED = ("journalctl", "getent", "groupadd", "udevadm", "stat", "sync", "id")

SAME = ("systemctl", "python3", "ssh", "sudo", "systemd-run")


class Board:
    """A folder that is taken for a board, and what a test asks of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "root"
        self.top = self.root / "opt/maskwatch"
        self.wheels = self.root / "var/cache/maskwatch/wheels"
        for name in ("bin", "state", "root/run/systemd/system", "root/opt"):
            (folder / name).mkdir(parents=True)
        for name in (*SAME, *NOTED):
            fake = "note" if name in NOTED else name
            (folder / "bin" / name).symlink_to(FAKES / fake)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "MASKWATCH_ROOT": str(self.root),
            "MASKWATCH_POLL_SECONDS": "0.05",
            "MASKWATCH_SETTLE_SECONDS": "0",
            "MASKWATCH_TIMEOUT_SECONDS": "1",
            "MASKWATCH_NEED_MIB": "1",
            "FAKE_BOARD": str(self.folder / "state"),
            "REAL_PYTHON": sys.executable,
            "REAL_PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        }

    @property
    def calls(self) -> list[str]:
        log = self.folder / "state/log"
        return log.read_text().splitlines() if log.exists() else []

    @property
    def release(self) -> dict[str, str]:
        path = self.top / "current/release.json"
        return dict(json.loads(path.read_text())) if path.exists() else {}

    @property
    def model(self) -> bytes:
        return (self.top / "current/model.tflite").read_bytes()
