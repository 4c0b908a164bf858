"""Keeps the libraries' own chatter off stdout and stderr.

Whatever fails is told in one line of Maskwatch's own; OpenCV, FFmpeg and pygame would add theirs.
OpenCV reads its variable while it is imported, so this comes before every other module. Set a
variable yourself to hear that library again.
"""

import os

CHATTER = {
    "OPENCV_LOG_LEVEL": "SILENT",
    "OPENCV_FFMPEG_LOGLEVEL": "-8",  # AV_LOG_QUIET
    "PYGAME_HIDE_SUPPORT_PROMPT": "1",
}

for variable, silence in CHATTER.items():
    os.environ.setdefault(variable, silence)
