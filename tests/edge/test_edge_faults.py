"""Every fault leaves one line, with fields where systemd's journal reads them."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskwatch_edge.cameras.fake_camera import FakeCamera
from maskwatch_edge.cameras.fake_network_camera import FakeNetworkCamera
from maskwatch_edge.datagrams import DatagramSocket, FakeDatagrams, read_datagram
from maskwatch_edge.fault_log import FaultLog, is_read_by_journal, message_id
from maskwatch_edge.faults import Fault, FaultState, Notice

from .watching import MODELS, somebody

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 60.0

IDS = """
board-refused broker-away camera-lost camera-stuck clock-not-set configuration-wrong
conversion-failed disk-stuck display-failed display-stuck extra-missing file-skipped
input-wrong lamps-failed lines-failed look-failed model-broken mqtt-failed
output-unwritable page-failed page-stuck program-broken queue-damaged queue-full
queue-in-memory queue-lost reload-refused signature-wrong source-unreadable
statistics-unwritable system-refused systemd-unreachable worker-lost
"""


def test_ids_stay_for_ever() -> None:
    """Alarms are set on them: add yours here, and change none."""
    assert sorted(fault.id for fault in Fault) == IDS.split()
    assert message_id(Fault.CAMERA_LOST) == "38560683886f5f15ae1a2b58a1f2d5d7"
    assert len({message_id(fault) for fault in Fault}) == len(Fault)


@pytest.mark.parametrize("fault", Fault, ids=lambda fault: fault.id)
def test_a_fault_is_told_somewhere_in_the_code(fault: Fault) -> None:
    sources = "".join(path.read_text() for path in (ROOT / "edge").rglob("*.py"))
    assert fault.name == fault.id.replace("-", "_").upper()
    assert re.search(rf"\bFault\.{fault.name}\b", sources)
    assert all(text.endswith(".") for text in (fault.effect, fault.cause, fault.cure))


def test_the_journal_is_given_fields_and_stderr_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    journal = FakeDatagrams()
    with FaultLog(journal) as log:
        log.warn(Fault.BROKER_AWAY.begun("the broker is\naway"))
        log.warn(Fault.BROKER_AWAY.ended("it is there"))
    fields = {
        "MESSAGE_ID": message_id(Fault.BROKER_AWAY),
        "SYSLOG_IDENTIFIER": "maskwatch",
        "MASKWATCH_FAULT": "broker-away",
    }
    assert journal.messages == [
        {
            **fields,
            "MESSAGE": "the broker is away [broker-away]",
            "MASKWATCH_STATE": "begun",
            "PRIORITY": "4",
        },
        {
            **fields,
            "MESSAGE": "it is there [broker-away ended]",
            "MASKWATCH_STATE": "ended",
            "PRIORITY": "5",
        },
    ]
    assert capsys.readouterr().err == ""


def test_without_the_journal_the_line_is_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    FaultLog().warn(Fault.QUEUE_LOST.once("3 are lost"))
    assert capsys.readouterr().err == "maskwatch: 3 are lost [queue-lost]\n"


def test_what_the_journal_does_not_take_is_told_on_stderr(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with FaultLog(DatagramSocket(str(tmp_path / "gone"))) as log:
        log.warn(Fault.QUEUE_LOST.once("3 are lost"))
    assert capsys.readouterr().err == "maskwatch: 3 are lost [queue-lost]\n"


def test_a_fault_is_counted_when_it_comes_and_not_when_it_goes() -> None:
    with FaultLog(FakeDatagrams()) as log:
        for notice in (
            Fault.BROKER_AWAY.begun("away"),
            Fault.BROKER_AWAY.ended("there"),
            Fault.BROKER_AWAY.begun("away"),
            Fault.QUEUE_LOST.once("lost"),
        ):
            log.warn(notice)
    assert {fault for fault, count in log.counts.items() if count} == {
        Fault.BROKER_AWAY,
        Fault.QUEUE_LOST,
    }
    assert (log.counts[Fault.BROKER_AWAY], log.counts[Fault.QUEUE_LOST]) == (2, 1)


@given(message=st.text(), fault=st.sampled_from(Fault), state=st.sampled_from(FaultState))
def test_no_message_becomes_another_field_or_line(
    message: str, fault: Fault, state: FaultState
) -> None:
    journal = FakeDatagrams()
    FaultLog(journal).warn(Notice(fault, state, message))
    (fields,) = journal.messages
    assert fields["MASKWATCH_FAULT"] == fault.id
    assert fields["MESSAGE"].isprintable()
    assert len(fields) == 6


@pytest.mark.parametrize("datagram", [b"MESSAGE", b"message=x\n", b"_PID=1\n", b"A=1\n=2\n"])
def test_the_fake_refuses_what_systemd_does_not_take(datagram: bytes) -> None:
    with pytest.raises(ValueError, match=r"expected lines of NAME=value"):
        read_datagram(datagram)


def test_the_journal_is_known_by_the_stream_that_stderr_is() -> None:
    stderr = os.fstat(2)
    assert is_read_by_journal({"JOURNAL_STREAM": f"{stderr.st_dev}:{stderr.st_ino}"})
    for stream in (f"{stderr.st_dev}:{stderr.st_ino + 1}", "", "nonsense"):
        assert not is_read_by_journal({"JOURNAL_STREAM": stream})
    assert not is_read_by_journal({})


# What runs as a service does, but for the place of the journal's socket.
AS_A_SERVICE = """
import os, sys
from maskwatch_edge import fault_log
from maskwatch_edge.__main__ import main
stderr = os.fstat(2)
os.environ["JOURNAL_STREAM"] = f"{stderr.st_dev}:{stderr.st_ino}"
fault_log.JOURNAL = sys.argv[1]
sys.exit(main(sys.argv[2:]))
"""


class Journal:
    """Stands in the place of systemd's journal, on a real socket.

    Args:
        path: Of the socket.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.settimeout(PATIENCE_SECONDS)

    def read(self) -> dict[str, str]:
        """Wait for the next entry."""
        return read_datagram(self._socket.recv(65536))

    def close(self) -> None:
        self._socket.close()

    @contextmanager
    def service(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """Run the program as systemd does, and end it at the end."""
        command = [sys.executable, "-W", "error", "-c", AS_A_SERVICE, str(self.path), *arguments]
        with subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        ) as process:
            try:
                yield process
            finally:
                process.kill()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = Journal(tmp_path / "socket")
    yield made
    made.close()


def told(entry: dict[str, str]) -> tuple[str, str, str]:
    return entry["MASKWATCH_FAULT"], entry["MASKWATCH_STATE"], entry["PRIORITY"]


def test_a_camera_that_goes_away_is_in_the_journal_with_its_reason(journal: Journal) -> None:
    camera = FakeCamera(256, 192, period_seconds=0.05, is_shared=True)
    camera.show(somebody())
    patience = ("--set", "camera.stall_seconds=1", "--set", "camera.retry_longest_seconds=0.5")
    lamp = ("--set", "display.kind=console", "--set", "display.framebuffer=/nowhere/fb0")
    with (
        FakeNetworkCamera(camera) as network,
        journal.service("run", "--source", network.address, *MODELS, *patience, *lamp) as process,
    ):
        screen = journal.read()
        camera.pull()
        lost = journal.read()
        camera.plug()
        back = journal.read()
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert told(screen) == ("display-failed", "begun", "4")
    assert "/nowhere/fb0 is not there" in screen["MESSAGE"]
    assert told(lost) == ("camera-lost", "begun", "4")
    assert network.address in lost["MESSAGE"]
    assert lost["MESSAGE_ID"] == message_id(Fault.CAMERA_LOST)
    assert told(back) == ("camera-lost", "ended", "5")
    assert (process.returncode, err) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (("--source", "none.mp4"), "source-unreadable"),
        (("--model", "none.tflite"), "model-broken"),
        (("--set", "camera.sauce=1"), "configuration-wrong"),
        (("--finder", "haar", "--cascade", "none.xml"), "input-wrong"),
    ],
)
def test_why_the_program_does_not_start_is_in_the_journal(
    journal: Journal, arguments: tuple[str, ...], fault: str
) -> None:
    with journal.service("run", *arguments) as process:
        entry = journal.read()
        _, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert told(entry) == (fault, "once", "3")
    assert (process.returncode, err) == (1, "")
