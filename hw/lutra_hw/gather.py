"""Gathers the words of a window, one for each lane."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from lutra_model.operation import Kind
from lutra_model.params import Array

from .activations import bank_bits, bank_rows
from .settings import settings
from .signals import bits, chain, delay
from .walk import PIXEL

__all__ = ["Gather"]


class Gather(wiring.Component):
    """One word for each lane that is on and inside the image; padding for the others.

    Latency is ``Pipeline.fetch`` = 6 cycles (bounds, lane addresses, rows by bank, memory read, its words, words by
    lane), throughput one window in a cycle.

    Members
    -------
    settings : of the running operation.
    valid, base, py, px, last_group : a window: base address, first pixel, whether its group is the last.
    used, rows : banks to read, the word of each; three cycles after ``valid``.
    data : what they hold, two cycles after ``used``.
    words : lane 0 lowest, six cycles after ``valid``.
    beyond, conflict : an address beyond the memory; two words in one bank. Three cycles after ``valid``.
    """

    def __init__(self, array: Array):
        self.array = array
        super().__init__({
            "settings": In(settings(array)), "valid": In(1), "base": In(32), "py": In(PIXEL), "px": In(PIXEL),
            "last_group": In(1), "used": Out(array.banks),
            "rows": Out(data.ArrayLayout(bits(bank_rows(array)), array.banks)),
            "data": In(8 * array.word * array.banks), "words": Out(8 * array.word * array.lanes),
            "beyond": Out(1), "conflict": Out(1)})

    def elaborate(self, platform):
        m = Module()
        valid = chain(m, self.valid, 5, reset=True)
        active, addresses = self._addresses(m, valid)
        beyond = Signal.like(active)
        m.d.comb += beyond.eq(Cat(address >= self.array.activation_words for address in addresses))
        m.d.sync += self.beyond.eq(valid[2] & (active & beyond).any())
        self._read(m, valid[2], active, addresses)
        reading = delay(m, active, 3)
        banks = [delay(m, address[:bank_bits(self.array)], 3) for address in addresses]
        self._words(m, valid[5], reading, banks)
        return m

    def _addresses(self, m: Module, valid: list[Value]) -> tuple[Signal, list[Value]]:
        """Registers: which lanes are on and inside the image, and their addresses, two cycles after ``valid``.

        Addresses are cut to the bits that tell whether they lie in memory, given that the base does not lie so far
        off that no offset could bring it back.
        """
        operation, width = self.settings, max((self.array.activation_words - 1).bit_length(), 16) + 1
        top, bottom = self._bounds(m, "y", self.py, operation.height)
        left, right = self._bounds(m, "x", self.px, operation.width)
        active, far, addresses = Signal(self.array.lanes, reset_less=True), Signal(reset_less=True), []
        base, last_group = delay(m, self.base, 1), delay(m, self.last_group, 1)
        high = base[width - 1:]
        with m.If(valid[1]):
            m.d.sync += far.eq(high.any() & ~high.all())
        for number in range(self.array.lanes):
            lane, address = operation.lanes[number], Signal(width, name=f"address_{number}", reset_less=True)
            inside = Signal(name=f"inside_{number}")
            m.d.comb += inside.eq((lane.dy >= top) & (lane.dy < bottom) & (lane.dx >= left) & (lane.dx < right)
                                  & Mux(last_group, lane.enabled_last, lane.enabled))
            with m.If(valid[1]):
                m.d.sync += active[number].eq(inside)
                with m.If(inside):
                    m.d.sync += address.eq(base + lane.offset)
            addresses.append(Cat(address, far))
        return active, addresses

    def _bounds(self, m: Module, name: str, first: Value, size: Value) -> tuple[Signal, Signal]:
        """Registers: lanes lie inside the image from the first distance on and before the second."""
        bounds = []
        for bound, value in [("low", -first), ("high", size - first)]:
            distance = Signal.like(value, name=f"{bound}_{name}")
            cut = Signal(8, name=f"{bound}_{name}_cut", reset_less=True)
            m.d.comb += distance.eq(value)
            m.d.sync += cut.eq(Mux(distance < 0, 0, Mux(distance[7:].any(), 128, distance)))
            bounds.append(cut)
        return bounds[0], bounds[1]

    def _read(self, m: Module, asked: Value, active: Signal, addresses: list[Value]) -> None:
        """Registers: each bank gets the row of the lane that reads it; which banks are asked once, which twice."""
        array, low = self.array, bank_bits(self.array)
        asks = [Signal(array.banks, name=f"asks_{lane}") for lane in range(array.lanes)]
        m.d.comb += [ask.eq((active[lane] & asked) << address[:low])
                     for lane, (ask, address) in enumerate(zip(asks, addresses, strict=True))]
        self._rows(m, asks, addresses)
        level: list[tuple[Value, Value]] = [(ask, Value.cast(0)) for ask in asks]
        while len(level) > 1:
            pairs = [self._merge(m, a, b) for a, b in zip(level[::2], level[1::2], strict=False)]
            level = pairs + level[len(pairs) * 2:]
        twice = delay(m, level[0][1], 1, reset=True)
        m.d.sync += self.used.eq(level[0][0])
        m.d.comb += self.conflict.eq(twice.any())

    def _rows(self, m: Module, asks: list[Signal], addresses: list[Value]) -> None:
        """Registers: for each bank the row of the lane that asks it."""
        low, width = bank_bits(self.array), bits(bank_rows(self.array))
        for bank, row in enumerate(self.rows):
            asked: Value = Const(0)
            for ask, address in zip(asks, addresses, strict=True):
                asked = asked | address[low:low + width] & ask[bank].replicate(width)
            m.d.comb += row.eq(delay(m, asked, 1))

    @staticmethod
    def _merge(m: Module, a: tuple[Value, Value], b: tuple[Value, Value]) -> tuple[Value, Value]:
        once, twice = Signal.like(a[0], name="once"), Signal.like(a[0], name="twice")
        m.d.comb += [once.eq(a[0] | b[0]), twice.eq(a[1] | b[1] | a[0] & b[0])]
        return once, twice

    def _words(self, m: Module, valid: Value, reading: Signal, banks: list[Signal]) -> None:
        """Registers: each lane's word, or padding."""
        array, width = self.array, 8 * self.array.word
        padding = Signal(width)
        with m.If((self.settings.kind == Kind.POOL) & self.settings.maximum):
            m.d.comb += padding.eq(Value.cast(0x80).replicate(array.word))
        place = bits(width)
        fields = Signal(array.banks << place)
        m.d.comb += (fields.word_select(bank, 1 << place).eq(self.data.word_select(bank, width))
                     for bank in range(array.banks))
        words = Signal.like(self.words, reset_less=True)
        m.d.comb += self.words.eq(words)
        with m.If(valid):
            for lane, bank in enumerate(banks):
                word = (fields >> Cat(Const(0, place), bank))[:width]
                m.d.sync += words.word_select(lane, width).eq(Mux(reading[lane], word, padding))
