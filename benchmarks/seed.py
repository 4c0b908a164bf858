"""The loops that this project began from, as their documents describe them.

A Haar cascade looks through the whole frame (frontal_default, scaleFactor 1.1, minNeighbors 4);
each face is scaled to 128x128 pixels of [0, 1] and judged by itself: by `model.predict` of Keras
in one loop, by a float TFLite interpreter with its own default of threads in the other. The
network is a frozen MobileNetV2, Flatten and Dense(2). Its weights make no difference to the time.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.finders.haar import CASCADES
from maskwatch_edge.frame import Pixels
from maskwatch_edge.interpreter import PACKAGES

SIZE = 128
SCALE_FACTOR, MIN_NEIGHBORS = 1.1, 4

Floats: TypeAlias = npt.NDArray[np.float32]
Judge: TypeAlias = Callable[[Floats], object]
"""Judges one face, shape (1, SIZE, SIZE, 3), in [0, 1]."""


class SeedLoop:
    """One turn of the loop: find by the cascade, judge face by face.

    Args:
        judge: Judges a face.
    """

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        path = CASCADES / "haarcascade_frontalface_default.xml"
        self._cascade = cv2.CascadeClassifier(str(path))

    def look(self, pixels: Pixels) -> list[FaceBox]:
        """Find and judge the faces of a frame; return where they are."""
        grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
        found = self._cascade.detectMultiScale(
            grey, scaleFactor=SCALE_FACTOR, minNeighbors=MIN_NEIGHBORS
        )
        boxes = [FaceBox(int(x), int(y), int(x + w), int(y + h), 1.0) for x, y, w, h in found]
        for box in boxes:
            face = cv2.resize(pixels[box.y1 : box.y2, box.x1 : box.x2], (SIZE, SIZE))
            self._judge((face / 255.0).astype(np.float32)[np.newaxis])
        return boxes


def build_network() -> Any:
    """Build the network with random weights.

    Raises:
        ImportError: If TensorFlow is not installed; the extra `train` brings it.
    """
    import keras

    backbone = keras.applications.MobileNetV2(
        input_shape=(SIZE, SIZE, 3), include_top=False, weights=None
    )
    backbone.trainable = False
    layers = [backbone, keras.layers.Flatten(), keras.layers.Dense(2, activation="softmax")]
    return keras.Sequential([keras.Input((SIZE, SIZE, 3)), *layers])


def keras_judge(network: Any) -> Judge:
    """Judge with Keras."""
    return lambda face: network.predict(face, verbose=0)


def to_tflite(network: Any) -> bytes:
    """Convert the network to float TFLite."""
    import tensorflow as tf

    return bytes(tf.lite.TFLiteConverter.from_keras_model(network).convert())


def tflite_judge(flatbuffer: bytes) -> Judge:
    """Judge with the converted network, on as many threads as the interpreter takes by itself."""
    package = importlib.import_module(PACKAGES["ai-edge-litert"])
    interpreter = package.Interpreter(model_content=flatbuffer)
    interpreter.allocate_tensors()
    put, take = interpreter.get_input_details()[0], interpreter.get_output_details()[0]

    def judge(face: Floats) -> object:
        interpreter.set_tensor(put["index"], face)
        interpreter.invoke()
        return interpreter.get_tensor(take["index"])

    return judge
