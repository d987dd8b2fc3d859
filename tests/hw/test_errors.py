"""Errors of the whole machine: their code and place, and that the machine works again after each."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest

from lutra_model.layout import packed
from lutra_model.operation import Error, Lane, Operation, State, descriptor_words
from lutra_model.params import Array, Layer
from lutra_model.schedule import Pipeline
from lutra_model.tiling import Addend, load, pool, product
from tests.hw.network import Program, Trace, simulate

ARRAY = Array(rows=4, columns=4, encoders=2, length=3, entries=4, word=2, lanes=9, program_words=200, table_words=100,
              codebook_words=60, activation_words=100, block_rows=12, index_words=10, codebooks=16)
ORIGIN = 5
Change = Callable[[Program], None]


def good(seed: int = 1) -> Program:
    """LOAD, its copy, a product with that as residual, a product with streamed tables, a pool that leaves."""
    image, middle = packed(2, 3, 6, ARRAY), packed(2, 3, 6, ARRAY, side=1)
    layer = Layer(rows=6, codebooks=2, columns=6, length=3, entries=4)
    addend = Addend(source=middle, own_factor=30000, factor=30000, shift=15)
    return Program(ARRAY, [
        load("image", 6, ARRAY, height=2, width=3, target=image),
        pool("copy", 6, ARRAY, source=image, target=middle, height=2, width=3),
        product(layer, 6, ARRAY, source=image, target=middle, height=2, width=3, addend=addend),
        product(layer, 6, ARRAY, source=middle, target=image, height=2, width=3, stream_tables=True, block=5),
        pool("out", 6, ARRAY, source=image, height=2, width=3, to_stream=True)],
        seed=seed, origin=ORIGIN, timeout=150)


def change(number: int, **fields: object) -> Change:
    """Other fields of an operation."""
    def apply(program: Program) -> None:
        program.operations[number] = replace(program.operations[number], **fields)  # type: ignore[arg-type]
    return apply


def kind(number: int) -> Change:
    """An operation of an unknown kind."""
    def apply(program: Program) -> None:
        operation = program.operations[number]

        class Unknown(Operation):
            def encode(self, array: Array) -> list[int]:
                words = super().encode(array)
                return [words[0] & ~15 | 9, *words[1:]]
        program.operations[number] = Unknown(**{name: getattr(operation, name)
                                                for name in Operation.__dataclass_fields__})
    return apply


def lanes(number: int, *offsets: int) -> Change:
    """An operation that gathers these words."""
    return change(number, lanes=tuple(Lane(offset=offset, enabled=True, enabled_last=True) for offset in offsets))


def short(name: str, place: int) -> Change:
    def apply(program: Program) -> None:
        beats = getattr(program, name)
        beats[place] = (beats[place][0], 1 - beats[place][1])
    return apply


def missing(name: str) -> Change:
    def apply(program: Program) -> None:
        del getattr(program, name)[-1]
    return apply


CASES: dict[str, tuple[Change, Error, int]] = {
    "kind": (kind(2), Error.KIND, 2),
    "kind-of-last": (kind(4), Error.KIND, 4),
    "block": (change(4, block=13), Error.SIZE, 4),
    "last-block": (change(3, last_block=13), Error.SIZE, 3),
    "entries": (change(2, entries=5), Error.SIZE, 2),
    "length": (change(2, length=4), Error.SIZE, 2),
    "no-length": (change(2, length=0), Error.SIZE, 2),
    "slots": (change(2, last_slots=3), Error.SIZE, 2),
    "columns": (change(2, last_columns=5), Error.SIZE, 2),
    "word-bytes": (change(0, word_bytes=3), Error.SIZE, 0),
    "index-words": (change(2, row_tiles=2, last_slots=1, groups=3), Error.SIZE, 2),
    "no-final": (change(4, final=False), Error.PROGRAM, 5),
    "read": (change(2, source=90), Error.READ, 2),
    "read-before": (change(4, source=-1), Error.READ, 4),
    "residual": (change(2, residual_source=90), Error.READ, 2),
    "write": (change(2, target=85), Error.WRITE, 2),
    "load": (change(0, target=99), Error.WRITE, 0),
    "conflict": (lanes(2, 0, 1, 17), Error.CONFLICT, 2),
    "tables": (change(2, tables=90), Error.TABLE, 2),
    "codebooks": (change(3, codebooks=58), Error.CODEBOOK, 3),
    "short-load": (short("inputs", 3), Error.SHORT, 0),
    "long-load": (short("inputs", 8), Error.LONG, 0),
    "short-tables": (short("streamed", 8), Error.SHORT, 3),
    "no-input": (missing("inputs"), Error.WATCHDOG, 0),
    "no-tables": (missing("streamed"), Error.WATCHDOG, 3)}


def failure(trace: Trace) -> tuple[int, int, int]:
    word = trace.status[-1]
    return word & 3, word >> 2 & 63, word >> 8


@cache
def traces() -> dict[str, list[Trace]]:
    """Every bad program, and the good one after it, on one machine."""
    jobs = []
    for spoil, _, _ in CASES.values():
        bad = good(2)
        spoil(bad)
        jobs += [bad.streams(), good().streams()]
    found = simulate(ARRAY, jobs)
    return {name: found[2 * number:2 * number + 2] for number, name in enumerate(CASES)}


@pytest.mark.parametrize("name", CASES)
def test_an_error_ends_the_run_and_the_next_one_is_good(name: str) -> None:
    first, second = traces()[name]
    _, error, place = CASES[name]
    assert failure(first) == (State.FAILED, error, ORIGIN + place * descriptor_words(ARRAY))
    assert second.beats == good().expected()
    assert failure(second) == (State.IDLE, Error.NONE, 1)


def test_beats_that_nobody_took_survive_the_failure() -> None:
    bad, program = good(3), good()
    first, second = simulate(ARRAY, [bad.streams(), program.streams()], silent=True)
    assert failure(first) == (State.FAILED, Error.WATCHDOG, ORIGIN + 4 * descriptor_words(ARRAY))
    kept = len(second.beats) - len(program.expected())
    assert kept == min(Pipeline(ARRAY).buffer, len(bad.expected()))
    assert second.beats == bad.expected()[:kept] + program.expected()
    assert failure(second) == (State.IDLE, Error.NONE, 1)


def test_words_that_begin_no_command_are_dropped_after_a_failure() -> None:
    wrong = [[(0x4B000001, 0)], [], []]
    program = good()
    streams = program.streams()
    first, second = simulate(ARRAY, [wrong, [[(7, 0), (0x4C000009, 0), *streams[0]], *streams[1:]]])
    assert failure(first)[:2] == (State.FAILED, Error.COMMAND)
    assert second.beats == program.expected()
