"""How costs grow: the cases, and what is made of their figures."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.growth import CROWDS, FINDER, INFERENCE, Task, beyond_the_parts, crowd_of
from benchmarks.measuring import Cost
from benchmarks.scenes import empty_room
from maskwatch_edge.config import Config, FacesConfig, ModelConfig, OutputConfig

TINY_FINDER = Path(__file__).parents[1] / "data" / "tiny-finder-int8.tflite"


def test_a_case_of_growth_is_the_service_on_frames_in_memory(tiny_model: Path) -> None:
    config = Config(
        faces=FacesConfig(model=TINY_FINDER),
        model=ModelConfig(path=tiny_model),
        output=OutputConfig(lines="none"),
    )
    cost = Task(frames=2).service(config, empty_room(2))()
    assert cost.wall_ms > 0
    assert cost.cpu_ms > 0


def test_what_a_crowd_costs_beyond_its_parts_is_seen() -> None:
    least, most = crowd_of(CROWDS[0]), crowd_of(CROWDS[-1])
    rest_ms = 1.0
    costs = {
        least: [Cost(10 + 2 + rest_ms, 13)],
        most: [Cost(10 + 2 + rest_ms + (CROWDS[-1] - CROWDS[0]) * 3, 13)],
        FINDER: [Cost(10, 10)],
        INFERENCE: [Cost(2, 2)],
    }
    figures = beyond_the_parts(costs)
    assert figures["one more face, of an inference"]["wall"].median == pytest.approx(1.5)
    rest = figures["neither of them, of a turn with one face"]["wall"]
    assert rest.median == pytest.approx(1 / 13)
    assert beyond_the_parts({least: costs[least]}) == {}
