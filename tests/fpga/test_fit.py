"""lutra_hw.board.fit: a machine of every engine, and of a network, with the cells and memories of a board."""

from dataclasses import replace

import pytest

from lutra import embedded
from lutra_hw.board.boards import BOARDS, Board
from lutra_hw.board.fit import bare_array, engine_array, network_array
from lutra_model.bare import Bare
from lutra_model.engines import ENGINES
from lutra_model.fit import TABLE_BYTES, arrays
from lutra_model.link import frames
from lutra_model.network import MaxPool, Network, Window
from lutra_model.params import Array, Metric
from lutra_model.program import compile_network
from lutra_sim.cases import random_case
from lutra_sim.fpga.host import loading_job, running_job

LOOKUP, INT8 = embedded.network("fashion-resnet8"), embedded.network("fashion-resnet8-int8")
SMALL, LARGE = BOARDS["ulx3s-25f"], BOARDS["ulx3s-85f"]
MACHINES = [SMALL, LARGE, BOARDS["tang-nano-20k"]]  # the machines that boards have; the others' arrays are bare


def memory_bytes(array: Array) -> dict[str, float]:
    """Bytes of the memories that a board's own array limits."""
    return {"tables": array.table_words * array.beat_bytes, "activations": array.activation_words * array.word,
            "codebooks": array.codebook_words * array.codebook_bytes,
            "indices": array.index_words * array.rows * array.cell.symbol_bits(array) / 8}


@pytest.mark.parametrize("board", MACHINES, ids=lambda board: board.name)
@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_has_a_machine_of_the_boards_size(board: Board, engine: str) -> None:
    """No memory is larger than the board's own but where a block RAM would be left empty; random networks run."""
    array, own = engine_array(board, engine), memory_bytes(board.array)
    assert (array.engine, array.rows, array.columns) == (engine, board.array.rows, board.array.columns)
    for memory, size in memory_bytes(array).items():
        assert size <= own[memory] or (memory == "indices" and array.index_words == 256), memory
    for seed in range(5):
        case = random_case(array, seed)
        assert loading_job(case.program, b"mark") + running_job(case.program, case.inputs, b"once")


def test_the_default_engines_machine_is_the_boards_own() -> None:
    for board in BOARDS.values():
        make = bare_array if isinstance(board.array, Bare) else engine_array
        assert make(board, "lookup", metric=board.array.metric) == board.array


def test_what_the_user_asks_for_is_there() -> None:
    """Cells, encoders and fields; the memories keep their depths."""
    array = engine_array(SMALL, "mac", rows=4, columns=2, encoders=1, weight_bits=4, table_words=512)
    default = engine_array(SMALL, "mac", weight_bits=4)
    assert array == replace(default, rows=4, columns=2, encoders=1, word=1, fill=4, lanes=4, table_words=512)
    assert default.table_words == 2 * engine_array(SMALL, "mac").table_words
    words = SMALL.array.codebook_words * SMALL.array.length  # a tree's words are one byte of each encoder
    assert engine_array(SMALL, "lookup", metric=Metric.TREE) == replace(SMALL.array, metric=Metric.TREE,
                                                                        codebook_words=words)


@pytest.mark.parametrize("bits", range(1, 9))
def test_table_beats_are_whole_bytes(bits: int) -> None:
    """Whatever the weights' bits, a frame holds beats of the stream."""
    for board in (SMALL, LARGE):
        array = engine_array(board, "mac", weight_bits=bits)
        assert array.fill * array.columns * bits == 8 * array.beat_bytes
        assert frames("tables", random_case(array, 0).program.streamed)


def test_an_unknown_engine() -> None:
    with pytest.raises(ValueError, match=r"^engine must be lookup, lut-tc, dln-row, dln-column, vec-lut, mac, "
                                         r"sign-flip, not abacus$"):
        engine_array(SMALL, "abacus")


@pytest.mark.parametrize("board", MACHINES, ids=lambda board: board.name)
@pytest.mark.parametrize("network", [LOOKUP, INT8], ids=lambda network: network.name)
def test_a_networks_machine_runs_it(board: Board, network: Network) -> None:
    """As the one that lutra simulate runs, with the board's cells; tables that are too many are streamed."""
    array = network_array(board, network)
    (simulated,) = arrays(network).values()
    for field in ("engine", "length", "entries", "metric", "weight_bits", "functions"):
        assert getattr(array, field) == getattr(simulated, field), field
    assert (array.rows, array.columns) == (board.array.rows, board.array.columns)
    program = compile_network(network, array)
    assert memory_bytes(array)["tables"] <= memory_bytes(board.array)["tables"] < TABLE_BYTES
    assert len(program.tables) == array.table_words
    assert len(program.words) == array.program_words
    assert bool(len(program.streamed)) == (board is not LARGE)


def test_a_networks_machine_has_the_cells_that_the_user_asks_for() -> None:
    array = network_array(SMALL, INT8, rows=4, columns=2, encoders=2)
    assert (array.rows, array.columns, array.encoders, array.word) == (4, 2, 2, 2)


def test_a_network_of_two_machines() -> None:
    first, *others = LOOKUP.nodes
    mixed = replace(LOOKUP, nodes=(INT8.nodes[0], *others))
    assert first.name == INT8.nodes[0].name
    with pytest.raises(ValueError, match=r"^network fashion-resnet8 must need one machine, for a board holds one, not "
                                         r"a machine for each of int8, lut-nn; convert it to one scheme$"):
        network_array(LARGE, mixed)


def test_a_network_without_a_layer_for_an_array() -> None:
    pool = MaxPool(name="pool", inputs=("input",), scale=1.0, window=Window(kernel=(2, 2)))
    network = Network(name="pools", input_shape=(4, 4, 2), input_scale=1.0, nodes=(pool,))
    with pytest.raises(ValueError, match=r"^network pools must have a layer that runs on an array$"):
        network_array(LARGE, network)
