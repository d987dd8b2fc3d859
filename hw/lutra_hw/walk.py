"""Walks windows over the image."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from lutra_model.params import Array

from .loops import stepped
from .settings import settings

__all__ = ["PIXEL", "Walk"]

PIXEL = signed(18)  # a coordinate of the image, with room for padding and parts
# Of a window; column of the one after it in its output row, and whether it is the row's last.
PLACE = data.StructLayout({"base": 32, "py": PIXEL, "px": PIXEL, "after": 16, "ends": 1})


class Walk(wiring.Component):
    """Windows of a block's output pixels, one in a cycle; in every slot again from the block's first pixel.

    Members
    -------
    start, next : the operation ``next`` starts; its first window is there in the next cycle.
    settings : of the running operation.
    fed : the window is fed in this cycle; the following one is there in the next.
    last_row, last_part_x, last_part_y, last_group : it is the last of its slot; its part is; its group is.
    base, py, px : its base address and its first pixel.
    """

    def __init__(self, array: Array):
        super().__init__({
            "start": In(1), "next": In(settings(array)), "settings": In(settings(array)), "fed": In(1),
            "last_row": In(1), "last_part_x": In(1), "last_part_y": In(1), "last_group": In(1),
            "base": Out(32), "py": Out(PIXEL), "px": Out(PIXEL)})

    def elaborate(self, platform):
        m = Module()
        operation = self.settings
        walk, ahead, block, after = (Signal(PLACE, name=name, reset_less=True)
                                     for name in ("walk", "ahead", "block", "after"))
        following = Signal(PLACE)                # the next block's first window
        dy, dx = Signal(16), Signal(16)          # of the slot's part
        next_dy, next_dx = Signal(16), Signal(16)
        first_slot, line_ends = Signal(), walk.ends
        after_next, ends_next = stepped(walk.after, line_ends, operation.out_width)
        m.d.comb += [
            self.base.eq(walk.base), self.py.eq(walk.py), self.px.eq(walk.px),
            ahead.base.eq(walk.base + Mux(line_ends, operation.step_y, operation.step_x)),
            ahead.py.eq(walk.py + Mux(line_ends, operation.stride_y, 0)),
            ahead.px.eq(Mux(line_ends, dx - operation.left, walk.px + operation.stride_x)),
            ahead.after.eq(after_next), ahead.ends.eq(ends_next),
            following.eq(Mux(first_slot, ahead, after)),
            next_dx.eq(Mux(self.last_part_x, 0, dx + operation.part_x_dx)),
            next_dy.eq(Mux(self.last_part_x, Mux(self.last_part_y, 0, dy + operation.part_y_dy), dy))]
        with m.If(self.fed):
            m.d.sync += walk.eq(ahead)
        with m.If(self.fed & self.last_row):
            m.d.sync += [walk.py.eq(block.py + next_dy), walk.px.eq(block.px + next_dx), walk.after.eq(block.after),
                         walk.ends.eq(block.ends), dx.eq(next_dx), dy.eq(next_dy), first_slot.eq(0)]
            with m.If(first_slot):
                m.d.sync += after.eq(ahead)
        with m.If(self.fed & self.last_row & self.last_part_x & self.last_part_y & self.last_group):
            m.d.sync += [walk.eq(following), block.eq(following), first_slot.eq(1)]
        with m.If(self.start):
            source = {"py": -self.next.top, "px": -self.next.left, "after": 1, "ends": self.next.out_width == 0}
            m.d.sync += [dx.eq(0), dy.eq(0), first_slot.eq(1), walk.base.eq(self.next.source),
                         *(place[name].eq(value) for place in (walk, block) for name, value in source.items())]
        self._slot_bases(m, walk, following)
        return m

    def _slot_bases(self, m: Module, walk: data.View, following: data.View) -> None:
        """Base addresses of the block's first window: in this slot, in this row of parts, in this group."""
        operation = self.settings
        slot, line, group = (Signal(32, name=f"{name}_base", reset_less=True) for name in ("slot", "line", "group"))
        base = Signal(32)  # of the next slot
        m.d.comb += base.eq(Mux(~self.last_part_x, slot, Mux(~self.last_part_y, line, group))
                            + Mux(~self.last_part_x, operation.part_x_step,
                                  Mux(~self.last_part_y, operation.part_y_step, operation.group_step)))
        with m.If(self.last_part_x & self.last_part_y & self.last_group):
            m.d.comb += base.eq(following.base)
        with m.If(self.fed & self.last_row):
            m.d.sync += [walk.base.eq(base), slot.eq(base)]
            with m.If(self.last_part_x):
                m.d.sync += line.eq(base)
            with m.If(self.last_part_x & self.last_part_y):
                m.d.sync += group.eq(base)
        with m.If(self.start):
            m.d.sync += [register.eq(self.next.source) for register in (slot, line, group)]
