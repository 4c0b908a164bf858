"""QEMU as seen from outside: its process, its monitor, and the pins and screen of its machine."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from maskwatch_edge.closing import Closing

ROOT = Path(__file__).parents[2]
IMAGE = ROOT / "build" / "board"
PROGRAM = "qemu-system-aarch64"

# The PL061 of QEMU's machine "virt": the levels of all lines, and which of them are outputs.
GPIO_LEVELS, GPIO_DIRECTIONS = 0x90303FC, 0x9030400


START_SECONDS = 60.0
ANSWER_SECONDS = 300.0


class Channel:
    """A socket of QEMU's, for one line at a time."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(ANSWER_SECONDS)
        self._socket.connect(str(path))
        self._lines = self._socket.makefile("r", encoding="utf-8")

    def send(self, line: str) -> None:
        """Send a line."""
        self._socket.sendall(line.encode() + b"\n")

    def receive(self) -> str:
        """Wait for a line."""
        line = self._lines.readline()
        if not line:
            raise ConnectionError("QEMU has closed the connection")
        return line

    def close(self) -> None:
        """Close it; may be called twice."""
        self._lines.close()
        self._socket.close()


class Machine(Closing):
    """A running QEMU; it is gone, as after a power cut, when `close` returns.

    Args:
        disk: The disk, a qcow2 file.
        serial: File that gets what the machine writes to its serial line.
        append: More words for the kernel's command line.
    """

    def __init__(self, disk: Path, serial: Path, append: str = "") -> None:
        # Paths of sockets must be short, so they are in a folder of their own.
        self._folder = tempfile.TemporaryDirectory(prefix="board-")
        folder = Path(self._folder.name)
        self._process = subprocess.Popen(
            [*_command(disk, serial, append), *_sockets(folder)], stderr=subprocess.PIPE, text=True
        )
        self._channels: list[Channel] = []
        try:
            self._monitor, self._pins = self._open(folder / "monitor"), self._open(folder / "pins")
            self._monitor.receive()
            self.command("qmp_capabilities")
        except BaseException:
            self.close()
            raise

    def _open(self, path: Path) -> Channel:
        end = time.monotonic() + START_SECONDS
        while self.is_running and time.monotonic() < end:
            if path.exists():
                self._channels.append(Channel(path))
                return self._channels[-1]
            time.sleep(0.05)
        self._process.kill()
        raise RuntimeError(f"QEMU does not start: {self._process.communicate()[1]}")

    @property
    def is_running(self) -> bool:
        """Whether the process is there."""
        return self._process.poll() is None

    @property
    def ssh_port(self) -> int:
        """The port of this computer that leads to the machine's ssh."""
        lines = self.monitor("info usernet")
        match = re.search(r"HOST_FORWARD\]\s+\d+\s+[\d.]+\s+(\d+)", lines)
        assert match, lines
        return int(match[1])

    def command(self, name: str, **arguments: Any) -> Any:
        """Carry out a QMP command and return its answer."""
        self._monitor.send(json.dumps({"execute": name, "arguments": arguments}))
        while True:
            answer = json.loads(self._monitor.receive())
            if "error" in answer:
                raise RuntimeError(f"{name}: {answer['error']['desc']}")
            if "return" in answer:  # and no event
                return answer["return"]

    def monitor(self, line: str) -> str:
        """Carry out a command of QEMU's human monitor and return what it prints."""
        return str(self.command("human-monitor-command", **{"command-line": line}))

    def gpio(self) -> dict[int, bool]:
        """Return the level of every GPIO line that is an output, by number."""
        levels, directions = self._read(GPIO_LEVELS), self._read(GPIO_DIRECTIONS)
        return {n: bool(levels >> n & 1) for n in range(8) if directions >> n & 1}

    def screen(self) -> npt.NDArray[np.uint8]:
        """Return what a monitor at the machine would show: (height, width, 3), uint8, RGB."""
        path = Path(self._folder.name) / "screen.ppm"
        self.command("screendump", filename=str(path))
        picture = cv2.imread(str(path))
        assert picture is not None, f"{path} is no picture"
        return np.ascontiguousarray(picture[:, :, ::-1], dtype=np.uint8)

    def wait(self, timeout_seconds: float) -> None:
        """Wait until the machine has switched itself off.

        Raises:
            subprocess.TimeoutExpired: If it has not by then.
        """
        self._process.wait(timeout_seconds)

    def close(self) -> None:
        """Cut the power; may be called twice."""
        self._process.kill()
        self._process.wait()
        assert self._process.stderr
        self._process.stderr.close()
        for channel in self._channels:
            channel.close()
        self._folder.cleanup()

    def _read(self, address: int) -> int:
        self._pins.send(f"readl {address:#x}")
        status, value = self._pins.receive().split()
        assert status == "OK", status
        return int(value, 16)


def _command(disk: Path, serial: Path, append: str) -> list[str]:
    # Processor and memory as in build-board.sh, whose device tree names them. Writes that the
    # machine flushes are flushed (no cache=unsafe): a power cut must lose the others only.
    return [
        *("setpriv", "--pdeathsig", "KILL", PROGRAM),
        *("-M", "virt", "-cpu", "cortex-a72", "-smp", "2", "-m", "2048"),
        *("-accel", "tcg,thread=multi", "-display", "none"),
        *("-kernel", f"{IMAGE}/vmlinuz", "-initrd", f"{IMAGE}/initrd.img"),
        *("-dtb", f"{IMAGE}/board.dtb", "-serial", f"file:{serial}"),
        *("-append", f"root=/dev/vda console=tty1 console=ttyAMA0 quiet {append}"),
        *("-drive", f"if=none,id=disk,file={disk},format=qcow2,cache=writeback"),
        *("-device", "virtio-blk-pci,drive=disk"),
        *("-netdev", "user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:0-:22"),
        *("-device", "virtio-net-pci,netdev=net,romfile="),
        *("-device", "virtio-rng-pci", "-device", "virtio-gpu-pci"),
    ]


def _sockets(folder: Path) -> list[str]:
    return [
        *("-qmp", f"unix:{folder}/monitor,server=on,wait=off"),
        *("-qtest", f"unix:{folder}/pins,server=on,wait=off", "-qtest-log", "none"),
    ]
