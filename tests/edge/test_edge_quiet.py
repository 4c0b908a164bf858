"""What TensorFlow says is kept off the terminal, and nothing else is."""

from __future__ import annotations

import os
import warnings

import pytest

from maskwatch_edge.quiet import quiet


def write_everywhere(text: str) -> None:
    """Write as C++ does, past `sys.stdout` and `sys.stderr`."""
    for descriptor in (1, 2):
        os.write(descriptor, f"{text}\n".encode())


def test_only_what_is_said_inside_is_dropped(capfd: pytest.CaptureFixture[str]) -> None:
    write_everywhere("before")
    with quiet():
        write_everywhere("inside")
        warnings.warn("inside", stacklevel=1)
    write_everywhere("after")
    said = capfd.readouterr()
    assert said.out.split() == ["before", "after"]
    assert said.err.split() == ["before", "after"]


def test_an_error_gives_the_terminal_back(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="broken"), quiet():
        raise ValueError("broken")
    write_everywhere("after")
    assert capfd.readouterr().err == "after\n"
