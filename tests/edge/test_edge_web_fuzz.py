"""The API of the live page, tried out by Schemathesis with what its description allows or not."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from maskwatch_edge.web.tokens import hash_of

from .watching import Watching, watching

pytest.importorskip("aiohttp", reason="needs the extra web")
pytest.importorskip("prometheus_client", reason="needs the extra web")
if importlib.util.find_spec("schemathesis") is None:
    pytest.skip("needs Schemathesis, which the extra dev brings", allow_module_level=True)

TOKEN = "the-token-of-a-test"
ENDLESS = ("events", "stream")
"""What has an end only if it is refused; read in test_edge_web.py."""


# Its plugin for pytest would replace hooks of all tests, so it is run as the program that it is.
def fuzz(board: Watching, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Try every operation with some dozens of requests, and compare what comes with it."""
    program = (sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()")
    return subprocess.run(
        [
            *(*program, "run", f"{board.address}api/openapi.json", "--checks", "all"),
            *("--max-examples", "15", "--seed", "1", "--generation-database", "none"),
            *("--request-timeout", "30", "--suppress-health-check", "all", "--no-color"),
            *options,
        ],
        cwd=folder,
        env=os.environ | {"COLUMNS": "100"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def test_every_answer_is_as_described(tmp_path: Path) -> None:
    left_out = [word for one in ENDLESS for word in ("--exclude-operation-id", one)]
    with watching() as board:
        board.wait_for(lambda state: state["trouble"] is None)
        done = fuzz(board, tmp_path, *left_out)
        assert board.ask("/healthz")[0] == 200
    assert done.returncode == 0, done.stdout + done.stderr


def test_without_the_token_every_refusal_is_as_described(tmp_path: Path) -> None:
    with watching(f"token_hash={hash_of(TOKEN)}") as board:
        done = fuzz(board, tmp_path)
        assert board.ask("/api/state", TOKEN, X_Forwarded_For="203.0.113.1")[0] == 200
    assert done.returncode == 0, done.stdout + done.stderr
