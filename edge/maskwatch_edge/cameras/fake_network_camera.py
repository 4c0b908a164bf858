"""A network camera on this machine: a `FakeCamera` behind a real HTTP server."""

from __future__ import annotations

from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import cv2

from maskwatch_edge.closing import Closing
from maskwatch_edge.frame import Frame

from .fake_camera import FakeCamera, FakeSource

BOUNDARY = "frame"


class FakeNetworkCamera(Closing):
    """Serves a camera as network cameras do: JPEG after JPEG over HTTP.

    Pulling the camera makes it hang up, hanging it makes the stream stall.

    Args:
        camera: Its pictures; it must be shared, as network cameras are.

    Raises:
        ValueError: If the camera is not shared.
    """

    def __init__(self, camera: FakeCamera) -> None:
        if not camera.is_shared:
            raise ValueError("a network camera takes many callers; expected is_shared=True")
        handler = type("Handler", (_Handler,), {"camera": camera})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        self.address = f"http://127.0.0.1:{self._server.server_port}/video"

    def close(self) -> None:
        """Stop serving; may be called twice."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    camera: FakeCamera

    def do_GET(self) -> None:
        # A pulled camera hangs up; so does a caller, which is an OSError as well.
        with suppress(OSError), self.camera.open() as source:
            self._stream(source)

    def _stream(self, source: FakeSource) -> None:
        self.send_response(200)
        self.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={BOUNDARY}")
        self.end_headers()
        for frame in source.frames():
            picture = _jpeg(frame)
            head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}"
            self.wfile.write(f"{head}\r\n\r\n".encode() + picture + b"\r\n")

    def log_message(self, *arguments: object) -> None:
        """Keep quiet."""


def _jpeg(frame: Frame) -> bytes:
    bgr = cv2.cvtColor(frame.pixels, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".jpg", bgr)[1].tobytes()
