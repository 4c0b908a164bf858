"""The topics of one board."""

from __future__ import annotations

from dataclasses import dataclass

ONLINE, OFFLINE = "online", "offline"
"""What the availability topic says; also Home Assistant's own words on its status topic."""


@dataclass(frozen=True)
class Topics:
    """Names of topics.

    Attributes:
        prefix: What all topics of Maskwatch begin with.
        device_id: What tells this board from others.
        discovery: What the topics of Home Assistant begin with.
    """

    prefix: str
    device_id: str
    discovery: str

    @property
    def availability(self) -> str:
        """`ONLINE` or `OFFLINE`, retained; the broker says the latter if the board falls silent."""
        return f"{self.prefix}/{self.device_id}/availability"

    @property
    def state(self) -> str:
        """How it stands, retained."""
        return f"{self.prefix}/{self.device_id}/state"

    @property
    def events(self) -> str:
        """What happened, one message each."""
        return f"{self.prefix}/{self.device_id}/events"

    @property
    def statistics(self) -> str:
        """Totals, once a minute."""
        return f"{self.prefix}/{self.device_id}/statistics"

    @property
    def discovery_config(self) -> str:
        """Where Home Assistant learns what there is to see, retained."""
        return f"{self.discovery}/device/{self.device_id}/config"

    @property
    def discovery_status(self) -> str:
        """Where Home Assistant says that it has started."""
        return f"{self.discovery}/status"
