"""Which package runs the model, and on how many threads."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskwatch_edge.errors import InputError, MissingExtraError, ModelError
from maskwatch_edge.interpreter import PACKAGES, load_interpreter, usable_threads


class Stub:
    """Stands for an interpreter, and is told from others by its class."""

    def __init__(self, model_content: bytes, num_threads: int) -> None:
        assert num_threads >= 1

    def allocate_tensors(self) -> None:
        pass


class BrokenStub(Stub):
    """Fails as the real one does over a graph that it cannot prepare, with a long tale."""

    def allocate_tensors(self) -> None:
        raise RuntimeError("failed to prepare node 3\nand more\nand still more")


def install(monkeypatch: pytest.MonkeyPatch, package: str, stub: type[Stub] | None) -> None:
    """Make a package importable with that class, or not importable at all."""
    module: Any = None
    if stub is not None:
        module = ModuleType(PACKAGES[package])
        module.Interpreter = stub
    monkeypatch.setitem(sys.modules, PACKAGES[package], module)


class NewStub(Stub):
    pass


class OldStub(Stub):
    pass


@pytest.mark.parametrize(
    ("is_new_there", "is_old_there", "wanted", "expected"),
    [
        (True, True, "auto", NewStub),  # the successor comes first
        (False, True, "auto", OldStub),
        (True, False, "auto", NewStub),
        (True, True, "tflite-runtime", OldStub),
        (True, True, "ai-edge-litert", NewStub),
    ],
)
def test_the_interpreter_is_the_wanted_one_or_the_best_that_is_there(
    monkeypatch: pytest.MonkeyPatch,
    is_new_there: bool,
    is_old_there: bool,
    wanted: str,
    expected: type[Stub],
) -> None:
    install(monkeypatch, "ai-edge-litert", NewStub if is_new_there else None)
    install(monkeypatch, "tflite-runtime", OldStub if is_old_there else None)
    assert type(load_interpreter(b"", wanted)) is expected


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("auto", "ai-edge-litert.*pip install maskwatch$"),
        ("ai-edge-litert", "ai-edge-litert.*pip install maskwatch$"),
        ("tflite-runtime", r"tflite-runtime.*pip install 'maskwatch\[tflite-runtime\]'$"),
    ],
)
def test_a_missing_interpreter_is_told_with_the_line_that_mends_it(
    monkeypatch: pytest.MonkeyPatch, wanted: str, expected: str
) -> None:
    install(monkeypatch, "ai-edge-litert", None)
    install(monkeypatch, "tflite-runtime", None)
    with pytest.raises(MissingExtraError, match=expected):
        load_interpreter(b"", wanted)


def test_an_unknown_interpreter_is_refused_with_the_choices() -> None:
    with pytest.raises(InputError, match="auto, ai-edge-litert, tflite-runtime; received 'onnx'"):
        load_interpreter(b"", "onnx")


@pytest.mark.parametrize(
    "flatbuffer", [b"", b"x" * 500, b"\x1c\0\0\0TFL3", b"\x1c\0\0\0TFL3" + bytes(500)]
)
def test_bytes_that_are_no_model_are_refused_in_one_line(flatbuffer: bytes) -> None:
    with pytest.raises(ModelError, match=r"cannot load the model: .+") as caught:
        load_interpreter(flatbuffer)
    assert len(str(caught.value).splitlines()) == 1


def test_the_first_line_of_a_long_complaint_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, "ai-edge-litert", BrokenStub)
    with pytest.raises(ModelError, match=r"cannot load the model: failed to prepare node 3$"):
        load_interpreter(b"")


@given(st.none() | st.integers(1, 1000))
def test_threads_are_at_least_one_and_at_most_the_cores(wanted: int | None) -> None:
    threads = usable_threads(wanted)
    assert 1 <= threads <= len(os.sched_getaffinity(0))
    assert wanted is None or threads <= wanted


@pytest.mark.parametrize(
    ("cores", "wanted", "expected"),
    [(1, None, 1), (2, None, 2), (4, None, 3), (8, None, 4), (4, 4, 4), (4, 64, 4), (4, 1, 1)],
)
def test_a_core_is_left_to_the_camera_where_there_are_more_than_two(
    monkeypatch: pytest.MonkeyPatch, cores: int, wanted: int | None, expected: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(cores)))
    assert usable_threads(wanted) == expected


@pytest.mark.parametrize("wanted", [0, -1])
def test_less_than_one_thread_is_refused(wanted: int) -> None:
    with pytest.raises(InputError, match=f"at least 1; received {wanted}"):
        usable_threads(wanted)


def test_a_loaded_model_is_ready_to_run(tiny_model: Path) -> None:
    interpreter = load_interpreter(tiny_model.read_bytes(), threads=1)
    interpreter.invoke()
    assert interpreter.get_tensor(interpreter.get_output_details()[0]["index"]).shape == (1, 2)
