"""Viewers of the live page: do they hold up the loop, and does memory grow?

    python -m benchmarks.viewers              # 20 viewers, 5 of them stalled; some minutes

The service of `maskwatch run` watches the demonstration clip at the rate of a camera, in rounds
with and without viewers. These are in a process of their own, as they would be elsewhere.
"""

from __future__ import annotations

import multiprocessing
import selectors
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from multiprocessing.synchronize import Event

from maskwatch_edge.bench.replay import Replay
from maskwatch_edge.bench.rig import Rig, rigged
from maskwatch_edge.bench.turns import next_turn
from maskwatch_edge.config import CameraConfig, Config, OutputConfig, WebConfig
from maskwatch_edge.memory import NOW, memory_mb

from .measuring import Spread, parser_of, print_table, write_figures
from .scenes import clip

FRAMES = 500
CLIP_FRAMES = 150
PATIENCE_SECONDS = 60.0
MOST_FALL = 0.05
"""So much of the frame rate may be lost, as a share."""

MOST_GROWTH = 0.02
"""Memory that may be more after the last round than after the first, as a share."""

REQUEST = b"GET /api/stream HTTP/1.1\r\nHost: localhost\r\n\r\n"


def main() -> int:
    """Measure, print and return 1 if the loop is held up or memory grows."""
    parser = parser_of(__doc__, "viewers.json")
    add = parser.add_argument
    add("--viewers", type=int, default=20, help="how many watch")
    add("--stalled", type=int, default=5, help="how many of them take nothing")
    add("--frames", type=int, default=FRAMES, help="frames a round")
    add("--rate", type=float, default=12.5, help="frames a second of the camera")
    options = parser.parse_args()
    web = WebConfig(enabled=True, port=free_port(), max_viewers=options.viewers)
    config = Config(
        camera=CameraConfig(source="/dev/replay"), output=OutputConfig(lines="none"), web=web
    )
    reel = clip(CLIP_FRAMES)
    rates: dict[str, list[float]] = {"without viewers": [], "with viewers": []}
    memory = []
    with rigged(config, lambda camera: Replay(reel, options.rate)) as rig:
        rate_of(rig, options.frames // 5)
        for _ in range(options.rounds):
            rates["without viewers"].append(rate_of(rig, options.frames))
            with viewers(web.port, options.viewers, options.stalled):
                rates["with viewers"].append(rate_of(rig, options.frames))
            memory.append(memory_mb(NOW) or 0.0)
    ratios = [new / old for old, new in zip(*rates.values(), strict=True)]
    ratio = Spread.of(ratios)
    spreads = {name: {"frames a second": Spread.of(each)} for name, each in rates.items()}
    print_table("the loop", spreads)
    print(f"ratio, round by round: {ratio}\nmemory after each round, MB: {memory}")
    write_figures(options.json, {"rates": spreads, "ratio": ratio, "memory_mb": memory})
    return 1 if ratio.median < 1 - MOST_FALL or memory[-1] > memory[0] * (1 + MOST_GROWTH) else 0


def free_port() -> int:
    """Return a TCP port of this machine that nobody has."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def rate_of(rig: Rig, frames: int) -> float:
    """Let the service see so many frames, and return how many it saw a second."""
    began = time.monotonic()
    for _ in range(frames):
        next_turn(rig, is_live=True, patience_seconds=PATIENCE_SECONDS)
    return frames / (time.monotonic() - began)


@contextmanager
def viewers(port: int, count: int, stalled: int) -> Iterator[None]:
    """Have so many watch as long as the block lasts; some of them stalled.

    Raises:
        RuntimeError: If nobody was sent a picture.
    """
    context = multiprocessing.get_context("spawn")
    are_in, is_over = context.Event(), context.Event()
    process = context.Process(target=look, args=(port, count, stalled, are_in, is_over))
    process.start()
    try:
        are_in.wait(PATIENCE_SECONDS)
        yield
    finally:
        is_over.set()
        process.join()
    if process.exitcode:
        raise RuntimeError("the viewers were sent no pictures")


def look(port: int, count: int, stalled: int, are_in: Event, is_over: Event) -> None:
    """Connect so many; all but the stalled ones take what comes; these come again if dropped."""
    with ExitStack() as stack, selectors.DefaultSelector() as ready:
        for _ in range(count - stalled):
            ready.register(stack.enter_context(connected(port)), selectors.EVENT_READ)
        idle = [connected(port) for _ in range(stalled)]
        are_in.set()
        taken = 0
        while not is_over.is_set():
            for key, _ in ready.select(0.5):
                assert isinstance(key.fileobj, socket.socket)
                taken += len(key.fileobj.recv(1 << 16))
            idle = [back(port, each) for each in idle]
        for each in idle:
            each.close()
    sys.exit(0 if taken else 1)


def connected(port: int) -> socket.socket:
    """Ask for the live picture."""
    viewer = socket.create_connection(("127.0.0.1", port))
    viewer.sendall(REQUEST)
    return viewer


def back(port: int, viewer: socket.socket) -> socket.socket:
    """Return the viewer, or another one if it was hung up on."""
    try:
        viewer.send(b"", socket.MSG_DONTWAIT)
        is_in = viewer.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
    except OSError:
        is_in = False
    if is_in:
        return viewer
    viewer.close()
    return connected(port)


if __name__ == "__main__":
    sys.exit(main())
