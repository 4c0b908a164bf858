"""Networks without their first or last operations: what is left out is what these cost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flatbuffers
from ai_edge_litert import schema_py_generated as schema

NAMES = {code: name for name, code in vars(schema.BuiltinOperator).items() if name.isupper()}


def operations(flatbuffer: bytes) -> list[str]:
    """Name the operations of a network in their order."""
    model = _read(flatbuffer)
    return [_name(model, operation) for operation in model.subgraphs[0].operators]


def without_first(flatbuffer: bytes, count: int) -> bytes:
    """Let a network begin after so many operations, with what the last of them would give."""
    return _changed(flatbuffer, lambda graph: _drop_first(graph, count))


def without_last(flatbuffer: bytes, name: str) -> bytes:
    """Leave out the operations of a name that give the answers, and answer what they would take."""
    model = _read(flatbuffer)
    graph = model.subgraphs[0]
    dropped = [
        operation
        for operation in graph.operators
        if _name(model, operation) == name and set(operation.outputs) & set(graph.outputs)
    ]
    return _changed(flatbuffer, lambda graph: _drop_last(graph, {id_of(op) for op in dropped}))


def id_of(operation: Any) -> int:
    """Tell operations apart by what they give."""
    return int(operation.outputs[0])


def _drop_first(graph: Any, count: int) -> None:
    graph.inputs = [graph.operators[count - 1].outputs[0]]
    graph.operators = graph.operators[count:]


def _drop_last(graph: Any, ids: set[int]) -> None:
    taken = {id_of(op): int(op.inputs[0]) for op in graph.operators if id_of(op) in ids}
    graph.outputs = [taken.get(int(index), int(index)) for index in graph.outputs]
    graph.operators = [op for op in graph.operators if id_of(op) not in ids]


def _changed(flatbuffer: bytes, change: Callable[[Any], None]) -> bytes:
    model = _read(flatbuffer)
    change(model.subgraphs[0])
    model.signatureDefs = []  # they name the tensors that were inputs and outputs before
    builder = flatbuffers.Builder(len(flatbuffer))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _read(flatbuffer: bytes) -> Any:
    return schema.ModelT.InitFromObj(schema.Model.GetRootAs(flatbuffer, 0))


def _name(model: Any, operation: Any) -> str:
    return str(NAMES[model.operatorCodes[operation.opcodeIndex].builtinCode])
