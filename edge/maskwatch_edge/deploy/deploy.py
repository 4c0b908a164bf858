"""Bringing a new version to a board over ssh, whole or not at all.

The work that matters is done on the board by `systemd/install.sh`, which also goes back to the
version before if the new one does not become healthy. Here it is checked beforehand what can be
checked, and sent what the board lacks, so that it needs no internet.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from maskwatch_edge.config import Config
from maskwatch_edge.config.file import load_config
from maskwatch_edge.contract import read_model
from maskwatch_edge.errors import InputError, SignatureError
from maskwatch_edge.signatures.signature import SUFFIX, read_signature, signature_file
from maskwatch_edge.signatures.signing import check_file

from .board import Board, examine, read_release
from .bundle import MEBIBYTE, RECEIVE, Bundle
from .remote import LOST, BoardError, Remote
from .service_config import check_drop_ins, check_model, extras_of
from .wheels import Target, Wheel, build_wheel, digest, fetch_dependencies, read_wheel

SPACE_MIB = 350
"""Free space that a new environment needs on the board, beside what is sent."""

SPACE_MODEL_MIB = 30

SHIPPED = "shipped"
"""What `--model` takes, here and in `install.sh`, in place of a file."""

UNIT = "maskwatch-install"
"""The board's own unit that does the work; a connection that drops does not stop it."""


@dataclass(frozen=True)
class Outcome:
    """What a board runs after a deployment.

    Attributes:
        board: What the board is called.
        changed: Whether it runs another release than before.
        release: The number of that release; empty if it has none.
        version: Of Maskwatch; empty if it has none.
    """

    board: str
    changed: bool
    release: str
    version: str

    @classmethod
    def of(cls, target: str, before: dict[str, str], after: dict[str, str]) -> Outcome:
        """Compare what the `release.json` of a board said before and after."""
        release = after.get("release", "")
        return cls(target, release != before.get("release", ""), release, after.get("version", ""))


@dataclass(frozen=True)
class Wanted:
    """What a board is to be given.

    Attributes:
        model: None to leave the one it has, if any was given before.
        shipped: Whether one that was given before goes, for one that comes with the program.
        config: None to leave the one it has.
        wheel: The program; None to build it from the checkout.
        model_only: Whether the program stays as it is.
        chosen: Drop-ins to add.
        dropped: Drop-ins to remove.
        trust: Public keys, one of which must have signed what is sent; the board will take nothing
            else from then on. None leaves it as it is.
        allow_older: Whether a signed program or model may be older than the board's.
        timeout_seconds: Within which the new version must become healthy; None for the board's
            own measure.
        dry_run: Whether to stop before anything is sent.

    Raises:
        InputError: If it contradicts itself.
    """

    model: Path | None = None
    shipped: bool = False
    config: Path | None = None
    wheel: Path | None = None
    model_only: bool = False
    chosen: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    trust: Path | None = None
    allow_older: bool = False
    timeout_seconds: int | None = None
    dry_run: bool = False

    def __post_init__(self) -> None:
        if self.model_only and not (self.model or self.shipped):
            raise InputError("--model-only needs --model FILE")
        if self.model_only and (self.config or self.wheel or self.chosen or self.dropped):
            raise InputError("--model-only goes with --model alone: all else stays as it is")
        if self.trust and not (self.wheel or self.model_only):
            raise InputError("--trust needs --wheel FILE, as a checkout is not signed")


def tell_on_stderr(line: str) -> None:
    """Print one line of progress."""
    print(f"maskwatch deploy: {line}", file=sys.stderr, flush=True)  # noqa: T201


def deploy(
    remote: Remote,
    target: str,
    wanted: Wanted,
    cache: Path,
    tell: Callable[[str], None] = tell_on_stderr,
) -> Outcome:
    """Bring a new version to a board and wait until it is healthy there.

    Args:
        remote: Reaches the board.
        target: What the board is called in messages.
        wanted: What it is to be given.
        cache: Where the board's wheels are kept on this machine.
        tell: Told how far it is.

    Returns:
        What the board runs now.

    Raises:
        InputError: If a file here is not right; nothing was sent.
        ModelError: If the model is broken; nothing was sent.
        SignatureError: If a file is not signed by a key that is to be trusted; nothing was sent.
        BoardError: If the board cannot be reached, cannot take it, or went back.
    """
    config = read_files(wanted)
    with tempfile.TemporaryDirectory(prefix="maskwatch-") as temporary:
        wheel = None if wanted.model_only else _program(wanted, Path(temporary), tell)
        tell(f"asking {target} what it has")
        board = examine(remote, target)
        tell(describe(board))
        check_board(board, wanted, config)
        bundle = gather(board, wanted, wheel, cache, tell)
        check_space(board, wanted, bundle)
        tell(f"to be sent: {bundle.size / MEBIBYTE:.1f} MiB, {len(bundle.files)} files")
        if wanted.dry_run:
            tell("dry run: nothing was sent, nothing was changed")
            return Outcome.of(target, board.release, board.release)
        code = remote.send(
            install_command(board, wanted), lambda stream: bundle.write(stream, tell)
        )
    check_end(board, code)
    outcome = Outcome.of(target, board.release, read_release(remote))
    tell(f"done: {target} runs release {outcome.release}{'' if outcome.changed else ', as before'}")
    return outcome


def read_files(wanted: Wanted) -> Config | None:
    """Check what can be checked here, and return the configuration if one is given.

    Raises:
        InputError: If the configuration is wrong.
        ModelError: If the model is broken.
        SignatureError: If the model is not signed by a trusted key.
    """
    if wanted.model:
        read_model(wanted.model, wanted.trust)
    if wanted.config is None:
        return None
    config = load_config(wanted.config, {}, {}).config
    try:
        check_model(config, is_given=wanted.model is not None)
    except InputError as error:
        raise InputError(f"{wanted.config}: {error}") from error
    return config


def _program(wanted: Wanted, folder: Path, tell: Callable[[str], None]) -> Wheel:
    if wanted.wheel:
        if wanted.trust:
            check_file(wanted.wheel, wanted.trust)
        return read_wheel(wanted.wheel)
    tell("building the wheel")
    return build_wheel(folder)


def describe(board: Board) -> str:
    """Say in one line what a board has."""
    version = board.release.get("version")
    runs = f"maskwatch {version}, release {board.release.get('release')}" if version else "nothing"
    python = ".".join(map(str, board.python))
    return f"{board.machine}, Python {python}, {board.free_mib} MiB free, runs {runs}"


def drop_ins(board: Board, wanted: Wanted) -> set[str]:
    """Return the drop-ins that the service will have."""
    return board.drop_ins.union(wanted.chosen).difference(wanted.dropped)


def check_board(board: Board, wanted: Wanted, config: Config | None) -> None:
    """Check that what is wanted goes together with what the board has.

    Raises:
        BoardError: If there is no program that could stay.
        InputError: If the configuration asks for what the service may not do.
        SignatureError: If the board takes only what is signed.
    """
    if board.has_keys:
        check_signed(board, wanted)
    if wanted.model_only and not board.release:
        raise BoardError(f"nothing is installed on {board.target} yet; leave out --model-only")
    if config:
        check_drop_ins(config, drop_ins(board, wanted))


def check_signed(board: Board, wanted: Wanted) -> None:
    """Check that there are signatures; which keys are trusted, the board knows.

    Raises:
        SignatureError: If one is missing.
    """
    if not (wanted.wheel or wanted.model_only):
        raise SignatureError(
            f"{board.target} takes only what is signed, and a checkout is not; give --wheel FILE"
        )
    for path in filter(None, (wanted.wheel, wanted.model)):
        read_signature(path)


def gather(
    board: Board, wanted: Wanted, wheel: Wheel | None, cache: Path, tell: Callable[[str], None]
) -> Bundle:
    """Put together what the board lacks."""
    bundle = Bundle()
    if wanted.trust:
        bundle.files["trusted-keys"] = wanted.trust
    if wanted.model:
        bundle.files["model.tflite"] = wanted.model
        _add_signature(bundle, "model.tflite", wanted.model)
    if wanted.config:
        bundle.files["config.toml"] = wanted.config
    if wheel:
        for name, content in wheel.installer().items():
            bundle.files[f"installer/{name}"] = content
        _add_signature(bundle, f"program/{wheel.path.name}", wheel.path)
        has_keys = board.has_keys or wanted.trust is not None
        extras = extras_of(drop_ins(board, wanted), has_keys=has_keys)
        tell("gathering the wheels that it needs there")
        for path in [wheel.path, *fetch_dependencies(wheel, extras, target_of(board), cache)]:
            bundle.wheels.append(path.name)
            if board.wheels.get(path.name) != digest(path):
                bundle.files[f"wheels/{path.name}"] = path
    return bundle


def _add_signature(bundle: Bundle, name: str, path: Path) -> None:
    if signature_file(path).is_file():
        bundle.files[name + SUFFIX] = signature_file(path)


def target_of(board: Board) -> Target:
    """Return what wheels must be built for to run on a board.

    apt's picamera2 brings libraries that were built for apt's numpy; Debian 12 has numpy 1.
    """
    is_old = (board.numpy or "").startswith(("0.", "1."))
    lock = "board-numpy1.txt" if is_old else "board.txt"
    return Target(board.machine, board.python, board.libc, lock)


def check_space(board: Board, wanted: Wanted, bundle: Bundle) -> None:
    """Check that the board has room.

    Raises:
        BoardError: If it has not.
    """
    is_new = any(name.startswith("wheels/") for name in bundle.files)
    needed = (SPACE_MIB if is_new else SPACE_MODEL_MIB) + bundle.size // MEBIBYTE
    if board.free_mib < needed:
        raise BoardError(
            f"{board.target} has {board.free_mib} MiB free; {needed} MiB are needed. "
            "There: sudo apt clean, sudo journalctl --vacuum-size=50M"
        )


def install_command(board: Board, wanted: Wanted) -> list[str]:
    """Return the command that takes the bundle and installs it, out of reach of the connection."""
    sudo = ["sudo", "-n"] if board.needs_sudo else []
    run = ["systemd-run", "--quiet", "--wait", "--pipe", "--collect", f"--unit={UNIT}"]
    # Or else it would be the whole script, which is more than the line of a unit can hold.
    run += ["--description=Install Maskwatch"]
    # systemd puts variables into command lines; a doubled sign stands for itself.
    script = RECEIVE.replace("$", "$$")
    return [*sudo, *run, "/bin/sh", "-c", script, UNIT, *_install_options(wanted)]


def _install_options(wanted: Wanted) -> Iterator[str]:
    if not wanted.model_only:
        yield from ("--wheels", "program")
    if wanted.model or wanted.shipped:
        yield from ("--model", "model.tflite" if wanted.model else SHIPPED)
    if wanted.config:
        yield from ("--config", "config.toml")
    if wanted.trust:
        yield from ("--trust", "trusted-keys")
    if wanted.allow_older:
        yield "--allow-older"
    for name in wanted.chosen:
        yield from ("--with", name)
    for name in wanted.dropped:
        yield from ("--without", name)
    if wanted.timeout_seconds is not None:
        yield from ("--timeout", str(wanted.timeout_seconds))


ENDS: Mapping[int, str] = {
    3: "{target} went back to the version before, which runs; the reason is above",
    4: "{target} went back to the version before, but that is not healthy either; see there: "
    "journalctl -u maskwatch",
    LOST: "the connection to {target} broke; the board goes on by itself. Give the same command "
    "again to see how it ended, or there: journalctl -t maskwatch-install",
}
"""What the exit codes of `install.sh`, and that of ssh, mean for the one who waits."""


def check_end(board: Board, code: int) -> None:
    """Check how the installation ended.

    Raises:
        BoardError: If the board does not run what it was given.
    """
    if code:
        told = ENDS.get(
            LOST if code < 0 else code, "nothing was changed on {target}; the reason is above"
        )
        raise BoardError(told.format(target=board.target))
