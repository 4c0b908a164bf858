"""Both interpreters on the shipped networks, taking turns.

    make light PYTHON=python3.11 LIGHT_EXTRA='[tflite-runtime]'
    build/light-env-python3.11/bin/python -m benchmarks.interpreters

Both packages are in one environment there, with the numpy below 2 that the older one needs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from maskwatch_edge.contract import read_finder, read_model
from maskwatch_edge.errors import MissingExtraError
from maskwatch_edge.interpreter import PACKAGES, load_interpreter, usable_threads
from maskwatch_edge.models import shipped_finder, shipped_model

from .measuring import Cost, cost_of, interleaved, parser_of, print_table, summary, write_figures

THREADS = (1, 2)


def main() -> None:
    """Measure, print and write."""
    parser = parser_of(__doc__, "interpreters.json")
    parser.add_argument("--runs", type=int, default=50, help="runs of a network in a round")
    options = parser.parse_args()
    networks = {
        "classifier": read_model(shipped_model())[0],
        "finder": read_finder(shipped_finder())[0],
    }
    figures = {}
    for name, flatbuffer in networks.items():
        interpreters = open_all(flatbuffer)
        cases = {which: case(one, options.runs) for which, one in interpreters.items()}
        costs = interleaved(cases, options.rounds, warm_ups=1)
        seen = {which: {"delegates": delegates(one)} for which, one in interpreters.items()}
        rows = summary(costs, next(iter(costs)))
        figures[name] = {which: {**rows[which], **seen[which]} for which in rows}
        print_table(name, figures[name])
    write_figures(options.json, figures)


def open_all(flatbuffer: bytes) -> dict[str, Any]:
    """Load a network into each interpreter that is installed, with each number of threads."""
    interpreters = {}
    for package in PACKAGES:
        for threads in sorted({usable_threads(count) for count in THREADS}):
            try:
                loaded = load_interpreter(flatbuffer, package, threads)
            except MissingExtraError as error:
                print(f"left out: {package}: {error}")
                break
            interpreters[f"{package}, {threads} thread{'s' * (threads > 1)}"] = loaded
    return interpreters


def case(interpreter: Any, runs: int) -> Callable[[], Cost]:
    """Return what runs a network so often."""
    return lambda: cost_of(lambda: [interpreter.invoke() for _ in range(runs)], runs)


def delegates(interpreter: Any) -> int:
    """Count the operations that stand for what a delegate runs; XNNPACK is the only one here."""
    return [op["op_name"] for op in interpreter._get_ops_details()].count("DELEGATE")


if __name__ == "__main__":
    main()
