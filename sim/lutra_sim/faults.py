"""Programs and commands with one mistake each, and the error that the machine must make of it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lutra_model.operation import Error, Kind, Lane, Opcode, Operation
from lutra_model.params import Array
from lutra_model.piecewise import FUNCTION_WORDS
from lutra_model.program import Program

from . import commands
from .case import Case
from .traffic import Traffic, loading, running

__all__ = ["Fault", "faults"]

TIMEOUT = 300
MOST_FUNCTIONS = 15  # slots that an operation can name


@dataclass(frozen=True)
class Fault:
    """One mistake.

    Parameters
    ----------
    work : jobs for the machine, of which the last one fails.
    operation : number of the operation that fails, or None where it is a command.
    """

    name: str
    error: Error
    work: tuple[Traffic, ...]
    operation: int | None = None


def _of_commands(array: Array) -> Iterator[Fault]:
    """Commands that are wrong by themselves."""
    def wrong(name: str, error: Error, words: list[int], **more: Any) -> Fault:
        return Fault(name, error, (Traffic(words, **more),))

    yield wrong("a word that begins no command", Error.COMMAND, [0x12345678])
    yield wrong("an unknown opcode", Error.COMMAND, [commands.HEAD | 99])
    for opcode in Opcode:
        known = array.functions or opcode is not Opcode.WRITE_FUNCTIONS
        yield wrong(f"{opcode.name} of nothing", Error.SIZE if known else Error.COMMAND, [commands.HEAD | opcode, 0, 0])
    if array.functions:
        slots = np.zeros((2, FUNCTION_WORDS), np.uint32)
        yield wrong("a function too far", Error.FUNCTION, commands.write_functions(slots, array.functions - 1))
    yield wrong("a program word too far", Error.PROGRAM, commands.write_program([0], array.program_words))
    yield wrong("a run of what is too far", Error.PROGRAM, commands.run(1, address=array.program_words))
    if array.has_codebooks:
        word = np.zeros((1, array.codebook_bytes), np.uint8)
        yield wrong("a codebook word too far", Error.CODEBOOK, commands.write_codebooks(word, array.codebook_words))
    beats = np.zeros((2, array.beat_bytes), np.uint8)
    for name, error, address, last in [("a table beat too far", Error.TABLE, array.table_words, (False, True)),
                                       ("tables that end early", Error.SHORT, 0, (True, True)),
                                       ("tables that do not end", Error.LONG, 0, (False, False))]:
        yield wrong(name, error, commands.write_tables(2, address), tables=beats, tables_last=np.array(last))


def _edited(case: Case, number: int, **fields: Any) -> tuple[Traffic, ...]:
    """The case with other fields in one operation."""
    program = case.program
    operations = list(program.operations)
    operations[number] = replace(operations[number], **fields)
    words = [word for operation in operations for word in operation.encode(case.array)]
    return loading(replace(program, words=words)), running(program, case.inputs)


def _wrong_fields(operation: Operation, array: Array) -> Iterator[tuple[str, Error, dict[str, Any]]]:
    """Fields that make an operation wrong."""
    yield "block", Error.SIZE, {"block": array.block_rows + 1}
    yield "last block", Error.SIZE, {"last_block": array.block_rows + 1}
    yield "last columns", Error.SIZE, {"last_columns": array.columns + 1}
    if operation.kind is Kind.LOAD:
        yield "word bytes", Error.SIZE, {"word_bytes": array.word + 1}
    else:
        two = (Lane(enabled=True, enabled_last=True), Lane(offset=array.banks, enabled=True, enabled_last=True))
        yield "source", Error.READ, {"source": array.activation_words}
        yield "lanes", Error.CONFLICT, {"lanes": two, "source": 0, "top": 0, "left": 0}
    if 0 < array.functions < MOST_FUNCTIONS:
        yield "function", Error.FUNCTION, {"function": array.functions + 1}
        yield "second function", Error.FUNCTION, {"second": array.functions + 1}
    if operation.kind is Kind.ROW:
        yield "no function", Error.FUNCTION, {"second" if operation.maximum else "function": 0}
        if not (operation.maximum or operation.stream_tables):
            yield "parameters", Error.TABLE, {"tables": array.table_words}
    if operation.residual:
        yield "residual", Error.READ, {"residual_source": array.activation_words}
    if not operation.to_stream:
        yield "target", Error.WRITE, {"target": array.activation_words}
    if operation.kind is Kind.PRODUCT:
        yield from _wrong_product(operation, array)


def _wrong_product(operation: Operation, array: Array) -> Iterator[tuple[str, Error, dict[str, Any]]]:
    """Streamed tables would end at the wrong beat before the operation starts."""
    yield "length", Error.SIZE, {"length": array.length + 1}
    if array.has_codebooks:
        yield "codebooks", Error.CODEBOOK, {"codebooks": array.codebook_words}
    if operation.stream_tables:
        return
    yield "entries", Error.SIZE, {"entries": array.entries + 1}
    yield "last slots", Error.SIZE, {"last_slots": array.slots + 1}
    if array.cell.vector:
        yield "sweep", Error.SIZE, {"sweep": array.block_rows // array.columns + 1}
    else:
        size = array.entries + 1 if array.gather else operation.block
        yield "gather", Error.SIZE, {"gather": True, "block": size, "last_block": size}
    yield "tables", Error.TABLE, {"tables": array.table_words}
    beyond = array.index_words // operation.row_tiles + 1
    if beyond <= array.block_rows:
        yield "index words", Error.SIZE, {"blocks": 1, "block": beyond, "last_block": beyond}


def _of_streams(program: Program, good: Traffic) -> Iterator[Fault]:
    """Beats that the program does not expect, or none where it does."""
    def marked(kind: str, at: int, value: bool) -> Traffic:
        last = getattr(good, kind).copy()
        last[at] = value
        return replace(good, **{kind: last})

    load = loading(program)
    streamed = next((n for n, operation in enumerate(program.operations) if operation.stream_tables), None)
    kinds = [("activations", 0)] + ([] if streamed is None else [("tables", streamed)])
    for kind, operation in kinds:
        last = getattr(good, f"{kind}_last")
        if not last[0]:
            yield Fault(f"{kind} that end early", Error.SHORT, (load, marked(f"{kind}_last", 0, True)), operation)
        end = int(np.argmax(last))
        yield Fault(f"{kind} that do not end", Error.LONG, (load, marked(f"{kind}_last", end, False)), operation)
    silent = replace(good, activations=good.activations[:0], activations_last=good.activations_last[:0])
    yield Fault("no activations", Error.WATCHDOG, (load, silent), 0)


def faults(case: Case) -> Iterator[Fault]:
    """Every mistake that can be made in a case."""
    program, array = case.program, case.array
    yield from _of_commands(array)
    for number, operation in enumerate(program.operations):
        kind = operation.kind.name.lower()
        for unknown in (9,) if array.functions else (9, Kind.ROW):
            yield Fault(f"{kind} {number}: kind {unknown}", Error.KIND, _edited(case, number, kind=unknown), number)
        for name, error, fields in _wrong_fields(operation, array):
            yield Fault(f"{kind} {number}: {name}", error, _edited(case, number, **fields), number)
    yield from _of_streams(program, running(program, case.inputs, timeout=TIMEOUT))
