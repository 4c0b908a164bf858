"""The service of `maskwatch run`, put together of the same parts, each of them timed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from maskwatch_edge.cameras.sources import FrameSource
from maskwatch_edge.classifier import open_classifier
from maskwatch_edge.config import CameraConfig, Config
from maskwatch_edge.fault_log import open_log
from maskwatch_edge.finders import open_finder
from maskwatch_edge.loop import closing_all
from maskwatch_edge.notify import Notifier
from maskwatch_edge.pipeline import StreamWatcher
from maskwatch_edge.run_command import open_outputs, watcher_of
from maskwatch_edge.service import Service

from .stopwatch import Stopwatch, TimedFinder, TimedJudge, TimedOutput, TimedReader


@dataclass(frozen=True)
class Rig:
    """A service on the test bench.

    Attributes:
        service: Turned by hand.
        reader: Gives it the frames.
        stopwatch: Has the times of its parts.
    """

    service: Service
    reader: TimedReader
    stopwatch: Stopwatch


@contextmanager
def rigged(
    config: Config,
    open_source: Callable[[CameraConfig], FrameSource],
    on_quit: Callable[[], None] = lambda: None,
) -> Iterator[Rig]:
    """Build what `maskwatch run` would run with a configuration.

    Args:
        config: See there.
        open_source: Opens what gives the frames.
        on_quit: Called when the user closes the window.
    """
    stopwatch = Stopwatch()
    watcher = timed_watcher(config, stopwatch)
    with open_log() as log, TimedReader(config.camera, open_source, warn=log.warn) as reader:
        reader.stopwatch = stopwatch
        opened = open_outputs(config, lambda: reader.last_error, on_quit, log)
        with closing_all(opened):
            outputs = [TimedOutput(output, stopwatch) for output in opened]
            service = Service(reader, watcher, config.decision, outputs, Notifier(None))
            yield Rig(service, reader, stopwatch)


def timed_watcher(config: Config, stopwatch: Stopwatch) -> StreamWatcher:
    """Build what `run_command.build_watcher` builds, finder and classifier timed."""
    finder = TimedFinder(open_finder(config.faces, config.model), stopwatch)
    return watcher_of(config, finder, TimedJudge(open_classifier(config.model), stopwatch))
