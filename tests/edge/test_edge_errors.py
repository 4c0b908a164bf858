"""Errors are caught as Maskwatch's own, or as the builtin that a caller expects."""

from __future__ import annotations

import inspect

import pytest

from maskwatch_edge import errors
from maskwatch_edge.errors import (
    InputError,
    MaskwatchError,
    MissingExtraError,
    ModelError,
    OutputError,
    SourceError,
)


@pytest.mark.parametrize(
    ("error", "builtin"),
    [
        (InputError, ValueError),
        (ModelError, ValueError),
        (SourceError, OSError),
        (OutputError, OSError),
        (MissingExtraError, ImportError),
    ],
)
def test_an_error_is_ours_and_a_builtin(
    error: type[MaskwatchError], builtin: type[Exception]
) -> None:
    assert issubclass(error, MaskwatchError)
    assert issubclass(error, builtin)


def test_every_error_has_a_base_that_the_command_line_catches() -> None:
    classes = inspect.getmembers(errors, inspect.isclass)
    assert all(issubclass(error, MaskwatchError) for _, error in classes)


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ("train", "pip install 'maskwatch[train]'"),  # quoted: brackets mean something to zsh
        ("", "pip install maskwatch"),  # part of every installation
    ],
)
def test_a_missing_package_is_told_with_the_line_that_mends_it(extra: str, expected: str) -> None:
    message = str(MissingExtraError("tensorflow", extra))
    assert "needs the package tensorflow, which is not installed" in message
    assert message.endswith(expected)
