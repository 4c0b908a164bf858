"""`maskwatch run`: watch one camera until told to stop; what systemd starts."""

from __future__ import annotations

import argparse
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from threading import Event as Flag
from types import FrameType

from .cameras.camera import CameraReader
from .cameras.sources import open_camera
from .classifier import open_classifier
from .command import Command, need
from .config import (
    Config,
    DecisionConfig,
    ModelConfig,
    MqttConfig,
    StatisticsConfig,
    Thresholds,
)
from .config.command import add_config_options, load_from_options
from .display.display import open_display
from .errors import MaskwatchError
from .fault_log import FaultLog, open_log
from .faults import Fault, Warn
from .finders import FaceFinder, open_finder
from .guard import Guarded
from .lamps.gpio import GpioLine
from .lamps.indicator import Indicator
from .lines import open_lines
from .loop import closing_all, stopped_by_signals
from .notify import Notifier, open_notifier
from .pipeline import EARLY_SECONDS, StreamWatcher
from .recall import Judge
from .service import Service, monotonic_seconds
from .view import Output
from .watch_options import add_finder, add_model_file, add_model_options, add_watch_options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options; each stands for a setting of the configuration, and wins over it."""
    add = parser.add_argument
    add(
        "--source",
        help="camera number or device, picamera2, video, folder, or rtsp:// or http:// address",
    )
    add("--display", choices=["window", "console", "none"], help="where the picture is shown; ESC "
        "or q in the window ends the program")  # fmt: skip
    add("--full-screen", action="store_const", const=True, help="let the window fill the screen")
    add(
        "--lines",
        choices=["text", "events", "frames", "none"],
        help="print a readable line for every change, a JSON object for every event or for every "
        "frame, or nothing",
    )
    add("--jsonl", action="store_const", const="frames", dest="lines", help="as --lines frames")
    add_model_file(parser)
    add_finder(parser)
    add_watch_options(parser)
    add_model_options(parser)
    # What is not given is left to the configuration.
    parser.set_defaults(min_face_score=None, min_score=None, interpreter=None)
    parser.set_defaults(finder=None, work_size=None, smallest_face=None)
    add_config_options(parser)


def flags_of(options: argparse.Namespace) -> dict[str, object]:
    """Name each option by the setting that it stands for; None where it was not given."""
    return {
        "camera.source": options.source,
        "faces.min_score": options.min_face_score,
        "faces.finder": options.finder,
        "faces.model": options.finder_model,
        "faces.work_size_px": options.work_size,
        "faces.cascade": options.cascade,
        "faces.min_size_px": options.smallest_face,
        **_model(options.model),
        "model.interpreter": options.interpreter,
        "model.threads": options.threads,
        "model.trusted_keys": options.trust,
        **_scores(options.min_score),
        "display.kind": options.display,
        "display.full_screen": options.full_screen,
        "output.lines": options.lines,
    }


def _model(chosen: ModelConfig | None) -> dict[str, object]:
    """Let `--model` win over both settings that name a model; "" is none."""
    return {"model.shipped": chosen.shipped, "model.path": chosen.path or ""} if chosen else {}


def _scores(min_score: float | None) -> dict[str, object]:
    """Let `--min-score` go below the score at which claims are given up, which cannot be higher."""
    default = DecisionConfig().leave_score
    if min_score is None or min_score >= default:
        return {"decision.min_score": min_score}
    lowest = max(min_score, 0.5)  # of two labels the likelier one never has less
    return {"decision.min_score": lowest, "decision.leave_score": lowest}


def run(options: argparse.Namespace) -> int:
    """Watch until a signal, the end of a file, or ESC; a SIGHUP reads the configuration anew."""

    def load() -> tuple[Config, StreamWatcher]:
        config = load_from_options(options, flags_of(options)).config
        return config, build_watcher(config)

    config, watcher = load()
    with (
        stopped_by_signals() as stop,
        raised_by_hangup() as hangup,
        open_log() as log,
        open_notifier(log.warn) as notifier,
    ):
        while not stop.is_set():
            reload = Reload(load, hangup, notifier, log.warn)
            watch_with(config, watcher, notifier, stop, reload, log)
            if reload.loaded is None:
                break
            config, watcher = reload.loaded
        notifier.stopping()
    return 0


def build_watcher(config: Config) -> StreamWatcher:
    """Load the finder and the model.

    Raises:
        InputError: If the finder cannot be loaded.
        ModelError: If the model is broken.
    """
    finder = open_finder(config.faces, config.model)
    return watcher_of(config, finder, open_classifier(config.model))


def watcher_of(config: Config, finder: FaceFinder, judge: Judge) -> StreamWatcher:
    """Put a finder and a classifier together as a configuration says."""
    return StreamWatcher(
        finder,
        judge,
        Thresholds(config.faces.min_score, config.decision.min_score),
        look_seconds=config.faces.look_seconds,
        still_seconds=config.faces.still_seconds,
    )


class Reload:
    """A flag that is set once a SIGHUP came and the new configuration proved right.

    A broken new one is told and forgotten: the old one goes on.

    Args:
        load: Loads everything that the configuration names.
        hangup: Set by the signal.
        notifier: Tells systemd that a reload began and ended.
        warn: Told of a broken configuration.
    """

    def __init__(
        self,
        load: Callable[[], tuple[Config, StreamWatcher]],
        hangup: Flag,
        notifier: Notifier,
        warn: Warn,
    ) -> None:
        self._load, self._hangup, self._notifier, self._warn = load, hangup, notifier, warn
        self.loaded: tuple[Config, StreamWatcher] | None = None

    def is_set(self) -> bool:
        """Look whether a signal came, and if so load; called once a turn."""
        if self._hangup.is_set():
            self._hangup.clear()
            self._notifier.reloading(monotonic_seconds())
            try:
                self.loaded = self._load()
            except MaskwatchError as error:
                told = f"the old configuration stays, the new one is wrong: {error}"
                self._warn(Fault.RELOAD_REFUSED.once(told))
            self._notifier.ready()
        return self.loaded is not None


def watch_with(
    config: Config,
    watcher: StreamWatcher,
    notifier: Notifier,
    stop: Flag,
    reload: Reload,
    log: FaultLog,
) -> None:
    """Watch with one configuration until one of the flags is set, or a file ends."""
    open_source = partial(open_camera, gap_seconds=unseen_seconds(config), warn=log.warn)
    with CameraReader(config.camera, open_source, warn=log.warn) as reader:
        outputs = open_outputs(config, lambda: reader.last_error, stop.set, log)
        with closing_all(outputs):
            service = Service(reader, watcher, config.decision, outputs, notifier, warn=log.warn)
            service.turn()
            notifier.ready()
            service.run(stop, reload)


def unseen_seconds(config: Config) -> float:
    """Return how soon after a frame the next ones are of no use to anybody.

    On a screen and in a list of all frames each counts; otherwise those do that are looked at.
    """
    is_each_shown = config.display.kind != "none" or config.output.lines == "frames"
    # A little less than the pace: the frame that comes next must be one that is looked at.
    gap_seconds = max(config.faces.look_seconds - EARLY_SECONDS / 2, 0.0)
    return 0.0 if is_each_shown else min(gap_seconds, config.camera.stall_seconds / 2)


def open_outputs(
    config: Config, reason: Callable[[], str | None], on_quit: Callable[[], None], log: FaultLog
) -> Sequence[Output]:
    """Open what the configuration asks for; what fails later is left out for a while."""
    warn, outputs = log.warn, list[Output]()

    def add(name: str, fault: Fault, open_one: Callable[[], Output]) -> None:
        outputs.append(Guarded(name, fault, open_one, warn))

    if config.indicator.lamps:
        add("indicator", Fault.LAMPS_FAILED, lambda: open_indicator(config))
    add("lines", Fault.LINES_FAILED, lambda: open_lines(config.output.lines))
    waiting: dict[str, int] = {}
    if config.mqtt.host is not None:
        on_waiting = partial(waiting.__setitem__, "mqtt")
        add("MQTT broker", Fault.MQTT_FAILED, lambda: open_broker(config.mqtt, warn, on_waiting))
    add("display", Fault.DISPLAY_FAILED, lambda: open_display(config.display, on_quit, warn))
    if config.statistics.enabled:
        statistics = Fault.STATISTICS_UNWRITABLE
        add("statistics", statistics, lambda: open_statistics(config.statistics, warn))
    if config.web.enabled:
        add("page", Fault.PAGE_FAILED, lambda: open_page(config, reason, log, waiting))
    return outputs


def open_indicator(config: Config) -> Output:
    """Open the lamps; they go out on their own if the loop hangs."""
    return Indicator(config.indicator, GpioLine, stale_seconds=config.decision.stale_seconds)


def open_broker(config: MqttConfig, warn: Warn, on_waiting: Callable[[int], None]) -> Output:
    """Open the connection to the MQTT broker; imported here, as few boards have one."""
    from .mqtt.output import open_mqtt

    return open_mqtt(config, warn, on_waiting)


def open_statistics(config: StatisticsConfig, warn: Warn) -> Output:
    """Begin to count; the file is opened by the thread that writes it."""
    from .statistics.recorder import Recorder
    from .statistics.store import Store, default_file

    path = config.path or default_file()
    return Recorder(lambda: Store(path, config.keep_days), warn)


def open_page(
    config: Config, reason: Callable[[], str | None], log: FaultLog, waiting: Mapping[str, int]
) -> Output:
    """Serve the live page.

    Raises:
        MissingExtraError: If the extra is not installed.
        OutputError: If its address or port cannot be had.
    """
    need("aiohttp", "aiohttp", "web")
    need("prometheus_client", "prometheus-client", "web")
    from .web.output import WebOutput

    return WebOutput(config, reason, log, waiting)


@contextmanager
def raised_by_hangup() -> Iterator[Flag]:
    """Give a flag that SIGHUP sets."""
    flag = Flag()

    def raise_flag(number: int, frame: FrameType | None) -> None:
        flag.set()

    before = signal.signal(signal.SIGHUP, raise_flag)
    try:
        yield flag
    finally:
        signal.signal(signal.SIGHUP, before)


COMMAND = Command(
    "run",
    "watch a camera",
    add_arguments,
    run,
    "Watch a camera until ESC, Ctrl-C or the end of a file. A camera that is away is waited for. "
    "SIGHUP reads the configuration anew.",
)
