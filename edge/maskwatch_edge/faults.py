"""What can go wrong with Maskwatch: every fault has an id for ever, with its cause and cure.

The reference in the documentation is made from this table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, IntEnum, StrEnum, unique

from .printing import one_line


class Severity(IntEnum):
    """How bad it is, in the numbers of syslog(3)."""

    ERROR = 3
    """The program ends, or something is lost."""

    WARNING = 4
    """The watching goes on without something."""

    NOTICE = 5
    """It is well again."""


class FaultState(StrEnum):
    """What a notice says of its fault."""

    BEGUN = "begun"
    """It lasts until a notice says that it has ended, or the program ends."""

    ENDED = "ended"
    """It is well again."""

    ONCE = "once"
    """It happened, and no end of it is told."""


@unique
class Fault(Enum):
    """All that can go wrong.

    An id is never given to another fault, and never changed: people's alarms are set on it.

    Attributes:
        id: What it is called in the journal, in metrics and in the documentation.
        severity: How bad it is.
        effect: What becomes of the watching.
        cause: What may be behind it.
        cure: What to do.
    """

    CAMERA_LOST = (
        "camera-lost",
        Severity.WARNING,
        "Nobody is watched: all lamps are dark. The camera is tried again for ever.",
        "The camera is unplugged, has no supply, is in use by another program, gives no or always "
        "the same picture, or its address is wrong.",
        "The line tells which. Look at plug and cable, then `maskwatch doctor`.",
    )
    CAMERA_STUCK = (
        "camera-stuck",
        Severity.WARNING,
        "A thread of the program is left behind; up to four may be, then the camera is left alone.",
        "A call to the camera's driver does not return: mostly a broken camera, cable or hub.",
        "Pull the camera out and plug it in. If it comes again, try another cable, hub or camera.",
    )
    LOOK_FAILED = (
        "look-failed",
        Severity.ERROR,
        "Nobody is judged: all lamps are dark. It is tried again after longer and longer waits; if "
        "it fails for a minute, the program ends, and systemd starts it afresh.",
        "OpenCV or the interpreter failed, mostly for want of memory, or a mistake in Maskwatch.",
        "The line tells which. Look at the memory with `free -m`; else tell the project.",
    )
    FILE_SKIPPED = (
        "file-skipped",
        Severity.WARNING,
        "A file of a folder is passed over, the others are read.",
        "The file is damaged, or its kind is not what its name says.",
        "Open the file with another program; remove or replace it.",
    )
    LAMPS_FAILED = (
        "lamps-failed",
        Severity.WARNING,
        "The lamps show nothing. They are tried again at least every half minute.",
        "A GPIO chip or line is not there, is in use, or may not be used.",
        "`maskwatch doctor`, then `maskwatch lamp on`: see *A lamp stays dark* in the "
        "troubleshooting.",
    )
    LINES_FAILED = (
        "lines-failed",
        Severity.WARNING,
        "What happens is not printed. It is tried again at least every half minute.",
        "The disk to which stdout is sent is full.",
        "Make room on it, or set `output.lines` to `none`.",
    )
    DISPLAY_FAILED = (
        "display-failed",
        Severity.WARNING,
        "Nothing is shown on the screen. One on a cable is tried again at least every half minute.",
        "The screen is off or unplugged, or there is no desktop for a window.",
        "Switch it on; see *Nothing on the screen* in the troubleshooting.",
    )
    DISPLAY_STUCK = (
        "display-stuck",
        Severity.WARNING,
        "The program ends without having closed the screen.",
        "A call to the screen's driver does not return.",
        "Update the system, or set `display.kind` to `none`.",
    )
    PAGE_FAILED = (
        "page-failed",
        Severity.WARNING,
        "There is no live page. It is tried again at least every half minute.",
        "Its port is in use, its address is none of this board, or the extra `web` is missing.",
        "Choose another `web.port` or `web.address`; `pip install 'maskwatch[web]'`.",
    )
    PAGE_STUCK = (
        "page-stuck",
        Severity.WARNING,
        "The program ends without having sent all viewers away.",
        "The thread of the live page does not end.",
        "Nothing need be done. If it comes again, please tell the project.",
    )
    MQTT_FAILED = (
        "mqtt-failed",
        Severity.WARNING,
        "No broker is told anything. It is tried again at least every half minute.",
        "A file that `mqtt` names cannot be read, the extra `mqtt` is missing, or the thread that "
        "tells the broker has failed.",
        "The line tells which: mend the configuration, or `pip install 'maskwatch[mqtt]'`.",
    )
    BROKER_AWAY = (
        "broker-away",
        Severity.WARNING,
        "Events wait on the disk; they are sent when the broker is there.",
        "The network is down, the broker is off, or refuses the name or password.",
        "`maskwatch doctor` tries the broker and says what it answers.",
    )
    QUEUE_IN_MEMORY = (
        "queue-in-memory",
        Severity.WARNING,
        "MQTT messages wait in memory: what waits when power fails is lost.",
        "The disk is full or read-only, or the service has no folder to write to.",
        "Make room on the disk; on a board, `install.sh --with mqtt` gives the folder.",
    )
    QUEUE_DAMAGED = (
        "queue-damaged",
        Severity.ERROR,
        "The damaged file of waiting MQTT messages is set aside, and a new one is begun.",
        "Mostly a memory card that wears out, or power that failed.",
        "Nothing need be done. If it comes again, replace the memory card.",
    )
    QUEUE_FULL = (
        "queue-full",
        Severity.ERROR,
        "The oldest events that wait for the MQTT broker are dropped.",
        "The broker is away for too long.",
        "Mend what keeps the broker away, or raise `mqtt.waiting_messages`.",
    )
    QUEUE_LOST = (
        "queue-lost",
        Severity.ERROR,
        "MQTT messages that waited in memory are lost with the end of the program.",
        "The disk did not take them; `queue-in-memory` came before.",
        "See `queue-in-memory`.",
    )
    STATISTICS_UNWRITABLE = (
        "statistics-unwritable",
        Severity.WARNING,
        "Counts are held in memory, those of a day at most.",
        "The disk is full or read-only, the file is damaged, or the service has no folder to write "
        "to.",
        "Make room on the disk; on a board, `install.sh --with statistics` gives the folder.",
    )
    CLOCK_NOT_SET = (
        "clock-not-set",
        Severity.WARNING,
        "Nothing is counted for the statistics.",
        "The board has no battery for its clock, and no network has set it yet.",
        "Connect the network once, or give the board a clock module.",
    )
    DISK_STUCK = (
        "disk-stuck",
        Severity.ERROR,
        "New events for MQTT are dropped, or the last of events or statistics are lost.",
        "A call to the disk, or to the network of the MQTT broker, does not return.",
        "Look at `dmesg` for errors of the memory card, and replace it; look at the network.",
    )
    RELOAD_REFUSED = (
        "reload-refused",
        Severity.WARNING,
        "The program goes on with the configuration that it had.",
        "The new configuration, or a model that it names, is wrong.",
        "`maskwatch config check FILE` tells all that is wrong; then reload again.",
    )
    SYSTEMD_UNREACHABLE = (
        "systemd-unreachable",
        Severity.WARNING,
        "systemd is not told how the service is doing, and its watchdog may restart it.",
        "The socket that `$NOTIFY_SOCKET` names does not answer.",
        "Restart the service. By hand, run Maskwatch without that variable.",
    )
    CONFIGURATION_WRONG = (
        "configuration-wrong",
        Severity.ERROR,
        "The program does not start; a line for each setting that is wrong.",
        "A setting, in the file, the environment or on the command line, is misspelt or out of "
        "range.",
        "The line names the setting, and what was expected.",
    )
    INPUT_WRONG = (
        "input-wrong",
        Severity.ERROR,
        "The command ends.",
        "A picture, folder, annotation, option or file is not what was expected.",
        "The line names it, and what was expected.",
    )
    MODEL_BROKEN = (
        "model-broken",
        Severity.ERROR,
        "The command ends.",
        "A model file is missing, damaged, or contradicts the contract that it carries.",
        "Name another in `model.path`, or leave that out to use the one that comes with Maskwatch.",
    )
    SIGNATURE_WRONG = (
        "signature-wrong",
        Severity.ERROR,
        "The command ends, and nothing of the file was read.",
        "A model or program is not signed by a trusted key, was changed after it was signed, or is "
        "older than the one that runs.",
        "Get the file and its `.sig` anew from who made them; find out who changed it.",
    )
    SOURCE_UNREADABLE = (
        "source-unreadable",
        Severity.ERROR,
        "The command ends.",
        "A video, picture, folder or download is not there or cannot be read.",
        "The line names it. Cameras are waited for instead: see `camera-lost`.",
    )
    OUTPUT_UNWRITABLE = (
        "output-unwritable",
        Severity.ERROR,
        "The command ends, and leaves no half-written file.",
        "A result cannot be written: the disk is full, or the folder is missing or not yours.",
        "The line names it: make room, or name another place.",
    )
    EXTRA_MISSING = (
        "extra-missing",
        Severity.ERROR,
        "The command ends.",
        "An optional part of the installation is missing.",
        "The line says what to install.",
    )
    CONVERSION_FAILED = (
        "conversion-failed",
        Severity.ERROR,
        "No model is written.",
        "A network cannot be converted, or does not survive its conversion.",
        "The line says what differs; train it anew, or convert it as float32.",
    )
    WORKER_LOST = (
        "worker-lost",
        Severity.ERROR,
        "The training ends.",
        "Another machine of a training does not answer.",
        "Look at that machine and the network between; start the training again on all.",
    )
    BOARD_REFUSED = (
        "board-refused",
        Severity.ERROR,
        "Nothing is deployed; the board keeps what it has.",
        "The board cannot be reached, or refuses the installation.",
        "The line says why.",
    )
    SYSTEM_REFUSED = (
        "system-refused",
        Severity.ERROR,
        "The command ends.",
        "The system refuses something, such as to write to a full disk.",
        "The line has the system's own words.",
    )
    PROGRAM_BROKEN = (
        "program-broken",
        Severity.ERROR,
        "The program ends with a traceback; systemd starts it again.",
        "A mistake in Maskwatch itself.",
        "Please tell the project, with the traceback.",
    )

    def __init__(self, code: str, severity: Severity, effect: str, cause: str, cure: str) -> None:
        self.id, self.severity = code, severity
        self.effect, self.cause, self.cure = effect, cause, cure

    def begun(self, message: str) -> Notice:
        """Say that it lasts from now on."""
        return Notice(self, FaultState.BEGUN, message)

    def ended(self, message: str) -> Notice:
        """Say that it is well again."""
        return Notice(self, FaultState.ENDED, message)

    def once(self, message: str) -> Notice:
        """Say that it happened."""
        return Notice(self, FaultState.ONCE, message)


@dataclass(frozen=True)
class Notice:
    """What is told of a fault.

    Attributes:
        fault: Which.
        state: Whether it begins, ends, or just happened.
        message: What happened this time, in words.
    """

    fault: Fault
    state: FaultState
    message: str

    @property
    def severity(self) -> Severity:
        """How bad the news is."""
        return Severity.NOTICE if self.state is FaultState.ENDED else self.fault.severity

    def __str__(self) -> str:
        """Return it as one line, such as "the page is there now [page-failed ended]"."""
        mark = f"{self.fault.id} ended" if self.state is FaultState.ENDED else self.fault.id
        return f"{one_line(' '.join(self.message.splitlines()))} [{mark}]"


Warn = Callable[[Notice], None]
"""Tells a notice to whom it may concern; may be called by any thread."""
