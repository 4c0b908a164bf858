"""What the doctor says of the MQTT broker."""

from __future__ import annotations

import pytest

from maskwatch_edge.config import MqttConfig
from maskwatch_edge.doctor.broker import check_broker
from maskwatch_edge.doctor.fake import FakeSystem
from maskwatch_edge.doctor.report import State
from maskwatch_edge.errors import MissingExtraError, OutputError

from .paper_boards import only


@pytest.mark.parametrize(
    ("host", "error", "expected"),
    [
        (None, OutputError("not asked"), (State.OK, "no broker is configured")),
        ("broker.example", None, (State.OK, "the broker broker.example lets us in")),
        (
            "broker.example",
            OutputError("broker.example:1883: Not authorized"),
            (State.FAIL, "broker.example:1883: Not authorized"),
        ),
    ],
)
def test_the_broker_is_asked_if_there_is_one(
    host: str | None, error: Exception | None, expected: tuple[State, str]
) -> None:
    finding = only(check_broker(FakeSystem(broker_error=error), MqttConfig(host=host)))
    assert (finding.state, finding.finding) == expected


def test_a_missing_package_for_mqtt_is_told_with_what_mends_it() -> None:
    system = FakeSystem(broker_error=MissingExtraError("paho-mqtt", "mqtt"))
    finding = only(check_broker(system, MqttConfig(host="broker.example")))
    assert (finding.state, finding.mend) == (State.FAIL, "pip install 'maskwatch[mqtt]'")
