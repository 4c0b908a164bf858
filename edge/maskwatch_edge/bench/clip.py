"""The demonstration clip as a file that comes with Maskwatch."""

from pathlib import Path

SHIPPED_CLIP = Path(__file__).with_name("demo.mp4")
"""Drawn by `maskwatch demo`, and made small by an encoder that OpenCV's wheels do not have:

    maskwatch demo clip.mp4
    ffmpeg -i clip.mp4 -c:v libx264 -preset veryslow -crf 27 -pix_fmt yuv420p -an demo.mp4

A board has neither the portraits that the clip is drawn from nor the time to draw it.
"""
