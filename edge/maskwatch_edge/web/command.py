"""`maskwatch token`: make a token for the live page, and the line of the configuration for it."""

from __future__ import annotations

import argparse

from maskwatch_edge.command import Command

from .tokens import hash_of, new_token


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take none: a token that somebody chose could be guessed."""


def _run(options: argparse.Namespace) -> int:
    token = new_token()
    print("# for the viewers; it is kept nowhere:")  # noqa: T201
    print(f"# {token}")  # noqa: T201
    print("# for the configuration, in the section [web]:")  # noqa: T201
    print(f'token_hash = "{hash_of(token)}"')  # noqa: T201
    return 0


COMMAND = Command(
    "token",
    "make a token for the live page",
    _add_arguments,
    _run,
    "Make a token that viewers of the live page must know, and the line of the configuration that "
    "asks for it. The configuration holds its hash alone.",
)
