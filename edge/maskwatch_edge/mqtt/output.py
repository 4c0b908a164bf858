"""The output of `maskwatch run` that tells an MQTT broker."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable
from importlib.metadata import version

from maskwatch_edge.closing import Closing
from maskwatch_edge.config import MqttConfig
from maskwatch_edge.faults import Warn
from maskwatch_edge.lines import wall_clock
from maskwatch_edge.state_folder import state_folder
from maskwatch_edge.view import Output, View

from .backlog import Backlog
from .courier import Courier
from .home_assistant import discovery_payload
from .identity import default_device_id
from .link import Link, Message, PahoLink
from .publisher import Publisher
from .reporter import Reporter
from .topics import OFFLINE, Topics

FILE_NAME = "mqtt.sqlite"


class MqttOutput(Closing):
    """Tells a publisher what is new in each view.

    Args:
        reporter: Finds what is new.
        publisher: Is closed with this output.
    """

    def __init__(self, reporter: Reporter, publisher: Publisher) -> None:
        self._reporter, self._publisher = reporter, publisher

    def show(self, view: View) -> None:
        """Pass on what is new; waits neither for the disk nor for the network.

        Raises:
            OutputError: If the publisher has failed.
        """
        if (report := self._reporter.report(view)) is not None:
            self._publisher.send(report)

    def close(self) -> None:
        """Let the publisher end."""
        self._publisher.close()


def topics_of(config: MqttConfig) -> Topics:
    """Return the topics that the configuration asks for."""
    device_id = config.device_id or default_device_id()
    return Topics(config.topic, device_id, config.discovery_topic)


def open_mqtt(
    config: MqttConfig, warn: Warn, on_waiting: Callable[[int], None] = lambda messages: None
) -> Output:
    """Open the connection to the broker; whether it is there shows later.

    Args:
        config: Which broker, and what it is told.
        warn: Told what goes wrong.
        on_waiting: Told how many messages wait for the broker.

    Raises:
        MissingExtraError: If paho-mqtt is not installed.
        OutputError: If a file that the configuration names cannot be read.
    """
    topics, run = topics_of(config), secrets.token_hex(4)
    discovery = discovery_payload(topics, socket.gethostname(), version("maskwatch"))
    link = PahoLink(
        config,
        client_id=f"maskwatch-{topics.device_id}",
        will=Message(topics.availability, OFFLINE, is_retained=True),
        listen_to=topics.discovery_status if config.home_assistant else None,
    )

    def open_backlog() -> Backlog:
        path, name = state_folder() / FILE_NAME, f"{topics.device_id}-{run}"
        return Backlog(path, name, config.waiting_messages, warn)

    def hire(link: Link, backlog: Backlog) -> Courier:
        announced = discovery if config.home_assistant else None
        return Courier(link, backlog, topics, announced, warn, on_waiting)

    return MqttOutput(Reporter(run, wall_clock), Publisher(link, open_backlog, hire, warn))
