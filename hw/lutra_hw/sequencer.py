"""The sequencer: descriptor, feeder, loader and walker, and the credits between them."""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from lutra_model.params import Array
from lutra_model.schedule import Pipeline

from .descriptor import Descriptor, settings
from .feeder import Feeder, placement
from .loader import Loader, parameter_write, table_write
from .signals import delay
from .walker import Walker, issue

__all__ = ["Sequencer"]


class Sequencer(wiring.Component):
    """Walks the tiles of a layer in the order, and with the credits, of docs/hardware.md.

    Members
    -------
    command, tables : the command and the table stream.
    valid, ready : handshake of the activation stream.
    beat : where the activation beat taken in this cycle goes.
    indexed : a word of the index memory is complete with this cycle's write.
    table, parameter, turn : see `Loader`.
    row : the activation row issued in this cycle.
    room : the output buffer has a place for it.
    done : the layer's last output beat leaves.
    settings : of the running layer.
    """

    def __init__(self, array: Array):
        self.array = array
        super().__init__({
            "command": In(stream.Signature(32)), "tables": In(stream.Signature(8 * array.columns)),
            "valid": In(1), "ready": Out(1), "beat": Out(placement(array)), "indexed": In(1),
            "table": Out(table_write(array)), "parameter": Out(parameter_write(array)), "turn": Out(1),
            "row": Out(issue(array)), "room": In(1), "done": In(1), "settings": Out(settings(array))})

    def elaborate(self, platform):
        m = Module()
        m.submodules.descriptor = descriptor = Descriptor(self.array)
        m.submodules.feeder = feeder = Feeder(self.array)
        m.submodules.loader = loader = Loader(self.array)
        m.submodules.walker = walker = Walker(self.array)
        connect(m, flipped(self.command), descriptor.i)
        connect(m, flipped(self.tables), loader.i)
        connect(m, flipped(self.table), loader.table)
        connect(m, flipped(self.parameter), loader.parameter)
        connect(m, flipped(self.beat), feeder.o)
        connect(m, flipped(self.row), walker.o)
        for name in self.settings.signature.members:
            value = getattr(descriptor.settings, name)
            m.d.comb += [getattr(unit.settings, name).eq(value) for unit in (feeder, loader, walker)]
            m.d.comb += getattr(self.settings, name).eq(value)
        m.d.comb += [unit.start.eq(descriptor.start) for unit in (feeder, loader, walker)]
        released = Signal()  # a column tile's last row will have left the finisher when this is over
        m.d.comb += [
            descriptor.done.eq(self.done), self.turn.eq(loader.turn),
            feeder.valid.eq(self.valid), self.ready.eq(feeder.ready), feeder.free.eq(walker.free_half),
            released.eq(delay(m, walker.o.valid & walker.o.release, Pipeline(self.array).release - 1, reset=True)),
            loader.free.eq(walker.free_table), loader.free_parameters.eq(released),
            walker.indexed.eq(self.indexed), walker.loaded.eq(loader.some), walker.room.eq(self.room)]
        return m
