"""Addresses of results and of residuals."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from lutra_model.params import Array

from .loops import Nest
from .settings import following, settings

__all__ = ["Placer"]

LIMITS = ("block", "last_block", "column_tiles", "blocks")


class Placer(wiring.Component):
    """Places rows ``for block: for column tile: for row``: a pixel's address and the tile's steps.

    Outputs are those of the row of this cycle; throughput is one row in a cycle.

    Members
    -------
    start : an operation begins; its settings are there from the next cycle on, and so is its first row's place.
    step : a row is placed in this cycle.
    target, residual : word addresses to write to; to read from.
    edge : the row is in the last column tile. end : it is the operation's last.
    """

    def __init__(self, array: Array):
        self.array = array
        super().__init__({"start": In(1), "next": In(settings(array)), "settings": In(settings(array)), "step": In(1),
                          "target": Out(32), "residual": Out(32), "edge": Out(1), "end": Out(1)})

    def elaborate(self, platform):
        m = Module()
        layer, limits = self.settings, following(m, self.start, self.next, self.settings, LIMITS)
        m.submodules.walk = walk = Nest(row=16, column=16, block=16)
        tile, x, first_x = Signal(32), Signal(16), Signal(16)  # first_x: of the block
        end_of_line, back = Signal(), Signal()
        m.d.comb += [
            walk.step.eq(self.step),
            walk.limit.row.eq(limits["block"]), walk.other.row.eq(limits["last_block"]),
            walk.chosen.row.eq(walk.coming.block),
            walk.limit.column.eq(limits["column_tiles"]), walk.limit.block.eq(limits["blocks"]),
            self.edge.eq(walk.last.column), self.end.eq(walk.done),
            end_of_line.eq(x == layer.out_width), back.eq(walk.last.row & ~walk.last.column)]
        with m.If(self.step):
            m.d.sync += x.eq(Mux(back, first_x, Mux(end_of_line, 0, x + 1)))
            with m.If(walk.last.row):
                m.d.sync += tile.eq(Mux(walk.last.column, 0, tile + layer.tile_step))
                with m.If(walk.last.column):
                    m.d.sync += first_x.eq(Mux(end_of_line, 0, x + 1))
        with m.If(self.start):
            m.d.sync += [x.eq(0), first_x.eq(0)]
        self._address(m, self.target, tile, self.next.target,
                      Mux(end_of_line, layer.target_jump, layer.target_step), back, walk)
        self._address(m, self.residual, tile, self.next.residual_source,
                      Mux(end_of_line, layer.residual_jump, layer.residual_step), back, walk)
        return m

    def _address(self, m: Module, address: Signal, tile: Signal, origin: Signal, step: Signal, back: Signal,
                 walk: Nest) -> None:
        """An address goes from pixel to pixel, and back to the block's first for its next column tile."""
        pixel, first = Signal(32), Signal(32)  # first: of the block
        m.d.comb += address.eq(pixel + tile)
        with m.If(self.step):
            m.d.sync += pixel.eq(Mux(back, first, pixel + step))
            with m.If(walk.last.row & walk.last.column):
                m.d.sync += first.eq(pixel + step)
        with m.If(self.start):
            m.d.sync += [pixel.eq(origin), first.eq(origin)]
