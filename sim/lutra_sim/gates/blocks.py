"""The parts of the machine that are characterised: where each lies, and what of the energy bill it is."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace

import numpy as np
from numpy.typing import NDArray

from lutra_model.events import Events
from lutra_model.function_events import lane_parts, row_parts, row_pipeline
from lutra_model.params import Array
from lutra_model.parts import parts, pool_parts
from lutra_model.quantities import quantities
from lutra_model.schedule import Pipeline
from lutra_model.structure import Structure

from .carve import Design, Part

__all__ = ["BLOCKS", "Block", "block_of"]

Bytes = NDArray[np.uint8]
Bits = Callable[[Structure], float]
ARRAY = ("cell_.*", "multipl.*", "table_(reads|writes)", "turn_bits", "idle_cells", "tree_.*", "issue.*")
BUILDING, BUILT = ("lut-tc", "vec-lut"), ("encoder_(add|mux)_bits",)  # engines that make tables in their arrays
ELSEWHERE = ("sram", "dram", "leakage")  # no gates of a block: memories are priced by tables of their own


@dataclass(frozen=True)
class Block:
    """One kind of part.

    Parameters
    ----------
    paths : patterns of the modules' paths in the machine. alone : of modules without those in them.
    memories : theirs are registers of the block; otherwise they are memory macros, priced elsewhere, and the block has
        their ports.
    events : patterns of the fields of `Events` that the block makes. components : of the bill, areas : of the area that
        it belongs to.
    burnt : its tables are constants.
    engines : that have it, of all if empty. workload : what it needs to have work, see `workloads.NETWORKS`.
    builds : it makes tables of activations, in engines that do that in their arrays.
    own : what is its own of parts that lie in several blocks, by ``component.entry``: of the area, and ``clock`` of the
        energy. issue : register bits of it that every issued row passes, where not all of the array's.
    rest : cycles before a recording in which what comes to it is as in the first: of a block whose pipelines no gate
        stops, so long as they are.
    watched : of a component, patterns of the ports that bring its data, and of one that is high in the same cycles.
    later : the same of data that comes later, or from several stages: all changes of these ports are of those cycles.
    """

    name: str
    title: str
    paths: tuple[str, ...]
    events: tuple[str, ...]
    components: tuple[str, ...]
    areas: tuple[str, ...]
    alone: tuple[str, ...] = ()
    memories: bool = True
    burnt: bool = False
    engines: tuple[str, ...] = ()
    workload: str = "product"
    own: Mapping[str, Bits] = field(default_factory=dict)
    issue: Bits | None = None
    builds: bool = False
    rest: int = 0
    watched: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    later: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def runs_on(self, array: Array) -> bool:
        """Whether such a machine has the block."""
        return not self.engines or array.engine in self.engines

    def _modules(self, design: Design, patterns: tuple[str, ...]) -> list[str]:
        found = [path for path in design.paths if any(re.fullmatch(pattern, path) for pattern in patterns)]
        if patterns and not found:
            raise ValueError(f"the machine must have a {self.title} ({', '.join(patterns)})")
        return found

    def part(self, design: Design) -> Part:
        """The block of a machine, as it is recorded. Raises ``ValueError`` where it has none."""
        return design.part(self._modules(design, self.paths), alone=self._modules(design, self.alone),
                           memories=self.memories)

    def burn(self, design: Design, ports: Mapping[str, Bytes]) -> Part:
        """Burnt-in tables, which hold what a recording loads into writable ones."""
        rows = {path: path.rsplit(".", 1)[-1] for path in self._modules(design, self.paths)}
        if any(ports[f"{row}_write_bank"].any() for row in rows.values()):
            raise ValueError("burnt-in tables must be loaded once, not in both banks")
        return design.part(list(rows), words={f"{path}.table": _written(ports, row) for path, row in rows.items()})

    def charges(self, events: Events, cycles: int, structure: Structure) -> dict[str, float]:
        """What the bill has of a run of so many cycles that is this block's, by ``component.entry``."""
        builds = self.builds and structure.array.engine in BUILDING
        patterns = (*self.events, *(BUILT if builds else ()))
        own = Events(**{item.name: getattr(events, item.name) for item in fields(Events)
                        if any(re.fullmatch(pattern, item.name) for pattern in patterns)})
        if self.issue:
            own = replace(own, issue_register_bits=int(events.issues * self.issue(structure)))
        components = (*self.components, *(("encoder",) if builds else ()))
        found: dict[str, float] = {}
        for item in quantities(own, cycles, structure):
            if item.component in components and not item.entry.startswith(ELSEWHERE):
                name = f"{item.component}.{item.entry}"
                found[name] = found.get(name, 0.0) + item.amount
        clocked = {name: cycles * float(words(structure)) for name, words in self.own.items()
                   if name.endswith(".clock")} | ({"encoder.clock": 0.0} if builds else {})
        return {name: amount for name, amount in (found | clocked).items() if amount}

    def area_parts(self, structure: Structure) -> dict[str, float]:
        """What the model's area has of it, by ``component.entry``."""
        found: dict[str, float] = {}
        for item in parts(structure):
            if item.component in self.areas and not item.entry.startswith(ELSEWHERE):
                name = f"{item.component}.{item.entry}"
                found[name] = found.get(name, 0.0) + item.amount
        own = {name: float(bits(structure)) for name, bits in self.own.items() if name in found}
        return {name: amount for name, amount in (found | own).items() if amount}

    def toggles(self, ports: Mapping[str, Bytes], widths: Mapping[str, int]) -> dict[str, float]:
        """Of each component, changes of one bit of what is brought to it, at an event; ``widths``: bits of each port.

        An event is a cycle in which the port that says so is high.
        """
        found = {}
        for component, (data, valid) in {**self.watched, **self.later}.items():
            given = max((ports[name][:, 0] & 1 for name in ports if re.fullmatch(valid, name)),
                        key=lambda events: int(events.sum()), default=np.zeros(0, np.uint8)).astype(bool)
            names = [name for name in ports if re.fullmatch(data, name)]
            seen = [ports[name][given] if component in self.watched else ports[name] for name in names]
            changes = sum(int(np.unpackbits(values[1:] ^ values[:-1]).sum()) for values in seen)
            if given.any():
                found[component] = min(1.0, changes / (int(given.sum()) * sum(widths[name] for name in names)))
        return found


def _written(ports: Mapping[str, Bytes], row: str) -> list[int]:
    """What a row of tables holds in the end, for a power of two of entries."""
    entries, words, writes = ports[f"{row}_entry"][:, 0], ports[f"{row}_data"], ports[f"{row}_write"][:, 0]
    found = {int(entries[cycle]): int.from_bytes(words[cycle].tobytes(), "little") for cycle in np.flatnonzero(writes)}
    return [found.get(entry, 0) for entry in range(1 << max(found).bit_length())]


def _in_cells(entry: str) -> Bits:
    """Without what lies beside the array."""
    return lambda structure: structure.array.cells * structure.array.cell.cell_parts(structure).get(entry, 0)


def _terms(structure: Structure) -> float:
    return structure.array.cells * structure.term_bits


def _in_trees(structure: Structure) -> float:
    return structure.issue_registers - _terms(structure)


def _none(structure: Structure) -> float:
    return 0.0


def _one(structure: Structure) -> float:
    return 1.0


def _two(structure: Structure) -> float:
    return 2.0


def _words(structure: Structure) -> float:
    """Words of tables whose rows are written apart, each by its own port."""
    return float(structure.array.rows * structure.array.cell.cell_words(structure.array))


def _in_products(structure: Structure) -> float:
    """All but the activations."""
    return structure.issue_registers - structure.index_word_bits


def _stages(structure: Structure) -> float:
    """Clock gates of trees, each with ports of its own."""
    return float(structure.array.columns * Pipeline(structure.array).tree)


def _unit_stages(structure: Structure) -> float:
    return float(structure.array.columns * Pipeline(structure.array).function)


def _without_buffer(structure: Structure) -> float:
    array = structure.array
    return array.columns * (structure.finish_registers + array.cell.parameter_registers(array))


def _lanes(entry: str) -> Bits:
    return lambda structure: structure.array.columns * lane_parts().get(entry, 0)


def _rows(entry: str) -> Bits:
    return lambda structure: row_parts(structure).get(entry, 0)


def _pool(entry: str) -> Bits:
    return lambda structure: pool_parts(structure)[entry]


def _without_pool(entry: str) -> Bits:
    return lambda structure: sum(item.amount for item in parts(structure) if item[:2] == ("gather", entry)
                                 ) - pool_parts(structure)[entry]


POOLED = ("add", "compare", "mux", "register")
UNIT = ("add", "compare", "mux", "multiply", "register")
FILL = ("load__data", "load__valid")
BLOCKS: dict[str, Block] = {block.name: block for block in (
    Block("encoder", "encoder", (r"core\.front\.encoder_\d+",), ("encode.*", "distance_steps", "compares",
          "codebook_read_bits"), ("encoder", "codebooks"), ("encoder",), engines=("lookup",),
          watched={"encoder": (r"(encoder_\d+_)?data", r"(encoder_\d+_)?vector"),
                   "codebooks": (r"(encoder_\d+_)?centroid", r"(encoder_\d+_)?load")}),
    Block("level-encoder", "encoder of levels", (r"core\.front\.encoder_\d+",), ("encode.*", "compares"), ("encoder",),
          ("encoder",), engines=("dln-row", "dln-column"),
          watched={"encoder": (r"(encoder_\d+_)?data", r"(encoder_\d+_)?vector")}),
    Block("array", "array of cells with its adder trees", (r"core\.cells",), ARRAY, ("cells", "adds", "fill"),
          ("cells", "adds"), builds=True,
          own={f"cells.{entry}": _in_cells(entry) for entry in ("add", "mux", "multiply", "register")},
          watched={"cells": ("symbols", "valid"), "fill": FILL}, later={"adds": ("o", "valid")}),
    Block("cells", "rows of table cells", (r"core\.cells\.row_\d+",), ("cell_.*", "table_(reads|writes)", "issue.*"),
          ("cells", "adds", "fill"), ("cells", "adds"), engines=("lookup", "dln-row"),
          own={"adds.register": _terms, "adds.add": _none, "adds.clock": _one, "cells.clock": _words}, issue=_terms,
          watched={"cells": (r"row_\d+_index", r"row_\d+_read"), "fill": (r"row_\d+_data", r"row_\d+_write")},
          later={"adds": (r"row_\d+_o", r"row_\d+_read")}),
    Block("burnt-tables", "rows of tables that are constants", (r"core\.cells\.row_\d+",), ("cell_.*", "table_reads",
          "issue.*"), ("cells", "adds"), ("cells", "adds"), engines=("lookup",), burnt=True, workload="tile",
          own={"cells.register": _none, "cells.clock": _none, "adds.register": _terms, "adds.add": _none,
               "adds.clock": _one}, issue=_terms,
          watched={"cells": (r"row_\d+_index", r"row_\d+_read")}, later={"adds": (r"row_\d+_o", r"row_\d+_read")}),
    Block("trees", "adder trees", (r"core\.cells\.tree_\d+",), ("tree_.*", "issue.*"), ("adds",), ("adds",),
          engines=("lookup", "dln-row", "dln-column"), issue=_in_trees,
          own={"adds.register": _in_trees, "adds.clock": _stages},
          watched={"adds": (r"tree_\d+_i", r"tree_\d+_enable")}),
    Block("products", "merged multipliers", (r"core\.cells\.products",), ("cell_.*", "multipl.*", "tree_.*", "issue.*"),
          ("cells", "adds"), ("cells", "adds"), engines=("mac",), issue=_in_products,
          own={"cells.register": _none, "cells.clock": _none, "adds.register": _in_products, "adds.clock": _two},
          watched={"cells": ("a", "enable")}, later={"adds": ("o", "enable")}),
    Block("builders", "online table builders", (r"core\.cells\.row_\d+\.builder",), ("encoder_add_bits",), ("encoder",),
          (), engines=("lut-tc",), own={"encoder.clock": _none}),
    Block("vector-builder", "order of online tables", (r"core\.sequencer\.builder",), (), ("control",), (),
          engines=("vec-lut",)),
    Block("accumulators", "accumulators", (r"core\.accumulator",), ("accumulator_adds", "accumulator_register_bits"),
          ("accumulators",), ("accumulators",), memories=False, later={"accumulators": ("i|o", "valid")}),
    Block("finisher", "finisher", (r"core\.finisher",), ("finish.*", "parameter_bits"), ("finisher", "fill"),
          ("finisher",), own={"finisher.register": _without_buffer},
          watched={"fill": FILL}, later={"finisher": ("o", "valid")}),
    Block("add", "residual adder", (r"core\.add",), ("residual_adds", "add_register_bits"), ("add",),
          ("add",), workload="residual", watched={"add": ("i|residual", "valid")}),
    Block("function-unit", "function unit", (r"core\.finisher\.function_\d+",), ("function_.*",), ("functions",),
          ("functions",), workload="function", own={f"functions.{entry}": _lanes(entry) for entry in UNIT}
          | {"functions.clock": _unit_stages},
          later={"functions": (r"function_\d+_o", r"function_\d+_enable")}),
    Block("row-unit", "row unit", (r"core\.front\.rows",), ("function_.*",), ("functions",), ("functions",),
          memories=False, workload="norm", own={f"functions.{entry}": _rows(entry) for entry in UNIT}
          | {"functions.clock": lambda structure: float(row_pipeline(structure))},
          watched={"functions": ("i", "valid")}),
    Block("gather", "window former", (r"core\.front\.(gather|arranger)",), ("gather.*", "address_bits"), ("gather",),
          ("gather",), own={f"gather.{entry}": _without_pool(entry) for entry in POOLED},
          later={"gather": ("gather_words", "gather_valid")}),
    Block("way", "registers between parts, and before memories", (r"core\.front\.activations",),
          ("(index|table|gather)_read_bits", "table_beats", "activation_write_bits"), ("way",), ("way",),
          alone=("core", r"core\.front"), memories=False, rest=32),
    Block("pool", "pool's tree", (r"core\.front\.pool",), ("pool.*",), ("pool",), ("gather",), workload="pool",
          own={f"gather.{entry}": _pool(entry) for entry in POOLED} | {"gather.clock": _none},
          later={"pool": ("words", "enable")}),
    Block("control", "sequencer, feeder, placer and writer",
          (r"core\.(sequencer|front\.feeder|front\.codebooks|placer|writer)",), ("program_read_bits",),
          ("control", "program"), ("control",), memories=False))}


def block_of(name: str) -> Block:
    """The block of that name; ``ValueError`` for an unknown one."""
    if name not in BLOCKS:
        raise ValueError(f"block must be one of {', '.join(BLOCKS)}, not {name}")
    return BLOCKS[name]
