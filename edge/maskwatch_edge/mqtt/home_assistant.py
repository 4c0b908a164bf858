"""What Home Assistant is told: one device, and what there is to see of it.

The keys are those of its MQTT integration, "Device discovery payload":
https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload, and of its pages on
MQTT sensors, binary sensors and events.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from maskwatch_edge.annotate import WORDS
from maskwatch_edge.cameras.state import CameraState
from maskwatch_edge.events import EventKind

from .topics import Topics

Component = Mapping[str, Any]

IS_SEEING = f"value_json.camera == '{CameraState.SEEING.value}'"


def discovery_payload(topics: Topics, host_name: str, version: str) -> Mapping[str, Any]:
    """Describe the board and its entities; what it is called can be changed in Home Assistant.

    Args:
        topics: Where it tells what.
        host_name: Of the board; part of its first name.
        version: Of Maskwatch.
    """
    device = f"maskwatch_{topics.device_id}"
    components = {**_people(), **_camera(), **_statistics(topics), "event": _event(topics)}
    return {
        "device": {
            "identifiers": [device],
            "name": f"Maskwatch {host_name}",
            "manufacturer": "Maskwatch",
            "model": "Mask detector",
            "sw_version": version,
        },
        "origin": {"name": "Maskwatch", "sw_version": version},
        "availability_topic": topics.availability,
        "state_topic": topics.state,
        "qos": 1,
        "components": {
            name: {**component, "unique_id": f"{device}_{name}"}
            for name, component in components.items()
        },
    }


def _people() -> dict[str, Component]:
    """Return the alarm, which is unknown while the camera is away, and the counts."""
    alarm = f"{{{{ ('ON' if value_json.people.no_mask else 'OFF') if {IS_SEEING} else 'None' }}}}"
    return {
        "alarm": {
            "platform": "binary_sensor",
            "name": "Someone without a mask",
            "device_class": "safety",
            "value_template": alarm,
        },
        "people": _count("all", "People"),
        **{word.value: _count(word.value, f"People: {text}") for word, text in WORDS.items()},
    }


def _count(name: str, text: str) -> Component:
    return {
        "platform": "sensor",
        "name": text,
        "icon": "mdi:account-multiple",
        "state_class": "measurement",
        "value_template": f"{{{{ value_json.people.{name} }}}}",
    }


def _camera() -> dict[str, Component]:
    return {
        "camera": {
            "platform": "binary_sensor",
            "name": "Camera",
            "device_class": "connectivity",
            "entity_category": "diagnostic",
            "value_template": f"{{{{ 'ON' if {IS_SEEING} else 'OFF' }}}}",
        },
        "camera_state": {
            "platform": "sensor",
            "name": "Camera state",
            "device_class": "enum",
            "options": [state.value for state in CameraState],
            "entity_category": "diagnostic",
            "value_template": "{{ value_json.camera }}",
        },
    }


def _statistics(topics: Topics) -> dict[str, Component]:
    return {
        "frame_rate": {
            "platform": "sensor",
            "name": "Frame rate",
            "state_topic": topics.statistics,
            "unit_of_measurement": "fps",
            "state_class": "measurement",
            "entity_category": "diagnostic",
            "value_template": "{{ value_json.frames_per_second }}",
        },
        "appeared": {
            "platform": "sensor",
            "name": "People seen",
            "state_topic": topics.statistics,
            "state_class": "total_increasing",
            "value_template": "{{ value_json.appeared }}",
        },
    }


def _event(topics: Topics) -> Component:
    return {
        "platform": "event",
        "name": "Event",
        "state_topic": topics.events,
        "event_types": [kind.value for kind in EventKind],
        "value_template": "{{ dict(value_json, event_type=value_json.kind) | tojson }}",
    }
