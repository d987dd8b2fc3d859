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


def bank_rows(array: Array, banks: int = 0) -> int:
    """Words of a bank, of so many (or of all)."""
    return -(-array.activation_words // (banks or array.banks))


def activation_read(array: Array) -> wiring.Signature:
    """Read of ``output_words`` words at following addresses."""
    return wiring.Signature({"en": Out(1), "side": Out(1), "address": Out(32)})


def activation_write(array: Array) -> wiring.Signature:
    """Write of ``count`` words at following addresses, the first lowest."""
    return wiring.Signature({"en": Out(1), "side": Out(1), "address": Out(32),
                             "count": Out(range(array.beat_words + 1)), "data": Out(8 * array.word * array.beat_words)})


class ActivationMemory(wiring.Component):
    """Word ``a`` of a side is word ``a div banks`` of bank ``a mod banks``.

    Where a beat writes fewer words than there are banks (``array.stores``), both sides share each bank, and residuals
    have a copy of all words, in as many banks of their own as a beat writes words: two memories of one side's ports
    instead of two sides'.

    What is read comes two cycles after ``used``, three cycles after ``residual.en``; what is written in cycle c is
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
        words = array.activation_words
        with m.If(residual.en & (residual.address >= words)):
            m.d.comb += self.fault.eq(Error.READ)
        beyond = write.address + write.count > words
        self._within, self._side = Signal(reset_less=True), Signal(reset_less=True)
        with m.If(write.en & beyond):
            m.d.comb += self.fault.eq(Error.WRITE)
        with m.If(write.en):
            m.d.sync += [self._side.eq(write.side), self._within.eq(~beyond)]
        self._words = self._stored(m)
        gathered, ordered = (self._copies if array.copies else self._sides)(m)
        m.d.comb += self.data.eq(delay(m, gathered, 1))
        self._residual(m, ordered)
        return m

    def _sides(self, m: Module) -> tuple[Value, Value]:
        """Two sides of banks; what is gathered from one of them, and what is read for a residual from the other."""
        written, read, both = self._written(m, "write", self.array.banks), self._read(m, self.array.banks), []
        for number in range(2):
            gathers, found = Signal(name=f"gathers_{number}"), []
            m.d.comb += gathers.eq(self.source_side == number)
            for bank, (used, row) in enumerate(zip(*read, strict=True)):
                name, ours = f"side_{number}_bank_{bank}", self._side == number
                found.append(self._bank(
                    m, name, bank, bank_rows(self.array), (written[0][bank] & ours, written[1][bank]),
                    (Mux(gathers, self.used[bank], used), Mux(gathers, self.rows[bank], row))))
            both.append(Cat(found))
        return Mux(self.source_side, both[1], both[0]), Mux(self.source_side, both[0], both[1])

    def _copies(self, m: Module) -> tuple[Value, Value]:
        """Banks of both sides to gather from, and a copy of fewer banks to read residuals from."""
        found = []
        for name, banks, read, side in [
                ("gathered", self.array.banks, (self.used, self.rows), self.source_side),
                ("residual", self.array.beat_words, self._read(m, self.array.beat_words), ~self.source_side)]:
            rows, (used, places) = bank_rows(self.array, banks), self._written(m, name, banks)
            size = bits(rows)
            found.append(Cat(self._bank(
                m, f"{name}_bank_{bank}", bank, rows + (1 << size), (used[bank], Cat(places[bank], self._side)),
                (read[0][bank], Cat(Value.cast(read[1][bank])[:size], side))) for bank in range(banks)))
        return found[0], found[1]

    def _bank(self, m: Module, name: str, bank: int, depth: int, written: tuple[Value, Value],
              read: tuple[Value, Value]) -> Value:
        """A memory with the enable and address of its write and of its read."""
        m.submodules[name] = memory = Memory(shape=8 * self.array.word, depth=depth, init=[])
        into, out = memory.write_port(), memory.read_port()
        m.d.comb += [into.en.eq(written[0]), into.addr.eq(written[1]),
                     into.data.eq(self._words[bank % self.array.beat_words]), out.en.eq(read[0]), out.addr.eq(read[1])]
        return out.data

    def _written(self, m: Module, name: str, banks: int) -> tuple[Value, list[Value]]:
        """Of registers: which of so many banks are written, and where."""
        used, places = self._banks(m, name, self.write.en, self.write.address, self.write.count, banks)
        return used & self._within.replicate(banks), places

    def _read(self, m: Module, banks: int) -> tuple[Signal, list[Value]]:
        """Registers: which of so many banks a residual is read from, and where."""
        return self._banks(m, "read", self.residual.en, self.residual.address, self.array.output_words, banks)

    def _banks(self, m: Module, name: str, en: Value, address: Value, count: Value | int,
               banks: int) -> tuple[Signal, list[Value]]:
        """Registers: the banks of ``count`` words from ``address`` on, and the word of each bank."""
        place = banks.bit_length() - 1
        used, wrapped = Signal(banks, name=f"{name}_used"), Signal(banks, name=f"{name}_wrapped", reset_less=True)
        row = Signal(bits(bank_rows(self.array, banks)), name=f"{name}_row", reset_less=True)
        places = Signal(2 * banks, name=f"{name}_places")  # those past the banks begin again at bank 0, a word higher
        ones = Cat(number < count for number in range(banks))
        m.d.comb += places.eq(ones << address[:place])
        m.d.sync += used.eq(0)
        with m.If(en):
            m.d.sync += [used.eq(places[:banks] | places[banks:]), wrapped.eq(places[banks:]), row.eq(address[place:])]
        above = Signal.like(row, name=f"{name}_above")
        m.d.comb += above.eq(row + 1)
        return used, [Mux(wrapped[bank], above, row) for bank in range(banks)]

    def _stored(self, m: Module) -> list[Signal]:
        """Registers: the words to be written, each in its place modulo ``stores``."""
        width, rotated, count = 8 * self.array.word, self.write.data, self.array.beat_words
        for bit in range(count.bit_length() - 1):
            stage, by = Signal.like(self.write.data, name=f"rotated_{bit}"), width << bit
            m.d.comb += stage.eq(Mux(self.write.address[bit], rotated.rotate_left(by), rotated))
            rotated = stage
        stored = [Signal(width, name=f"stored_{number}", reset_less=True) for number in range(count)]
        with m.If(self.write.en):
            m.d.sync += Cat(stored).eq(rotated)
        return stored

    def _residual(self, m: Module, words: Value) -> None:
        """Words in the order of their addresses: after each step only those that can still be needed."""
        width = 8 * self.array.word
        places = (len(words) // width).bit_length() - 1
        low = delay(m, self.residual.address[:places], 2)
        read = Signal(len(words))
        m.d.comb += read.eq(words)
        words = Cat(read, read)
        for bit in reversed(range(places)):
            stage = Signal(width * min(self.array.output_words + (1 << bit) - 1, 2 << places), name=f"ordered_{bit}")
            m.d.comb += stage.eq(Mux(low[bit], words[width << bit:], words))
            words = stage
        m.d.comb += self.residual_data.eq(delay(m, words[:len(self.residual_data)], 1))
