"""The bill of materials, made as a developer makes it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("cyclonedx", reason="needs the extra dev")
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
def test_the_bill_is_valid_and_names_every_locked_version_with_its_hashes(tmp_path: Path) -> None:
    here = [f"DEV={sys.prefix}", f"--old-file={sys.prefix}/.ready"]
    subprocess.run(["make", "sbom", f"BUILD={tmp_path}", *here], cwd=ROOT, check=True)
    text = (tmp_path / "maskwatch.cdx.json").read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    bill = json.loads(text)
    lock = (ROOT / "requirements/board.txt").read_text()
    locked = set(re.findall(r"^([\w-]+)==([\w.]+)", lock, re.MULTILINE))
    assert {(part["name"], part["version"]) for part in bill["components"]} == locked
    assert bill["metadata"]["component"]["name"] == "maskwatch"
    assert set(re.findall(r"sha256:(\w+)", lock)) == set(re.findall(r'"content": "(\w{64})"', text))
