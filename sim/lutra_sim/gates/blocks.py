"""The parts of the machine that are characterised: where each lies, and what of the energy bill it is."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace

import numpy as np
from numpy.typing import NDArray

from lutra_model.events import Events
from lutra_model.function_events import lane_parts, row_parts
from lutra_model.params import Array
from lutra_model.parts import parts
from lutra_model.quantities import quantities
from lutra_model.structure import Structure

from .carve import Design, Part

__all__ = ["BLOCKS", "Block", "block_of"]

Bytes = NDArray[np.uint8]
Bits = Callable[[Structure], float]
ARRAY = ("cell_.*", "multipl.*", "table_(reads|writes)", "turn_bits", "idle_cells", "tree_.*", "issue.*")
CLOCKS = {"adders": "adds", "cells": "cells", "finisher": "finisher", "functions": "functions"}  # names in the bill
ELSEWHERE = ("sram", "dram", "leakage")  # no gates of a block: memories are priced by tables of their own


@dataclass(frozen=True)
class Block:
    """One kind of part.

    Parameters
    ----------
    paths : patterns of the modules' paths in the machine. memories : theirs are registers of the block; otherwise they
        are memory macros, priced elsewhere, and the block has their ports.
    events : patterns of the fields of `Events` that the block makes. components : of the bill, areas : of the area that
        it belongs to.
    burnt : its tables are constants.
    engines : that have it, of all if empty. workload : what it needs to have work, see `workloads.NETWORKS`.
    own : what is its own of parts that lie in several blocks, by ``component.entry`` of the area (``register`` also of
        energy's ``clock``). issue : register bits of it that every issued row passes.
    """

    name: str
    title: str
    paths: tuple[str, ...]
    events: tuple[str, ...]
    components: tuple[str, ...]
    areas: tuple[str, ...]
    memories: bool = True
    burnt: bool = False
    engines: tuple[str, ...] = ()
    workload: str = "product"
    own: Mapping[str, Bits] = field(default_factory=dict)
    issue: Bits | None = None

    def runs_on(self, array: Array) -> bool:
        """Whether such a machine has the block."""
        return not self.engines or array.engine in self.engines

    def _modules(self, design: Design) -> list[str]:
        found = [path for path in design.paths if any(re.fullmatch(pattern, path) for pattern in self.paths)]
        if not found:
            raise ValueError(f"the machine must have a {self.title} ({', '.join(self.paths)})")
        return found

    def part(self, design: Design) -> Part:
        """The block of a machine, as it is recorded. Raises ``ValueError`` where it has none."""
        return design.part(self._modules(design), memories=self.memories)

    def burn(self, design: Design, ports: Mapping[str, Bytes]) -> Part:
        """Burnt-in tables, which hold what a recording loads into writable ones."""
        rows = {path: path.rsplit(".", 1)[-1] for path in self._modules(design)}
        if any(ports[f"{row}_write_bank"].any() for row in rows.values()):
            raise ValueError("burnt-in tables must be loaded once, not in both banks")
        return design.part(list(rows), words={f"{path}.table": _written(ports, row) for path, row in rows.items()})

    def charges(self, events: Events, cycles: int, structure: Structure) -> dict[str, float]:
        """What the bill has of a run of so many cycles that is this block's, by ``component.entry``."""
        own = Events(**{item.name: getattr(events, item.name) for item in fields(Events)
                        if any(re.fullmatch(pattern, item.name) for pattern in self.events)})
        if self.issue:
            own = replace(own, issue_register_bits=int(events.issues * self.issue(structure)))
        found = {f"{item.component}.{item.entry}": float(item.amount) for item in quantities(own, cycles, structure)
                 if item.component in self.components and not item.entry.startswith(ELSEWHERE)}
        clocked = {name: cycles * float(bits(structure)) for name, bits in self._clocked().items()}
        return found | {name: amount for name, amount in clocked.items() if name in found}

    def _clocked(self) -> dict[str, Bits]:
        """Own register bits by their names in the bill."""
        return {CLOCKS[name.removesuffix(".register")] + ".clock": bits for name, bits in self.own.items()
                if name.endswith(".register")}

    def area_parts(self, structure: Structure) -> dict[str, float]:
        """What the model's area has of it, by ``component.entry``."""
        found: dict[str, float] = {}
        for item in parts(structure):
            if item.component in self.areas and not item.entry.startswith(ELSEWHERE):
                name = f"{item.component}.{item.entry}"
                found[name] = found.get(name, 0.0) + item.amount
        return found | {name: float(bits(structure)) for name, bits in self.own.items() if name in found}


def _written(ports: Mapping[str, Bytes], row: str) -> list[int]:
    """What a row of tables holds in the end, for a power of two of entries."""
    entries, words, writes = ports[f"{row}_entry"][:, 0], ports[f"{row}_data"], ports[f"{row}_write"][:, 0]
    found = {int(entries[cycle]): int.from_bytes(words[cycle].tobytes(), "little") for cycle in np.flatnonzero(writes)}
    return [found.get(entry, 0) for entry in range(1 << max(found).bit_length())]


def _accumulated(structure: Structure) -> float:
    return structure.array.columns * structure.accumulator_bits


def _terms(structure: Structure) -> float:
    return structure.array.cells * structure.term_bits


def _in_array(structure: Structure) -> float:
    return structure.issue_registers - _accumulated(structure)


def _in_trees(structure: Structure) -> float:
    return _in_array(structure) - _terms(structure)


def _tree_adds(structure: Structure) -> float:
    return sum(item.amount for item in parts(structure)
               if (item.component, item.entry) == ("adders", "add")) - _accumulated(structure)


def _none(structure: Structure) -> float:
    return 0.0


def _without_buffer(structure: Structure) -> float:
    array = structure.array
    return array.columns * (structure.finish_registers + array.cell.parameter_registers(array))


def _lanes(entry: str) -> Bits:
    return lambda structure: structure.array.columns * lane_parts().get(entry, 0)


def _rows(entry: str) -> Bits:
    return lambda structure: row_parts(structure).get(entry, 0)


UNIT = ("add", "compare", "mux", "multiply", "register")
BLOCKS: dict[str, Block] = {block.name: block for block in (
    Block("encoder", "encoder", (r"core\.front\.encoder_\d+",), ("encode.*", "distance_steps", "compares",
          "codebook_read_bits"), ("encoder", "codebooks"), ("encoder",), engines=("lookup",)),
    Block("level-encoder", "encoder of levels", (r"core\.front\.encoder_\d+",), ("encode.*", "compares"), ("encoder",),
          ("encoder",), engines=("dln-row", "dln-column")),
    Block("array", "array of cells with its adder trees", (r"core\.cells",), ARRAY, ("cells", "adds", "clock", "fill"),
          ("cells", "adders"), own={"adders.register": _in_array, "adders.add": _tree_adds}, issue=_in_array),
    Block("cells", "rows of table cells", (r"core\.cells\.row_\d+",), ("cell_.*", "table_(reads|writes)", "issue.*"),
          ("cells", "adds", "clock", "fill"), ("cells", "adders"), engines=("lookup", "dln-row"),
          own={"adders.register": _terms, "adders.add": _none}, issue=_terms),
    Block("burnt-tables", "rows of tables that are constants", (r"core\.cells\.row_\d+",), ("cell_.*", "table_reads",
          "issue.*"), ("cells", "adds", "clock"), ("cells", "adders"), engines=("lookup",), burnt=True, workload="tile",
          own={"cells.register": _none, "adders.register": _terms, "adders.add": _none}, issue=_terms),
    Block("trees", "adder trees", (r"core\.cells\.tree_\d+",), ("tree_.*", "issue.*"), ("adds", "clock"), ("adders",),
          engines=("lookup", "dln-row", "dln-column"), issue=_in_trees,
          own={"adders.register": _in_trees, "adders.add": _tree_adds}),
    Block("products", "merged multipliers", (r"core\.cells\.products",), ("cell_.*", "multipl.*", "tree_.*"),
          ("cells", "adds"), ("cells", "adders"), engines=("mac",),
          own={"cells.register": _none, "adders.register": _in_array, "adders.add": _tree_adds}),
    Block("builders", "online table builders", (r"core\.cells\.row_\d+\.builder",), ("cell_add_bits",), ("cells",), (),
          engines=("lut-tc",), own={"cells.register": _none}),
    Block("vector-builder", "order of online tables", (r"core\.sequencer\.builder",), (), ("control",), (),
          engines=("vec-lut",)),
    Block("accumulators", "accumulators", (r"core\.accumulator",), ("accumulator_adds", "issue.*"), ("adds", "clock"),
          ("adders",), memories=False, own={"adders.register": _accumulated, "adders.add": _accumulated},
          issue=_accumulated),
    Block("finisher", "finisher", (r"core\.finisher",), ("finish.*", "parameter_bits"), ("finisher", "clock", "fill"),
          ("finisher",), own={"finisher.register": _without_buffer}),
    Block("add", "residual adder", (r"core\.add",), ("residual_adds",), ("add",), ("add",), workload="residual"),
    Block("function-unit", "function unit", (r"core\.finisher\.function_\d+",), ("function_.*",), ("functions",),
          ("functions",), workload="function", own={f"functions.{entry}": _lanes(entry) for entry in UNIT}),
    Block("row-unit", "row unit", (r"core\.front\.rows",), ("function_.*",), ("functions",), ("functions",),
          memories=False, workload="norm", own={f"functions.{entry}": _rows(entry) for entry in UNIT}),
    Block("gather", "window former", (r"core\.front\.(gather|arranger)",), ("gather.*", "address_bits"), ("gather",),
          ("gather",)),
    Block("pool", "pool's tree", (r"core\.front\.pool",), ("pool.*",), ("pool",), (), workload="pool"),
    Block("control", "sequencer, feeder, placer and writer",
          (r"core\.(sequencer|front\.feeder|front\.codebooks|placer|writer)",), ("program_read_bits",),
          ("control", "program"), ("control",), memories=False))}


def block_of(name: str) -> Block:
    """The block of that name; ``ValueError`` for an unknown one."""
    if name not in BLOCKS:
        raise ValueError(f"block must be one of {', '.join(BLOCKS)}, not {name}")
    return BLOCKS[name]
