"""Metrics for Prometheus, named as its guide asks: https://prometheus.io/docs/practices/naming/."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from maskwatch_edge.cameras.state import CameraState
from maskwatch_edge.events import Event, EventKind
from maskwatch_edge.faults import Fault
from maskwatch_edge.frame import Frame
from maskwatch_edge.verdict import Decision
from maskwatch_edge.view import View

from .seats import Seats
from .status import BoardHealth, ModelFacts

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Upper bounds in seconds: a search takes a few milliseconds here and a tenth of a second there."""


class Meter:
    """Counts what the loop does.

    Args:
        is_live: Whether the frames' clock is the loop's, as with a camera; a file has its own.
    """

    def __init__(self, *, is_live: bool) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._is_live = is_live
        self._last_number: int | None = None
        self._camera: str | None = None
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._frames = self._counter("frames", "Frames that were taken from the camera")
        self._skipped = self._counter(
            "frames_skipped", "Frames of the camera that newer ones replaced before they were taken"
        )
        self._reconnects = self._counter("camera_reconnects", "Times that a lost camera came back")
        self._people = self._counter(
            "people_seen", "People who appeared, by what was said of them first", "verdict"
        )
        self._stages = self._histogram(
            "stage_duration_seconds",
            "Time of a stage for a frame: find, judge; watch is all until the outputs are told",
            "stage",
        )
        self._latency = self._histogram(
            "frame_latency_seconds", "Time from a frame of the camera to what is said of it"
        )
        for decision in Decision:
            self._people.labels(decision.value)

    def _counter(self, name: str, about: str, *labels: str) -> Counter:
        return Counter(f"maskwatch_{name}", about, labels, registry=self._registry)

    def _histogram(self, name: str, about: str, *labels: str) -> Histogram:
        return Histogram(
            f"maskwatch_{name}", about, labels, registry=self._registry, buckets=BUCKETS
        )

    def take(self, view: View) -> None:
        """Count what a view says."""
        for event in view.events:
            self._count_event(event)
        if view.frame is not None:
            self._count_frame(view.frame)
            for stage, seconds in view.stage_seconds.items():
                self._stages.labels(stage).observe(seconds)
            if self._is_live:
                self._latency.observe(view.time_seconds - view.frame.time_seconds)

    def _count_event(self, event: Event) -> None:
        if event.kind is EventKind.APPEARED and event.decision:
            self._people.labels(event.decision.value).inc()
        if event.kind is EventKind.CAMERA:
            is_back = self._camera == CameraState.LOST and event.camera == CameraState.SEEING
            self._reconnects.inc(is_back)
            self._camera = event.camera

    def _count_frame(self, frame: Frame) -> None:
        self._frames.inc()
        if self._is_live and self._last_number is not None:
            self._skipped.inc(max(frame.number - self._last_number - 1, 0))
        self._last_number = frame.number

    def text(self, now: Iterable[Metric]) -> bytes:
        """Return all metrics in the text format of Prometheus, and those of this moment."""
        scrape = CollectorRegistry()
        scrape.register(self._registry)
        scrape.register(_Now(now))
        return generate_latest(scrape)


class _Now(Collector):
    """Metrics that were read for one scrape."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def metrics_of_view(view: View | None) -> Iterator[Metric]:
    """Tell what is to be seen at this moment."""
    counts = view.count_people() if view else Tally[Decision]()
    people = GaugeMetricFamily(
        "maskwatch_people", "People in sight, by what is said of them", labels=["verdict"]
    )
    for decision in Decision:
        people.add_metric([decision.value], counts[decision])
    yield people
    yield GaugeMetricFamily(
        "maskwatch_camera_up",
        "Whether pictures come from the camera",
        value=view is not None and view.camera is CameraState.SEEING,
    )
    yield GaugeMetricFamily(
        "maskwatch_frames_per_second",
        "Rate at which frames come",
        value=view.frames_per_second if view else 0.0,
    )


def metrics_of_board(board: BoardHealth, model: ModelFacts, program: str) -> Iterator[Metric]:
    """Tell how the board is, and what runs on it, in which version."""
    if board.temperature_celsius is not None:
        yield GaugeMetricFamily(
            "maskwatch_temperature_celsius",
            "Of the board's hottest sensor",
            value=board.temperature_celsius,
        )
    texts = {name: str(value) for name, value in asdict(model).items()}
    yield InfoMetricFamily("maskwatch_model", "The model that judges", texts)
    yield InfoMetricFamily("maskwatch_build", "This program", {"version": program})


def metrics_of_viewers(seats: Mapping[str, Seats]) -> Iterator[Metric]:
    """Tell who looks on, by what they look at."""
    viewers = GaugeMetricFamily("maskwatch_viewers", "Viewers connected", labels=["of"])
    refused = CounterMetricFamily("maskwatch_viewers_refused", "No place was left", labels=["of"])
    dropped = CounterMetricFamily("maskwatch_viewers_dropped", "Were too slow", labels=["of"])
    for name, row in seats.items():
        viewers.add_metric([name], row.taken)
        refused.add_metric([name], row.refused)
        dropped.add_metric([name], row.dropped)
    yield from (viewers, refused, dropped)


def metrics_of_queues(waiting: Mapping[str, int]) -> Iterator[Metric]:
    """Tell how many messages wait, by queue."""
    depth = GaugeMetricFamily("maskwatch_queue_depth", "Messages that wait", labels=["queue"])
    for name, count in waiting.items():
        depth.add_metric([name], count)
    yield depth


def metrics_of_faults(counts: Mapping[Fault, int]) -> Iterator[Metric]:
    """Tell how often each fault came."""
    faults = CounterMetricFamily("maskwatch_faults", "Faults that came", labels=["fault"])
    for fault, count in counts.items():
        faults.add_metric([fault.id], count)
    yield faults
