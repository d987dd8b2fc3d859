"""FIGLUT's tables in Amaranth: flip-flops that are clocked in every cycle, and cells that read them."""

from collections.abc import Callable
from typing import Any

import numpy as np
from amaranth.hdl import Array as Choice
from amaranth.hdl import Module, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from numpy.typing import NDArray

from .bench import Bench, agree, facts
from .lut_tc_cells import sums

__all__ = ["GROUP", "READERS", "Table", "inputs", "measure"]

GROUP, WIDTH = 4, 16  # activations of a table; bits of an entry: mantissas aligned to one exponent
READERS = (1, 32)
HELD, TABLES = 16, 12  # cycles that a table stays, tables of a run
Ints = NDArray[np.int64]


class Table(wiring.Component):
    """A table of all signed sums of a group of activations, or half of it, with so many readers; latency 2 cycles.

    Members
    -------
    t_N : entry N, taken in every cycle. i_N : index of reader N; in half a table its highest bit, the sign, inverts the
    others and the entry. o_N, s_N : what reader N selects is ``o + s`` (s of half tables), for an accumulator to add.
    """

    def __init__(self, *, half: bool, readers: int):
        self.half, self.readers, self.entries = half, readers, 1 << GROUP - half
        ports: dict[str, Any] = {f"t_{n}": In(signed(WIDTH)) for n in range(self.entries)}
        for n in range(readers):
            ports |= {f"i_{n}": In(GROUP), f"o_{n}": Out(signed(WIDTH)), **({f"s_{n}": Out(1)} if half else {})}
        super().__init__(ports)

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        entries = [Signal(signed(WIDTH), name=f"entry_{n}", reset_less=True) for n in range(self.entries)]
        m.d.sync += [entry.eq(getattr(self, f"t_{n}")) for n, entry in enumerate(entries)]
        for n in range(self.readers):
            index = Signal(GROUP, name=f"index_{n}", reset_less=True)
            m.d.sync += index.eq(getattr(self, f"i_{n}"))
            low, sign = index[:GROUP - 1], index[GROUP - 1]
            chosen = Choice(entries)[low ^ sign.replicate(GROUP - 1) if self.half else index]
            result = Signal(signed(WIDTH), name=f"result_{n}", reset_less=True)
            m.d.sync += result.eq(chosen ^ sign.replicate(WIDTH) if self.half else chosen)
            m.d.comb += getattr(self, f"o_{n}").eq(result)
            if self.half:
                one = Signal(name=f"one_{n}", reset_less=True)
                m.d.sync += one.eq(sign)
                m.d.comb += getattr(self, f"s_{n}").eq(one)
        return m


def inputs(half: bool, readers: int, seed: int = 0) -> tuple[dict[str, Ints], Ints]:
    """Random sums that stay for `HELD` cycles, random indices in each; what is selected ``(cycles, readers)``."""
    rng = np.random.default_rng(seed)
    a = rng.integers(-2048, 2048, (TABLES, GROUP))
    whole = np.repeat(sums(a, whole=True), HELD, axis=0)
    index = rng.integers(0, 1 << GROUP, (len(whole), readers))
    ports = {f"t_{n}": whole[:, n] for n in range(1 << GROUP - half)} | {f"i_{n}": index[:, n] for n in range(readers)}
    ports = {name: np.concatenate([values, np.repeat(values[-1:], 2)]) for name, values in ports.items()}
    return ports, np.take_along_axis(whole, index, axis=1)


def measure(bench: Bench, progress: Callable[[str, int, int], None]) -> list[dict[str, Any]]:
    """Area, and femtojoules of a cycle, of both tables with few and with many readers."""
    found = list[dict[str, Any]]()
    for half in (False, True):
        for readers in READERS:
            progress("measuring tables", len(found), 4)
            name = f"{'half' if half else 'whole'} table, {readers} readers"
            netlist = bench.netlist(Table(half=half, readers=readers), name)
            ports, wanted = inputs(half, readers)
            run = bench.run(netlist, ports)
            outputs = np.stack([run.outputs[f"o_{n}"] + (run.outputs[f"s_{n}"] if half else 0)
                                for n in range(readers)], axis=1)
            agree(outputs[2:] & np.uint64((1 << WIDTH) - 1), wanted, WIDTH, name)
            found.append({"half": half, "readers": readers, **facts(netlist),
                          "energy_fj": round(1000 * run.energy.total / run.cycles, 3)})
    return found
