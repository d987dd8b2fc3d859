"""A small machine's run of a workload, seen at the ports of its blocks."""

from collections.abc import Sequence
from functools import cached_property
from importlib.resources import files
from pathlib import Path

import numpy as np

from lutra_hw.machine import Machine
from lutra_model import golden
from lutra_model.params import Array
from lutra_model.program import compile_network
from lutra_model.runs import Design as Costs
from lutra_model.runs import run_programs

from .. import tools
from ..generated import SOURCES
from ..library import Progress, cache_folder, cached
from ..partial import fingerprint
from . import workloads
from .blocks import Block
from .carve import Design, Part
from .measured import Ports
from .recorder import record
from .workloads import Workload

__all__ = ["Seen", "short"]

RECORDED = "recording.npz"
RECORDING = [(files(__package__) / name).read_text() for name in ("carve.py", "recorder.py")]


def short(array: Array) -> str:
    """An array for messages."""
    return f"{array.engine} {array.rows}x{array.columns}, {array.entries} entries of length {array.length}"


class Seen:
    """A machine's run of one workload; it runs when a measurement first needs it, and is kept for other libraries."""

    def __init__(self, workload: Workload, array: Array, blocks: Sequence[Block], cache: Path | None,
                 progress: Progress | None) -> None:
        self.workload, self.blocks, self.cache, self.progress = workload, blocks, cache, progress
        self.array = workloads.machine(workload, array)
        self.program = compile_network(workload.network, self.array)

    @cached_property
    def design(self) -> Design:
        """The machine."""
        return Design(Machine(self.array))

    @cached_property
    def parts(self) -> dict[str, Part]:
        """Its blocks."""
        return {block.name: block.part(self.design) for block in self.blocks}

    @cached_property
    def ports(self) -> dict[str, Ports]:
        """What they did, by block and port."""
        key = fingerprint(repr(self.array), self.workload.sha256, *((block.name, block.paths, block.memories)
                                                                    for block in self.blocks),
                          tools.versions()["amaranth"], *SOURCES, *RECORDING)
        folder = cached(self.cache or cache_folder(), f"recording-{key[:32]}", self._record)
        with np.load(folder / RECORDED) as kept:
            return {name: {port: kept[f"{name}/{port}"] for port in part.ports} for name, part in self.parts.items()}

    def _record(self, folder: Path) -> None:
        """Raises ``RuntimeError`` unless the machine's outputs are the golden model's."""
        network = self.workload.network
        if self.progress:
            self.progress(f"running {self.workload.name} on {short(self.array)}", 0, 1)
        found = record(self.design, self.parts, self.program, self.workload.inputs)
        if not np.array_equal(found.outputs, golden.run(network, self.workload.inputs)[network.nodes[-1].name]):
            raise RuntimeError(f"the machine's outputs of {network.name} are not the golden model's")
        np.savez_compressed(folder / RECORDED, allow_pickle=False, **{
            f"{name}/{port}": values for name, ports in found.ports.items() for port, values in ports.items()})
        if self.progress:
            self.progress(f"running {self.workload.name} on {short(self.array)}", 1, 1)

    def toggles(self, block: Block) -> dict[str, float]:
        """Of components, see `Block.toggles`."""
        widths = {name: len(signal) for name, signal in self.parts[block.name].ports.items()}
        return block.toggles(self.ports[block.name], widths)

    @cached_property
    def events(self) -> dict[str, int]:
        """What the cost model counts of the run, memory outside the chip left out."""
        run = run_programs(Costs("", self.array), self.workload.network, [("input", self.program)])
        return {name: value for name, value in vars(run.sums[self.array][0]).items() if name != "dram"}
