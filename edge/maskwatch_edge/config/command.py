"""`maskwatch config`: is a file right, what is in force, and where does each value come from?"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from maskwatch_edge.command import Command

from .file import DEFAULT_PATH, LoadedConfig, load_config, to_dict, to_toml
from .keys import ConfigError


def add_config_options(parser: argparse.ArgumentParser) -> None:
    """Declare `--config` and `--set`, for every command that has a configuration."""
    group = parser.add_argument_group("configuration")
    group.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help=f"in place of $MASKWATCH_CONFIG or {DEFAULT_PATH}",
    )
    group.add_argument(
        "--set",
        action="append",
        default=[],
        type=_setting,
        metavar="KEY=VALUE",
        help="one setting over those of file and environment, as in camera.stall_seconds=10; "
        "may be given again",
    )


def load_from_options(
    options: argparse.Namespace, flags: Mapping[str, object] | None = None
) -> LoadedConfig:
    """Load the configuration that the options of `add_config_options` ask for.

    Args:
        options: The parsed command line.
        flags: What other options of the command say; see `load_config`. `--set` wins.

    Raises:
        ConfigError: With all that is wrong, a line each.
    """
    return load_config(options.config, os.environ, {**(flags or {}), **dict(options.set)})


def _setting(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"expected KEY=VALUE, received {text!r}")
    return key.strip(), value.strip()


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    acts = parser.add_subparsers(required=True, metavar="ACT", help="what to do")
    check = acts.add_parser("check", help="say whether a file is right, or all that is wrong")
    check.add_argument("file", type=Path, metavar="FILE", help="a configuration file")
    check.set_defaults(act=_check)
    show = acts.add_parser("show", help="print all values in force, and where each comes from")
    add_config_options(show)
    show.add_argument("--json", action="store_true", help="print one JSON object")
    show.set_defaults(act=_show)


def _run(options: argparse.Namespace) -> int:
    try:
        return int(options.act(options))
    except ConfigError as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)  # noqa: T201
        return 1


def _check(options: argparse.Namespace) -> int:
    loaded = load_config(options.file, {}, {})
    count = sum(origin.startswith("file ") for origin in loaded.origins.values())
    print(f"{options.file} is right: {count} value{'' if count == 1 else 's'} set")  # noqa: T201
    return 0


def _show(options: argparse.Namespace) -> int:
    loaded = load_from_options(options)
    text = json.dumps(to_dict(loaded), indent=2) if options.json else to_toml(loaded).rstrip()
    print(text)  # noqa: T201
    return 0


COMMAND = Command(
    "config",
    "check a configuration file, or show the values in force",
    _add_arguments,
    _run,
    "Check a configuration file, or show the values in force and where each comes from: default, "
    f"file, environment or flag. The file is {DEFAULT_PATH} unless another is named.",
)
