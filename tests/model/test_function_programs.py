"""Functions, row softmax and row norm in programs: what an interpreter makes of the words is what golden says."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lutra_model import fit, golden, runs, workloads
from lutra_model.function_makers import function as made
from lutra_model.network import Concat, Network, Product, Window
from lutra_model.operation import Kind
from lutra_model.params import Array
from lutra_model.program import Program, compile_network
from lutra_model.segments import segments
from tests.functions import function, layer_norm, piecewise, row_softmax
from tests.model.programs import add, interpret, network
from tests.strategies import products

LARGE: dict[str, Any] = {"activation_words": 4096, "table_words": 4096, "codebook_words": 4096, "program_words": 4096,
                         "codebooks": 4096, "functions": 15}
ARRAYS = [Array(rows=8, columns=8, encoders=4, entries=4, length=4, **LARGE),
          Array(rows=4, columns=4, encoders=2, entries=4, length=2, word=1, fill=2, block_rows=5, **LARGE),
          Array.mac(rows=8, columns=6, encoders=2, word=2, fill=1, block_rows=7, **LARGE)]
PIXEL = Window(kernel=(1, 1))


def check(net: Network, array: Array, *, seed: int = 0, resident: bool | None = None) -> Program:
    x = np.random.default_rng(seed).integers(-128, 128, (3, *net.input_shape), np.int8)
    x[0, ..., 0] = 127
    x[1] = x[1] // 64
    program = compile_network(net, array, resident=resident)
    np.testing.assert_array_equal(interpret(program, x), golden.outputs(net, x))
    return program


def product(rng: np.random.Generator, array: Array, name: str, source: str, inputs: int, outputs: int,
            window: Window | None = PIXEL) -> Product:
    return products(rng, array, name, source, inputs, outputs, array.length, 1, window)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("channels", [1, 5, 8, 13])
@pytest.mark.parametrize("array", ARRAYS, ids=lambda a: f"{a.engine}w{a.word}")
@pytest.mark.parametrize("resident", [None, False])
def test_a_block_of_functions_equals_golden(array: Array, channels: int, seed: int, resident: bool | None) -> None:
    rng = np.random.default_rng(seed)
    wide = product(rng, array, "wide", "norm", channels, channels + 3)
    net = network((3, 4, channels), layer_norm(rng, "norm", "input", channels),
                  replace(wide, function=piecewise(rng), low=-100), function(rng, "bend", "wide"),
                  product(rng, array, "narrow", "bend", channels + 3, channels), row_softmax(rng, "shares", "narrow"),
                  add("sum", "shares", "norm"), layer_norm(rng, "last", "sum", channels))
    program = check(net, array, seed=seed, resident=resident)
    rows = [operation for operation in program.operations if operation.kind is Kind.ROW]
    assert [operation.maximum for operation in rows] == [False, True, False]
    assert rows[1].residual, "the add is part of the softmax"
    assert [operation.stream_tables for operation in rows] == [resident is False, False, resident is False]
    assert len(program.functions) == 6


@pytest.mark.parametrize("array", ARRAYS, ids=lambda a: f"{a.engine}w{a.word}")
def test_vectors_and_joined_values_equal_golden(array: Array) -> None:
    rng = np.random.default_rng(5)
    check(network((7,), layer_norm(rng, "norm", "input", 7), row_softmax(rng, "shares", "norm")), array)
    joined = Concat(name="joined", inputs=("shares", "bend"), scale=1.0)
    check(network((2, 3, 8), row_softmax(rng, "shares", "input"), function(rng, "bend", "input"), joined), array)


def test_equal_functions_share_a_slot() -> None:
    rng = np.random.default_rng(0)
    first = function(rng, "a", "input")
    second = replace(function(rng, "b", "a"), function=replace(first.function, shift=first.function.shift))
    program = check(network((2, 2, 4), first, second), ARRAYS[0])
    assert program.functions.shape == (1, 33)


def test_a_machine_without_slots_leaves_functions_to_the_host() -> None:
    rng, array = np.random.default_rng(0), replace(ARRAYS[0], functions=0)
    net = network((2, 2, 4), product(rng, array, "a", "input", 4, 4), function(rng, "b", "a"),
                  product(rng, array, "c", "b", 4, 4))
    assert [part.network is None for part in segments(net, array)] == [False, True, False]
    with pytest.raises(ValueError, match=r"^node b needs function slots 1, the array has 0$"):
        compile_network(net, array)
    bent = replace(net, nodes=(replace(net.nodes[0], function=piecewise(rng)),))
    with pytest.raises(ValueError, match=r"^layer a has a function, so the array must have function slots$"):
        compile_network(bent, array)


def test_too_many_functions_name_the_step() -> None:
    rng, array = np.random.default_rng(0), replace(ARRAYS[0], functions=2)
    nodes = [function(rng, name, source) for name, source in zip("abc", ("input", "a", "b"), strict=True)]
    with pytest.raises(ValueError, match=r"^step c needs function slot 3, the array has 2$"):
        compile_network(network((2, 2, 4), *nodes), array)


def test_a_row_longer_than_the_program_can_say_is_refused() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match=r"^rows of a must have at most 256 channels, not 257$"):
        compile_network(network((257,), row_softmax(rng, "a", "input")), ARRAYS[1])


def test_a_fitting_machine_has_the_slots_and_the_cycles_of_the_shapes() -> None:
    """The program, compiled, and the same steps by shape: one machine, one number of cycles, the same events."""
    rng, array = np.random.default_rng(1), ARRAYS[2]
    net = network((1, 20, 24), layer_norm(rng, "norm", "input", 24),
                  replace(product(rng, array, "wide", "norm", 24, 48), function=piecewise(rng)),
                  product(rng, array, "narrow", "wide", 48, 24), row_softmax(rng, "shares", "narrow"))
    fitting = fit.mac_array(net, rows=8, columns=8)
    assert fitting.functions == 4
    assert fit.mac_array(network((1, 2, 8), product(rng, array, "p", "input", 8, 8))).functions == 0
    program, works = compile_network(net, fitting), workloads.of_network(net)
    compiled = runs.run_programs(runs.Design("mac", fitting), net, [("input", program)])
    sized, streamed = runs.sized(replace(fitting, functions=0), works)
    assert (sized.functions, sized.table_words) == (4, fitting.table_words)
    by_shape = runs.run(runs.Design("mac", sized), works, streamed=streamed)
    assert by_shape.cycles == compiled.cycles
    for one, other in zip(by_shape.events, compiled.events, strict=True):
        assert one == other


@pytest.mark.parametrize("planted", ["breakpoint", "intercept", "shift", "slot"])
def test_a_planted_bug_is_seen(planted: str) -> None:
    rng = np.random.default_rng(3)
    net = network((4, 4, 8), made("a", "input", np.tanh, input_scale=1 / 32, scale=1 / 127),
                  made("b", "a", np.exp, input_scale=1 / 127, scale=1 / 40))
    x = rng.integers(-128, 128, (4, *net.input_shape), np.int8)
    program = compile_network(net, ARRAYS[0])
    slots = program.functions.copy()
    match planted:
        case "breakpoint":
            slots[0, 2:32:2] += 4000 << 16  # all begin later; the last ones never do
        case "intercept":
            slots[0, 1::2] += np.uint32(1 << int(slots[0, 32]))
        case "shift":
            slots[1, 32] += 1
        case "slot":
            slots = slots[::-1]
    wrong = interpret(replace(program, functions=slots), x)
    assert (wrong != golden.outputs(net, x)).any()
