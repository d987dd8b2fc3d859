"""What the components know of the running operation: the fields of its words in program memory."""

from amaranth.hdl import Cat, Shape, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import Out

from lutra_model.operation import FIELDS, FIXED_WORDS, LANE_FIELDS, Field, Kind
from lutra_model.params import Array

__all__ = ["LANE", "decode", "kinds", "settings"]

LANE = data.StructLayout({name: field.width for name, field in LANE_FIELDS.items()})  # as it lies in its word


def kinds(array: Array) -> list[Kind]:
    """What the machine runs."""
    return [kind for kind in Kind if array.functions or kind is not Kind.ROW]


def settings(array: Array) -> wiring.Signature:
    """Every field of an operation as it is stored (counts less one), and ``lanes``.

    Names are those of `lutra_model.operation.FIELDS`.
    """
    return wiring.Signature({
        **{name: Out(Shape(field.width, field.signed)) for name, field in FIELDS.items()},
        "lanes": Out(data.ArrayLayout(LANE, array.lanes))})


def _bits(words: Value, field: Field) -> Value:
    first = 32 * field.word + field.low
    return words[first:first + field.width]


def decode(words: Value, to: wiring.PureInterface) -> list:
    """Assignments of ``words``, an operation's in program memory (word 0 lowest), to settings."""
    lanes = words[32 * FIXED_WORDS:]
    return [*(getattr(to, name).eq(_bits(words, field)) for name, field in FIELDS.items()),
            Value.cast(to.lanes).eq(Cat(lanes.word_select(number, 32) for number in range(len(lanes) // 32)))]
