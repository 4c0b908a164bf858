"""`maskwatch lamp`, on a machine whose lines are not there."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Maskwatch = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(
        '[indicator]\nchip = "gpiochip99"\n[[indicator.lamps]]\nline = "GPIO17"\n'
        '[[indicator.lamps]]\nline = "GPIO27"\nrole = "clear"\n'
    )
    return path


@pytest.mark.parametrize("act", ["on", "off"])
def test_a_missing_chip_is_told_in_one_line(maskwatch: Maskwatch, config: Path, act: str) -> None:
    done = maskwatch("lamp", act, "--config", config)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert re.search("gpiochip99|there is no /dev/gpiochip", done.stderr)


def test_lighting_no_lamp_is_an_error_and_putting_none_out_is_not(maskwatch: Maskwatch) -> None:
    lit = maskwatch("lamp", "on")
    assert lit.returncode == 1
    assert "[[indicator.lamps]]" in lit.stderr
    out = maskwatch("lamp", "off")
    assert (out.returncode, out.stdout, out.stderr) == (0, "", "")
