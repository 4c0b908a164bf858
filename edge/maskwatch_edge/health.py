"""What an installation must pass before it takes over: `python -m maskwatch_edge.health`.

`systemd/install.sh` runs this with the program that it has just made, beside the one that runs.
It loads what the service will load, once, so that a broken model never gets as far as a restart.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from .config import Config
from .config_file import load_config
from .errors import InputError, MaskwatchError
from .frame import Frame
from .run_command import build_watcher
from .sources import URL_PREFIXES

DROP_INS = ("console", "network", "window")
"""What `install.sh --with` takes."""


def read_environment(path: Path) -> dict[str, str]:
    """Read the variables of a systemd EnvironmentFile: a `NAME=value` a line, plain or quoted.

    Raises:
        InputError: If it is there and cannot be read.
    """
    try:
        lines = path.read_text().splitlines() if path.exists() else []
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {path}: {error}") from error
    pairs = [line.split("=", 1) for line in lines if "=" in line and line.strip()[0] not in "#;"]
    return {name.strip(): value.strip().strip("\"'") for name, value in pairs}


def check_drop_ins(config: Config, chosen: Collection[str]) -> None:
    """Check that the service's sandbox lets it do what the configuration asks for.

    Raises:
        InputError: With the option of `install.sh` that is missing.
    """
    if config.camera.source.startswith(URL_PREFIXES) and "network" not in chosen:
        raise InputError(
            "camera.source is a network address, which the service may not reach; "
            "add --with network"
        )
    if config.display.kind == "console" and "console" not in chosen:
        raise InputError(
            "display.kind is console, a screen that the service may not use; add --with console"
        )


def check_release(
    model: Path, path: Path, environment: Mapping[str, str], chosen: Collection[str]
) -> None:
    """Load the model and the configuration, as the service will.

    Args:
        model: The `.tflite` file of the release.
        path: Its configuration file.
        environment: What the service gets beside it.
        chosen: The drop-ins among `DROP_INS` that it will have.

    Raises:
        MaskwatchError: With what is wrong.
    """
    config = load_config(path, environment, {}).config
    if config.model.path is not None:
        raise InputError(
            "model.path has no effect in the service, which runs the model that was installed "
            "with it; remove it and give --model FILE"
        )
    check_drop_ins(config, chosen)
    settings = replace(config, model=replace(config.model, path=model))
    blank = np.zeros((config.camera.height_px, config.camera.width_px, 3), dtype=np.uint8)
    build_watcher(settings).look(Frame(blank, number=0, time_seconds=0.0, source="blank"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Check a release and return the exit code: 0 if it may take over, 1 with the reason."""
    parser = argparse.ArgumentParser(prog="maskwatch_edge.health", description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--environment", type=Path, default=Path("/etc/maskwatch/environment"))
    parser.add_argument("--with", dest="chosen", default="", metavar="NAMES")
    options = parser.parse_args(arguments)
    try:
        environment = read_environment(options.environment)
        check_release(options.model, options.config, environment, options.chosen.split())
    except MaskwatchError as error:
        for line in str(error).splitlines():
            print(f"maskwatch: error: {line}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
