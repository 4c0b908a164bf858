"""`maskwatch models`: which model files are here, and fetching those that do not come along."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from .command import Command
from .errors import InputError, ModelError
from .models import (
    KNOWN_MODELS,
    SHIPPED_FINDERS,
    SHIPPED_MODELS,
    KnownModel,
    data_folder,
    find_model,
    model_folders,
    shipped_finder,
    shipped_model,
)

LOOKED_FOR = (
    "Models are looked for in $XDG_DATA_HOME/maskwatch, or ~/.local/share/maskwatch, and then in "
    "/usr/local/share/maskwatch, where root puts them and the service sees them."
)


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    acts = parser.add_subparsers(required=True, metavar="ACT", help="what to do")
    listing = acts.add_parser("list", help="say of each model where it is", description=LOOKED_FOR)
    listing.set_defaults(act=_list)
    get = acts.add_parser(
        "get",
        help="fetch a model, and check that it is the right one",
        description=f"Fetch a model, and check that it is the right one. {LOOKED_FOR}",
    )
    get.add_argument("name", choices=sorted(KNOWN_MODELS), metavar="NAME", help="yunet")
    get.add_argument(
        "--from",
        dest="source",
        metavar="FILE_OR_URL",
        help="in place of the publisher's address: a local copy, or an http(s) address",
    )
    get.add_argument(
        "--to", type=Path, metavar="DIR", help="in place of the folder that is looked in first"
    )
    get.set_defaults(act=_get)


def _run(options: argparse.Namespace) -> int:
    return int(options.act(options))


def _list(options: argparse.Namespace) -> int:
    for name in SHIPPED_MODELS:
        print(f"{name:12}  {_shipped(partial(shipped_model, name), 'a mask model')}")  # noqa: T201
    for name in SHIPPED_FINDERS:
        print(f"{name:12}  {_shipped(partial(shipped_finder, name), 'a finder of faces')}")  # noqa: T201
    for model in KNOWN_MODELS.values():
        print(f"{model.name:12}  {_state(model)}; {model.about}")  # noqa: T201
    return 0


def _shipped(path: Callable[[], Path], about: str) -> str:
    try:
        return f"{path()}; {about}, comes with Maskwatch"
    except ModelError as error:
        return str(error)


def _state(model: KnownModel) -> str:
    try:
        path = find_model(model)
    except InputError:
        return f"not here; maskwatch models get {model.name}"
    return str(path) if model.is_at(path) else f"{path}, which is NOT the published file"


def _get(options: argparse.Namespace) -> int:
    from .fetching import fetch_model

    model = KNOWN_MODELS[options.name]
    folder = options.to or data_folder()
    path = folder / model.file_name
    if model.is_at(path):
        print(f"{path} is there already, and right")  # noqa: T201
    else:
        fetch_model(model, folder, options.source)
        print(f"wrote {path}, its SHA-256 is right")  # noqa: T201
    for line in _advice(folder, path):
        print(line)  # noqa: T201
    return 0


def _advice(folder: Path, path: Path) -> Iterator[str]:
    if folder.absolute() not in [known.absolute() for known in model_folders()]:
        yield f'it is not looked for there; set faces.model = "{path.absolute()}"'


COMMAND = Command(
    "models",
    "list model files, or fetch those that do not come with Maskwatch",
    _add_arguments,
    _run,
)
