"""Metrics: what they count, what they are called, and the dashboard that shows them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maskwatch_edge.cameras.state import CameraState
from maskwatch_edge.events import Event, EventKind
from maskwatch_edge.faults import Fault
from maskwatch_edge.frame import Frame
from maskwatch_edge.verdict import Decision
from maskwatch_edge.view import View

pytest.importorskip("prometheus_client", reason="needs the extra web")
pytest.importorskip("aiohttp", reason="needs the extra web")

from prometheus_client.parser import text_string_to_metric_families

from maskwatch_edge.web.meter import (
    Meter,
    metrics_of_board,
    metrics_of_faults,
    metrics_of_queues,
    metrics_of_view,
    metrics_of_viewers,
)
from maskwatch_edge.web.seats import Seats
from maskwatch_edge.web.status import BoardHealth, ModelFacts

DASHBOARD = Path(__file__).parents[2] / "docs" / "grafana-dashboard.json"
MODEL = ModelFacts('a "model".tflite', "0" * 64, "int8", 128, "tflite")
BOARD = BoardHealth(51.5, 120.0, ())
SEEN = View(None, (), (), (), CameraState.SEEING, 12.5, 100.0)

Samples = dict[tuple[str, tuple[str, ...]], float]


def frame(number: int, seconds: float = 99.9) -> Frame:
    return Frame(np.zeros((4, 4, 3), np.uint8), number, seconds, "0")


def text_of(meter: Meter, view: View | None = SEEN, board: BoardHealth = BOARD) -> str:
    now = [*metrics_of_view(view), *metrics_of_board(board, MODEL, "1.2.3")]
    now += [
        *metrics_of_viewers({"picture": Seats(3)}),
        *metrics_of_queues({"events": 7, "mqtt": 2}),
        *metrics_of_faults({Fault.CAMERA_LOST: 3, Fault.QUEUE_FULL: 0}),
    ]
    return meter.text(now).decode()


def samples_of(text: str) -> Samples:
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_frames_are_counted_those_that_were_skipped_too() -> None:
    meter = Meter(is_live=True)
    for number in (5, 6, 9):
        meter.take(replace(SEEN, frame=frame(number), stage_seconds={"find": 0.02, "watch": 0.03}))
    meter.take(SEEN)
    samples = samples_of(text_of(meter))
    assert samples["maskwatch_frames_total", ()] == 3
    assert samples["maskwatch_frames_skipped_total", ()] == 2
    assert samples["maskwatch_stage_duration_seconds_count", ("find",)] == 3
    assert samples["maskwatch_stage_duration_seconds_sum", ("watch",)] == pytest.approx(0.09)
    assert samples["maskwatch_frame_latency_seconds_sum", ()] == pytest.approx(0.3)


def test_a_file_has_a_clock_of_its_own_and_no_latency() -> None:
    meter = Meter(is_live=False)
    for number in (5, 0):  # another file
        meter.take(replace(SEEN, frame=frame(number, number / 25)))
    samples = samples_of(text_of(meter))
    assert samples["maskwatch_frames_total", ()] == 2
    assert samples["maskwatch_frames_skipped_total", ()] == 0
    assert samples["maskwatch_frame_latency_seconds_count", ()] == 0


def test_a_camera_that_comes_back_is_counted_but_not_its_first_coming() -> None:
    meter = Meter(is_live=True)
    states = ("waiting", "seeing", "lost", "seeing", "lost", "waiting", "lost", "seeing")
    for state in states:
        meter.take(replace(SEEN, events=(Event(EventKind.CAMERA, 0.0, camera=state),)))
    assert samples_of(text_of(meter))["maskwatch_camera_reconnects_total", ()] == 2


def test_people_are_counted_by_what_was_said_of_them_first() -> None:
    meter = Meter(is_live=True)
    appeared = Event(EventKind.APPEARED, 0.0, 1, Decision.MASK)
    changed = Event(EventKind.CHANGED, 1.0, 1, Decision.NO_MASK, Decision.MASK)
    meter.take(replace(SEEN, events=(appeared, changed)))
    samples = samples_of(text_of(meter))
    told = [samples["maskwatch_people_seen_total", (decision.value,)] for decision in Decision]
    assert told == [1, 0, 0]


def test_what_is_not_known_is_left_out_and_not_zero() -> None:
    samples = samples_of(text_of(Meter(is_live=True), None, BoardHealth(None, None, None)))
    assert ("maskwatch_temperature_celsius", ()) not in samples
    assert samples["maskwatch_camera_up", ()] == 0
    known = samples_of(text_of(Meter(is_live=True)))
    assert known["maskwatch_temperature_celsius", ()] == 51.5
    assert known["maskwatch_camera_up", ()] == 1
    assert known["maskwatch_queue_depth", ("events",)] == 7
    assert known["maskwatch_queue_depth", ("mqtt",)] == 2
    assert known["maskwatch_faults_total", ("camera-lost",)] == 3
    assert known["maskwatch_faults_total", ("queue-full",)] == 0


def test_names_follow_the_conventions() -> None:
    for family in text_string_to_metric_families(text_of(Meter(is_live=True))):
        assert re.fullmatch(r"(maskwatch|process)_[a-z_]+", family.name), family.name
        assert family.documentation
        units = re.findall(r"(milliseconds|millis|minutes|megabytes|percent|_ms)$", family.name)
        assert not units, family.name
        is_time = family.type == "histogram"
        assert is_time == family.name.endswith("_seconds") or family.name.startswith("process_")
        for sample in family.samples:
            ends_with_total = sample.name.endswith("_total")
            assert ends_with_total == (family.type == "counter"), sample.name


def expressions(board: dict[str, Any]) -> list[str]:
    variables = [one["query"]["query"] for one in board["templating"]["list"] if "uid" not in one
                 and isinstance(one["query"], dict)]  # fmt: skip
    return variables + [target["expr"] for panel in board["panels"] for target in panel["targets"]]


def test_the_dashboard_shows_metrics_that_there_are() -> None:
    board = json.loads(DASHBOARD.read_text())
    meter = Meter(is_live=True)
    meter.take(replace(SEEN, frame=frame(0), stage_seconds={"find": 0.1}))
    there_are = {name for name, _ in samples_of(text_of(meter))}
    used = set(re.findall(r"(?:maskwatch|process)_\w+", " ".join(expressions(board))))
    assert used <= there_are
    ours = {name for name in there_are if name.startswith("maskwatch_")}
    shown = {re.sub("_(bucket|count|sum)$", "", name) for name in used}
    assert {re.sub("_(bucket|count|sum)$", "", name) for name in ours} - shown == {
        "maskwatch_frames_total"  # the rate is shown
    }


def test_the_panels_of_the_dashboard_lie_beside_each_other() -> None:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
    assert len({panel["id"] for panel in panels}) == len(panels)
