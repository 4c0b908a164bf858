"""What runs on the board: read frames, find faces, classify them, show and tell."""

from . import limits, quiet  # noqa: F401 - before OpenCV
