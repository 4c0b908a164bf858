"""Maskwatch on the emulated board, deployed to it; every fault, seen from outside.

The board is started and deployed to once; each test begins with that state.
"""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
import time
import tomllib
import zipfile
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maskwatch_edge.annotate import COLOURS
from maskwatch_edge.demo import FRAMES_PER_SECOND as CLIP_RATE
from maskwatch_edge.demo import clip_frames
from maskwatch_edge.display.screen import NIGHT
from maskwatch_edge.verdict import Decision

from ..ansible_runs import ends_of, run_ansible, write_inventory
from .board import FRAMES_PER_SECOND, HEIGHT, NO_CAMERA, SCENE, WIDTH, Board, Pixels
from .qemu import IMAGE, ROOT

pytestmark = pytest.mark.board

ALERT, CLEAR, ALIVE = "GPIO17", "GPIO27", "GPIO22"
DEPLOY_SECONDS = 2400
MODEL = ROOT / "models" / "maskwatch-mobilenetv2-int8.tflite"

CONFIG = f"""
[camera]
source = "0"
stall_seconds = 20

[faces]
finder = "haar"  # on the emulated processor it is the quickest
min_size_px = 130  # those of the clip are larger

[display]
kind = "console"

[output]
lines = "events"

[[indicator.lamps]]
line = "{ALERT}"
role = "alert"
min_on_seconds = 0

[[indicator.lamps]]
line = "{CLEAR}"
role = "clear"
min_on_seconds = 0

[[indicator.lamps]]
line = "{ALIVE}"
role = "alive"
min_on_seconds = 0
"""


REFUSALS = {"EPERM", "EACCES", "EROFS", "EAGAIN", "EAFNOSUPPORT"}
"""How the kernel says no; any other error would mean that it had been ready to do it."""


def clip_frame(seconds: float) -> Pixels:
    """Return a frame of the demonstration clip."""
    return next(islice(clip_frames(), round(seconds * CLIP_RATE), None))


NOBODY = np.full((HEIGHT, WIDTH, 3), 128, dtype=np.uint8)
BARE = clip_frame(1.0)
"""Two people without masks."""

MASKED = clip_frame(7.5)
"""The same two with masks."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the program once, so that every deployment brings the same."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", folder, ROOT],
        check=True,
    )
    (path,) = folder.glob("maskwatch-*.whl")
    return path


@pytest.fixture(scope="module")
def deployed(
    started_board: Board, wheel: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Deploy to the fresh board, keep its state as `deployed`, and give a function that deploys."""
    config = tmp_path_factory.mktemp("config") / "config.toml"
    config.write_text(CONFIG)
    started_board.restore("fresh")
    started_board.feed(BARE)
    done = deploy(started_board, "--wheel", wheel, "--config", config, "--with", "console")
    assert done.returncode == 0, done.stderr
    lamps(started_board, {ALERT: True, ALIVE: True})
    started_board.save("deployed")
    return lambda *options: deploy(started_board, *options)


@pytest.fixture
def board(deployed: object, started_board: Board) -> Board:
    """Give the board on which Maskwatch runs, two people without masks in front of it."""
    started_board.restore("deployed")
    return started_board


def deploy_command(board: Board, *options: str | Path) -> list[str]:
    """Return the command line of a real `maskwatch deploy`."""
    connection = [
        *("--port", str(board.machine.ssh_port), "--identity", str(IMAGE / "id_ed25519")),
        *(
            "--ssh-option",
            "StrictHostKeyChecking=no",
            "--ssh-option",
            "UserKnownHostsFile=/dev/null",
        ),
        *("--timeout", "900"),
    ]
    program = [sys.executable, "-m", "maskwatch_edge", "deploy", "pi@127.0.0.1"]
    return [*program, *connection, *map(str, options)]


def deploy(board: Board, *options: str | Path) -> subprocess.CompletedProcess[str]:
    """Run `maskwatch deploy` to its end."""
    return subprocess.run(
        deploy_command(board, *options),
        capture_output=True,
        text=True,
        timeout=DEPLOY_SECONDS,
        check=False,
        cwd=ROOT,
    )


def lamps(board: Board, wanted: dict[str, bool], seconds: float = 300.0) -> None:
    """Wait until the lamps are as wanted, seen at the pins."""

    def are_right() -> bool:
        levels = board.gpio_outputs()
        return all(levels.get(name, False) == level for name, level in wanted.items())

    board.wait_until(are_right, seconds, f"lamps {wanted}; they are {board.gpio_outputs()}")


def journal(board: Board) -> str:
    """Return what the service has said since the board was started."""
    return board.ssh("journalctl --unit maskwatch --boot --output cat --no-pager").stdout


def events(board: Board) -> list[dict[str, Any]]:
    """Return the events that the service has printed."""
    return [json.loads(line) for line in journal(board).splitlines() if line.startswith("{")]


def camera_faults(board: Board) -> list[tuple[str, str]]:
    """Return the states and priorities of what the journal's fields say of the camera."""
    asked = "journalctl --unit maskwatch --boot --output json MASKWATCH_FAULT=camera-lost"
    entries = [json.loads(line) for line in board.ssh(asked).stdout.splitlines()]
    return [(entry["MASKWATCH_STATE"], entry["PRIORITY"]) for entry in entries]


def show(board: Board, name: str) -> str:
    """Return a property of the service."""
    return board.ssh(f"systemctl show maskwatch --value --property {name}").stdout.strip()


def wait_for_status(board: Board, words: str) -> None:
    """Wait until the status line of the service holds the words."""
    board.wait_until(lambda: words in show(board, "StatusText"), what=f"status {words!r}")


def wait_for_journal(board: Board, words: str, seconds: float = 300.0) -> None:
    """Wait until the journal holds the words."""
    board.wait_until(
        lambda: words in board.ssh("journalctl --boot --no-pager").stdout, seconds, repr(words)
    )


def bar_colours(board: Board) -> set[tuple[int, ...]]:
    """Return the plain colours of the bar below the picture."""
    bar = board.screendump()[710:790:8, ::16].reshape(-1, 3)
    values, counts = np.unique(bar, axis=0, return_counts=True)
    return {tuple(map(int, v)) for v, n in zip(values, counts, strict=True) if n > 20}


def is_running_and_seeing(board: Board) -> None:
    """Check from outside that Maskwatch works: it sees the two people without masks."""
    lamps(board, {ALERT: True, CLEAR: False, ALIVE: True}, 900)
    board.wait_until(lambda: show(board, "ActiveState") == "active", what="the end of a reload")


def test_events_lamps_and_screen_follow_what_the_camera_sees(board: Board) -> None:
    is_running_and_seeing(board)
    board.wait_until(lambda: COLOURS[Decision.NO_MASK] in bar_colours(board), what="a red bar")
    board.feed(MASKED)
    lamps(board, {ALERT: False, CLEAR: True, ALIVE: True})
    board.wait_until(lambda: COLOURS[Decision.MASK] in bar_colours(board), what="a green bar")
    board.feed(NOBODY)
    lamps(board, {ALERT: False, CLEAR: False, ALIVE: True})
    kinds = [(each["kind"], each.get("decision")) for each in events(board)]
    assert kinds.count(("appeared", "no_mask")) >= 2
    assert kinds.count(("changed", "mask")) + kinds.count(("appeared", "mask")) >= 2
    assert [kind for kind, _ in kinds].count("left") >= 2


def test_a_camera_that_is_pulled_out_and_put_back_is_told_shown_and_found(board: Board) -> None:
    process = show(board, "MainPID")
    board.unplug_camera()
    lamps(board, {ALERT: False, CLEAR: False, ALIVE: False})
    wait_for_status(board, "camera lost")
    board.wait_until(lambda: (board.screendump()[5, 5] == NIGHT).all(), what="the notice")
    board.plug_camera()
    is_running_and_seeing(board)
    assert (show(board, "MainPID"), show(board, "NRestarts")) == (process, "0")
    told = [each["camera"] for each in events(board) if each["kind"] == "camera"]
    assert told[-2:] == ["lost", "seeing"]
    assert camera_faults(board)[-2:] == [("begun", "4"), ("ended", "5")]


def test_a_camera_that_gives_the_same_picture_over_and_over_is_lost(board: Board) -> None:
    board.freeze_camera()
    lamps(board, {ALERT: False, CLEAR: False, ALIVE: False})
    wait_for_status(board, "camera lost")
    board.feed(BARE)
    is_running_and_seeing(board)


def test_a_killed_service_is_started_again(board: Board) -> None:
    board.ssh("systemctl kill --signal KILL --kill-who main maskwatch")
    board.wait_until(lambda: show(board, "NRestarts") == "1", what="the restart")
    lamps(board, {ALERT: False, CLEAR: False, ALIVE: False})
    is_running_and_seeing(board)


def test_a_service_that_hangs_is_ended_by_the_watchdog_and_started_again(board: Board) -> None:
    board.ssh("kill -STOP $(systemctl show maskwatch --value --property MainPID)")
    wait_for_journal(board, "Watchdog timeout", 600)
    board.wait_until(lambda: show(board, "NRestarts") == "1", what="the restart")
    is_running_and_seeing(board)


def test_a_service_without_enough_memory_is_dark_and_works_again_when_it_has_some(
    board: Board,
) -> None:
    limit = "systemctl set-property --runtime maskwatch MemoryMax="
    board.ssh(f"{limit}40M")
    wait_for_journal(board, "OOM killer", 600)
    lamps(board, {ALERT: False, CLEAR: False, ALIVE: False}, 600)
    board.ssh(f"{limit}400M")
    is_running_and_seeing(board)


def test_a_model_that_is_damaged_on_the_card_is_told_and_replaced_by_the_next_deploy(
    board: Board, wheel: Path, deployed: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    package = "/opt/maskwatch/current/venv/lib/python3*/site-packages/maskwatch_edge"
    board.ssh(f"truncate --size 1000000 {package}/models/{MODEL.name}")
    board.ssh("systemctl restart --no-block maskwatch")
    wait_for_journal(board, MODEL.name)
    lamps(board, {ALERT: False, CLEAR: False, ALIVE: False})
    assert "Traceback" not in journal(board)
    done = deployed("--model", MODEL, "--wheel", wheel)
    assert done.returncode == 0, done.stderr
    is_running_and_seeing(board)


def test_a_broken_model_or_configuration_is_refused_before_anything_is_sent(
    board: Board,
    deployed: Callable[..., subprocess.CompletedProcess[str]],
    tmp_path: Path,
) -> None:
    model, config = tmp_path / "broken.tflite", tmp_path / "broken.toml"
    model.write_bytes(MODEL.read_bytes()[:1_000_000])
    config.write_text("[camera]\nsauce = 1\n")
    process = show(board, "MainPID")
    for options in (("--model", model), ("--config", config)):
        done = deployed(*options)
        assert done.returncode == 1
        assert str(options[1]) in done.stderr
    assert show(board, "MainPID") == process


def test_a_broken_configuration_keeps_the_old_one_until_it_is_mended(board: Board) -> None:
    board.ssh("cp /etc/maskwatch/config.toml /root/right.toml")
    process = show(board, "MainPID")
    board.ssh("printf '[camera]\\nsauce = 1\\n' > /etc/maskwatch/config.toml")
    board.ssh("systemctl reload maskwatch")
    wait_for_journal(board, "the old configuration stays")
    assert "did you mean" in journal(board) or "camera.source" in journal(board)
    is_running_and_seeing(board)
    assert show(board, "MainPID") == process
    board.ssh("cat /root/right.toml > /etc/maskwatch/config.toml && systemctl reload maskwatch")
    is_running_and_seeing(board)


def test_a_full_disk_stops_nothing_but_a_new_version(
    board: Board,
    wheel: Path,
    deployed: Callable[..., subprocess.CompletedProcess[str]],
    tmp_path: Path,
) -> None:
    board.ssh("fallocate --length $(($(df --output=avail -B1 / | tail -1) - 1000000)) /root/fill")
    config = tmp_path / "config.toml"
    config.write_text(CONFIG.replace("stall_seconds = 20", "stall_seconds = 21"))
    done = deployed("--config", config, "--wheel", wheel)
    assert done.returncode == 1
    assert re.search(r"MiB|space", done.stderr)
    board.feed(MASKED)
    lamps(board, {ALERT: False, CLEAR: True, ALIVE: True})
    board.ssh("systemctl restart maskwatch", 900)
    lamps(board, {ALERT: False, CLEAR: True, ALIVE: True}, 900)


def test_a_board_without_a_camera_at_boot_waits_for_it(board: Board) -> None:
    board.stop()
    board.start(NO_CAMERA)
    wait_for_status(board, "camera waiting")
    lamps(board, {ALERT: False, CLEAR: False, ALIVE: False})
    assert show(board, "ActiveState") == "active"
    board.plug_camera()
    board.feed(BARE)
    is_running_and_seeing(board)
    assert show(board, "NRestarts") == "0"


def test_the_same_deployed_again_changes_nothing(
    board: Board, wheel: Path, deployed: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    process, release = show(board, "MainPID"), board.ssh("readlink /opt/maskwatch/current").stdout
    done = deployed("--wheel", wheel)
    assert done.returncode == 0, done.stderr
    assert "nothing to do" in done.stderr
    assert show(board, "MainPID") == process
    assert board.ssh("readlink /opt/maskwatch/current").stdout == release


def broken_wheel(right: Path, folder: Path) -> Path:
    """Make the wheel of a version that loads everything, and then fails in its first turn."""
    broken = folder / right.name
    with zipfile.ZipFile(right) as source, zipfile.ZipFile(broken, "w") as target:
        for item in source.infolist():
            content = source.read(item)
            if item.filename == "maskwatch_edge/service.py":
                content = content.replace(b"def turn(self)", b"def turn(self, missing)")
            target.writestr(item, content)
    return broken


def test_a_version_that_does_not_become_healthy_is_rolled_back(
    board: Board,
    wheel: Path,
    deployed: Callable[..., subprocess.CompletedProcess[str]],
    tmp_path: Path,
) -> None:
    release = board.ssh("readlink /opt/maskwatch/current").stdout
    done = deployed("--wheel", broken_wheel(wheel, tmp_path))
    assert done.returncode != 0
    assert "going back" in done.stderr
    assert board.ssh("readlink /opt/maskwatch/current").stdout == release
    is_running_and_seeing(board)


@pytest.mark.parametrize("moment", ["making release", "starting release"])
def test_a_power_cut_in_the_middle_of_a_deploy_leaves_the_old_or_the_new_version(
    board: Board, wheel: Path, tmp_path: Path, moment: str
) -> None:
    config = tmp_path / "config.toml"
    config.write_text(CONFIG.replace("stall_seconds = 20", "stall_seconds = 21"))
    process = subprocess.Popen(
        deploy_command(board, "--wheel", wheel, "--config", config),
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    with process:
        assert process.stderr is not None
        assert any(moment in line for line in process.stderr)
        board.power_cut()
        process.kill()
    board.start()
    board.feed(BARE)
    is_running_and_seeing(board)
    stall = board.ssh("grep ^stall_seconds /etc/maskwatch/config.toml").stdout.split()[-1]
    assert stall in ("20", "21")
    assert board.ssh("ls /opt/maskwatch/releases/*/release.json").stdout.count("\n") in (1, 2)
    board.wait_until(
        lambda: board.ssh("test -L /opt/maskwatch/unconfirmed", check=False).returncode == 1,
        what="the switch to be confirmed",
    )


def test_the_doctor_finds_nothing_wrong_with_the_board(board: Board) -> None:
    done = board.ssh("/opt/maskwatch/current/venv/bin/maskwatch doctor --json", check=False)
    found = {each["name"]: each for each in json.loads(done.stdout)["findings"]}
    assert [name for name, each in found.items() if each["state"] == "fail"] == []
    assert done.returncode == 0
    assert "camera seeing" in json.dumps(found)


@pytest.mark.parametrize(("options", "limit"), [((), 1.5), (("--with", "network"), 2.0)])
def test_the_service_is_exposed_to_little(
    board: Board,
    wheel: Path,
    deployed: Callable[..., subprocess.CompletedProcess[str]],
    options: tuple[str, ...],
    limit: float,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    config = tmp_path / "config.toml"
    config.write_text(CONFIG.replace('kind = "console"', 'kind = "none"'))
    done = deployed("--wheel", wheel, "--config", config, "--without", "console", *options)
    assert done.returncode == 0, done.stderr
    text = board.ssh("systemd-analyze security --no-pager maskwatch", check=False).stdout
    match = re.search(r"Overall exposure level for \S+: (\d+\.\d+)", text)
    assert match, text
    with capsys.disabled():
        print(f"\nexposure {' '.join(options) or 'without network'}: {match[1]}")
    assert float(match[1]) <= limit


def test_the_time_from_a_face_to_the_lamp_is_measured(
    board: Board, capsys: pytest.CaptureFixture[str]
) -> None:
    delays = []
    for _ in range(5):
        board.feed(NOBODY)
        lamps(board, {ALERT: False})
        delays.append(seconds_to_alert(board) * FRAMES_PER_SECOND)
    with capsys.disabled():
        print(
            f"\nfrom face to lamp: median {statistics.median(delays):.0f}, "
            f"worst {max(delays):.0f} frames of the camera"
        )
    assert max(delays) < 300 * FRAMES_PER_SECOND


def seconds_to_alert(board: Board) -> float:
    """Show unmasked people and return the time until the alert lamp is lit."""
    before = board.gpio_outputs()[SCENE]
    board.begin_feed(BARE)
    shown = None
    while True:
        levels = board.gpio_outputs()
        now = time.monotonic()
        if shown is None and levels[SCENE] is not before:
            shown = now
        if shown is not None and levels[ALERT]:
            return now - shown


def test_the_default_finder_finds_faces_on_the_board(board: Board) -> None:
    board.ssh("sed -i '/^finder = /d' /etc/maskwatch/config.toml && systemctl reload maskwatch")
    is_running_and_seeing(board)
    board.feed(MASKED)
    lamps(board, {ALERT: False, CLEAR: True, ALIVE: True})


def test_uninstalling_leaves_nothing(board: Board) -> None:
    board.ssh("sh /opt/maskwatch/current/installer/uninstall.sh", 600)
    lamps(board, {ALERT: False, CLEAR: False, ALIVE: False})
    left = board.ssh(
        "ls -d /opt/maskwatch /etc/maskwatch /etc/systemd/system/maskwatch* "
        "/etc/udev/rules.d/*maskwatch* 2>/dev/null",
        check=False,
    ).stdout
    assert left == ""


@pytest.mark.parametrize("drop_ins", [(), ("network",)])
def test_who_takes_the_service_over_is_let_nothing(board: Board, drop_ins: tuple[str, ...]) -> None:
    board.put(Path(__file__).with_name("attempts.py"), "/opt/maskwatch/attempts.py")
    folder = "/etc/systemd/system/maskwatch.service.d"
    for name in drop_ins:
        board.ssh(f"cp /opt/maskwatch/current/installer/maskwatch.service.d/{name}.conf {folder}/")
    lines = (
        "[Service]",
        "Type=oneshot",
        "Restart=no",
        "WatchdogSec=0",
        "ExecStart=",
        "ExecStart=/opt/maskwatch/current/venv/bin/python /opt/maskwatch/attempts.py",
        "ExecStopPost=",
    )
    board.put("\n".join(lines).encode(), f"{folder}/zz-attempts.conf")
    board.ssh("systemctl daemon-reload && systemctl restart maskwatch", 600)
    told = [line for line in journal(board).splitlines() if line.startswith('{"read a home')]
    answers = json.loads(told[-1])
    print("\n", json.dumps(answers, indent=1))
    let = {name for name, error in answers.items() if error not in REFUSALS}
    assert let == ({"listen", "open the network"} if "network" in drop_ins else set())


def test_the_ansible_role_brings_settings_and_secrets_and_nothing_the_second_time(
    board: Board, wheel: Path, tmp_path: Path
) -> None:
    pytest.importorskip("ansible", reason="needs Ansible, of the extra dev")
    settings = tomllib.loads(CONFIG.replace("stall_seconds = 20", "stall_seconds = 21"))
    common = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"
    variables = {
        "ansible_host": "127.0.0.1",
        "ansible_port": board.machine.ssh_port,
        "ansible_user": "pi",
        "ansible_ssh_private_key_file": str(IMAGE / "id_ed25519"),
        "ansible_ssh_common_args": common,
        "maskwatch_command": [sys.executable, "-m", "maskwatch_edge"],
        "maskwatch_build_dir": str(tmp_path / "build"),
        "maskwatch_wheel": str(wheel),
        "maskwatch_settings": {
            f"{section}.{key}": value
            for section, keys in settings.items()
            for key, value in keys.items()
        },
        "maskwatch_with": ["console"],
        "maskwatch_environment": {"LC_ALL": "C.UTF-8"},
        "maskwatch_mqtt_password": "for nobody but root",
        "maskwatch_timeout_seconds": 900,
    }
    inventory = write_inventory(tmp_path / "hosts.json", {"door": variables})

    def apply() -> dict[str, tuple[int, bool]]:
        done = run_ansible("ansible-playbook", "-i", inventory, "site.yml", seconds=DEPLOY_SECONDS)
        assert done.returncode == 0, done.stdout + done.stderr
        return ends_of(done)

    changed, has_failed = apply()["door"]
    assert changed > 1
    assert not has_failed
    assert b"stall_seconds = 21" in board.get("/etc/maskwatch/config.toml")
    secret = "/etc/credstore/maskwatch-mqtt-password"
    assert board.get(secret) == b"for nobody but root"
    assert board.ssh(f"stat -c '%a %U' {secret}").stdout == "600 root\n"
    is_running_and_seeing(board)
    process = show(board, "MainPID")
    assert apply() == {"door": (0, False)}
    assert show(board, "MainPID") == process
