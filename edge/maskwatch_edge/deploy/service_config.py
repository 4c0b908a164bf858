"""What a configuration may ask of the service, and what the service is given beside it."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from maskwatch_edge.cameras.addresses import URL_PREFIXES
from maskwatch_edge.config import Config, FacesConfig
from maskwatch_edge.errors import InputError
from maskwatch_edge.finders.finder import file_of, given_file
from maskwatch_edge.models import SHARED_FOLDER, STANDARD, YUNET

DROP_INS = ("console", "mqtt", "network", "statistics", "web", "window")
"""What `install.sh --with` takes."""

EXTRAS = {"window": "display", "mqtt": "mqtt", "web": "web"}
"""The extra of the installation that a drop-in needs."""


HOMES = (Path("/home"), Path("/root"), Path("/run/user"))


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


def check_model(config: Config, *, is_given: bool) -> None:
    """Check that the configuration leaves a model of one's own to the installation.

    Args:
        config: May say which of the models that come with Maskwatch judges.
        is_given: Whether the service runs one that was given with `--model FILE`.

    Raises:
        InputError: If it names a file, or a model beside the one that was given.
    """
    if config.model.path is not None:
        raise InputError(
            "model.path is not for the service, whose own model is a part of its release; "
            "remove it and give --model FILE"
        )
    if is_given and config.model.shipped != STANDARD:
        raise InputError(
            f'model.shipped is "{config.model.shipped}", and the service runs the model that was '
            "given with --model FILE; remove it, or give --model shipped"
        )


def is_hidden(faces: FacesConfig) -> bool:
    """Tell whether the service cannot see the file of a finder, by its unit's ProtectHome.

    What comes with Maskwatch it sees, as it comes with the service, too.
    """
    if faces.finder != YUNET.name and given_file(faces) is None:
        return False
    return any(file_of(faces).absolute().is_relative_to(home) for home in HOMES)


def check_finder_file(config: Config) -> None:
    """Check that the service sees the file of the finder that is configured.

    Raises:
        InputError: If it does not, or there is none.
    """
    if is_hidden(config.faces):
        raise InputError(
            f"the service does not see {file_of(config.faces)}, as it sees no home folder; "
            f"move it, as to {SHARED_FOLDER}"
        )


def extras_of(chosen: Collection[str], *, has_keys: bool = False) -> str:
    """Return the extras that a board needs, as pip takes them: such as "display,web", or "".

    Args:
        chosen: Its drop-ins.
        has_keys: Whether it takes only what is signed.
    """
    extras = [extra for name, extra in EXTRAS.items() if name in chosen]
    return ",".join([*extras, "signatures"] if has_keys else extras)


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
    missing = [f"--with {name}" for name in ("network", "mqtt") if name not in chosen]
    if config.mqtt.host is not None and missing:
        raise InputError(
            "mqtt.host is a broker, for which the service may not work as it is; "
            f"add {' '.join(missing)}"
        )
    if config.display.kind == "console" and "console" not in chosen:
        raise InputError(
            "display.kind is console, a screen that the service may not use; add --with console"
        )
    if config.statistics.enabled and "statistics" not in chosen:
        raise InputError(
            "statistics.enabled is true, and the service has no folder to write counts to; "
            "add --with statistics"
        )
    if config.web.enabled and "web" not in chosen:
        raise InputError(
            "web.enabled is true, a page that the service may not serve; add --with web"
        )
    if config.web.enabled and not config.web.is_loopback and "network" not in chosen:
        raise InputError(
            f"web.address is {config.web.address}, where the service may not be reached from "
            "elsewhere; add --with network"
        )
