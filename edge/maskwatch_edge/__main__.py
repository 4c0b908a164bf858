"""The command `maskwatch`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.metadata import entry_points, version

from .command import Command
from .commands import COMMANDS
from .config.keys import ConfigError
from .errors import MaskwatchError


class _HelpFormatter(argparse.ArgumentDefaultsHelpFormatter):
    """Shows the default of an option where it is a word or a number."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        is_plain = isinstance(action.default, str | int | float) and action.default is not False
        return super()._get_help_string(action) if is_plain else action.help


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `maskwatch` with the given arguments and return its exit code.

    0 is success, 1 an error told in one line on stderr, 2 a wrong command line, 130 Ctrl-C.
    """
    parser = build_parser(find_commands())
    options = parser.parse_args(arguments)
    try:
        code = int(options.run(options))
        sys.stdout.flush()
        return code
    except MaskwatchError as error:
        _tell(options.command, error)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of our output went away, as `head` does; keep the exit quiet.
        _empty_stdout()
        return 1
    except OSError as error:
        _empty_stdout()
        _tell(options.command, error)
        return 1


def _tell(command: str, error: Exception) -> None:
    """Print a line for each problem; the names of files may hold a line break."""
    for problem in error.problems if isinstance(error, ConfigError) else (error,):
        message = " ".join(str(problem).splitlines())
        print(f"maskwatch {command}: error: {message}", file=sys.stderr)  # noqa: T201


def _empty_stdout() -> None:
    """Drop what stdout cannot take, or Python complains of it once more at its exit."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def find_commands() -> list[Command]:
    """List the edge's own commands and those that other installed packages bring."""
    others = [entry.load() for entry in entry_points(group="maskwatch.commands")]
    return sorted([*COMMANDS, *others], key=lambda command: command.name)


def build_parser(commands: Sequence[Command]) -> argparse.ArgumentParser:
    """Build the parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="maskwatch",
        description="Tells whether the people in front of a camera wear their masks.",
    )
    parser.add_argument("--version", action="version", version=f"maskwatch {version('maskwatch')}")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in commands:
        subparser = subparsers.add_parser(
            command.name,
            help=command.summary,
            description=command.description or command.summary,
            formatter_class=_HelpFormatter,
        )
        command.add_arguments(subparser)
        subparser.set_defaults(run=command.run)
    return parser


if __name__ == "__main__":
    sys.exit(main())
