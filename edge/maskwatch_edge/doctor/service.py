"""The service as systemd sees it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from maskwatch_edge.config import Config
from maskwatch_edge.deploy.service_config import check_drop_ins
from maskwatch_edge.errors import InputError

from .report import Finding, fail, ok, split_advice, warn
from .system import System

SERVICE = "maskwatch.service"
PROPERTIES = ("LoadState", "ActiveState", "SubState", "NRestarts", "Result", "StatusText")
DROP_INS = "/opt/maskwatch/current/with"
INSTALL = "sudo ./systemd/install.sh in the folder of Maskwatch, or maskwatch deploy from afar"


@dataclass(frozen=True)
class ServiceState:
    """What systemd tells of the service.

    Attributes:
        is_told: Whether systemd runs here at all.
        is_user: Whether it is the service of a desktop session.
        load: "loaded", or "not-found" if it is not installed.
        active: "active", "activating", "inactive" or "failed".
        sub: The same in finer words.
        restarts: How often systemd started it again by itself.
        result: How it ended the last time, such as "oom-kill" or "watchdog".
        status: What it says of itself.
    """

    is_told: bool = False
    is_user: bool = False
    load: str = "not-found"
    active: str = "inactive"
    sub: str = "dead"
    restarts: int = 0
    result: str = "success"
    status: str = ""

    @property
    def is_installed(self) -> bool:
        """Whether systemd knows it."""
        return self.load == "loaded"

    @property
    def is_running(self) -> bool:
        """Whether it runs, and so may hold the camera and the lamps."""
        return self.active in ("active", "reloading")

    @property
    def systemctl(self) -> str:
        """The command that starts and stops it."""
        return "systemctl --user" if self.is_user else "sudo systemctl"

    @property
    def journal(self) -> str:
        """The command that shows what it said."""
        return f"journalctl {'--user ' if self.is_user else ''}-u maskwatch -n 50 --no-pager"


def read_service(system: System) -> ServiceState:
    """Ask systemd for the service of the board, or else for the one of this session."""
    state = _ask(system, is_user=False)
    if state.is_installed and state.active != "inactive":
        return state
    of_session = _ask(system, is_user=True)
    is_only_one = of_session.is_installed and not state.is_installed
    return of_session if of_session.is_running or is_only_one else state


def _ask(system: System, *, is_user: bool) -> ServiceState:
    wanted = [f"--property={name}" for name in PROPERTIES]
    answer = system.run("systemctl", *(["--user"] if is_user else []), "show", SERVICE, *wanted)
    told = dict(line.split("=", 1) for line in (answer or "").splitlines() if "=" in line)
    if "LoadState" not in told:
        return ServiceState(is_told=_is_booted(system))
    restarts = told.get("NRestarts", "")
    return ServiceState(
        is_told=True,
        is_user=is_user,
        load=told["LoadState"],
        active=told.get("ActiveState", ""),
        sub=told.get("SubState", ""),
        restarts=int(restarts) if restarts.isdecimal() else 0,
        result=told.get("Result", ""),
        status=told.get("StatusText", ""),
    )


def _is_booted(system: System) -> bool:
    # The test of sd_booted(3). The system's own answer came before the session's.
    return bool(system.find("/run/systemd/system"))


def check_service(state: ServiceState) -> Iterator[Finding]:
    """Say whether the service runs, and runs without falling."""
    name = "service"
    if not state.is_told:
        yield warn(name, "systemd does not run here, so nothing starts Maskwatch", "maskwatch run")
    elif not state.is_installed:
        yield warn(name, f"not installed ({state.load})", INSTALL)
    elif state.active == "failed" or state.sub == "auto-restart":
        yield fail(name, f"{_fall(state)}; its last words:", state.journal)
    elif state.active == "inactive":
        yield warn(name, "installed, but not started", f"{state.systemctl} enable --now maskwatch")
    elif not state.is_running:
        yield warn(name, f"{state.active}; wait until it is ready", state.journal)
    elif state.restarts:
        yield warn(name, f"{_status(state)}; but {_fall(state)}", state.journal)
    else:
        yield ok(name, _status(state))


def _status(state: ServiceState) -> str:
    where = " in this session" if state.is_user else ""
    return f"runs{where}: {state.status}" if state.status else f"runs{where}"


def _fall(state: ServiceState) -> str:
    reason = "" if state.result in ("", "success") else f" ({state.result})"
    times = "once" if state.restarts == 1 else f"{state.restarts} times"
    restarted = f", and was started again {times}" if state.restarts else ""
    return f"it failed{reason}{restarted}"


def check_rights(system: System, state: ServiceState, config: Config) -> Iterator[Finding]:
    """Check that the service's sandbox lets it do what the configuration asks for."""
    chosen = system.read(DROP_INS)
    if not state.is_installed or state.is_user or chosen is None:
        return
    try:
        check_drop_ins(config, chosen.split())
    except InputError as error:
        finding, advice = split_advice(str(error), "")
        yield fail("service rights", finding, f"sudo ./systemd/install.sh: {advice}")
    else:
        yield ok("service rights", "it may do what the configuration asks for")
