"""The command `maskwatch convert`."""

from maskwatch_edge.command import Command

COMMAND = Command("convert", "convert a trained network to TFLite", lambda p: None, lambda o: 0)
