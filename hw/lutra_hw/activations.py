"""Activation memory: two sides of banks, read by windows and by the add stage, written by results."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from lutra_model.operation import Error
from lutra_model.params import Array

from .signals import bits, delay

__all__ = ["ActivationMemory", "activation_read", "activation_write", "bank_bits", "bank_rows"]


def bank_bits(array: Array) -> int:
    """Low bits of an address: its bank."""
    return array.banks.bit_length() - 1


def bank_rows(array: Array) -> int:
    """Words of a bank."""
    return -(-array.activation_words // array.banks)


def activation_read(array: Array) -> wiring.Signature:
    """Read of ``output_words`` words at following addresses."""
    return wiring.Signature({"en": Out(1), "side": Out(1), "address": Out(32)})


def activation_write(array: Array) -> wiring.Signature:
    """Write of ``count`` words at following addresses, the first lowest."""
    return wiring.Signature({"en": Out(1), "side": Out(1), "address": Out(32), "count": Out(range(array.banks + 1)),
                             "data": Out(8 * array.word * array.banks)})


class ActivationMemory(wiring.Component):
    """Word ``a`` of a side is word ``a div banks`` of bank ``a mod banks``.

    What is read comes in the cycle after ``used``, two cycles after ``residual.en``; what is written in cycle c is
    there for a read from ``c + 2`` on (``used``), ``c + 1`` on (``residual.en``). Each takes one beat in a cycle.

    Members
    -------
    source_side : the side of gathered words; a residual is read from the other.
    used, rows : banks to gather from, the word of each.
    data : the words, bank 0 lowest.
    residual, residual_data : read of ``output_words`` words, and what it reads, the first word lowest.
    write : a write.
    fault : READ or WRITE where the residual's first word, or a word written, lies beyond the memory.
    """

    def __init__(self, array: Array):
        self.array = array
        super().__init__({
            "source_side": In(1), "used": In(array.banks),
            "rows": In(data.ArrayLayout(bits(bank_rows(array)), array.banks)),
            "data": Out(8 * array.word * array.banks),
            "residual": In(activation_read(array)), "residual_data": Out(8 * array.columns),
            "write": In(activation_write(array)), "fault": Out(Error)})

    def elaborate(self, platform):
        m = Module()
        array, write, residual = self.array, self.write, self.residual
        words, width = array.activation_words, 8 * array.word
        with m.If(residual.en & (residual.address >= words)):
            m.d.comb += self.fault.eq(Error.READ)
        beyond = Signal()
        m.d.comb += beyond.eq(write.address + write.count > words)
        with m.If(write.en & beyond):
            m.d.comb += self.fault.eq(Error.WRITE)
        write_used, write_rows = self._banks(m, "write", write.en & ~beyond, write.address, write.count)
        read_used, read_rows = self._banks(m, "read", residual.en, residual.address, array.output_words)
        stored, side = self._stored(m), Signal(reset_less=True)
        with m.If(write.en):
            m.d.sync += side.eq(write.side)
        read = []
        for number in range(2):
            gathers, words_read = Signal(name=f"gathers_{number}"), []
            m.d.comb += gathers.eq(self.source_side == number)
            for bank in range(array.banks):
                memory = Memory(shape=width, depth=bank_rows(array), init=[])
                m.submodules[f"side_{number}_bank_{bank}"] = memory
                into, out = memory.write_port(), memory.read_port()
                m.d.comb += [into.en.eq(write_used[bank] & (side == number)), into.addr.eq(write_rows[bank]),
                             into.data.eq(stored[bank]), out.en.eq(Mux(gathers, self.used[bank], read_used[bank])),
                             out.addr.eq(Mux(gathers, self.rows[bank], read_rows[bank]))]
                words_read.append(out.data)
            read.append(Cat(words_read))
        m.d.comb += self.data.eq(Mux(self.source_side, read[1], read[0]))
        self._residual(m, Mux(self.source_side, read[0], read[1]))
        return m

    def _banks(self, m: Module, name: str, en: Value, address: Value, count: Value | int) -> tuple[Signal, list[Value]]:
        """Registers: the banks of ``count`` words from ``address`` on, and the word of each bank."""
        banks, low = self.array.banks, address[:bank_bits(self.array)]
        used, wrapped = Signal(banks, name=f"{name}_used"), Signal(banks, name=f"{name}_wrapped", reset_less=True)
        row = Signal(bits(bank_rows(self.array)), name=f"{name}_row", reset_less=True)
        places = Signal(2 * banks, name=f"{name}_places")  # those past the banks begin again at bank 0, a word higher
        ones = Cat(place < count for place in range(banks))
        m.d.comb += places.eq(ones << low)
        m.d.sync += used.eq(0)
        with m.If(en):
            m.d.sync += [used.eq(places[:banks] | places[banks:]), wrapped.eq(places[banks:]),
                         row.eq(address[bank_bits(self.array):])]
        above = Signal.like(row, name=f"{name}_above")
        m.d.comb += above.eq(row + 1)
        return used, [Mux(wrapped[bank], above, row) for bank in range(banks)]

    def _stored(self, m: Module) -> list[Signal]:
        """Registers: the word to be written of each bank."""
        width, rotated = 8 * self.array.word, self.write.data
        for bit in range(bank_bits(self.array)):
            stage, by = Signal.like(self.write.data, name=f"rotated_{bit}"), width << bit
            m.d.comb += stage.eq(Mux(self.write.address[bit], rotated.rotate_left(by), rotated))
            rotated = stage
        stored = [Signal(width, name=f"stored_{bank}", reset_less=True) for bank in range(self.array.banks)]
        with m.If(self.write.en):
            m.d.sync += Cat(stored).eq(rotated)
        return stored

    def _residual(self, m: Module, words: Value) -> None:
        """Words in the order of their addresses: after each step only those that can still be needed."""
        width, low = 8 * self.array.word, delay(m, self.residual.address[:bank_bits(self.array)], 2)
        read = Signal(len(words))
        m.d.comb += read.eq(words)
        words = Cat(read, read)
        for bit in reversed(range(bank_bits(self.array))):
            stage = Signal(width * min(self.array.output_words + (1 << bit) - 1, 2 * self.array.banks),
                           name=f"ordered_{bit}")
            m.d.comb += stage.eq(Mux(low[bit], words[width << bit:], words))
            words = stage
        m.d.comb += self.residual_data.eq(words)
