"""The MQTT broker: whether it answers and lets us in."""

from __future__ import annotations

from collections.abc import Iterator

from maskwatch_edge.config import MqttConfig
from maskwatch_edge.errors import MissingExtraError, OutputError

from .report import Finding, fail, ok, split_advice
from .system import System

MEND = (
    "check mqtt.host, its port, tls, user and password in the configuration, and that the broker "
    "runs; the service takes its password from /etc/credstore/maskwatch-mqtt-password"
)


def check_broker(system: System, mqtt: MqttConfig) -> Iterator[Finding]:
    """Connect once, beside the service, and publish nothing."""
    if mqtt.host is None:
        yield ok("MQTT", "no broker is configured")
        return
    try:
        system.try_broker(mqtt)
    except OutputError as error:
        yield fail("MQTT", str(error), MEND)
    except MissingExtraError as error:
        yield fail("MQTT", *split_advice(str(error), MEND))
    else:
        yield ok("MQTT", f"the broker {mqtt.host} lets us in")
