"""The connection to the broker, by paho-mqtt, which reads and writes in a thread of its own."""

from __future__ import annotations

import os
import ssl
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from maskwatch_edge.command import need
from maskwatch_edge.config import MqttConfig
from maskwatch_edge.errors import OutputError

if TYPE_CHECKING:
    from paho.mqtt.client import Client

KEEPALIVE_SECONDS = 30
"""After one and a half times so long without a word the broker takes the board for gone."""

RETRY_SECONDS = 1, 30
"""Wait before the broker is tried again: the first one, and the longest."""

CREDENTIAL = "maskwatch-mqtt-password"
"""The password, as systemd's LoadCredential= hands it over."""


@dataclass(frozen=True)
class Message:
    """Something to be published; the broker acknowledges each (QoS 1).

    Attributes:
        topic: Where.
        payload: What.
        is_retained: Whether the broker keeps it for those who come later.
    """

    topic: str
    payload: str
    is_retained: bool = False


@dataclass(frozen=True)
class Connected:
    """The broker has let us in.

    Attributes:
        connection: Number of the connection, which `publish` asks for.
    """

    connection: int


@dataclass(frozen=True)
class Lost:
    """The broker does not answer, does not let us in, or is gone.

    Attributes:
        reason: In words.
    """

    reason: str


@dataclass(frozen=True)
class Acknowledged:
    """The broker has a message.

    Attributes:
        receipt: What `publish` returned.
    """

    receipt: int


@dataclass(frozen=True)
class Heard:
    """Somebody else published something on a topic that was asked for.

    Attributes:
        payload: What it was.
    """

    payload: bytes


News: TypeAlias = Connected | Lost | Acknowledged | Heard


class Link(Protocol):
    """A connection that is made anew whenever it is lost; nothing here waits for the network."""

    def start(self, tell: Callable[[News], None]) -> None:
        """Connect. `tell` is called in another thread."""
        ...

    def publish(self, message: Message, connection: int) -> int | None:
        """Send a message on a connection, and on no other one.

        Returns:
            A receipt, with which it will be acknowledged unless the connection is lost; None if
            it is already.
        """
        ...

    def close(self) -> None:
        """Take leave of the broker; may be called twice."""
        ...


class PahoLink:
    """The real connection.

    Args:
        config: Where the broker is.
        client_id: By which the broker knows us. It sends away who comes with the same one before,
            and so there is never a last will of a connection that we have forgotten. "" for one
            that is nobody else's.
        will: Published by the broker if we fall silent; None for nothing.
        listen_to: A topic that is asked for after each connection; None for none.

    Raises:
        MissingExtraError: If paho-mqtt is not installed.
        OutputError: If a file that the configuration names cannot be read.
    """

    def __init__(
        self, config: MqttConfig, client_id: str, will: Message | None, listen_to: str | None
    ) -> None:
        self._client = open_client(config, client_id)
        if will is not None:
            self._client.will_set(will.topic, will.payload, qos=1, retain=will.is_retained)
        self._client.reconnect_delay_set(*RETRY_SECONDS)
        # Paho would hold back what exceeds its own limits: the publisher has limits.
        self._client.max_inflight_messages_set(0)
        self._config, self._listen_to = config, listen_to
        self._lock = Lock()
        self._connection = 0

    def start(self, tell: Callable[[News], None]) -> None:
        """Connect, in a thread of paho's."""
        client = self._client

        def lose(reason: object) -> None:
            tell(Lost(f"{name_of(self._config)}: {reason}"))

        def on_connect(_: Any, __: Any, ___: Any, reason: Any, ____: Any) -> None:
            if reason.is_failure:
                lose(reason)
                return
            if self._listen_to is not None:
                client.subscribe(self._listen_to, qos=1)
            tell(Connected(self._connection))

        def on_message(_: Any, __: Any, message: Any) -> None:
            tell(Heard(bytes(message.payload)))

        client.on_pre_connect = lambda *_: self._begin_connection()
        client.on_connect = on_connect
        client.on_message = on_message
        # Called where paho has just caught the error, which it does not hand over.
        client.on_connect_fail = lambda *_: lose(sys.exception())
        client.on_disconnect = lambda *_: lose("the connection is lost")
        client.on_publish = lambda _, __, receipt, *___: tell(Acknowledged(receipt))
        client.connect_async(str(self._config.host), port_of(self._config), KEEPALIVE_SECONDS)
        client.loop_start()

    def publish(self, message: Message, connection: int) -> int | None:
        """Leave a message to paho if the connection is still the newest one."""
        with self._lock:
            if connection != self._connection:
                return None
            sent = self._client.publish(message.topic, message.payload, 1, message.is_retained)
            return sent.mid

    def _begin_connection(self) -> None:
        # Paho would send again by itself what was not acknowledged, after what is newer.
        with self._lock:
            self._connection += 1
            self._client.drop_out_messages()

    def close(self) -> None:
        """Take leave of the broker, and wait for paho's thread, which may be trying to connect."""
        client = self._client
        client.disconnect()
        client.loop_stop()
        # They know the client, whose sockets would be left to the collector of such cycles.
        client.on_pre_connect = client.on_connect = client.on_message = None
        client.on_connect_fail = client.on_disconnect = client.on_publish = None


def open_client(config: MqttConfig, client_id: str) -> Client:
    """Make a client of paho's that is not connected yet.

    Raises:
        MissingExtraError: If paho-mqtt is not installed.
        OutputError: If a file that the configuration names cannot be read.
    """
    need("paho.mqtt.client", "paho-mqtt", "mqtt")
    from paho.mqtt.client import Client
    from paho.mqtt.enums import CallbackAPIVersion

    client = Client(CallbackAPIVersion.VERSION2, client_id)
    if config.user is not None:
        client.username_pw_set(config.user, read_password(config.password_file))
    if config.tls:
        client.tls_set_context(_tls_context(config.ca_file))
    return client


def try_broker(config: MqttConfig, seconds: float = 10.0) -> None:
    """Connect to the broker once, under a name that sends nobody away, and leave.

    Raises:
        MissingExtraError: If paho-mqtt is not installed.
        OutputError: With the reason if it does not answer in time, or does not let us in.
    """
    news: SimpleQueue[News] = SimpleQueue()
    link = PahoLink(config, "", None, None)
    link.start(news.put)
    try:
        first = news.get(timeout=seconds)
    except Empty:
        first = Lost(f"{name_of(config)}: no answer in {seconds:g} seconds")
    finally:
        link.close()
    if isinstance(first, Lost):
        raise OutputError(first.reason)


def port_of(config: MqttConfig) -> int:
    """Return the port that is configured, or the usual one."""
    return config.port or (8883 if config.tls else 1883)


def name_of(config: MqttConfig) -> str:
    """Return host and port."""
    return f"{config.host}:{port_of(config)}"


def read_password(path: Path | None, environment: Mapping[str, str] | None = None) -> str | None:
    """Read the password from a file.

    Args:
        path: The file; None for the credential that systemd hands over, if it does.
        environment: `os.environ`, unless a test knows better.

    Raises:
        OutputError: If there should be one and it cannot be read.
    """
    folder = (os.environ if environment is None else environment).get("CREDENTIALS_DIRECTORY")
    if path is None and folder is not None:
        path = Path(folder) / CREDENTIAL
        path = path if path.exists() else None
    if path is None:
        return None
    try:
        return path.read_text().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise OutputError(f"cannot read the MQTT password in {path}: {_reason(error)}") from error


def _tls_context(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:  # also that it holds no certificate
        raise OutputError(f"cannot read mqtt.ca_file {ca_file}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
