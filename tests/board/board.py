"""The emulated board: a Debian 12 for arm64 with a camera, GPIO lines and a screen, under QEMU."""

from __future__ import annotations

import shlex
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from maskwatch_edge.closing import Closing

from .qemu import IMAGE, Machine

Pixels = npt.NDArray[np.uint8]
Answer = TypeVar("Answer")

WIDTH, HEIGHT = 640, 480
"""Size of the camera's frames, in pixels."""

FRAMES_PER_SECOND = 12.5
"""How many frames the camera gives in a second, on average."""

LINES = ("GPIO17", "GPIO27", "GPIO22", "POWER", "GPIO23", "GPIO24", "GPIO25", "GPIO5")
"""The names of the GPIO lines, as in build-board.sh."""

SCENE = "GPIO5"
"""The line whose level changes when another picture is in front of the camera."""

NO_CAMERA = "modprobe.blacklist=vivid"
"""For `Board.start`: the camera is not plugged in."""

# The board is ten to a hundred times slower than a Pi, on a busy computer even slower.
BOOT_SECONDS = 900.0
SSH_SECONDS = 300.0
WAIT_SECONDS = 300.0


class Board(Closing):
    """The board, switched off at first. Its disk is a copy of the image and outlives power cuts.

    Args:
        folder: Folder for the disk and the log of the serial line.
    """

    def __init__(self, folder: Path) -> None:
        self._machine: Machine | None = None
        self.serial_log = folder / "serial.log"
        self._disk = folder / "disk.qcow2"
        # For the socket of ssh's shared connection, whose path must be short.
        self._folder = tempfile.TemporaryDirectory(prefix="board-")
        image = ("-F", "qcow2", "-b", str(IMAGE / "board.qcow2"))
        subprocess.run(
            ["qemu-img", "create", "-q", "-f", "qcow2", *image, str(self._disk)], check=True
        )

    @property
    def machine(self) -> Machine:
        """The running QEMU."""
        assert self._machine, "the board is off; call start()"
        return self._machine

    # Power

    def start(self, append: str = "") -> None:
        """Switch on and wait until ssh answers.

        Args:
            append: More words for the kernel's command line, such as NO_CAMERA.
        """
        assert not self._machine, "the board is already on"
        self._machine = Machine(self._disk, self.serial_log, append)
        self._connect()
        self.ssh("systemctl is-system-running --wait; udevadm settle", BOOT_SECONDS)

    def stop(self) -> None:
        """Shut down in an orderly way; nothing happens if the board is off."""
        if self._machine:
            self.ssh("systemctl poweroff", check=False)
            try:
                self._machine.wait(WAIT_SECONDS)
            finally:
                self.power_cut()

    def power_cut(self) -> None:
        """Cut the power; nothing happens if the board is off."""
        if self._machine:
            self._disconnect()
            self._machine.close()
            self._machine = None

    def close(self) -> None:
        """Cut the power and forget the board; may be called twice."""
        self.power_cut()
        self._disk.unlink(missing_ok=True)
        self._folder.cleanup()

    def save(self, name: str) -> None:
        """Keep the state of the running board, memory and disk, for `restore`."""
        error = self.machine.monitor(f"savevm {name}")
        assert not error, error

    def restore(self, name: str) -> None:
        """Go back to the state that was kept under this name; switches on if need be."""
        if not self._machine:
            self._machine = Machine(self._disk, self.serial_log)
        error = self.machine.monitor(f"loadvm {name}")
        assert not error, error
        self._disconnect()
        self._connect()

    # Commands and files

    def ssh(
        self,
        command: str,
        timeout_seconds: float = SSH_SECONDS,
        *,
        check: bool = True,
        stdin: bytes = b"",
    ) -> subprocess.CompletedProcess[str]:
        """Run a shell command as root and return what it printed.

        Raises:
            AssertionError: If `check` and it fails.
        """
        done = self._ssh(command, timeout_seconds, stdin)
        text = subprocess.CompletedProcess(
            command, done.returncode, done.stdout.decode(), done.stderr.decode()
        )
        assert not check or done.returncode == 0, f"{text}"
        return text

    def get(self, path: str) -> bytes:
        """Return the content of a file."""
        return self._ssh(f"cat {shlex.quote(path)}", SSH_SECONDS).stdout

    def put(self, content: bytes | Path, path: str) -> None:
        """Write a file."""
        data = content.read_bytes() if isinstance(content, Path) else content
        self.ssh(f"cat > {shlex.quote(path)}", stdin=data)

    @property
    def ssh_config(self) -> Path:
        """An OpenSSH configuration in which the host `board` is this one; the user is `pi`."""
        return Path(self._folder.name) / "config"

    def _ssh(
        self, command: str, timeout_seconds: float, stdin: bytes = b""
    ) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            ["ssh", "-F", str(self.ssh_config), "root@board", command],
            input=stdin,
            capture_output=True,
            timeout=timeout_seconds,
            check=False,
        )

    def _connect(self) -> None:
        folder = self._folder.name
        self.ssh_config.write_text(
            f"""Host board
    HostName 127.0.0.1
    Port {self.machine.ssh_port}
    User pi
    IdentityFile "{IMAGE}/id_ed25519"
    IdentitiesOnly yes
    StrictHostKeyChecking no
    UserKnownHostsFile /dev/null
    LogLevel ERROR
    ConnectTimeout 20
    ServerAliveInterval 60
    ControlMaster auto
    ControlPersist 600
    ControlPath {folder}/%r
""",
            encoding="utf-8",
        )
        self.wait_until(self._is_up, BOOT_SECONDS, "ssh to answer")

    def _is_up(self) -> bool:
        if not self.machine.is_running:
            raise RuntimeError("QEMU has ended")
        return self._ssh("true", SSH_SECONDS).returncode == 0

    def _disconnect(self) -> None:
        for user in ("root", "pi"):
            subprocess.run(
                ["ssh", "-F", str(self.ssh_config), "-O", "exit", f"{user}@board"],
                capture_output=True,
                timeout=SSH_SECONDS,
                check=False,
            )

    # Camera

    def feed(self, pixels: Pixels) -> None:
        """Put a picture in front of the camera, and wait until it is there.

        Args:
            pixels: Shape (480, 640, 3), uint8, RGB.
        """
        before = self.gpio_outputs()[SCENE]
        self._offer(pixels)
        self.ssh("systemctl reload board-camera")
        self.wait_until(lambda: self.gpio_outputs()[SCENE] is not before, what="the new picture")

    def begin_feed(self, pixels: Pixels) -> None:
        """Put a picture in front of the camera some seconds after this returns.

        The line `SCENE` changes its level at that moment, so that it can be awaited.
        """
        self._offer(pixels)
        self.ssh("(sleep 5; systemctl reload board-camera) < /dev/null > /dev/null 2>&1 &")

    def _offer(self, pixels: Pixels) -> None:
        assert pixels.shape == (HEIGHT, WIDTH, 3), pixels.shape
        self.put(to_yuyv(pixels).tobytes(), "/run/picture.new")
        self.ssh("mv /run/picture.new /run/picture.yuyv")

    def freeze_camera(self) -> None:
        """Let the camera give the very same frame from now on, until another picture is fed."""
        self.ssh("systemctl kill --signal USR1 board-camera")

    def unplug_camera(self) -> None:
        """Pull the camera's plug."""
        self.ssh("echo vivid.0 > /sys/bus/platform/drivers/vivid/unbind && udevadm settle")

    def plug_camera(self) -> None:
        """Put the camera's plug in again, or for the first time; wait until it shows a picture."""
        self.ssh(
            "modprobe vivid && cd /sys/bus/platform/drivers/vivid"
            " && { [ -e vivid.0 ] || echo vivid.0 > bind; }"
            " && until systemctl is-active --quiet board-camera; do sleep 1; done"
            " && udevadm settle"
        )
        self.wait_until(lambda: SCENE in self.gpio_outputs(), what="the camera's line")

    # What is to be seen from outside

    def gpio_outputs(self) -> dict[str, bool]:
        """Return the levels of all GPIO lines that are outputs, by name."""
        return {LINES[line]: level for line, level in self.machine.gpio().items()}

    def screendump(self) -> Pixels:
        """Return what a monitor at the board shows: shape (height, width, 3), uint8, RGB."""
        return self.machine.screen()

    def logs(self) -> str:
        """Return the end of the logs, for a test that failed."""
        serial = self.serial_log.read_text(errors="replace") if self.serial_log.exists() else ""
        journal = ""
        if self._machine and self._machine.is_running:
            journal = self.ssh("journalctl --no-pager -n 200", check=False).stdout
        return f"serial line:\n{serial[-5000:]}\njournal:\n{journal}"

    def wait_until(
        self,
        look: Callable[[], Answer],
        timeout_seconds: float = WAIT_SECONDS,
        what: str = "what was expected",
    ) -> Answer:
        """Look again and again until what is seen is true, and return it.

        Raises:
            AssertionError: If it is not by then.
        """
        end = time.monotonic() + timeout_seconds
        while not (answer := look()):
            assert time.monotonic() < end, f"waited {timeout_seconds:.0f} s for {what}"
            time.sleep(0.2)
        return answer


def to_yuyv(pixels: Pixels) -> Pixels:
    """Return RGB pixels as a camera sends them: shape (height, width, 2), uint8."""
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2YUV_YUYV), dtype=np.uint8)
