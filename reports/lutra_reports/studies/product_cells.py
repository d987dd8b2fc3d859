"""Rows of cells that form products of an activation's level and a weight's level: by multiplying, by tables.

Every row has one activation level ``f`` for ``share`` cells, each with its own weight level, held between loads, and a
register for every product. Throughput is one product of every cell in a cycle.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from amaranth.hdl import Array as Choice
from amaranth.hdl import Const, Module, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from numpy.typing import NDArray

__all__ = ["FORMS", "Product", "ProductRow", "levels", "reference", "table"]

FORMS = {"multiplier": "multiplier of the levels' numbers", "burnt-in": "table in gates", "row": "row of a table "
         "that the weight has preselected, in every cell", "column": "one whole table for all cells, its row told to "
         "them", "told": "the same with registers between", "decoded": "level's value by a table of one dimension, a "
         "register, then a multiplier of 8 x 8 bits"}


@dataclass(frozen=True, kw_only=True)
class Product:
    """What a row computes with.

    Parameters
    ----------
    form : of `FORMS`. levels : of activations and of weights, a power of two. bits : of a table's entry.
    share : cells of the row.
    """

    form: str
    levels: int
    bits: int = 8
    share: int = 1

    def __post_init__(self) -> None:
        if self.form not in FORMS:
            raise ValueError(f"form must be one of {', '.join(FORMS)}, not {self.form}")
        if self.levels < 2 or self.levels & (self.levels - 1):
            raise ValueError(f"levels must be a power of two of at least 2, not {self.levels}")

    @property
    def index(self) -> int:
        """Bits of a level's number."""
        return self.levels.bit_length() - 1

    @property
    def width(self) -> int:
        """Bits of a result."""
        return {"multiplier": 2 * self.index, "decoded": 16}.get(self.form, self.bits)

    @property
    def writes(self) -> int:
        """Write cycles that fill the tables."""
        return self.levels if self.form in ("row", "column", "told", "decoded") else 0

    @property
    def latency(self) -> int:
        """Cycles from a level to its product: registers of levels and products, and of what is between."""
        return 3 if self.form in ("told", "decoded") else 2


def levels(product: Product, seed: int = 0) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Values of the levels of activations (0 to 127, rising) and of weights (-127 to 127, rising), unevenly spaced.

    They are quantiles of a half normal and of a normal distribution, as learned levels crowd where values are many.
    """
    rng = np.random.default_rng(seed)
    sample = np.sort(np.abs(rng.normal(size=4096)))
    f = np.quantile(sample, np.linspace(0, 1, product.levels)) / sample[-1]
    w = np.quantile(np.concatenate([-sample, sample]), np.linspace(0, 1, product.levels)) / sample[-1]
    return np.rint(127 * f).astype(np.int64), np.rint(127 * w).astype(np.int64)


def table(product: Product) -> NDArray[np.int64]:
    """Entries of ``bits`` signed bits, ``(activation levels, weight levels)``: products of levels, rounded."""
    f, w = levels(product)
    largest = (1 << product.bits - 1) - 1
    return np.rint(np.outer(f, w) / 127**2 * largest).astype(np.int64)


class ProductRow(wiring.Component):
    """A row of ``share`` cells.

    Members
    -------
    f : level of the activation. load : weights are taken. w_N : level of cell N's weight (its value, where decoded).
    write, entry, t_N : entry ``entry`` of cell N's row; of what the one table has for weight level N; of the decoder.
    o_N : product of cell N.
    """

    def __init__(self, product: Product):
        self.product = product
        weight = 8 if product.form == "decoded" else product.index
        ports: dict[str, Any] = {"f": In(product.index)}
        ports |= {f"o_{n}": Out(signed(product.width)) for n in range(product.share)}
        if product.form != "row":
            ports |= {"load": In(1)} | {f"w_{n}": In(weight) for n in range(product.share)}
        if product.writes:
            tables = {"row": product.share, "decoded": 1}.get(product.form, product.levels)
            bits = 8 if product.form == "decoded" else product.bits
            ports |= {"write": In(1), "entry": In(product.index)} | {f"t_{n}": In(bits) for n in range(tables)}
        super().__init__(ports)

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        product = self.product
        f = Signal(product.index, reset_less=True)
        m.d.sync += f.eq(self.f)
        held = [self._held(m, n) for n in range(product.share)] if product.form != "row" else []
        for n, result in enumerate(getattr(self, f"_{product.form.replace('-', '_')}")(m, f, held)):
            register = Signal(signed(product.width), name=f"product_{n}", reset_less=True)
            m.d.sync += register.eq(result)
            m.d.comb += getattr(self, f"o_{n}").eq(register)
        return m

    def _held(self, m: Module, cell: int) -> Signal:
        """A cell's weight."""
        port = getattr(self, f"w_{cell}")
        weight = Signal(len(port), name=f"weight_{cell}", reset_less=True)
        with m.If(self.load):
            m.d.sync += weight.eq(port)
        return weight

    def _stored(self, m: Module, number: int) -> Choice:
        """A table of one dimension that port ``t_N`` writes."""
        port = getattr(self, f"t_{number}")
        entries = [Signal(len(port), name=f"entry_{number}_{entry}", reset_less=True)
                   for entry in range(self.product.levels)]
        for place, entry in enumerate(entries):
            with m.If(self.write & (self.entry == place)):
                m.d.sync += entry.eq(port)
        return Choice(entries)

    def _multiplier(self, m: Module, f: Signal, held: list[Signal]) -> list[Value]:
        return [f * weight.as_signed() for weight in held]

    def _burnt_in(self, m: Module, f: Signal, held: list[Signal]) -> list[Value]:
        entries = table(self.product)
        rows = Choice(Const(sum(int(value) % (1 << self.product.bits) << self.product.bits * place
                                for place, value in enumerate(row)), entries.shape[1] * self.product.bits)
                      for row in entries)
        return [Value.cast(rows[f]).word_select(weight, self.product.bits) for weight in held]

    def _row(self, m: Module, f: Signal, held: list[Signal]) -> list[Value]:
        return [self._stored(m, cell)[f] for cell in range(self.product.share)]

    def _column(self, m: Module, f: Signal, held: list[Signal]) -> list[Value]:
        told = [Signal(self.product.bits, name=f"told_{number}", reset_less=True)
                for number in range(self.product.levels)]
        domain = m.d.sync if self.product.form == "told" else m.d.comb
        for number, entry in enumerate(told):
            domain += entry.eq(self._stored(m, number)[f])
        return [Choice(told)[weight] for weight in held]

    _told = _column

    def _decoded(self, m: Module, f: Signal, held: list[Signal]) -> list[Value]:
        value = Signal(8, reset_less=True)
        m.d.sync += value.eq(self._stored(m, 0)[f])
        return [value * weight.as_signed() for weight in held]


def reference(product: Product, f: NDArray[np.int64], w: NDArray[np.int64]) -> NDArray[np.int64]:
    """What the row's cells must give for levels ``f`` (cycles,) and weights' levels ``w`` (cycles, share)."""
    if product.form == "multiplier":
        return f[:, None] * (w - product.levels // 2)
    if product.form == "decoded":
        of, ow = levels(product)
        return of[f][:, None] * ow[w]
    return table(product)[f[:, None], w]
