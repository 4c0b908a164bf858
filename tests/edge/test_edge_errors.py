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
from maskwatch_edge.faults import Severity

CLASSES = [
    error
    for _, error in inspect.getmembers(errors, inspect.isclass)
    if issubclass(error, Exception)
]


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
    assert all(issubclass(error, MaskwatchError) for error in CLASSES)


def test_every_error_is_a_fault_of_its_own() -> None:
    ours = [e for e in CLASSES if issubclass(e, MaskwatchError) and e is not MaskwatchError]
    faults = {error.fault for error in ours}
    assert len(faults) == len(CLASSES) - 1
    assert {fault.severity for fault in faults} == {Severity.ERROR}


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
