"""Addresses of results and of residuals."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from lutra_model.params import Array

from .loops import Nest, bound, stepped
from .settings import settings

__all__ = ["Placer"]

LIMITS = {"row": "block", "column": "column_tiles", "block": "blocks"}


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
        layer = self.settings
        m.submodules.walk = walk = Nest(row=16, column=16, block=16)
        bound(m, walk, self.start, self.next, layer, LIMITS)
        tile, back = Signal(32), Signal()
        m.d.comb += [
            walk.step.eq(self.step), self.edge.eq(walk.last.column), self.end.eq(walk.done),
            back.eq(walk.last.row & ~walk.last.column)]
        end_of_line = self._line(m, back, walk)
        with m.If(self.step), m.If(walk.last.row):
            m.d.sync += tile.eq(Mux(walk.last.column, 0, tile + layer.tile_step))
        self._address(m, self.target, tile, self.next.target,
                      Mux(end_of_line, layer.target_jump, layer.target_step), back, walk)
        self._address(m, self.residual, tile, self.next.residual_source,
                      Mux(end_of_line, layer.residual_jump, layer.residual_step), back, walk)
        return m

    def _line(self, m: Module, back: Signal, walk: Nest) -> Signal:
        """Register: whether the pixel is its output row's last; another holds the column of the pixel after it."""
        width, place = self.settings.out_width, data.StructLayout({"after": 16, "ends": 1})
        pixel, following, first = (Signal(place, name=name) for name in ("in_line", "following", "first_in_line"))
        after, ends = stepped(pixel.after, pixel.ends, width)
        m.d.comb += [following.after.eq(after), following.ends.eq(ends)]
        with m.If(self.step):
            m.d.sync += pixel.eq(Mux(back, first, following))
            with m.If(walk.last.row & walk.last.column):
                m.d.sync += first.eq(following)
        with m.If(self.start):
            for register in (pixel, first):  # first: of the block
                m.d.sync += [register.after.eq(1), register.ends.eq(self.next.out_width == 0)]
        return pixel.ends

    def _address(self, m: Module, address: Signal, tile: Signal, origin: Signal, step: Signal, back: Signal,
                 walk: Nest) -> None:
        """An address goes from pixel to pixel, and back to the block's first for its next column tile."""
        pixel, first = (Signal(32, reset_less=True, name=name) for name in ("pixel", "first"))  # first: of the block
        m.d.comb += address.eq(pixel + tile)
        with m.If(self.step):
            m.d.sync += pixel.eq(Mux(back, first, pixel + step))
            with m.If(walk.last.row & walk.last.column):
                m.d.sync += first.eq(pixel + step)
        with m.If(self.start):
            m.d.sync += [pixel.eq(origin), first.eq(origin)]
