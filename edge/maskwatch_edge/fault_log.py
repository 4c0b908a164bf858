"""Where faults are told: in systemd's journal with fields, and elsewhere on stderr; a line each."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from threading import Lock

from .closing import Closing
from .datagrams import Datagrams, DatagramSocket
from .faults import Fault, FaultState, Notice
from .printing import say_on_stderr

JOURNAL = "/run/systemd/journal/socket"

NAMESPACE = "d3efd870-ab60-48ef-86c9-9dd5558135db"
"""MESSAGE_IDs are made of it and the fault's id; both stay for ever."""


class FaultLog(Closing):
    """Leaves one line for each notice, and counts the faults; any thread may tell it.

    Args:
        journal: systemd's journal; None to print on stderr.
    """

    def __init__(self, journal: Datagrams | None = None) -> None:
        self._journal, self._lock = journal, Lock()
        self._counts = dict.fromkeys(Fault, 0)

    @property
    def counts(self) -> Mapping[Fault, int]:
        """How often each fault has begun, or happened; those that never did, too."""
        return self._counts

    def warn(self, notice: Notice, program: str = "maskwatch") -> None:
        """Tell a notice; on stderr the line begins with the name of the program."""
        with self._lock:
            self._counts[notice.fault] += notice.state is not FaultState.ENDED
        journal = self._journal
        if journal is not None:
            with suppress(OSError):
                journal.send(fields_of(notice))
                return
        say_on_stderr(str(notice), program)

    def close(self) -> None:
        """Let go of the journal; may be called twice."""
        journal, self._journal = self._journal, None
        if journal is not None:
            journal.close()


def fields_of(notice: Notice) -> dict[str, str]:
    """Return what the journal keeps of a notice; see systemd.journal-fields(7)."""
    return {
        "MESSAGE": str(notice),
        "MESSAGE_ID": message_id(notice.fault),
        "PRIORITY": str(notice.severity.value),
        "SYSLOG_IDENTIFIER": "maskwatch",
        "MASKWATCH_FAULT": notice.fault.id,
        "MASKWATCH_STATE": notice.state.value,
    }


def message_id(fault: Fault) -> str:
    """Return the 128 bits by which `journalctl MESSAGE_ID=` finds a fault, as 32 hex digits."""
    from uuid import UUID, uuid5  # few programs need it, and it takes a while to load

    return uuid5(UUID(NAMESPACE), fault.id).hex


def open_log() -> FaultLog:
    """Open the log that fits the place where the program runs."""
    is_read = is_read_by_journal(os.environ)
    return FaultLog(DatagramSocket(JOURNAL) if is_read else None)


def is_read_by_journal(environment: Mapping[str, str]) -> bool:
    """Tell whether stderr goes to systemd's journal; see `$JOURNAL_STREAM` in systemd.exec(5)."""
    with suppress(OSError):  # it may be closed
        stderr = os.fstat(2)
        return environment.get("JOURNAL_STREAM") == f"{stderr.st_dev}:{stderr.st_ino}"
    return False


def warn(notice: Notice, program: str = "maskwatch") -> None:
    """Tell one notice, where nobody keeps a log."""
    with open_log() as log:
        log.warn(notice, program)
