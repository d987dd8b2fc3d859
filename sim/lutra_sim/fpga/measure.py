"""Measures bare arrays for the estimates of `lutra_model.footprint`: ``python -m lutra_sim.fpga.measure FILE``."""

import argparse
import hashlib
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from math import gcd
from pathlib import Path
from typing import Any

from amaranth.back import rtlil

from lutra_hw.board.boards import Board, board_named
from lutra_hw.engines import engine_of as engine_hardware
from lutra_model.bare import Bare
from lutra_model.engines import engine_of
from lutra_model.files import write_whole
from lutra_model.footprint import FORMAT
from lutra_model.params import Metric

from .. import library
from . import flow
from .families import ECP5
from .job import DoesNotFit, Job
from .reports import least_cells
from .synthesis import maps, script, synthesise
from .tools import yosys

__all__ = ["ENCODERS", "KINDS", "POINTS", "array", "encoder", "measure"]

SUMMED = 4096  # scalars that an accumulator adds up at most
SYNTHESISED, ROUTED, CHECKED, TRIED = "synthesised", "routed", "synthesised, held out", "routed, held out"
Place = tuple[str, str, int, int, dict[str, Any], str]  # board, engine, rows, columns, other fields, what is done
W1, W2 = {"length": 4, "entries": 1}, {"length": 4, "entries": 2}
OWN = {"length": 4, "codebooks": 64, "fill": 8}  # of the small boards' own arrays
SMALL, LARGE = "ulx3s-25f", "ulx3s-85f"
CLOCKS = {SMALL: 75, LARGE: 75, "tang-nano-9k": 54, "tang-nano-20k": 54, "icebreaker": 24, "hx8k-b-evn": 48}

ENCODERS = ((Metric.TREE, 4), (Metric.TREE, 9), (Metric.L2, 4), (Metric.L2, 9))
KINDS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("lookup", {}), ("mac", {}), ("lut-tc", W1), ("lut-tc", W2), ("vec-lut", {}), ("dln-row", {}))
POINTS: tuple[Place, ...] = (
    (SMALL, "lookup", 4, 4, {}, SYNTHESISED),
    (SMALL, "lookup", 8, 4, OWN, ROUTED),
    ("tang-nano-9k", "lookup", 8, 4, OWN, ROUTED),
    ("icebreaker", "lookup", 8, 4, OWN, ROUTED),
    ("hx8k-b-evn", "lookup", 8, 4, OWN, ROUTED),
    ("icebreaker", "lookup", 24, 2, OWN, TRIED),
    ("tang-nano-20k", "lookup", 8, 4, OWN | {"fill": 4, "block_rows": 256}, TRIED),
    (SMALL, "mac", 7, 4, {}, ROUTED),
    (SMALL, "lut-tc", 8, 4, W2, SYNTHESISED),
    (SMALL, "vec-lut", 8, 4, {}, SYNTHESISED),
    (SMALL, "dln-row", 8, 4, {}, SYNTHESISED),
    (SMALL, "mac", 8, 8, {}, CHECKED),
    (SMALL, "lookup", 16, 16, {}, CHECKED),
    ("icebreaker", "mac", 4, 2, {}, ROUTED),
    ("tang-nano-9k", "mac", 5, 4, {}, ROUTED),
    (SMALL, "lut-tc", 4, 4, W2, CHECKED),
    (SMALL, "vec-lut", 4, 4, {}, CHECKED),
)


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


def measure(place: Place, cache: Path, out: Path) -> dict[str, Any]:
    """One point as `lutra_model.footprint` reads it; raises `DoesNotFit`."""
    board, engine, rows, columns, fields, role = place
    chosen = board_named(board)
    made = array(chosen, engine, rows, columns, **fields)
    point = {"board": board, "family": chosen.part.family, "part": chosen.part.name, "array": asdict(made),
             "held_out": role in (CHECKED, TRIED), "clock_mhz": CLOCKS[board], "fmax_mhz": None}
    if role in (SYNTHESISED, CHECKED):
        return point | {"cells": Job.of(chosen, made, CLOCKS[board], 1).needs(cache)}
    report = flow.build(board, made, clock_mhz=CLOCKS[board], allow_timing_fail=True, out=out, cache=cache)
    return point | {"cells": {name: use.used for name, use in report.resources.items()}, "fmax_mhz": report.fmax_mhz,
                    "seed": report.seed, "seconds": dict(report.seconds), "sha256": report.sha256}


def encoder(metric: Metric, length: int, cache: Path) -> int:
    """LUT4 cells of one encoder of the engine ``lookup`` on an ECP5, after synthesis."""
    made = Bare(rows=2, columns=2, encoders=2, metric=metric, length=length, encoded=True)
    board = board_named(SMALL)
    text = script(made, "lutra", 0, [], ECP5)
    design = rtlil.convert(engine_hardware(made).encoder(made), name="lutra", platform=board.platform(), emit_src=False)
    key = hashlib.sha256(json.dumps([design, text, maps(), yosys().version]).encode()).hexdigest()[:32]

    def count(folder: Path) -> None:
        cells = least_cells(synthesise(design, text, "lutra", folder), ECP5)
        (folder / "cells.json").write_text(json.dumps(cells))

    folder = library.cached(cache, f"encoder-{key}", count)
    return int(json.loads((folder / "cells.json").read_text())["LUT4 cells"])


def measured(places: tuple[Place, ...], cache: Path, out: Path,
             say: Callable[[str], object]) -> Iterator[dict[str, Any]]:
    """All points; one that does not fit is said and left out."""
    for place in places:
        try:
            yield measure(place, cache, out)
        except DoesNotFit as error:
            say(f"{place[0]}, {place[1]}: {error}")


def main() -> None:
    """Writes the file of points; what the cache has is not made again."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    args = parser.parse_args()
    cache = library.cache_folder()
    found = list(measured(POINTS, cache, args.file.parent / "bitstreams", lambda text: print(text, file=sys.stderr)))
    coders = {f"{metric} {length}": encoder(metric, length, cache) for metric, length in ENCODERS}
    jobs = (Job.of(board_named(name), board_named(name).array, board_named(name).clock_mhz, 1) for name in CLOCKS)
    versions = {name: text for job in jobs for name, text in job.versions().items()}
    data = {"format": FORMAT, "tools": versions, "date": datetime.now(UTC).strftime("%Y-%m-%d"),
            "command": "python -m lutra_sim.fpga.measure FILE", "encoders": coders,
            "points": found}
    write_whole(args.file, lambda part: part.write_text(json.dumps(data, indent=1) + "\n"))


if __name__ == "__main__":
    main()
