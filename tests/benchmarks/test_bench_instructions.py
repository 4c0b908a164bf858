"""Counting instructions: what is compared, and the networks that are cut; nothing is emulated."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.instructions.baseline import Counts, limits, problems
from benchmarks.instructions.ends import operations, without_first, without_last
from maskwatch_edge.contract import read_model
from maskwatch_edge.interpreter import load_interpreter

BEFORE = Counts.read()


def with_count(name: str, factor: float) -> Counts:
    changed = {name: round(BEFORE.instructions[name] * factor)}
    return replace(BEFORE, instructions={**BEFORE.instructions, **changed})


def test_the_baseline_has_nothing_against_itself() -> None:
    assert list(problems(BEFORE, BEFORE)) == []


@pytest.mark.parametrize(("factor", "is_told"), [(1.009, False), (1.011, True), (0.5, False)])
def test_a_count_may_shrink_but_not_grow(factor: float, is_told: bool) -> None:
    lines = list(problems(with_count("find: network", factor), BEFORE))
    assert bool(lines) is is_told
    assert all("'find: network' executes 1.1% more" in line for line in lines)


def test_a_little_more_of_next_to_nothing_is_not_told() -> None:
    assert list(problems(with_count("turn: nobody", 1.05), BEFORE)) == []
    (line,) = problems(with_count("turn: nobody", 1.1), BEFORE)
    assert "'turn: nobody' executes 10.0% more" in line


@pytest.mark.parametrize(
    ("name", "factor", "is_over"),
    [
        ("look: two people", 1.2, [True, False, False]),
        ("turn: nobody", 100.0, [False, True, False]),
        ("look: crowd of 16", 1.2, [False, False, True]),
    ],
)
def test_what_costs_too_much_is_over_its_limit(
    name: str, factor: float, is_over: list[bool]
) -> None:
    now = with_count(name, factor)
    assert [limit.value > limit.most for limit in limits(now.instructions)] == is_over
    (line,) = problems(now, now)
    assert ", at most 0." in line or line.endswith(", at most 1.1")


def test_other_versions_are_not_compared_in_silence() -> None:
    now = replace(BEFORE, setup={**BEFORE.setup, "numpy": "9.9"})
    assert [line.partition(",")[0] for line in problems(now, BEFORE)] == ["numpy is 9.9"]


def test_a_stage_that_is_counted_on_one_side_only_is_told() -> None:
    now = replace(BEFORE, instructions={**BEFORE.instructions, "dream": 1})
    assert list(problems(now, BEFORE)) == ["'dream' is counted only now; count a new baseline"]
    assert list(problems(BEFORE, now)) == [
        "'dream' is counted only in the baseline; count a new baseline"
    ]


def answer(flatbuffer: bytes, picture: np.ndarray) -> np.ndarray:
    interpreter = load_interpreter(flatbuffer, threads=1)
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], picture[np.newaxis])
    interpreter.invoke()
    output = interpreter.get_output_details()[0]["index"]
    return np.asarray(interpreter.get_tensor(output)[0], dtype=int)


def test_a_network_without_its_first_or_last_operation_answers_the_same(tiny_model: Path) -> None:
    whole = read_model(tiny_model)[0]
    picture = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    expected = answer(whole, picture)
    assert operations(whole)[0] == operations(whole)[-1] == "QUANTIZE"
    shifted = (picture.astype(int) - 128).astype(np.int8)
    beheaded, cut = without_first(whole, 1), without_last(whole, "QUANTIZE")
    assert operations(beheaded) == operations(whole)[1:]
    assert operations(cut) == operations(whole)[:-1]
    assert answer(beheaded, shifted).tolist() == expected.tolist()
    assert (answer(cut, picture) + 128).tolist() == expected.tolist()
