"""What Home Assistant is told, against the keys that its documentation names."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from maskwatch_edge.cameras.state import CameraState
from maskwatch_edge.events import Event, EventKind
from maskwatch_edge.mqtt.home_assistant import discovery_payload
from maskwatch_edge.mqtt.topics import Topics
from maskwatch_edge.verdict import Decision

TOPICS = Topics("maskwatch", "door", "homeassistant")
PAYLOAD = json.loads(json.dumps(discovery_payload(TOPICS, "raspberrypi", "1.2.3")))

# As documented at https://www.home-assistant.io/integrations/mqtt/ (device discovery payload),
# .../sensor.mqtt/, .../binary_sensor.mqtt/ and .../event.mqtt/.
SHARED = {
    *("availability", "availability_mode", "availability_template", "availability_topic"),
    *("payload_available", "payload_not_available", "state_topic", "command_topic"),
    *("qos", "encoding"),
}
DEVICE = {
    *("configuration_url", "connections", "hw_version", "identifiers", "manufacturer", "model"),
    *("model_id", "name", "serial_number", "suggested_area", "sw_version", "via_device"),
}
ORIGIN = {"name", "sw_version", "support_url"}
ENTITY = SHARED - {"command_topic"} | {
    *("platform", "unique_id", "name", "icon", "entity_category", "entity_picture", "object_id"),
    *("enabled_by_default", "json_attributes_template", "json_attributes_topic", "device_class"),
    *("value_template", "force_update", "expire_after", "default_entity_id"),
}
PLATFORMS = {
    "binary_sensor": ENTITY | {"payload_on", "payload_off", "off_delay"},
    "sensor": ENTITY
    | {"options", "state_class", "suggested_display_precision", "unit_of_measurement"}
    | {"last_reset_value_template"},
    "event": ENTITY - {"force_update", "expire_after"} | {"event_types"},
}
REQUIRED = {
    "binary_sensor": {"platform", "unique_id"},
    "sensor": {"platform", "unique_id"},
    "event": {"platform", "unique_id", "event_types"},
}
DEVICE_CLASSES = {"binary_sensor": {"safety", "connectivity", "problem"}, "sensor": {"enum"}}
STATE_CLASSES = {"measurement", "measurement_angle", "total", "total_increasing"}

COMPONENTS: Mapping[str, Mapping[str, Any]] = PAYLOAD["components"]
STATE = {
    "camera": "seeing",
    "people": {"mask": 2, "no_mask": 1, "unsure": 0, "all": 3},
}


def test_the_topic_is_that_of_a_device() -> None:
    assert TOPICS.discovery_config == "homeassistant/device/door/config"
    assert TOPICS.discovery_status == "homeassistant/status"


def test_the_payload_has_what_is_required_and_no_unknown_key() -> None:
    assert {"device", "origin", "components"} <= PAYLOAD.keys()
    assert PAYLOAD.keys() <= SHARED | {"device", "origin", "components"}
    assert PAYLOAD["device"].keys() <= DEVICE
    assert PAYLOAD["device"]["identifiers"] == ["maskwatch_door"]
    assert PAYLOAD["origin"].keys() <= ORIGIN
    assert PAYLOAD["origin"]["name"]


@pytest.mark.parametrize("name", COMPONENTS)
def test_each_component_has_what_its_platform_requires_and_no_unknown_key(name: str) -> None:
    component = COMPONENTS[name]
    platform = component["platform"]
    assert REQUIRED[platform] <= component.keys() <= PLATFORMS[platform]
    assert component.get("entity_category", "diagnostic") in ("diagnostic", "config")
    assert component.get("state_class", "measurement") in STATE_CLASSES
    if "device_class" in component:
        assert component["device_class"] in DEVICE_CLASSES[platform]
    # An enum has options and no class of states; options belong to nothing else.
    assert ("options" in component) == (component.get("device_class") == "enum")
    assert not {"options", "state_class"} <= component.keys()


def test_ids_are_unique_and_the_boards_own() -> None:
    ids = [component["unique_id"] for component in COMPONENTS.values()]
    assert len(set(ids)) == len(ids)
    assert all(one.startswith("maskwatch_door_") for one in ids)


def test_availability_and_state_come_from_the_topics_of_the_board() -> None:
    assert PAYLOAD["availability_topic"] == "maskwatch/door/availability"
    topics = {
        component.get("state_topic", PAYLOAD["state_topic"]) for component in COMPONENTS.values()
    }
    assert topics == {TOPICS.state, TOPICS.statistics, TOPICS.events}


def render(name: str, body: Mapping[str, Any]) -> str:
    """Render a component's template as Home Assistant does, in Jinja's sandbox."""
    sandbox = pytest.importorskip("jinja2.sandbox", reason="needs jinja2 to render templates")
    template = sandbox.ImmutableSandboxedEnvironment().from_string(
        COMPONENTS[name]["value_template"]
    )
    return str(template.render(value_json=dict(body)))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("alarm", "ON"),
        ("camera", "ON"),
        ("camera_state", "seeing"),
        ("people", "3"),
        ("mask", "2"),
        ("no_mask", "1"),
        ("unsure", "0"),
    ],
)
def test_a_component_reads_its_value_from_the_state(name: str, expected: str) -> None:
    assert render(name, STATE) == expected


@pytest.mark.parametrize(
    ("camera", "no_mask", "expected"),
    [
        ("seeing", 0, "OFF"),
        ("lost", 0, "None"),  # nobody can say that all are masked: unknown
        ("waiting", 0, "None"),
        ("ended", 0, "None"),
    ],
)
def test_the_alarm_is_unknown_while_the_camera_is_away(
    camera: str, no_mask: int, expected: str
) -> None:
    people = {"mask": 0, "no_mask": no_mask, "unsure": 0, "all": no_mask}
    assert render("alarm", {"camera": camera, "people": people}) == expected
    assert render("camera", {"camera": camera}) == ("ON" if camera == "seeing" else "OFF")


def test_all_camera_states_and_kinds_of_events_are_known() -> None:
    assert COMPONENTS["camera_state"]["options"] == [state.value for state in CameraState]
    assert COMPONENTS["event"]["event_types"] == [kind.value for kind in EventKind]


def test_an_event_says_its_type_and_keeps_the_rest() -> None:
    body = {"id": "door-1-7", **Event(EventKind.APPEARED, 1.5, 1, Decision.MASK).to_dict()}
    assert json.loads(render("event", body)) == {**body, "event_type": "appeared"}


@pytest.mark.parametrize(("name", "expected"), [("frame_rate", "12.5"), ("appeared", "7")])
def test_a_component_reads_its_value_from_the_statistics(name: str, expected: str) -> None:
    assert render(name, {"frames_per_second": 12.5, "appeared": 7}) == expected
