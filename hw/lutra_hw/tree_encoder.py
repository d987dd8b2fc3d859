"""Encoder that walks down a decision tree: one comparison for each level instead of a distance for each entry."""

from amaranth.hdl import Array as Choice
from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib import wiring

from lutra_model.params import Array

from .engines import encoder_signature
from .signals import delay

__all__ = ["TreeEncoder", "tree_bits", "tree_levels", "tree_words"]


def tree_levels(array: Array) -> int:
    """Comparisons of a sub-vector."""
    return array.entries.bit_length() - 1


def _dim(array: Array) -> int:
    """Bits that name a scalar of a sub-vector; none for the only one."""
    return (array.length - 1).bit_length()


def tree_bits(array: Array) -> int:
    """Bits of a tree: thresholds of a byte each, then the scalar that each level compares."""
    return 8 * (array.entries - 1) + tree_levels(array) * _dim(array)


def tree_words(array: Array) -> int:
    """Bytes that carry a tree."""
    return -(-tree_bits(array) // 8)


class TreeEncoder(wiring.Component):
    """Index of the leaf that a sub-vector comes to: ``index = 2 * index + (scalar > threshold)`` at each level.

    A tree is ``tree_words`` bytes, one after the other, bit after bit: the thresholds (int8, the root first, then level
    by level, each from the lowest path), then the number of the scalar that each level compares. It holds two trees:
    the one in use, and the one that is being loaded. Sub-vectors of both may be under way: a level takes its new
    thresholds when the first sub-vector of the new tree gets to it, so what was loaded must stay for ``levels`` cycles
    after ``turn``.

    Latency is ``2 + levels`` cycles (sub-vector register, the scalars that are compared, one for each level),
    throughput one sub-vector in a cycle, with one comparison at each level.

    Members
    -------
    load, centroid : the following byte of the next tree. entry : its number, without meaning here.
    turn : the next tree is used, from the sub-vector that comes in this cycle on.
    vector, data : a sub-vector.
    entry_mask : without meaning here: a shallower tree has thresholds of 127 in its first levels.
    o : the index.
    """

    def __init__(self, array: Array):
        self.array = array
        super().__init__(encoder_signature(array))

    def elaborate(self, platform):
        m = Module()
        array = self.array
        levels, width = tree_levels(array), _dim(array)
        vector = Signal(8 * array.length, reset_less=True)
        with m.If(self.vector):
            m.d.sync += vector.eq(self.data)
        loaded = self._loaded(m)
        dims = Signal(levels * width, reset_less=True)
        with m.If(self.turn):
            m.d.sync += dims.eq(loaded[8 * (array.entries - 1):])
        lanes = Choice(vector.word_select(lane, 8).as_signed() for lane in range(array.length))
        compared = [lanes[dims.word_select(level, width)] if width else lanes[0] for level in range(levels)]
        active, turn = delay(m, self.vector, 1, reset=True), delay(m, self.turn, 1, reset=True)
        compared, active = self._registers(m, compared, active)
        index: Value = Const(0, 0)
        for level in range(levels):
            index = self._level(m, level, compared[0], index, loaded, turn, active)
            turn = delay(m, turn, 1, reset=True)
            compared, active = self._registers(m, compared[1:], active)
        m.d.comb += self.o.eq(index)
        return m

    def _loaded(self, m: Module) -> Value:
        """The tree that is being loaded."""
        loaded = Signal(8 * tree_words(self.array), reset_less=True)
        with m.If(self.load):
            m.d.sync += loaded.eq(Cat(loaded[8:], self.centroid))
        return loaded[:tree_bits(self.array)]

    @staticmethod
    def _registers(m: Module, values: list[Value], enable: Value) -> tuple[list[Value], Value]:
        """The scalars that the levels to come compare, one stage further, and that stage's enable."""
        held: list[Value] = []
        for value in values:
            register = Signal.like(value, name="compared", reset_less=True)
            with m.If(enable):
                m.d.sync += register.eq(value)
            held.append(register)
        return held, delay(m, enable, 1, reset=True)

    @staticmethod
    def _level(m: Module, level: int, scalar: Value, index: Value, loaded: Value, turn: Value, active: Value) -> Value:
        """One comparison; the level's thresholds change with ``turn``."""
        first, nodes = (1 << level) - 1, 1 << level
        thresholds = Signal(8 * nodes, name=f"thresholds_{level}", reset_less=True)
        with m.If(turn):
            m.d.sync += thresholds.eq(loaded[8 * first:8 * (first + nodes)])
        above, following = Signal(name=f"above_{level}"), Signal(level + 1, name=f"index_{level}", reset_less=True)
        m.d.comb += above.eq(scalar > thresholds.word_select(index, 8).as_signed())
        with m.If(active):
            m.d.sync += following.eq(Cat(above, index))
        return following
