"""Systems side by side: what is compared, and how; how fast this machine is plays no part."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest

from benchmarks.compare import case, people_found
from benchmarks.measuring import Cost, Spread, interleaved, print_table, summary, write_figures
from benchmarks.scenes import HEADS_XYXY, clip
from benchmarks.seed import SIZE, Floats, SeedLoop
from maskwatch_edge.bench.replay import Reel
from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.frame import Frame


@pytest.fixture(scope="module")
def reel() -> Reel:
    return clip(3)


def test_a_person_is_found_by_a_box_on_its_head_and_counts_once(reel: Reel) -> None:
    left, right = ((x1 + x2) // 2 for x1, _, x2, _ in HEADS_XYXY)

    def look(frame: Frame) -> list[FaceBox]:
        boxes = [FaceBox(x - 40, 150, x + 40, 230, 0.9) for x in (left, left + 9, right)]
        astray = FaceBox(0, 440, 40, 480, 0.9)
        return [*boxes, astray] if frame.number == 0 else [astray]

    assert people_found(look, reel) == 2


def test_the_loop_of_the_seed_judges_each_face_of_the_cascade_by_itself(reel: Reel) -> None:
    judged: list[Floats] = []
    boxes = SeedLoop(judged.append).look(reel.frames[0].pixels)
    assert len(boxes) == len(judged) == 2
    assert {face.shape for face in judged} == {(1, SIZE, SIZE, 3)}
    assert all(0 <= face.min() < 0.3 and 0.5 < face.max() <= 1 for face in judged)


def test_cases_take_turns_and_warm_ups_do_not_count() -> None:
    order: list[str] = []

    def measured(name: str) -> Cost:
        order.append(name)
        return Cost(len(order), 1.0)

    costs = interleaved({name: partial(measured, name) for name in "ab"}, 2, warm_ups=1)
    assert "".join(order) == "ababab"
    assert [cost.wall_ms for cost in costs["b"]] == [4, 6]


def test_ratios_are_taken_round_by_round() -> None:
    costs = {"a": [Cost(10, 20), Cost(30, 40)], "b": [Cost(20, 20), Cost(30, 20)]}
    figures = summary(costs, "a")
    assert figures["b"]["wall_ratio"] == Spread(1.5, 1.0, 2.0)
    assert figures["b"]["cpu_ratio"] == Spread(0.75, 0.5, 1.0)
    assert figures["a"]["wall_ms"] == Spread(20, 10, 30)


def test_figures_are_printed_and_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = {"a": {"wall": Spread(1.0, 0.5, 200.0)}}
    print_table("series", figures)
    assert capsys.readouterr().out.splitlines()[-1].split() == ["a", "1.00", "(0.50", "to", "200)"]
    write_figures(tmp_path / "figures.json", {"series": figures})
    written = json.loads((tmp_path / "figures.json").read_text())
    assert written["series"] == {"a": {"wall": {"median": 1.0, "least": 0.5, "most": 200.0}}}
    assert written["measured_on"].keys() >= {"machine", "python", "numpy"}


def test_a_case_sees_the_whole_reel(reel: Reel) -> None:
    seen: list[int] = []

    def look(frame: Frame) -> list[FaceBox]:
        seen.append(frame.number)
        return []

    case(look, reel)()
    assert seen == [0, 1, 2]
