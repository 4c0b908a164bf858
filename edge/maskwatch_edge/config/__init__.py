"""Settings of the edge: what there is, where each value comes from, and what is wrong with it."""

from .settings import (
    CameraConfig,
    Config,
    DecisionConfig,
    DisplayConfig,
    FacesConfig,
    IndicatorConfig,
    LampConfig,
    ModelConfig,
    MqttConfig,
    OutputConfig,
    StatisticsConfig,
    Thresholds,
    WebConfig,
)

__all__ = [
    "CameraConfig",
    "Config",
    "DecisionConfig",
    "DisplayConfig",
    "FacesConfig",
    "IndicatorConfig",
    "LampConfig",
    "ModelConfig",
    "MqttConfig",
    "OutputConfig",
    "StatisticsConfig",
    "Thresholds",
    "WebConfig",
]
