"""The proofs that the project has, by name."""

from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from lutra_model.params import Array, Metric

from .cells import AddsAll, AddsOnes, FlipsSigns, LooksUp, Multiplies, MultipliesSigned
from .encoders import BuildsTable, CodesLevel, FindsLeaf, FindsNearest, MeasuresDistance
from .finishers import AppliesSegment, Finishes
from .prove import Statement, Verdict, prove
from .streams import BeatsStay, BufferKeeps, CreditCounts, MachineOffers, OffersStay

__all__ = ["PROOFS", "Proof"]

MEMORIES = {"codebooks": 64, "block_rows": 32, "index_words": 256, "activation_words": 1024, "table_words": 512,
            "codebook_words": 256, "program_words": 512}


def _array(**fields: Any) -> Array:
    return Array(**{"rows": 4, "columns": 1, "encoders": 1, "length": 1, "entries": 2, "lanes": 1} | MEMORIES | fields)


@dataclass(frozen=True, kw_only=True)
class Proof:
    """A statement about a component of some size.

    Parameters
    ----------
    statement : what is said; ``told`` are its own parameters.
    module, component, sizes : of what: a class of a module of ``lutra_hw``, its parameters.
    steps : longest induction that is tried. free : whether large memories may give anything.
    slow : whether it takes longer than some seconds.
    """

    statement: type[Statement]
    module: str
    component: str
    sizes: dict[str, Any]
    told: dict[str, Any] = field(default_factory=dict)
    steps: int = 6
    free: bool = False
    slow: bool = False

    def prove(self, package: str = "lutra_hw") -> Verdict:
        """What is proved of the component in a package that is the hardware or a copy of it."""
        made = getattr(import_module(f"{package}.{self.module}"), self.component)(**self.sizes)
        return prove(self.statement(made, **self.told), steps=self.steps, free=self.free)


def _distances() -> dict[str, Proof]:
    """A unit of each metric; the sum of more than two squares takes long."""
    return {f"{metric.value} distance of length {length}": Proof(
        statement=MeasuresDistance, module="distance", component="Distance", slow=slow,
        sizes={"length": length, "metric": metric})
        for metric, length, slow in [(Metric.L2, 2, False), (Metric.L2, 4, True), (Metric.L1, 4, False),
                                     (Metric.CHEBYSHEV, 4, False)]}


def _products() -> dict[str, Proof]:
    """Merged multipliers: all operands of 8 bits by ``bits``."""
    return {f"{rows} x {columns} multipliers of {bits} bits": Proof(
        statement=Multiplies, module="dot_products", component="DotProducts", slow=slow,
        sizes={"rows": rows, "columns": columns, "bits": bits})
        for rows, columns, bits, slow in [(1, 1, 4, False), (1, 2, 3, False), (2, 1, 2, True), (1, 1, 8, True)]}


PROOFS = {
    "adder tree of 16": Proof(statement=AddsAll, module="adder_tree", component="AdderTree",
                              sizes={"inputs": 16, "width": 8}),
    "carry tree of 5": Proof(statement=AddsOnes, module="carry_tree", component="CarryTree",
                             sizes={"inputs": 5, "width": 8}),
    **_products(),
    "table cells, 16 entries": Proof(statement=LooksUp, module="table_row", component="TableRow",
                                     sizes={"entries": 16, "columns": 2}),
    "table cells in block RAM, 16 entries": Proof(statement=LooksUp, module="table_row", component="BlockRow",
                                                  sizes={"entries": 16, "columns": 2}),
    "8 x 8 product in logic": Proof(statement=MultipliesSigned, module="product", component="SoftProduct", sizes={},
                                    slow=True),
    "sign-flip array of 4": Proof(statement=FlipsSigns, module="sign_flip_array", component="SignFlipArray",
                                  sizes={"array": _array(engine="sign-flip", entries=1)}),
    "signed sums of 4": Proof(statement=BuildsTable, module="table_builder", component="TableBuilder",
                              sizes={"array": _array(engine="lut-tc", length=4, lanes=4)}),
    **_distances(),
    "L1 encoder, 2 entries of length 2": Proof(
        statement=FindsNearest, module="encoder", component="Encoder",
        sizes={"array": _array(metric=Metric.L1, length=2, lanes=2)}),
    "tree encoder, 4 leaves": Proof(
        statement=FindsLeaf, module="tree_encoder", component="TreeEncoder",
        sizes={"array": _array(metric=Metric.TREE, entries=4, length=2, lanes=2)}),
    "tree encoder, 16 leaves": Proof(
        statement=FindsLeaf, module="tree_encoder", component="TreeEncoder", slow=True, steps=14,
        sizes={"array": _array(metric=Metric.TREE, entries=16, length=4, lanes=4)}),
    "level encoder": Proof(statement=CodesLevel, module="level_encoder", component="LevelEncoder",
                           sizes={"array": _array(engine="dln-row", entries=32, weight_levels=8)}),
    "finisher": Proof(statement=Finishes, module="finisher", component="Finisher", sizes={"array": _array()}),
    "piecewise unit": Proof(statement=AppliesSegment, module="piecewise", component="PiecewiseUnit", sizes={}),
    "credit": Proof(statement=CreditCounts, module="credit", component="Credit", sizes={"places": 2}),
    "output buffer of 3": Proof(statement=BufferKeeps, module="output_buffer", component="OutputBuffer",
                                sizes={"width": 2, "depth": 3}),
    "output buffer of 16": Proof(statement=BufferKeeps, module="output_buffer", component="OutputBuffer",
                                 sizes={"width": 8, "depth": 16}),
    "frame buffer": Proof(statement=OffersStay, module="board.frame_buffer", component="FrameBuffer", sizes={},
                          free=True),
    "frame reader": Proof(statement=BeatsStay, module="board.frames", component="FrameReader",
                          sizes={"beat_bytes": (4, 2, 3)}, told={"channels": 3}),
    "packet writer": Proof(statement=OffersStay, module="board.packets", component="PacketWriter",
                           sizes={"columns": 2}),
    "host link": Proof(statement=BeatsStay, module="board.link", component="HostLink", free=True,
                       sizes={"beat_bytes": (4, 2, 3), "columns": 2, "digest": bytes(8)},
                       told={"reader": "reader.", "channels": 4}),
    "machine's output": Proof(statement=MachineOffers, module="machine", component="Machine", free=True, steps=1,
                              slow=True, sizes={"array": _array(rows=2, columns=2, length=2, lanes=2)}),
}
