"""`maskwatch doctor`: is everything there that Maskwatch needs, and what mends what is not?"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from maskwatch_edge.command import Command
from maskwatch_edge.config.command import add_config_options
from maskwatch_edge.config.file import LoadedConfig, load_config
from maskwatch_edge.deploy.service_config import read_environment
from maskwatch_edge.errors import InputError

from .checks import SECRETS, examine
from .model import INSTALLED
from .report import Finding, exit_code, to_json
from .system import RealSystem


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_config_options(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(options: argparse.Namespace) -> int:
    """Print each finding as it is made, or all of them as JSON; 1 if something does not work."""
    findings: list[Finding] = []
    for finding in examine(RealSystem(), lambda: load_as_service(options)):
        findings.append(finding)
        if not options.json:
            _print(str(finding))
    if options.json:
        _print(to_json(findings))
    return exit_code(findings)


def load_as_service(
    options: argparse.Namespace, files: Iterable[Path] = (Path(SECRETS), INSTALLED / "environment")
) -> LoadedConfig:
    """Load the configuration as the service sees it, as far as this user may.

    Raises:
        ConfigError: With all that is wrong, a line each.
    """
    environment: dict[str, str] = {}
    for file in files:
        # Only root may read the first; `check_secrets` says so.
        with suppress(InputError):
            environment |= read_environment(file)
    return load_config(options.config, {**environment, **os.environ}, dict(options.set))


def _print(text: str) -> None:
    # A serial console may know neither the arrow nor the name of a camera in another script.
    encoding = sys.stdout.encoding or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        text = text.replace("→", "->").encode(encoding, "replace").decode(encoding)
    print(text, flush=True)  # noqa: T201


COMMAND = Command(
    "doctor",
    "look at board, camera, lamps, display, model and service, and say what to mend",
    add_arguments,
    run,
    "Look at all that Maskwatch needs, and change nothing. Each line says ok, warn or fail, and "
    "the next one what mends it. The exit code is 1 if something fails.",
)
