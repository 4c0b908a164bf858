"""Deploying over a pretended ssh: the real command, the real scripts, a board in a folder."""

from __future__ import annotations

import io
import shutil
import sys
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import IO

import pytest

from maskwatch_edge.__main__ import main
from maskwatch_edge.deploy.board import Board as Examined
from maskwatch_edge.deploy.board import check_facts, examine
from maskwatch_edge.deploy.bundle import Bundle
from maskwatch_edge.deploy.command import COMMAND
from maskwatch_edge.deploy.deploy import (
    Wanted,
    check_board,
    check_end,
    check_space,
    install_command,
    target_of,
)
from maskwatch_edge.deploy.remote import Address, BoardError, Ssh, explain
from maskwatch_edge.deploy.service_config import extras_of
from maskwatch_edge.deploy.wheels import (
    read_wheel,
)
from maskwatch_edge.errors import InputError, SignatureError

from .made_wheels import make_wheel
from .pretended_board import Board

TINY = Path(__file__).parents[1] / "data" / "tiny-int8.tflite"

SMALL = "[model]\nshipped = 'small'\n"

TARGET = "pi@board.example"

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux") or shutil.which("flock") is None,
    reason="needs flock and the other tools of a Linux system",
)


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


@pytest.fixture
def board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Board:
    made = Board(tmp_path / "board")
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setattr("maskwatch_edge.deploy.deploy.SPACE_MIB", 1)
    return made


@pytest.fixture
def wheel(tmp_path: Path) -> Callable[..., Path]:
    """Give a function that makes a wheel that says something; for the same words, the same."""
    return cache(lambda text="first": make_wheel(tmp_path / text, text))


@pytest.fixture
def deploy(
    board: Board, wheel: Callable[..., Path], capfd: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """Give a function that runs `maskwatch deploy` and returns its exit code and its words."""

    def run(*words: str | Path, target: str = TARGET) -> tuple[int, str]:
        if "--model-only" not in words and "--wheel" not in words:
            words = (*words, "--wheel", wheel())
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("maskwatch_edge.__main__.find_commands", lambda name: [COMMAND])
            code = main(["deploy", target, *map(str, words)])
        return code, capfd.readouterr().err

    return run


Deploy = Callable[..., tuple[int, str]]


def test_a_board_gets_program_configuration_and_service(
    board: Board, deploy: Deploy, tiny_model: Path, tmp_path: Path
) -> None:
    config = tmp_path / "config.toml"
    config.write_text("[camera]\nsource = 'rtsp://camera.example/'\n")
    code, said = deploy("--config", config, "--model", tiny_model, "--with", "network")
    assert code == 0, said
    assert f"done: {TARGET} runs release 0001" in said
    assert board.model == tiny_model.read_bytes()
    assert (board.top / "current/config.toml").read_text() == config.read_text()
    assert board.release["with"] == "network"
    assert (board.root / "etc/systemd/system/maskwatch.service.d/network.conf").is_file()
    assert [path.name for path in board.wheels.iterdir()] == ["maskwatch-0.1.0-py3-none-any.whl"]
    assert not (board.wheels.parent / "bundle").exists()


def test_the_work_is_done_out_of_reach_of_the_connection(board: Board, deploy: Deploy) -> None:
    deploy()
    (run,) = [call for call in board.calls if call.startswith("systemd-run")]
    assert "--wait --pipe --collect --unit=maskwatch-install" in run
    ssh = [call for call in board.calls if call.startswith("ssh")]
    assert all("BatchMode=yes" in call and f"-- {TARGET}" in call for call in ssh)
    assert len(ssh) == 3


def test_the_same_again_changes_nothing_and_sends_no_wheel(board: Board, deploy: Deploy) -> None:
    deploy()
    restarts = sum("restart" in call for call in board.calls)
    code, said = deploy()
    assert (code, "nothing to do" in said) == (0, True), said
    assert "runs release 0001, as before" in said
    assert "runs maskwatch 0.1.0, release 0001" in said
    assert "to be sent: 0.0 MiB" in said
    assert sum("restart" in call for call in board.calls) == restarts


def test_a_wheel_that_went_bad_on_the_board_is_sent_again(
    board: Board, deploy: Deploy, wheel: Callable[..., Path]
) -> None:
    deploy()
    (kept,) = board.wheels.iterdir()
    kept.write_bytes(b"")  # as after a power cut
    code, said = deploy("--wheel", wheel())
    assert code == 0, said
    assert kept.read_bytes() == wheel().read_bytes()


def test_a_model_alone_is_replaced(
    board: Board, deploy: Deploy, tiny_model: Path, tiny_float_model: Path
) -> None:
    deploy("--model", tiny_float_model)
    program = board.release["program"]
    code, said = deploy("--model-only", "--model", tiny_model)
    assert code == 0, said
    assert board.model == tiny_model.read_bytes()
    assert board.release["program"] == program
    assert len(list(board.wheels.iterdir())) == 1, "the wheels stay for the next time"


def test_a_shipped_model_takes_the_place_of_one_that_was_given(
    board: Board, deploy: Deploy, tiny_model: Path, tmp_path: Path
) -> None:
    deploy("--model", tiny_model)
    config = write(tmp_path, "small.toml", SMALL)
    code, said = deploy("--model", "shipped", "--config", config)
    assert code == 0, said
    assert board.release["model_from"] == "shipped"
    assert not (board.top / "current/model.tflite").exists()
    assert (board.top / "current/config.toml").read_text() == SMALL


def test_a_version_that_is_not_healthy_gives_way(
    board: Board, deploy: Deploy, wheel: Callable[..., Path]
) -> None:
    deploy()
    code, said = deploy("--wheel", wheel("crashes"))
    assert code == 1
    assert "release 0002 is not healthy: it failed 2 times" in said
    assert f"{TARGET} went back to the version before, which runs; the reason is above" in said
    assert board.release["release"] == "0001"


def test_what_the_board_refuses_is_told(
    board: Board, deploy: Deploy, wheel: Callable[..., Path]
) -> None:
    code, said = deploy("--wheel", wheel("broken"))
    assert code == 1
    assert "error: the model is broken" in said
    assert f"nothing was changed on {TARGET}; the reason is above" in said
    assert board.release == {}


def test_a_dry_run_sends_nothing(board: Board, deploy: Deploy) -> None:
    code, said = deploy("--dry-run")
    assert code == 0
    assert "dry run: nothing was sent, nothing was changed" in said
    assert not [call for call in board.calls if call.startswith("systemd-run")]
    assert not board.top.exists()


REFUSED: list[tuple[Callable[[Path], Sequence[str | Path]], str]] = [
    (lambda folder: ["--model", folder / "none.tflite"], "cannot read the model"),
    (lambda folder: ["--model", write(folder, "a.tflite", "x" * 99)], "is not a TFLite file"),
    (lambda folder: ["--config", write(folder, "a.toml", "[camra]")], "did you mean camera"),
    (
        lambda folder: ["--config", write(folder, "a.toml", "[model]\npath = 'a.tflite'")],
        "model.path is not for the service",
    ),
    (
        lambda folder: ["--model", TINY, "--config", write(folder, "a.toml", SMALL)],
        'a.toml: model.shipped is "small", and the service runs the model that was given',
    ),
    (lambda folder: ["--model", "small"], 'in the configuration model.shipped = "small"'),
    (lambda folder: ["--wheel", write(folder, "a.whl", "")], "is not a wheel"),
    (lambda folder: ["--wheel", make_wheel(folder, "", name="numpy")], "is a wheel of numpy"),
    (lambda folder: ["--model-only"], "--model-only needs --model FILE"),
    (lambda folder: ["--model-only", "--model", "a", "--with", "network"], "goes with --model"),
]


@pytest.mark.parametrize(("words", "told"), REFUSED)
def test_what_is_wrong_here_is_told_before_the_board_is_asked(
    board: Board,
    deploy: Deploy,
    tmp_path: Path,
    words: Callable[[Path], Sequence[str | Path]],
    told: str,
) -> None:
    code, said = deploy(*words(tmp_path))
    assert (code, told in said) == (1, True), said
    assert board.calls == []


def test_a_configuration_that_the_service_may_not_follow_is_told_before_sending(
    board: Board, deploy: Deploy, tmp_path: Path
) -> None:
    config = write(tmp_path, "a.toml", "[camera]\nsource = 'rtsp://camera.example/'\n")
    code, said = deploy("--config", config)
    assert (code, "add --with network" in said) == (1, True), said
    assert not [call for call in board.calls if call.startswith("systemd-run")]


def test_a_model_alone_needs_a_program_on_the_board(deploy: Deploy, tiny_model: Path) -> None:
    code, said = deploy("--model-only", "--model", tiny_model)
    assert (code, "nothing is installed on" in said) == (1, True), said


CONNECTIONS = [
    ("pi@x: Permission denied (publickey).", "send it once with: ssh-copy-id pi@board.example"),
    ("Host key verification failed.", "accept it once with: ssh pi@board.example"),
    (
        "WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!\nHost key verification failed.",
        "forget the old key with: ssh-keygen -R board.example",
    ),
    ("ssh: Could not resolve hostname board.example", "is the name right, and the board on?"),
    ("ssh: connect to host x port 22: Connection refused", "switch it on: sudo raspi-config"),
    ("ssh: connect to host x port 22: Connection timed out", "is it on, and in this network?"),
    ("ssh: connect to host x port 22: No route to host", "is it on, and in this network?"),
    ("something new", "something new"),
    ("", "ssh gave no reason"),
]


@pytest.mark.parametrize(("ssh_says", "told"), CONNECTIONS)
def test_a_board_that_cannot_be_reached_is_told_in_one_line_with_what_to_do(
    ssh_says: str, told: str
) -> None:
    line = explain(TARGET, ssh_says)
    assert line.startswith(f"cannot reach {TARGET}: ")
    assert told in line
    assert "\n" not in line


def test_the_failure_of_ssh_reaches_the_user(
    deploy: Deploy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_SSH_SAYS", "pi@x: Permission denied (publickey).")
    code, said = deploy()
    assert (code, "ssh-copy-id" in said) == (1, True), said


def test_a_machine_without_ssh_is_told(deploy: Deploy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    code, said = deploy()
    assert (code, "sudo apt install openssh-client" in said) == (1, True), said


GOOD_FACTS = {
    "machine": "aarch64",
    "system": "Debian GNU/Linux 12 (bookworm)",
    "libc": "glibc 2.36",
    "user": "1000",
    "root": "yes",
    "systemd": "yes",
    "python": "3 11",
    "newest": "3 11",
    "bits": "64",
    "venv": "yes",
}

BAD_FACTS = [
    ({"python": "", "newest": "3 9"}, r"has Python 3.9 \(Debian.*3.11 to 3.13 is needed"),
    ({"python": "", "newest": ""}, "has Python none"),
    ({"bits": "32", "machine": "armv7l"}, r"32-bit system \(armv7l.*64-bit Raspberry Pi OS"),
    ({"libc": ""}, "has no glibc"),
    ({"venv": ""}, "sudo apt install python3-venv"),
    ({"root": ""}, r"pi may not use sudo without a password.*NOPASSWD: ALL'"),
    ({"systemd": ""}, "does not run systemd"),
    ({"busy": "yes"}, "an installation is going on"),
]


@pytest.mark.parametrize(("facts", "told"), BAD_FACTS)
def test_a_board_that_cannot_run_it_is_told_what_it_lacks(facts: dict[str, str], told: str) -> None:
    check_facts(TARGET, GOOD_FACTS)
    with pytest.raises(BoardError, match=told):
        check_facts(TARGET, GOOD_FACTS | facts)


def test_sudo_that_asks_for_a_password_is_told(
    deploy: Deploy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_SUDO_ASKS", "yes")
    code, said = deploy()
    assert (code, "may not use sudo without a password" in said) == (1, True), said


def test_a_full_board_is_told(board: Board) -> None:
    found = examine(Ssh(Address(TARGET)), TARGET)
    bundle = Bundle(files={"wheels/a.whl": b""})
    check_space(found, Wanted(), bundle)
    with pytest.raises(BoardError, match=r"MiB free; \d+ MiB are needed"):
        check_space(found, Wanted(), Bundle(files={"wheels/a.whl": _Large()}))


class _Large(bytes):
    def __len__(self) -> int:
        return 1 << 50


NUMPY = [("1.24.2", "board-numpy1.txt"), ("2.2.4", "board.txt"), ("", "board.txt")]


@pytest.mark.parametrize(("numpy", "lock"), NUMPY)
def test_the_pi_camera_of_debian_12_keeps_numpy_below_2(
    board: Board, monkeypatch: pytest.MonkeyPatch, numpy: str, lock: str
) -> None:
    monkeypatch.setenv("FAKE_PICAMERA2_NUMPY", numpy)
    found = examine(Ssh(Address(TARGET)), TARGET)
    assert (found.numpy or "") == numpy
    assert target_of(found).lock == lock


# --- the connection breaks -----------------------------------------------------------------------


def test_what_arrives_in_part_is_never_installed(
    board: Board, deploy: Deploy, monkeypatch: pytest.MonkeyPatch, wheel: Callable[..., Path]
) -> None:
    deploy()
    whole = io.BytesIO()
    found = examine(Ssh(Address(TARGET)), TARGET)
    second = read_wheel(wheel("second"))
    files: dict[str, bytes | Path] = {"wheels/" + second.path.name: second.path}
    files |= {f"installer/{name}": content for name, content in second.installer().items()}
    Bundle(files, [second.path.name]).write(whole, lambda line: None)
    length = len(whole.getvalue())
    for part in (0, 1, 512, 1024, 1536, length // 3, length // 2, length - 10240 - 512):
        monkeypatch.setenv("FAKE_SSH_LETS", str(part))

        def write_all(stream: IO[bytes]) -> None:
            stream.write(whole.getvalue())

        command = install_command(found, Wanted())
        assert Ssh(Address(TARGET)).send(command, write_all) == 255
        assert board.release["release"] == "0001", part
        assert not (board.wheels.parent / "bundle").exists()
    monkeypatch.setenv("FAKE_SSH_LETS", str(length))
    Ssh(Address(TARGET)).send(install_command(found, Wanted()), write_all)
    assert board.release["release"] == "0002", "the parts were those of something good"


def test_a_connection_that_breaks_afterwards_does_not_stop_the_board(
    board: Board, deploy: Deploy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_SSH_BREAKS", "yes")
    code, said = deploy()
    assert code == 1
    assert "the board goes on by itself. Give the same command again" in said
    assert board.release["release"] == "0001"


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (1, "nothing was changed on"),
        (3, "went back to the version before, which runs"),
        (4, "that is not healthy either"),
        (255, "the board goes on by itself"),
        (-9, "the board goes on by itself"),  # our ssh was killed
    ],
)
def test_every_end_is_told_with_what_runs_now(code: int, told: str) -> None:
    check_end(_board(needs_sudo=True), 0)
    with pytest.raises(BoardError, match=told):
        check_end(_board(needs_sudo=True), code)


# --- signatures ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Signer:
    """A key, which may also have signed something that is sent."""

    folder: Path

    @property
    def public(self) -> Path:
        return self.folder / "key.pub"

    def sign(self, path: Path, serial: int) -> Path:
        words = ["sign", str(path), "--key", str(self.folder / "key"), "--serial", str(serial)]
        assert main(words) == 0
        return path


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    pytest.importorskip("cryptography", reason="needs the extra signatures")
    assert main(["keys", "new", str(tmp_path / "key")]) == 0
    return Signer(tmp_path)


@pytest.fixture
def trusting(board: Board, deploy: Deploy, wheel: Callable[..., Path], signer: Signer) -> Board:
    """Give a board that runs a program with the serial 10, and takes only what is signed."""
    code, said = deploy("--wheel", signer.sign(wheel(), 10), "--trust", signer.public)
    assert code == 0, said
    assert (board.root / "etc/maskwatch/trusted-keys").read_bytes() == signer.public.read_bytes()
    assert board.release["program_serial"] == "10"
    return board


def sendings(board: Board) -> int:
    return sum(call.startswith("systemd-run") for call in board.calls)


def test_a_board_that_trusts_keys_takes_what_they_signed(
    trusting: Board, deploy: Deploy, wheel: Callable[..., Path], signer: Signer, tiny_model: Path
) -> None:
    code, said = deploy("--wheel", signer.sign(wheel("second"), 11))
    assert code == 0, said
    model = signer.sign(Path(shutil.copy(tiny_model, signer.folder / "ours.tflite")), 3)
    code, said = deploy("--model-only", "--model", model)
    assert code == 0, said
    assert (trusting.release["program_serial"], trusting.release["model_serial"]) == ("11", "3")
    assert (trusting.top / "current/model.tflite.sig").is_file()
    assert (trusting.top / "current/installer/install.sh").is_file()


def test_what_is_not_signed_is_not_even_sent(
    trusting: Board, deploy: Deploy, wheel: Callable[..., Path], tiny_model: Path
) -> None:
    before = sendings(trusting)
    for words in (["--wheel", wheel("second")], ["--model-only", "--model", tiny_model]):
        code, said = deploy(*words)
        assert (code, "is not signed: cannot read" in said) == (1, True), said
    assert sendings(trusting) == before


def test_nothing_of_a_changed_program_is_run_as_root(
    trusting: Board, deploy: Deploy, wheel: Callable[..., Path], signer: Signer
) -> None:
    signed = signer.sign(wheel("second"), 11)
    with zipfile.ZipFile(signed, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("maskwatch_edge/systemd/install.sh", f"touch {trusting.folder}/owned")
    code, said = deploy("--wheel", signed)
    assert (code, "is not the file that the key" in said) == (1, True), said
    assert not (trusting.folder / "owned").exists()
    assert trusting.release["release"] == "0001"


def test_an_older_program_is_sent_only_if_that_is_meant(
    trusting: Board, deploy: Deploy, wheel: Callable[..., Path], signer: Signer
) -> None:
    older = signer.sign(wheel("older"), 9)
    code, said = deploy("--wheel", older)
    assert (code, "its serial is 9, that one's 10" in said) == (1, True), said
    assert deploy("--wheel", older, "--allow-older")[0] == 0
    assert trusting.release["program_serial"] == "9"


@pytest.mark.parametrize("option", ["--wheel", "--model"])
def test_what_no_trusted_key_signed_is_refused_before_it_is_read(
    board: Board, deploy: Deploy, wheel: Callable[..., Path], signer: Signer, option: str
) -> None:
    signer.sign(wheel(), 1)
    nonsense = write(signer.folder, "nonsense", "neither a wheel nor a model")
    code, said = deploy("--wheel", wheel(), option, nonsense, "--trust", signer.public)
    assert (code, f"{nonsense} is not signed" in said) == (1, True), said
    assert board.calls == []


def test_a_board_that_takes_only_what_is_signed_can_check_it() -> None:
    assert extras_of({"web", "network"}) == "web"
    assert extras_of({"web", "network"}, has_keys=True) == "web,signatures"
    with pytest.raises(InputError, match="--trust needs --wheel FILE"):
        Wanted(trust=Path("key.pub"))
    with pytest.raises(SignatureError, match="and a checkout is not"):
        check_board(replace(_board(needs_sudo=True), has_keys=True), Wanted(), None)


# --- words ---------------------------------------------------------------------------------------


def test_ssh_is_told_everything_it_needs() -> None:
    address = Address("board", port=2222, identity=Path("key"), options=("ProxyJump=gate",))
    words = address.command(["sh", "-c", "echo $HOME"])
    assert words[0] == "ssh"
    assert words[-3:] == ["--", "board", "sh -c 'echo $HOME'"]
    for pair in (["-p", "2222"], ["-i", "key"], ["-o", "ProxyJump=gate"]):
        assert any(words[n : n + 2] == pair for n in range(len(words)))


@pytest.mark.parametrize("target", ["", "-oProxyCommand=touch x", "pi@board; true", "a b"])
def test_a_target_that_is_none_is_refused(target: str) -> None:
    with pytest.raises(BoardError, match="expected a board such as"):
        Address(target)


def test_sudo_is_used_by_those_who_need_it() -> None:
    board = _board(needs_sudo=True)
    assert install_command(board, Wanted())[:3] == ["sudo", "-n", "systemd-run"]
    assert install_command(_board(needs_sudo=False), Wanted())[0] == "systemd-run"


def _board(needs_sudo: bool) -> Examined:
    return Examined(TARGET, "aarch64", (3, 11), (2, 36), needs_sudo, None, 1000)
