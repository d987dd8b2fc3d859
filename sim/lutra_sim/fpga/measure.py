"""Measures bare arrays for the estimates of `lutra_model.footprint`: ``python -m lutra_sim.fpga.measure FILE``.

FILE is written after each point, so that it is true whenever this is interrupted. Of what it held before, the other
points stay, if they are of the same tools.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from amaranth.back import rtlil

from lutra_hw.board.boards import board_named
from lutra_hw.engines import engine_of as engine_hardware
from lutra_model.bare import Bare
from lutra_model.files import parse_json, read_text, write_whole
from lutra_model.footprint import FORMAT
from lutra_model.params import Metric

from .. import library
from . import flow
from .families import ECP5, FAMILIES
from .job import DoesNotFit
from .places import CLOCKS, ENCODERS, PLACES, ULX3S, Place, named
from .reports import least_cells
from .synthesis import maps, script, synthesise
from .tools import tool, yosys

__all__ = ["encoder", "main", "measure"]

COMMAND = "python -m lutra_sim.fpga.measure FILE"


def measure(place: Place, cache: Path) -> dict[str, Any]:
    """One point as `lutra_model.footprint` reads it, but for what is held out; raises `DoesNotFit`."""
    part, made, clock = board_named(place.board).part, place.array, CLOCKS[place.board]
    with TemporaryDirectory() as out:  # the cache has them, too
        report = flow.build(place.board, made, clock_mhz=clock, allow_timing_fail=True, out=Path(out), cache=cache)
    return {"board": place.board, "family": part.family, "part": part.name, "array": asdict(made),
            "clock_mhz": clock, "fmax_mhz": report.fmax_mhz,
            "cells": {name: use.used for name, use in report.resources.items()}, "seed": report.seed,
            "seconds": dict(report.seconds), "sha256": report.sha256}


def encoder(metric: Metric, length: int, cache: Path) -> int:
    """LUT4 cells of one encoder of the engine ``lookup`` on an ECP5, after synthesis."""
    made = Bare(rows=2, columns=2, encoders=2, metric=metric, length=length, encoded=True)
    platform = board_named(ULX3S).platform()
    text = script(made, "lutra", 0, [], ECP5)
    design = rtlil.convert(engine_hardware(made).encoder(made), name="lutra", platform=platform, emit_src=False)
    key = hashlib.sha256(json.dumps([design, text, maps(), yosys().version]).encode()).hexdigest()[:32]

    def count(folder: Path) -> None:
        cells = least_cells(synthesise(design, text, "lutra", folder), ECP5)
        (folder / "cells.json").write_text(json.dumps(cells))

    folder = library.cached(cache, f"encoder-{key}", count)
    return int(json.loads((folder / "cells.json").read_text())["LUT4 cells"])


def versions() -> dict[str, str]:
    """Of all tools."""
    used = [yosys(), *(tool(program) for family in FAMILIES.values() for program in (family.nextpnr, family.packer))]
    return {item.name: item.version for item in used}


class Record:
    """The file of measured points: what it holds of the tools that are here, and what is measured anew."""

    def __init__(self, file: Path):
        self.file = file
        data = parse_json(read_text(file, "points"), str(file), FORMAT) if file.exists() else {}
        same = data.get("tools") == versions()
        self.encoders: dict[str, int] = dict(data["encoders"]) if same else {}
        self.points = {named(point["board"], point["array"]): point for point in data["points"]} if same else {}

    def write(self) -> None:
        """All of it, in the order of `PLACES`; points that are no longer asked for are left out."""
        data = {"format": FORMAT, "tools": versions(), "date": datetime.now(UTC).strftime("%Y-%m-%d"),
                "command": COMMAND, "encoders": self.encoders,
                "points": [self.points[place.name] | {"held_out": place.held_out} for place in PLACES
                           if place.name in self.points]}
        write_whole(self.file, lambda part: part.write_text(json.dumps(data, indent=1) + "\n"))

    def measure(self, only: str, cache: Path, say: Callable[[str], object]) -> None:
        """Encoders, then points, of names that have the text ``only``; what does not fit is said and left out."""
        for metric, length in ENCODERS:
            if only in f"encoder {metric} {length}":
                self.encoders[f"{metric} {length}"] = encoder(metric, length, cache)
                self.write()
        for place in PLACES:
            if only in place.name:
                say(place.name)
                self.points.pop(place.name, None)
                try:
                    self.points[place.name] = measure(place, cache)
                except DoesNotFit as error:
                    say(f"{place.name}: {error}")
                self.write()


def main() -> None:
    """Measures; what the cache has is not made again."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--only", default="", metavar="TEXT",
                        help="points whose name has it, such as 'ulx3s-25f mac' or 'encoder l2'")
    args = parser.parse_args()
    Record(args.file).measure(args.only, library.cache_folder(), lambda text: print(text, file=sys.stderr, flush=True))


if __name__ == "__main__":
    main()
