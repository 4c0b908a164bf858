"""What an installation must pass before it takes over: `python -m maskwatch_edge.deploy.health`.

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

from maskwatch_edge.config.file import load_config
from maskwatch_edge.errors import MaskwatchError
from maskwatch_edge.frame import Frame
from maskwatch_edge.run_command import build_watcher
from maskwatch_edge.signatures.keys import read_trusted

from .service_config import (
    check_drop_ins,
    check_finder_file,
    check_model,
    read_environment,
)


def check_release(
    model: Path | None, path: Path, environment: Mapping[str, str], chosen: Collection[str]
) -> None:
    """Load the model and the configuration, as the service will.

    Args:
        model: The `.tflite` file of the release; None if it has none of its own, and runs one that
            comes with Maskwatch.
        path: Its configuration file.
        environment: What the service gets beside it.
        chosen: The drop-ins among `DROP_INS` that it will have.

    Raises:
        MaskwatchError: With what is wrong.
    """
    config = load_config(path, environment, {}).config
    check_model(config, is_given=model is not None)
    check_finder_file(config)
    check_drop_ins(config, chosen)
    settings = replace(config, model=replace(config.model, path=model))
    blank = np.zeros((config.camera.height_px, config.camera.width_px, 3), dtype=np.uint8)
    build_watcher(settings).look(Frame(blank, number=0, time_seconds=0.0, source="blank"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Check a release and return the exit code: 0 if it may take over, 1 with the reason."""
    parser = argparse.ArgumentParser(prog="maskwatch_edge.deploy.health", description=__doc__)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--environment", type=Path, default=Path("/etc/maskwatch/environment"))
    parser.add_argument(
        "--trust", type=Path, help="must be readable: it will check what comes next"
    )
    parser.add_argument("--with", dest="chosen", default="", metavar="NAMES")
    options = parser.parse_args(arguments)
    try:
        if options.trust:
            read_trusted(options.trust)
        environment = read_environment(options.environment)
        check_release(options.model, options.config, environment, options.chosen.split())
    except MaskwatchError as error:
        for line in str(error).splitlines():
            print(f"maskwatch: error: {line}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
