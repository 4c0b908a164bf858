"""`maskwatch lamp`: switch the configured lamps by hand, to test the wiring or to be safe."""

from __future__ import annotations

import argparse
import time
from contextlib import ExitStack

from maskwatch_edge.command import Command, positive
from maskwatch_edge.config import IndicatorConfig
from maskwatch_edge.config.command import add_config_options, load_from_options
from maskwatch_edge.errors import InputError

from .gpio import GpioLine
from .indicator import switch_off


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("act", choices=["on", "off"], help="on lights all lamps for --seconds")
    parser.add_argument(
        "--seconds", type=positive, metavar="S", default=3.0, help="how long they stay lit"
    )
    add_config_options(parser)


def _run(options: argparse.Namespace) -> int:
    config = load_from_options(options).config.indicator
    if options.act == "off":
        switch_off(config, GpioLine)
    else:
        _light(config, options.seconds)
    return 0


def _light(config: IndicatorConfig, seconds: float) -> None:
    if not config.lamps:
        raise InputError("no lamp is configured; expected [[indicator.lamps]] in the configuration")
    with ExitStack() as stack:
        for lamp in config.lamps:
            line = GpioLine(lamp.line, chip=config.chip, active_low=lamp.active_low)
            stack.callback(line.close)
            line.set(True)
            print(f"{lamp.role}: {lamp.line} is on", flush=True)  # noqa: T201
        time.sleep(seconds)


COMMAND = Command(
    "lamp",
    "switch the lamps on to test the wiring, or off",
    _add_arguments,
    _run,
    "Light all configured lamps for some seconds, or leave them off. The service must not be "
    "running: it holds the lines.",
)
