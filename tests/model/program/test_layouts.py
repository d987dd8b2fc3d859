"""model.program: what is fused, written in place, copied or left out."""

import numpy as np
import pytest

from lutra_model.network import AvgPool, Concat, Flatten, MaxPool
from lutra_model.operation import Kind
from lutra_model.params import Array
from tests.model.program.machines import LOOKUP, MAC, check
from tests.model.programs import SAME, add, conv, network
from tests.strategies import products


@pytest.mark.parametrize("array", [LOOKUP[0], MAC[0]], ids=lambda a: a.engine)
def test_adds_fuse_with_the_later_operand(array: Array) -> None:
    nodes = [conv("a", "input", 8, 8, array), conv("b", "a", 8, 8, array), add("c", "input", "b"), add("d", "a", "c"),
             conv("e", "d", 8, 8, array), add("f", "e", "e"), conv("g", "f", 8, 5, array)]
    program = check(network((6, 5, 8), *nodes), array)
    assert [(operation.name, node) for operation, node in zip(program.operations, program.nodes, strict=True)] == [
        ("input", "input"), ("a", "a"), ("b", "c"), ("d", "d"), ("e", "e"), ("f copy", "f"), ("f", "f"), ("g", "g")]
    first, other = program.operations[2], program.operations[3]
    assert (first.kind, first.own_factor, first.residual_factor) == (Kind.PRODUCT, 9000, 20000)
    assert (first.side, first.target) == (1 - first.source_side, first.residual_source)  # in the place of its operand
    assert (other.kind, other.own_factor, other.residual_factor) == (Kind.POOL, 20000, 9000)


def test_a_value_that_others_read_is_not_fused_away() -> None:
    array = MAC[0]
    nodes = [conv("a", "input", 4, 4, array), conv("b", "a", 4, 4, array), add("c", "b", "input"),
             conv("d", "b", 4, 4, array), add("e", "d", "c")]
    assert check(network((4, 4, 4), *nodes), array).nodes == ("input", "a", "b", "c", "e")


@pytest.mark.parametrize("names", ["ab", "ba"])
def test_an_add_of_two_products_fuses_with_the_second(names: str) -> None:
    array = MAC[0]
    nodes = [conv("a", "input", 4, 4, array), conv("b", "input", 4, 4, array), add("c", *names)]
    program = check(network((4, 4, 4), *nodes), array)
    assert program.nodes == ("input", "a", "c")


@pytest.mark.parametrize("array", [LOOKUP[0], MAC[1]], ids=lambda a: a.engine)
def test_sides_that_clash_cost_a_copy(array: Array) -> None:
    nodes = [conv("a", "input", 4, 4, array), add("b", "a", "input"),   # reads input twice, on both sides
             conv("c", "b", 4, 4, array), conv("d", "c", 4, 4, array), add("e", "d", "b"),
             conv("f", "c", 4, 4, array), add("g", "f", "e"), add("h", "g", "c")]
    program = check(network((4, 4, 4), *nodes), array)
    assert sum("copy" in operation.name for operation in program.operations) >= 1


@pytest.mark.parametrize("array", [LOOKUP[0], MAC[1]], ids=lambda a: a.engine)
def test_concatenations_are_written_in_place(array: Array) -> None:
    common = {"scale": 1.0}
    nodes = [conv("a", "input", 4, 8, array), conv("b", "a", 8, 4, array),
             Concat(name="c", inputs=("b", "a"), **common), MaxPool(name="d", inputs=("c",), window=SAME, **common),
             conv("e", "d", 12, 6, array), Concat(name="f", inputs=("c", "input", "e"), **common),
             conv("g", "f", 22, 3, array), Concat(name="h", inputs=("g",), **common)]
    program = check(network((5, 4, 4), *nodes), array)
    copies = [operation.name for operation in program.operations if "copy" in operation.name]
    assert copies == ["f copy", "f copy"]  # c is read by d as it is, input is loaded
    assert program.operations[-1].name == "h output"


@pytest.mark.parametrize("array", [LOOKUP[0], LOOKUP[2], MAC[0]], ids=lambda a: f"{a.engine}e{a.encoders}w{a.word}")
@pytest.mark.parametrize("last", [False, True])
def test_an_image_is_read_as_a_vector(array: Array, last: bool) -> None:
    fc = products(np.random.default_rng(3), array, "fc", "b", 5 * 4 * 12, 7, min(4, array.length))
    nodes = [conv("a", "input", 3, 12, array), Flatten(name="b", inputs=("a",), scale=1.0), *([] if last else [fc])]
    program = check(network((5, 4, 3), *nodes), array)
    assert not any("copy" in operation.name for operation in program.operations)


def test_an_image_with_gaps_is_copied_before_it_is_read_as_a_vector() -> None:
    array = LOOKUP[0]
    fc = products(np.random.default_rng(3), array, "fc", "b", 5 * 4 * 16, 8, 4)
    other = products(np.random.default_rng(3), array, "gc", "d", 16, 8, 4)
    nodes = [conv("a", "input", 3, 16, array), Flatten(name="b", inputs=("a",), scale=1.0), fc,
             conv("c", "a", 16, 16, array), AvgPool(name="p", inputs=("c",), scale=1.0, multiplier=40000, shift=19),
             Flatten(name="d", inputs=("p",), scale=1.0), other, add("s", "fc", "gc")]
    program = check(network((5, 4, 3), *nodes), array)
    assert [operation.name for operation in program.operations if "copy" in operation.name] == ["b copy"]


def test_nodes_that_nothing_depends_on_are_left_out() -> None:
    array = MAC[0]
    nodes = [conv("a", "input", 4, 4, array), conv("b", "input", 4, 4, array), add("c", "b", "a"),
             conv("d", "b", 4, 4, array)]
    assert check(network((4, 4, 4), *nodes), array).nodes == ("input", "b", "d")
