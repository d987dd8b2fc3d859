"""What encoders find: distances, the nearest centroid, a tree's leaf, a level's code, a table of signed sums."""

from amaranth.hdl import Array, Assert, Assume, Cat, Const, Module, Mux, Value

from lutra_hw.distance import Distance
from lutra_hw.encoder import Encoder
from lutra_hw.level_encoder import LevelEncoder
from lutra_hw.signals import delay
from lutra_hw.table_builder import TableBuilder
from lutra_hw.tree_encoder import TreeEncoder, tree_bits, tree_levels, tree_words
from lutra_model.params import Metric
from lutra_model.schedule import Pipeline

from .cells import becomes, comes_to, since_reset, total
from .prove import Statement

__all__ = ["BuildsTable", "CodesLevel", "FindsLeaf", "FindsNearest", "MeasuresDistance", "distance"]


def distance(metric: Metric, a: list[Value], p: list[Value]) -> Value:
    """The sum of squares or of magnitudes, or the largest magnitude."""
    lanes = [x - y for x, y in zip(a, p, strict=True)]
    lanes = [lane * lane if metric is Metric.L2 else abs(lane) for lane in lanes]
    if metric is not Metric.CHEBYSHEV:
        return total(lanes)
    largest: Value = Const(0)
    for lane in lanes:
        largest = Mux(lane > largest, lane, largest)
    return largest


def _scalars(vector: Value, length: int) -> list[Value]:
    return [vector.word_select(n, 8).as_signed() for n in range(length)]


class MeasuresDistance(Statement):
    """A distance unit gives the distance of its metric."""

    part: Distance

    def claim(self, m: Module) -> None:
        part = self.part
        comes_to(m, list(part.enable), distance(part.metric, list(part.a), list(part.p)), part.o)


class FindsNearest(Statement):
    """An encoder gives the lowest index of those that the mask has whose centroid is nearest.

    The mask is the operation's: it has the first entries, one at least, and does not change. A turn in the sub-vector's
    own cycle counts. Centroids in use change only at a turn, to those loaded before it.
    """

    part: Encoder

    def claim(self, m: Module) -> None:
        part, array = self.part, self.part.array
        stages, shape = Pipeline(array).encode, 8 * array.length
        books = [[self.look(f"{name}_{entry}", shape) for entry in range(array.entries)]
                 for name in ("loaded", "working")]
        for entry, (loaded, working) in enumerate(zip(*books, strict=True)):
            becomes(m, loaded, part.load & (part.entry == entry), part.centroid)
            becomes(m, working, part.turn, loaded)
        mask = part.entry_mask
        m.d.comb += Assume(mask[0] & ((mask & (mask + 1)) == 0) & (~since_reset(m, 1) | (mask == delay(m, mask, 1))))
        vector = _scalars(delay(m, part.data, 1), array.length)
        far = [distance(array.metric, vector, _scalars(working, array.length)) for working in books[1]]
        far = [delay(m, value, stages - 1) for value in far]
        index = Array(far)[part.o]
        nearest = Cat(~mask[entry] | Mux(part.o > entry, index < value, index <= value)
                      for entry, value in enumerate(far)).all() & mask.bit_select(part.o, 1)
        went = since_reset(m, stages) & delay(m, part.vector, stages)
        m.d.comb += Assert(~went | nearest)


class FindsLeaf(Statement):
    """A tree encoder gives the leaf, if no other tree takes the place of its own on the way.

    Thresholds change only when a turn has come to their level, to those loaded.
    """

    part: TreeEncoder

    def claim(self, m: Module) -> None:
        part, array = self.part, self.part.array
        levels, width = tree_levels(array), (array.length - 1).bit_length()
        loaded = self.look("loaded", 8 * tree_words(array))
        becomes(m, loaded, part.load, Cat(loaded[8:], part.centroid))
        tree, first = loaded[:tree_bits(array)], 8 * (array.entries - 1)
        dims = self.look("dims", levels * width)
        becomes(m, dims, part.turn, tree[first:])
        index: Value = Const(0, 0)
        lanes = Array(_scalars(delay(m, part.data, 2 + levels), array.length))
        for level in range(levels):
            thresholds = self.look(f"thresholds_{level}", 8 << level)
            becomes(m, thresholds, delay(m, part.turn, level + 1), tree[8 * ((1 << level) - 1):][:len(thresholds)])
            above = lanes[dims.word_select(level, width)] > thresholds.word_select(index, 8).as_signed()
            index = Cat(above, index)
        turned = Cat(delay(m, part.turn, cycles) for cycles in range(1, 3 + 2 * levels)).any()
        went = since_reset(m, 2 + levels) & delay(m, part.vector, 2 + levels) & ~turned
        m.d.comb += Assert(~went | (part.o == index))


class CodesLevel(Statement):
    """A level encoder gives the clamped level modulo the number of levels."""

    part: LevelEncoder

    def claim(self, m: Module) -> None:
        part = self.part
        operation = Cat(part.zero, part.last)
        m.d.comb += Assume((part.zero <= part.last) & (part.last < 1 << len(part.o))
                           & (~since_reset(m, 1) | (operation == delay(m, operation, 1))))
        level = delay(m, part.data.as_signed(), 2)
        low, high = -part.zero, part.last - part.zero
        level = Mux(level > high, high, Mux(level < low, low, level))
        went = since_reset(m, 2) & delay(m, part.vector, 2)
        right = (part.o <= part.last) & ((part.o == level) | (part.o == level + part.last + 1))
        m.d.comb += Assert(~went | right)


class BuildsTable(Statement):
    """A table of signed sums has them all, exact."""

    part: TableBuilder

    def claim(self, m: Module) -> None:
        scalars = _scalars(self.part.i, self.part.array.length)
        m.d.comb += Assert(self.part.total == -total(scalars))
        for number, entry in enumerate(self.part.o):
            signs = [number >> place & 1 for place in range(len(scalars))]
            m.d.comb += Assert(entry == total(a if sign else -a for a, sign in zip(scalars, signs, strict=True)))
