"""The command `maskwatch`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from .command import Command
from .commands import MODULES, load_command
from .config.keys import ConfigError
from .errors import MaskwatchError
from .faults import Fault


class _HelpFormatter(argparse.ArgumentDefaultsHelpFormatter):
    """Shows the default of an option where it is a word or a number."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        is_plain = isinstance(action.default, str | int | float) and action.default is not False
        return super()._get_help_string(action) if is_plain else action.help


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `maskwatch` with the given arguments and return its exit code.

    0 is success, 1 an error told in one line on stderr, 2 a wrong command line, 130 Ctrl-C.
    """
    words = sys.argv[1:] if arguments is None else list(arguments)
    options = build_parser(find_commands(*words[:1])).parse_args(words)
    try:
        code = int(options.run(options))
        sys.stdout.flush()
        return code
    except MaskwatchError as error:
        _tell(options.command, error.fault, *_problems(error))
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of our output went away, as `head` does; keep the exit quiet.
        _empty_stdout()
        return 1
    except OSError as error:
        _empty_stdout()
        _tell(options.command, Fault.SYSTEM_REFUSED, error)
        return 1
    except Exception as error:
        _tell(options.command, Fault.PROGRAM_BROKEN, repr(error))
        raise


def _problems(error: MaskwatchError) -> Sequence[object]:
    return error.problems if isinstance(error, ConfigError) else (error,)


def _tell(command: str, fault: Fault, *problems: object) -> None:
    """Tell a line for each problem."""
    from .fault_log import open_log  # most commands end well and need no sockets

    with open_log() as log:
        for problem in problems:
            log.warn(fault.once(str(problem)), f"maskwatch {command}: error")


def _empty_stdout() -> None:
    """Drop what stdout cannot take, or Python complains of it once more at its exit."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def find_commands(name: str = "") -> list[Command]:
    """Return the edge's own command of that name; all there are if it has none.

    Other installed packages may bring commands. To ask which takes longer than to start a camera,
    and so does importing what one command needs and another does not.
    """
    if name in MODULES:
        return [load_command(name)]
    from importlib.metadata import entry_points

    others = [entry.load() for entry in entry_points(group="maskwatch.commands")]
    own = map(load_command, MODULES)
    return sorted([*own, *others], key=lambda command: command.name)


class _Version(argparse.Action):
    """Prints the version that is installed, which takes a while to find out."""

    def __call__(self, parser: argparse.ArgumentParser, *others: object) -> None:
        from importlib.metadata import version

        print(f"maskwatch {version('maskwatch')}")  # noqa: T201
        parser.exit()


def build_parser(commands: Sequence[Command]) -> argparse.ArgumentParser:
    """Build the parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="maskwatch",
        description="Tells whether the people in front of a camera wear their masks.",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print it and exit")
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
