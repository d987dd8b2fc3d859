"""The bare arrays that are measured for the estimates of `lutra_model.footprint`, those of most value first."""

from dataclasses import asdict, dataclass, field
from math import gcd
from typing import Any

from lutra_hw.board.boards import Board, board_named
from lutra_model.bare import Bare
from lutra_model.engines import engine_of
from lutra_model.params import Metric

__all__ = ["ENCODERS", "KINDS", "PLACES", "Place", "array", "named"]

SUMMED = 4096  # scalars that an accumulator adds up at most
W1, W2 = {"length": 4, "entries": 1}, {"length": 4, "entries": 2}
OWN = {"length": 4, "codebooks": 64, "fill": 8}  # of the small boards' own arrays
ULX3S, ICEBREAKER, HX8K, NANO_9K, NANO_20K = "ulx3s-25f", "icebreaker", "hx8k-b-evn", "tang-nano-9k", "tang-nano-20k"
CLOCKS = {ULX3S: 75, NANO_9K: 54, NANO_20K: 27, ICEBREAKER: 24, HX8K: 24}  # MHz, which nextpnr aims for

ENCODERS = ((Metric.TREE, 4), (Metric.TREE, 9), (Metric.L2, 4), (Metric.L2, 9))
KINDS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("lookup", {}), ("mac", {}), ("lut-tc", W1), ("lut-tc", W2), ("vec-lut", {}), ("dln-row", {}))


@dataclass(frozen=True)
class Place:
    """An array on a board that is to be measured.

    Parameters
    ----------
    fields : others of `Bare`. held_out : nothing is fitted to it.
    """

    board: str
    engine: str
    rows: int
    columns: int
    fields: dict[str, Any] = field(default_factory=dict)
    held_out: bool = False

    @property
    def array(self) -> Bare:
        """That is measured."""
        return array(board_named(self.board), self.engine, self.rows, self.columns, **self.fields)

    @property
    def name(self) -> str:
        """Of the point; no other has it."""
        return named(self.board, asdict(self.array))


def named(board: str, fields: dict[str, Any]) -> str:
    """A point, by its board and the fields of its array."""
    planes = f" W{fields['entries']}" * (fields["engine"] == "lut-tc")
    return f"{board} {fields['engine']}{planes} {fields['rows']}x{fields['columns']}"


def array(board: Board, engine: str, rows: int, columns: int, **fields: Any) -> Bare:
    """The bare array of an engine on a board: indices from the host, few array rows in a table beat."""
    small = board.part.lut4 < 10_000
    sizes: dict[str, Any] = {"rows": rows, "columns": columns, "encoders": 1, "fill": 1,
                             "block_rows": 256 if small else 512} | engine_of(engine).typical | fields
    sizes.setdefault("codebooks", 512 if engine == "lookup" else SUMMED // sizes.get("length", 1))
    if engine == "lookup":
        sizes["block_tables"] = not board.part.ramw
    if engine == "mac":
        sizes = {"multipliers": min(board.part.dsp, rows * columns)} | sizes
    if engine == "vec-lut":
        sizes["fill"] = rows
    if engine.startswith("dln") or engine == "lut-tc":  # rows whose words are whole bytes
        sizes["fill"] = gcd(4, rows)
    return Bare(engine=engine, **sizes)


PLACES = (
    Place(ULX3S, "lookup", 8, 4),
    Place(ULX3S, "mac", 7, 4),
    Place(ULX3S, "lut-tc", 8, 4, W2),
    Place(ULX3S, "vec-lut", 8, 4),
    Place(ULX3S, "dln-row", 8, 4),
    Place(ULX3S, "lut-tc", 8, 4, W1),
    Place(ULX3S, "lookup", 16, 16),
    Place(ULX3S, "mac", 8, 8),
    Place(ULX3S, "lut-tc", 4, 4, W2, held_out=True),
    Place(ULX3S, "lookup", 12, 8, held_out=True),
    Place(ULX3S, "mac", 8, 6, held_out=True),
    Place(NANO_9K, "mac", 5, 4),
    Place(NANO_9K, "lookup", 8, 4, OWN),
    Place(ICEBREAKER, "lookup", 8, 4, OWN),
    Place(ICEBREAKER, "mac", 4, 2),
    Place(HX8K, "lookup", 8, 4, OWN),
    Place(ICEBREAKER, "lookup", 24, 2, OWN, held_out=True),
    Place(NANO_20K, "lookup", 8, 4, OWN | {"fill": 4, "block_rows": 256}),
)
