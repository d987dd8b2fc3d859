"""model.program: what an interpreter of the program's words computes is what the golden model computes."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lutra_model import golden, netfile
from lutra_model.network import Add, AvgPool, Clamp, Concat, Flatten, MaxPool, Network, Node, Shape, Softmax, Window
from lutra_model.operation import Kind
from lutra_model.params import Array, Metric
from lutra_model.program import Program, compile_network
from lutra_model.randomnet import resnet18
from tests.model.interpreter import Interpreter
from tests.strategies import machines, products

NETWORKS = Path(__file__).parents[2] / "lutra" / "networks"
LARGE: dict[str, Any] = {"activation_words": 1 << 15, "table_words": 1 << 14, "codebook_words": 1 << 14,
                         "program_words": 1 << 12, "codebooks": 4608}
LOOKUP = [Array(**LARGE), Array(encoders=1, **LARGE), Array(rows=8, columns=4, encoders=2, word=1, fill=4, **LARGE),
          Array(encoders=16, fill=2, block_rows=50, **LARGE), Array(rows=12, columns=6, encoders=6, lanes=30, **LARGE)]
MAC = [Array.mac(**LARGE), Array.mac(rows=8, columns=4, encoders=2, fill=1, word=2, block_rows=33, **LARGE)]
SAME = Window(kernel=(3, 3), padding=(1, 1, 1, 1))


def interpret(program: Program, x: np.ndarray) -> np.ndarray:
    machine = Interpreter(program.array, program.words, program.tables, program.codebooks)
    return program.outputs(machine.run(program.input_beats(x)[0], program.streamed, len(x)))


def check(network: Network, array: Array, *, seed: int = 0, resident: bool | None = None, count: int = 2) -> Program:
    x = np.random.default_rng(seed).integers(-128, 128, (count, *network.input_shape), np.int8)
    program = compile_network(network, array, resident=resident)
    np.testing.assert_array_equal(interpret(program, x), golden.outputs(network, x))
    return program


def network(shape: Shape, *nodes: Node) -> Network:
    return Network(name="net", input_shape=shape, input_scale=1.0, nodes=nodes)


def conv(name: str, source: str, inputs: int, outputs: int, array: Array, groups: int = 1, length: int = 9) -> Node:
    rng = np.random.default_rng(len(name))
    return products(rng, array, name, source, inputs // groups * 9, outputs // groups, min(length, array.length),
                    groups, SAME)


def add(name: str, *inputs: str) -> Node:
    return Add(name=name, inputs=inputs, scale=1.0, multipliers=(20000, 9000), shift=15, low=-100)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(machine=machines(), resident=st.sampled_from([None, False]), seed=st.integers(0, 99))
def test_random_networks_equal_golden(machine: tuple[Network, Array], resident: bool | None, seed: int) -> None:
    check(*machine, seed=seed, resident=resident)


@pytest.mark.parametrize("array", LOOKUP + MAC,
                         ids=lambda a: f"{a.engine}-{a.rows}x{a.columns}e{a.encoders}w{a.word}f{a.fill}l{a.lanes}")
@pytest.mark.parametrize("resident", [None, False])
def test_the_embedded_networks_equal_golden(array: Array, resident: bool | None) -> None:
    name = "fashion-resnet8" if array.is_lookup else "fashion-resnet8-int8"
    check(netfile.load(NETWORKS / f"{name}.lutra"), array, resident=resident, count=1)


@pytest.mark.slow
@pytest.mark.parametrize(("scheme", "array"), [("lut-nn", LOOKUP[0]), ("int8", MAC[0])])
def test_a_small_resnet18_with_streamed_tables_equals_golden(scheme: str, array: Array) -> None:
    program = check(resnet18(size=32, scheme=scheme, classes=40), array)
    assert len(program.streamed)
    assert len(program.tables)
    assert not any("copy" in operation.name for operation in program.operations)


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


@pytest.mark.parametrize("array", LOOKUP[:3] + MAC, ids=lambda a: f"{a.engine}e{a.encoders}w{a.word}")
@pytest.mark.parametrize(("inputs", "outputs", "groups"), [(16, 16, 16), (8, 16, 2), (6, 12, 6), (8, 8, 1), (6, 9, 3)])
def test_grouped_products_equal_golden(array: Array, inputs: int, outputs: int, groups: int) -> None:
    nodes = [conv("a", "input", inputs, outputs, array, groups), Clamp(name="b", inputs=("a",), scale=1.0, low=-20)]
    check(network((5, 4, inputs), *nodes), array)


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


def test_streams_and_images_have_the_stated_shapes() -> None:
    array = replace(LOOKUP[2], table_words=900)
    program = check(netfile.load(NETWORKS / "fashion-resnet8.lutra"), array)
    streamed = [operation for operation in program.operations if operation.stream_tables]
    assert streamed
    assert program.streamed_last.sum() == len(streamed)
    assert program.streamed_last[-1]
    assert program.streamed.shape == (len(program.streamed_last), array.fill * array.columns)
    assert program.tables.shape[1] == array.fill * array.columns
    assert len(program.tables) <= 900
    assert program.codebooks.shape[1] == array.encoders * array.length
    beats, last = program.input_beats(np.zeros((3, 28, 28, 1), np.int8))
    assert beats.shape == (3 * 784 // array.columns, array.columns)  # bytes of a grey image, nothing else
    assert np.flatnonzero(last).tolist() == [195, 391, 587]
    assert program.output_beats == 3  # 10 classes, 4 columns


def test_inputs_and_outputs_of_other_shapes_are_refused() -> None:
    program = compile_network(network((4, 4, 4), conv("a", "input", 4, 4, MAC[0])), MAC[0])
    with pytest.raises(ValueError, match=r"^inputs must be int8 of shape \(count, 4, 4, 4\), "
                                         r"not int16 of \(2, 4, 4\)$"):
        program.input_beats(np.zeros((2, 4, 4), np.int16))
    with pytest.raises(ValueError, match=r"^outputs must be a multiple of 16 beats, not 17$"):
        program.outputs(np.zeros((17, 16), np.uint8))


@pytest.mark.parametrize(("sizes", "message"), [
    ({"activation_words": 1000}, r"value .* needs \d+ words on a side of the activation memory, the array holds 1000"),
    # 17 for each of 1, 16 and 16 channels, 2 * 17 for 16 to 32, then 2 * (2 * 16 + 1)
    ({"table_words": 100}, r"layer block2_second needs 66 table words, the memory holds 100 and has 15 left"),
    # 16 for each of 3, 4, 4, 4 slots, then of 8
    ({"codebook_words": 300},
     "layer block2_second needs 128 codebook words after 240 of the layers before, the memory holds 300"),
    ({"program_words": 400}, "the program of network .* needs 444 words, the memory holds 400"),
])
def test_memories_that_are_too_small(sizes: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        compile_network(netfile.load(NETWORKS / "fashion-resnet8.lutra"), replace(LOOKUP[0], **sizes), resident=True)


@pytest.mark.parametrize(("node", "array", "message"), [
    (Softmax(name="s", inputs=("input",), scale=1.0, exponentials=np.ones(256, np.int64), peak=1), LOOKUP[0],
     "node s must be a product, an add, a pool, a clamp, a flatten, a concat, a function, a row softmax or a layer "
     "norm to run on the machine, not a softmax"),
    (conv("c", "input", 6, 4, MAC[0]), LOOKUP[0], "layer c needs the engine mac, the array's is lookup"),
    (conv("c", "input", 6, 4, LOOKUP[0]), MAC[0], "layer c needs the engine lookup, the array's is mac"),
    (conv("c", "input", 6, 4, LOOKUP[0]), Array(metric=Metric.L1), "layer c must use the array's metric l1, not l2"),
    (Flatten(name="f", inputs=("input",), scale=1.0), LOOKUP[0],
     "the image that f flattens must have a multiple of 4 channels, not 6"),
    (Concat(name="f", inputs=("input", "input"), scale=1.0), LOOKUP[0],
     "all inputs of f but the last must have a multiple of 4 channels"),
])
def test_nodes_that_the_machine_does_not_run(node: Node, array: Array, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        compile_network(network((4, 4, 6), node), array)
