"""`maskwatch deploy`: from the workstation to a running service on a board."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from maskwatch_edge.command import Command, count
from maskwatch_edge.errors import InputError
from maskwatch_edge.models import SHIPPED_MODELS

from .service_config import DROP_INS


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("board", metavar="BOARD", help="as ssh takes it: pi@board.local, or a name of your ssh "
        "configuration")  # fmt: skip
    _add_content(parser)
    _add_connection(parser)
    add("--timeout", type=count, metavar="SECONDS", help="how long the new version may take to "
        "become healthy; 300 if it is not given")  # fmt: skip
    add("--json", action="store_true", help="print what the board runs then, and whether that is "
        "another release than before, as a JSON object")  # fmt: skip
    add("--dry-run", action="store_true", help="check and gather everything, but send nothing")


def _add_content(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("what it is given").add_argument
    add("--model", metavar="TFLITE", help="a model of yours; else the one given last stays. "
        "shipped: one that comes with the program again, by model.shipped of the "
        "configuration")  # fmt: skip
    add("--config", type=Path, metavar="TOML", help="else the one in force stays, or all defaults")
    add("--wheel", type=Path, metavar="WHL", help="the program; else it is built from the checkout "
        "that this one runs from")  # fmt: skip
    add("--model-only", action="store_true", help="replace the model and nothing else")
    add("--with", action="append", default=[], choices=DROP_INS, dest="chosen", help="let the "
        "service reach network cameras, use a screen without a desktop, keep messages for an MQTT "
        "broker or statistics, or serve the live page, or add a service for desktop sessions; may "
        "be given again, and stays until --without")  # fmt: skip
    add("--without", action="append", default=[], choices=DROP_INS, dest="dropped",
        help="no longer")  # fmt: skip
    add("--trust", type=Path, metavar="KEYS", help="send only what one of these public keys signed "
        "(maskwatch keys, maskwatch sign); the board takes nothing else from then on, until root "
        "removes /etc/maskwatch/trusted-keys there")  # fmt: skip
    add("--allow-older", action="store_true", help="let a board with trusted keys take a "
        "program or model of a lower serial than it has")  # fmt: skip


def _add_connection(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("connection").add_argument
    add("--identity", type=Path, metavar="KEY", help="private key for ssh")
    add("--port", type=count, metavar="N", help="port of ssh")
    add("--ssh-option", action="append", default=[], metavar="OPTION", dest="ssh_options",
        help="as after ssh's -o; may be given again")  # fmt: skip


def _run(options: argparse.Namespace) -> int:
    from .deploy import SHIPPED, Wanted, deploy
    from .remote import Address, Ssh
    from .wheels import default_cache

    ssh_options = tuple(options.ssh_options)
    address = Address(options.board, options.port, options.identity, ssh_options)
    if options.model in SHIPPED_MODELS:
        raise InputError(
            f"{options.model} comes with the program; give --model {SHIPPED}, and in the "
            f'configuration model.shipped = "{options.model}"'
        )
    is_shipped = options.model == SHIPPED
    wanted = Wanted(
        model=None if is_shipped or options.model is None else Path(options.model),
        shipped=is_shipped,
        config=options.config,
        wheel=options.wheel,
        model_only=options.model_only,
        chosen=tuple(sorted(set(options.chosen))),
        dropped=tuple(sorted(set(options.dropped))),
        trust=options.trust,
        allow_older=options.allow_older,
        timeout_seconds=options.timeout,
        dry_run=options.dry_run,
    )
    outcome = deploy(Ssh(address), options.board, wanted, default_cache())
    if options.json:
        print(json.dumps(asdict(outcome)))  # noqa: T201
    return 0


COMMAND = Command(
    "deploy",
    "install on a board over ssh, or bring it up to date",
    _add_arguments,
    _run,
    "Bring program, model and configuration to a board over ssh, start the service there, and wait "
    "until it is healthy; if it does not become so, the version before runs again. The board needs "
    "no internet. Interrupted anywhere, the old or the new version runs. The same again changes "
    "nothing.",
)
