"""The order of a vector machine's work on a product."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from lutra_model.params import Array

from .settings import settings

__all__ = ["Sweeps"]


class Sweeps(wiring.Component):
    """``for block: for sweep: for row tile``; begins again after the last.

    Outputs are those of the row tile under way; throughput is one row tile in a cycle.

    Members
    -------
    step : the row tile is over.
    settings : of the running operation.
    first_sweep, last_sweep, first_tile, last_tile : the row tile's place.
    rows : activation rows of the block, less one. tiles : column tiles of the sweep, less one.
    done : it is the product's last.
    """

    def __init__(self, array: Array):
        super().__init__({
            "step": In(1), "settings": In(settings(array)), "first_sweep": Out(1), "last_sweep": Out(1),
            "first_tile": Out(1), "last_tile": Out(1), "rows": Out(16), "tiles": Out(16), "done": Out(1)})

    def elaborate(self, platform):
        m = Module()
        layer = self.settings
        tile, column, block, left = Signal(16), Signal(16), Signal(16), Signal(16)  # column: the sweep's first tile
        last_block = Signal()
        m.d.comb += [
            left.eq(layer.column_tiles - column), self.last_sweep.eq(left <= layer.sweep),
            self.first_sweep.eq(column == 0), self.tiles.eq(Mux(self.last_sweep, left, layer.sweep)),
            self.first_tile.eq(tile == 0), self.last_tile.eq(tile == layer.row_tiles),
            last_block.eq(block == layer.blocks), self.rows.eq(Mux(last_block, layer.last_block, layer.block)),
            self.done.eq(self.last_tile & self.last_sweep & last_block)]
        with m.If(self.step):
            m.d.sync += tile.eq(tile + 1)
            with m.If(self.last_tile):
                m.d.sync += [tile.eq(0), column.eq(column + layer.sweep + 1)]
                with m.If(self.last_sweep):
                    m.d.sync += [column.eq(0), block.eq(Mux(last_block, 0, block + 1))]
        return m
