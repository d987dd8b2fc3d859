"""model.program: shapes of streams, memories that are too small, nodes that do not run."""

from dataclasses import replace

import numpy as np
import pytest

from lutra_model import netfile
from lutra_model.network import Concat, Flatten, Node, Softmax
from lutra_model.params import Array, Metric
from lutra_model.program import compile_network
from tests.model.program.machines import LOOKUP, MAC, NETWORKS, check
from tests.model.programs import conv, network


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
