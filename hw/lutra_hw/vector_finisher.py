"""The finisher of a vector machine: all columns are tokens of one output and share its parameters."""

from amaranth.hdl import Module, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from .engines import engine_of
from .finisher import Finisher
from .signals import delay

__all__ = ["VectorFinisher"]


class VectorFinisher(Finisher):
    """As `Finisher`, with the parameters of one output, which come with its totals.

    Members
    -------
    parameters : bytes of the output whose totals are at ``i``.
    """

    def _ports(self) -> dict[str, wiring.Member]:
        return {"parameters": In(8 * engine_of(self.array).parameters)}

    def _parameter(self, m: Module, byte: int, later: int = 0) -> Value:
        return delay(m, self.parameters.word_select(byte, 8), later).replicate(self.array.columns)
