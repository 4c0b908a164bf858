"""Ansible, started in the folder of the role as its page tells, for the tests that apply it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ANSIBLE = Path(__file__).parents[1] / "ansible"
COUNTS = re.compile(r"^(\S+) +: ok=\d+ +changed=(\d+) +unreachable=\d+ +failed=(\d+)", re.M)


def run_ansible(
    program: str, *words: str | Path, seconds: float, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run one of Ansible's programs, of this environment."""
    programs = Path(sys.executable).parent
    named = os.environ | {"LC_ALL": "C.UTF-8", "ANSIBLE_NOCOLOR": "1", "NO_COLOR": "1"}
    named["PATH"] = f"{programs}:{named['PATH']}"
    return subprocess.run(
        [programs / program, *words],
        cwd=ANSIBLE,
        env=named | dict(environment or {}),
        capture_output=True,
        text=True,
        timeout=seconds,
    )


def write_inventory(path: Path, hosts: Mapping[str, Mapping[str, Any]]) -> Path:
    """Write an inventory of boards with the variables of each."""
    path.write_text(json.dumps({"maskwatch": {"hosts": hosts}}))
    return path


def ends_of(done: subprocess.CompletedProcess[str]) -> dict[str, tuple[int, bool]]:
    """Return for each board how many tasks changed something, and whether one failed."""
    found = COUNTS.findall(done.stdout)
    return {name: (int(changed), failed != "0") for name, changed, failed in found}
