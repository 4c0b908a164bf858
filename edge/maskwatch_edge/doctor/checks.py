"""`maskwatch doctor`: look at everything that Maskwatch needs, and change nothing.

Start reading here: `examine` goes through `checks`, one small function for each subject.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

from maskwatch_edge.classifier import model_file
from maskwatch_edge.config import Config
from maskwatch_edge.config.file import DEFAULT, DEFAULT_PATH, FLAG, LoadedConfig
from maskwatch_edge.config.keys import ConfigError
from maskwatch_edge.errors import MaskwatchError

from .board import (
    check_board,
    check_clock,
    check_disk,
    check_memory,
    check_os,
    check_power,
    check_python,
    check_swap,
    check_temperature,
)
from .broker import check_broker
from .camera import MEASURE_SECONDS, check_camera
from .devices import check_display, check_groups, check_lamps
from .model import check_faces, check_interpreter, check_model
from .report import Finding, fail, ok, split_advice, warn
from .service import ServiceState, check_rights, check_service, read_service
from .system import System

TELL = "tell the makers, with this line and: maskwatch doctor --json"
SECRETS = "/etc/maskwatch/environment"
"""Settings of the service that not everybody may read."""

Check: TypeAlias = Callable[[], Iterable[Finding]]


@dataclass(frozen=True)
class Patient:
    """What is looked at.

    Attributes:
        system: The board.
        loaded: Its configuration; the defaults if that is broken.
        problems: Why it is broken.
        service: What systemd tells of the service.
        measure_seconds: How long the camera is looked at.
    """

    system: System
    loaded: LoadedConfig
    problems: ConfigError | None = None
    service: ServiceState = field(default_factory=ServiceState)
    measure_seconds: float = MEASURE_SECONDS

    @property
    def config(self) -> Config:
        """The values in force."""
        return self.loaded.config

    @property
    def model(self) -> Path:
        """The file of the model that is configured."""
        return model_file(self.config.model)


def examine(
    system: System, load: Callable[[], LoadedConfig], measure_seconds: float = MEASURE_SECONDS
) -> Iterator[Finding]:
    """Look at everything, and give finding after finding.

    Args:
        system: The board.
        load: Loads the configuration, or raises ConfigError.
        measure_seconds: How long the camera is looked at.
    """
    patient = replace(admit(system, load), measure_seconds=measure_seconds)
    for name, check in checks(patient).items():
        yield from carefully(name, check)


def admit(system: System, load: Callable[[], LoadedConfig]) -> Patient:
    """Find out what there is to look at; a broken configuration gives way to the defaults."""
    service = read_service(system)
    try:
        return Patient(system, load(), service=service)
    except ConfigError as error:
        return Patient(system, LoadedConfig(Config(), {}, None), error, service)


def checks(patient: Patient) -> Mapping[str, Check]:
    """Return all checks by what they look at, in the order in which they are told."""
    system, config, service = patient.system, patient.config, patient.service
    return {
        "board": lambda: check_board(system),
        "OS": lambda: check_os(system),
        "Python": lambda: check_python(system),
        "power": lambda: check_power(system),
        "temperature": lambda: check_temperature(system),
        "memory": lambda: check_memory(system, service.is_running),
        "swap": lambda: check_swap(system),
        "disk": lambda: check_disk(system),
        "clock": lambda: check_clock(system),
        "configuration": lambda: check_config(patient),
        "settings of the service": lambda: check_secrets(system),
        "interpreter": lambda: check_interpreter(config.model, patient.model),
        "model": lambda: check_model(config.model, patient.model, system.now_seconds),
        "face finder": lambda: check_faces(config.faces, config.model, system.now_seconds),
        "groups": lambda: check_groups(system, config, service),
        "camera": lambda: check_camera(
            system, config.camera, holder_of_camera(patient), patient.measure_seconds
        ),
        "GPIO": lambda: check_lamps(system, config.indicator, service),
        "display": lambda: check_display(system, config.display),
        "MQTT": lambda: check_broker(system, config.mqtt),
        "service": lambda: check_service(service),
        "service rights": lambda: check_rights(system, service, config),
    }


def carefully(name: str, check: Check) -> Iterator[Finding]:
    """Go through one check; what goes wrong in it must not keep the others from being made."""
    try:
        yield from check()
    except MaskwatchError as error:
        yield fail(name, *split_advice(str(error), TELL))
    except Exception as error:  # the doctor is asked when things are not as anybody expected
        finding = f"could not be looked at: {type(error).__name__}: {error}"
        yield fail(name, finding, TELL)


def check_config(patient: Patient) -> Iterator[Finding]:
    """Say where the configuration comes from, or a line for each thing that is wrong with it."""
    if patient.problems is None:
        path = patient.loaded.path
        changed = sum(origin != DEFAULT for origin in patient.loaded.origins.values())
        told = f"{path} is right" if path else f"no file (there is no {DEFAULT_PATH})"
        values = f"{changed} value{'' if changed == 1 else 's'} set, the rest are defaults"
        yield ok("configuration", f"{told}; {values}")
        return
    for problem in patient.problems.problems:
        yield fail("configuration", str(problem), _how_to_mend(problem.where))
    yield fail(
        "configuration",
        "it is wrong, so everything else was looked at with the defaults",
        "mend what the lines above say, then: maskwatch doctor",
    )


def _how_to_mend(where: str) -> str:
    if where.startswith("environment "):
        return f"change or unset {where.removeprefix('environment ')}, perhaps in {SECRETS}"
    if where == FLAG:
        return "give another --set"
    return f"sudo nano {where}, then: maskwatch config check {where}"


def check_secrets(system: System) -> Iterator[Finding]:
    """Say so if the service has settings that this user may not see."""
    if system.find(SECRETS) and system.read(SECRETS) is None:
        finding = f"the service's own settings in {SECRETS} cannot be read, and were left out"
        yield warn("configuration", finding, "sudo maskwatch doctor")


def holder_of_camera(patient: Patient) -> ServiceState:
    """Return the service, unless the camera that was asked for need not be the service's."""
    origin = patient.loaded.origins.get("camera.source", DEFAULT)
    is_shared = origin in (DEFAULT, f"file {DEFAULT_PATH}") or origin.startswith("environment ")
    return patient.service if is_shared else ServiceState()
