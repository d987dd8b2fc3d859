"""Distance of a sub-vector to one centroid."""

from amaranth.hdl import Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from lutra_model.params import Metric

__all__ = ["Distance", "distance_width"]


def distance_width(length: int, metric: Metric) -> int:
    """Bits of the distance of two INT8 sub-vectors."""
    growth = (length - 1).bit_length()
    return {Metric.L2: 16 + growth, Metric.L1: 8 + growth, Metric.CHEBYSHEV: 8}[metric]


class Distance(wiring.Component):
    """Squared L2, L1 or Chebyshev distance of ``a`` and ``p``.

    Latency is 2 cycles (lanes; sum or maximum), throughput one pair in a cycle.

    Parameters
    ----------
    length : scalars of a sub-vector.
    metric : the distance.

    Members
    -------
    enable : a pair is at the first stage (bit 0), at the second (bit 1).
    a, p : sub-vector and centroid.
    o : their distance.
    """

    enable: Signal
    a: data.View
    p: data.View
    o: Signal

    def __init__(self, *, length: int, metric: Metric):
        self.length = length
        self.metric = metric
        vector = data.ArrayLayout(signed(8), length)
        super().__init__({"enable": In(2), "a": In(vector), "p": In(vector),
                          "o": Out(distance_width(length, metric))})

    def elaborate(self, platform):
        m = Module()
        lanes = [Signal(16 if self.metric is Metric.L2 else 8, name=f"lane_{v}", reset_less=True)
                 for v in range(self.length)]
        for v, lane in enumerate(lanes):
            difference = Signal(signed(9), name=f"difference_{v}")
            m.d.comb += difference.eq(self.a[v] - self.p[v])
            with m.If(self.enable[0]):
                m.d.sync += lane.eq(self._lane(difference))
        merged = Signal.like(self.o, reset_less=True)
        m.d.comb += self.o.eq(merged)
        with m.If(self.enable[1]):
            m.d.sync += merged.eq(self._merge(m, lanes))
        return m

    def _lane(self, difference: Value) -> Value:
        if self.metric is Metric.L2:
            return difference * difference
        return Mux(difference < 0, -difference, difference)

    def _merge(self, m: Module, lanes: list[Signal]) -> Value:
        """Balanced tree of adders or maxima."""
        values: list[Value] = list(lanes)
        while len(values) > 1:
            pairs = [self._pair(m, a, b) for a, b in zip(values[::2], values[1::2], strict=False)]
            values = pairs + values[len(pairs) * 2:]
        return values[0]

    def _pair(self, m: Module, a: Value, b: Value) -> Value:
        merged = Mux(a < b, b, a) if self.metric is Metric.CHEBYSHEV else a + b
        named = Signal.like(merged, name="pair")
        m.d.comb += named.eq(merged)
        return named
