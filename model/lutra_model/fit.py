"""The machine that a network asks for: array sizes from the user, memories from the network's program."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from .attention import MatMul
from .codings import Plain
from .engines import ENGINES, engine_of
from .heads import CARRIERS, one_head
from .latency import network_latency
from .network import Network, Product
from .operation import Kind, Operation
from .params import Array
from .piecewise import FUNCTION_SLOTS
from .plan import Plan
from .program import Program, compile_network
from .segments import segments

__all__ = ["arrays", "cycles", "lookup_array", "mac_array", "main_scheme", "programs",
           "scheme_array", "sized"]

MEMORIES = ("activation_words", "table_words", "codebook_words", "program_words", "codebooks", "block_rows",
            "index_words", "functions")
AMPLE = 1 << 30
TABLE_BYTES = 1 << 19  # of table memory, at most: layers beyond are streamed
SLOWER = 1.03  # what fewer encoders may cost


def programs(network: Network, array: Array) -> tuple[Program, ...]:
    """The programs of all segments of a network that the machine runs."""
    return tuple(compile_network(part.network, array, resident=False if part.heads else None)
                 for part in segments(network, array) if part.network)


def _functions(network: Network) -> int:
    """Function slots that hold every function of the network, as far as a machine has so many."""
    tables = [table for node in network.nodes for table in getattr(node, "functions", ())]
    tables += [node.function for node in network.products if node.function]
    return min(FUNCTION_SLOTS, len({table.words() for table in tables}))


def _row_tiles(network: Network, array: Array) -> int:
    """Most row tiles of a product that the machine runs."""
    slots = [step.former(array).slots for part in segments(network, array) if part.network
             for step in Plan(part.network, array).steps if step.product]
    return max([1, *(-(-count // array.slots) for count in slots)])


def sized(network: Network, array: Array, *, table_bytes: int = TABLE_BYTES) -> Array:
    """The same array with memories just large enough for the network; its block and index memories are a limit.

    Tables beyond ``table_bytes`` are streamed. The machine has as many function slots as the network has functions,
    a vector machine none.
    Raises ``ValueError`` when the array runs no part of the network.
    """
    array = replace(array, functions=0 if array.cell.vector else _functions(network))
    found = programs(network, replace(
        array, activation_words=AMPLE, codebook_words=AMPLE, program_words=AMPLE, codebooks=AMPLE,
        table_words=max(1, table_bytes // array.beat_bytes),
        index_words=max(array.index_words, _row_tiles(network, array))))
    if not found:
        raise ValueError(f"network {network.name} must have a part that runs on the array")
    operations = [operation for program in found for operation in program.operations]
    products = [operation for operation in operations if operation.kind is Kind.PRODUCT]
    return replace(array, functions=max(len(program.functions) for program in found),
                   activation_words=max(program.activation_words for program in found),
                   table_words=max([1, *(len(program.tables) for program in found)]),
                   codebook_words=max([1, *(len(program.codebooks) for program in found)]),
                   program_words=max(len(program.words) for program in found),
                   codebooks=max([1, *(operation.slots * array.encoders for operation in products)]),
                   block_rows=max(_sums(operation, array) for operation in operations),
                   index_words=max([1, *(operation.row_tiles * operation.block for operation in products)]))


def _sums(operation: Operation, array: Array) -> int:
    """Words of the accumulator memory that an operation uses."""
    swept = array.cell.vector and operation.kind is Kind.PRODUCT
    return operation.sweep * array.columns if swept else operation.block


def cycles(network: Network, array: Array) -> int:
    """Cycles of one run of all parts of the network that the machine runs."""
    runs = [max(1, part.heads) for part in segments(network, array) if part.network]
    return sum(network_latency(program.operations, array, runs=count).cycles
               for program, count in zip(programs(network, array), runs, strict=True))


def _fewest_encoders(network: Network, make: Callable[[int], Array], rows: int) -> Array:
    """The fewest encoders, a power of two, within a few percent of the fastest; all run as much of the network."""
    tried = [make(1 << power) for power in range(rows.bit_length()) if rows % (1 << power) == 0]
    hosted = [sum(part.network is None for part in segments(network, array)) for array in tried]
    tried = [array for array, count in zip(tried, hosted, strict=True) if count == min(hosted)]
    taken = [cycles(network, array) for array in tried]
    return next(array for array, count in zip(tried, taken, strict=True) if count <= SLOWER * min(taken))


def _heads(network: Network, engine: str) -> list[Product]:
    """Products of attention as layers of the engine, if its cells hold the values of an input."""
    shapes = [(node, node.sizes(*(network.shapes[name] for name in node.inputs)))
              for node in network.nodes if isinstance(node, MatMul) and engine in CARRIERS]
    return [CARRIERS[engine](node, np.zeros(sizes[1:], np.int8)) for node, sizes in shapes]


def _asked(layers: list[Product], heads: list[Product]) -> dict[str, Any]:
    """The sizes that layers ask for, and attention beside them where one machine can be both."""
    engine = engine_of(layers[0].coding.engine)
    try:
        return engine.sizes([*layers, *heads])
    except ValueError:
        return engine.sizes(layers)


def scheme_array(network: Network, engine: str, *, rows: int = 16, columns: int = 16,
                 encoders: int | Literal["auto"] = "auto", block_rows: int = 1024, index_words: int = 2048,
                 table_bytes: int = TABLE_BYTES, **sizes: Any) -> Array:
    """The smallest machine of that engine and array size that holds every layer of the network for it.

    ``encoders`` is their number, or ``auto``: the fewest that keep the array busy. ``sizes`` may be ``word``,
    ``lanes``, ``fill`` and what the engine knows. Raises ``ValueError`` when no layer needs the engine.
    """
    layers = [node for node in network.products if engine_of(engine).runs(node.coding.engine)]
    if not layers:
        raise ValueError(f"network {network.name} must have a layer for the engine {engine} to run on its array")
    try:
        asked = _asked(layers, _heads(network, engine))
    except ValueError as error:
        raise ValueError(f"network {network.name}: {error}") from None

    def make(count: int) -> Array:
        array = Array(**{"engine": engine, "rows": rows, "columns": columns, "encoders": count,
                         "block_rows": block_rows, "index_words": index_words, **asked, **sizes})
        return sized(network, array, table_bytes=table_bytes)

    return _fewest_encoders(network, make, rows) if encoders == "auto" else make(min(encoders, rows))


def lookup_array(network: Network, **sizes: Any) -> Array:
    """The smallest machine of table cells for the network, see `scheme_array`."""
    return scheme_array(network, "lookup", **sizes)


def _multiplying(network: Network, bits: int) -> Network:
    """The shapes of the network's products done by multiplication, with weights of 0."""
    def dense(node: Product) -> Product:
        weights = np.zeros((node.groups * node.reduction, 1, node.table.shape[2]), np.int8)
        return replace(node, table=weights, coding=Plain(bits))

    return replace(network, nodes=tuple(dense(node) if isinstance(node, Product) else node for node in network.nodes))


def mac_array(network: Network, *, rows: int = 16, columns: int = 16, encoders: int | None = None,
              block_rows: int = 1024, index_words: int = 2048, table_bytes: int = TABLE_BYTES, **sizes: int) -> Array:
    """The smallest MAC machine of that array size that holds every product of the network done by multiplication."""
    array = Array.mac(rows=rows, columns=columns, encoders=encoders, block_rows=block_rows, index_words=index_words,
                      **sizes)
    return sized(_multiplying(network, array.weight_bits), array, table_bytes=table_bytes)


def _beside(network: Network, array: Array) -> Array:
    """The same machine with memories for its parts of a network that another machine runs the rest of, too."""
    own = sized(network, array, table_bytes=array.table_words * array.beat_bytes)
    return replace(array, **{name: max(getattr(array, name), getattr(own, name)) for name in MEMORIES})


def main_scheme(network: Network) -> str | None:
    """The scheme of the first layer that looks up, or None where all multiply."""
    return next((node.scheme for node in network.products if engine_of(node.coding.engine).tables), None)


def arrays(network: Network, *, rows: int = 16, columns: int = 16,
           encoders: int | Literal["auto"] = "auto", resident: bool | None = None,
           gather: bool = False) -> dict[str, Array]:
    """A machine for each scheme that the network uses, by the scheme's name; ``resident``: with room for all tables.

    Where none of them holds the values of attention exactly, one that multiplies stands beside them. ``gather``: one
    that looks up has what it takes to gather, see `tiling.gathered`.
    """
    table_bytes = AMPLE if resident else TABLE_BYTES
    engines = {node.scheme: node.coding.engine for node in network.products}
    bits = [node.coding.bits for node in network.products
            if isinstance(node.coding, Plain) and node.coding.engine == "mac"]
    heads = [node for node in network.nodes if isinstance(node, MatMul)]
    made = {engine: mac_array(network, rows=rows, columns=columns, table_bytes=table_bytes,
                              weight_bits=max(bits)) if engine == "mac"
            else scheme_array(network, engine, rows=rows, columns=columns, encoders=encoders, table_bytes=table_bytes,
                              gather=gather and engine_of(engine).gathers)
            for engine in sorted(set(engines.values()))}
    if "mac" in made and len(made) > 1:
        made["mac"] = _beside(network, made["mac"])
    if gather and not any(array.gather for array in made.values()):
        able = ", ".join(name for name, engine in ENGINES.items() if engine.gathers)
        raise ValueError(f"network {network.name} must have a layer for an engine that gathers ({able}), it has "
                         f"{', '.join(made)}")
    found = {scheme: made[engine] for scheme, engine in engines.items()}
    if not all(any(one_head(network, [node], array) for array in made.values()) for node in heads):
        found["int8"] = mac_array(network, rows=rows, columns=columns, table_bytes=table_bytes)
    return found
