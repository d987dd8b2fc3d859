"""The machine of docs/hardware.md: the top of the hardware."""

from amaranth.hdl import Cat, Module, Mux, ResetInserter, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect

from lutra_model.bare import Bare
from lutra_model.operation import Error
from lutra_model.params import Array
from lutra_model.schedule import Pipeline

from .bare_array import BareArray
from .bare_vector import BareVector
from .commands import Commands
from .core import Core
from .engines import beat_width, engine_of
from .output_buffer import OutputBuffer
from .signals import sink_ports, take
from .status import Status
from .verilog import convert

__all__ = ["Machine", "machine_of", "verilog"]


class Machine(wiring.Component):
    """Runs networks as the commands say, with the timing of docs/hardware.md.

    Members
    -------
    s_axis_cmd, s_axis_act, s_axis_table : AXI4-Stream inputs (``_tdata``, ``_tvalid``, ``_tready``; but for the first
        ``_tlast``).
    m_axis : AXI4-Stream output (``_tdata``, ``_tkeep``, ``_tlast``, ``_tvalid``, ``_tready``).
    status : state, error, and where or how often.
    """

    def __init__(self, array: Array):
        self.array = array
        columns = array.columns
        super().__init__({
            **sink_ports("s_axis_cmd", 32), **sink_ports("s_axis_act", 8 * columns, last=True),
            **sink_ports("s_axis_table", beat_width(array), last=True),
            "m_axis_tdata": Out(8 * columns), "m_axis_tkeep": Out(columns), "m_axis_tlast": Out(1),
            "m_axis_tvalid": Out(1), "m_axis_tready": In(1), "status": Out(32)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.commands = commands = Commands(self.array)
        m.submodules.status = status = Status()
        core, stopped = (engine_of(self.array).core or Core)(self.array), Signal()
        m.d.sync += stopped.eq(status.failed)  # from a register, for it goes everywhere
        m.submodules.core = ResetInserter(stopped)(core)
        connect(m, take(m, self, "s_axis_cmd"), commands.i)
        connect(m, commands.program, core.program)
        connect(m, commands.codebook, core.codebook)
        connect(m, commands.table, core.table)
        if self.array.functions:
            connect(m, commands.function, core.function)
        left = self._output(m, core, status, ~stopped)
        self._input(m, commands, core, status)
        m.d.comb += [
            core.run.eq(commands.run), core.address.eq(commands.address), core.runs.eq(commands.count),
            commands.ended.eq(core.ended), commands.failed.eq(status.failed), status.run.eq(commands.run),
            status.finished.eq(core.finished & ~stopped), status.ended.eq(core.ended & ~stopped),
            status.clear.eq(commands.clear),
            status.watched.eq(commands.watched), status.patience.eq(commands.patience),
            status.moving.eq(core.moving | left), self.status.eq(status.status),
            status.fault.eq(Mux(commands.fault != Error.NONE, commands.fault, Mux(stopped, Error.NONE, core.fault))),
            status.place.eq(core.place)]
        return m

    def _input(self, m: Module, commands: Commands, core: wiring.Component, status: Status) -> None:
        """Commands or the loader take table beats; a machine that has failed drops what comes."""
        beats = take(m, self, "s_axis_act", drop=status.failed)
        tables = take(m, self, "s_axis_table", drop=status.failed)
        connect(m, beats, core.activations)
        for user in (commands, core):
            m.d.comb += [user.tables.valid.eq(tables.valid), user.tables.payload.eq(tables.payload)]
        m.d.comb += tables.ready.eq(commands.tables.ready | core.tables.ready)

    def _output(self, m: Module, core: wiring.Component, status: Status, goes: Value) -> Signal:
        """The output buffer outlives failures and takes what comes while the core ``goes``; a beat leaves."""
        array = self.array
        width = len(core.data) + len(core.last) + 1
        m.submodules.buffer = buffer = OutputBuffer(width=width, depth=Pipeline(array).buffer)
        last, left = Signal.like(core.last), Signal()
        m.d.comb += [
            buffer.reserve.eq(core.reserve & goes), core.room.eq(buffer.room), buffer.forget.eq(status.failed),
            buffer.write.eq(core.beat & goes), buffer.data.eq(Cat(core.data, core.last, core.end)),
            Cat(self.m_axis_tdata, last, self.m_axis_tlast).eq(buffer.o.payload),
            self.m_axis_tkeep.eq(Cat(last >= column for column in range(array.columns))),
            self.m_axis_tvalid.eq(buffer.o.valid), buffer.o.ready.eq(self.m_axis_tready),
            left.eq(buffer.o.valid & buffer.o.ready), core.emptied.eq(buffer.emptied)]
        return left


def machine_of(array: Array) -> wiring.Component:
    """The machine of an array, or a bare one; both have the same streams."""
    if isinstance(array, Bare):
        return (BareVector if array.cell.vector else BareArray)(array)
    return Machine(array)


def verilog(array: Array, name: str = "lutra") -> str:
    """Verilog of the machine with top module ``name``."""
    return convert(machine_of(array), name)
