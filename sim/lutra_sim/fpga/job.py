"""One bitstream to make: everything that its bytes depend on, and the steps that make it."""

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lutra_hw.board.boards import Board
from lutra_hw.board.top import BoardTop
from lutra_model.bare import Bare
from lutra_model.params import Array

from .. import library
from . import tools
from .families import FAMILIES, Family
from .reports import least_cells, log_use
from .synthesis import drop_dangling_carries, maps, script, synthesise

__all__ = ["LOGS", "REPORT", "SECONDS", "DoesNotFit", "Job"]

TOP = "lutra"
REPORT, SECONDS = "report.json", "seconds.json"
LOGS = ("yosys.log", "nextpnr.log", "packer.log")
CROWDED = 0.8  # of the LUT4 cells: above, a failed placement means that there are too many


class DoesNotFit(ValueError):
    """The array is too large for the board; the message is one sentence."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """A machine on a board, elaborated."""

    board: Board
    array: Array
    clock_mhz: int
    seed: int
    rtlil: str
    pins: str

    @classmethod
    def of(cls, board: Board, array: Array, clock_mhz: int, seed: int) -> "Job":
        """The job; raises ``ValueError`` for a clock that the board cannot make."""
        family = FAMILIES[board.part.family]
        plan = board.platform().prepare(BoardTop(board, array, clock_mhz), TOP, emit_src=False)
        rtlil, pins = (plan.files[f"{TOP}.{ending}"] for ending in ("il", family.pins))
        return cls(board=board, array=array, clock_mhz=clock_mhz, seed=seed, rtlil=_text(rtlil), pins=_text(pins))

    @property
    def family(self) -> Family:
        """Of the part."""
        return FAMILIES[self.board.part.family]

    @property
    def bitstream(self) -> str:
        """Name of the file that matters."""
        return f"{TOP}.{self.family.bitstream}"

    @property
    def source(self) -> str:
        """Where the report's numbers come from."""
        return f"{self.family.nextpnr.name} --report"

    @property
    def key(self) -> str:
        """Equal for jobs that make the same bytes."""
        parts = [self.rtlil, self.pins, self._script(), maps(), self._place_arguments(), self._pack_arguments(),
                 self.versions()]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]

    def versions(self) -> dict[str, str]:
        """Of each tool; raises ``ValueError`` for one that is missing."""
        used = (tools.yosys(), tools.tool(self.family.nextpnr), tools.tool(self.family.packer))
        return {tool.name: tool.version for tool in used}

    def make(self, folder: Path, progress: library.Progress | None) -> None:
        """Fills ``folder`` with bitstream, report, logs and the seconds of each step; raises :class:`DoesNotFit`."""
        seconds = {}
        for number, (name, step) in enumerate([("synthesis", self._synthesise), ("place and route", self._place),
                                               ("bitstream", self._pack)]):
            if progress:
                progress(f"{self}: {name}", number, 3)
            start = time.monotonic()
            step(folder)
            seconds[name] = round(time.monotonic() - start, 1)
        (folder / SECONDS).write_text(json.dumps(seconds))
        for path in folder.iterdir():
            if path.name not in (self.bitstream, REPORT, SECONDS, *LOGS):
                path.unlink()

    def needs(self, cache: Path) -> dict[str, int]:
        """What the machine takes at least of the part, by synthesis alone; kept in the cache."""
        text = self._script()
        key = hashlib.sha256(json.dumps([self.rtlil, text, maps(), tools.yosys().version]).encode()).hexdigest()[:32]

        def count(folder: Path) -> None:
            cells = synthesise(self.rtlil, text, TOP, folder)
            for path in folder.iterdir():
                path.unlink()
            (folder / "needs.json").write_text(json.dumps(least_cells(cells, self.family)))

        found: dict[str, int] = json.loads(
            (library.cached(cache, f"needs-{key}", count) / "needs.json").read_text())
        return found

    def _script(self) -> str:
        return script(self.array, TOP, self.board.square_multipliers, [f"write_json {TOP}.json"], self.family,
                      self.board.part.synthesis)

    def _synthesise(self, folder: Path) -> None:
        cells = synthesise(self.rtlil, self._script(), TOP, folder)
        self._refuse(least_cells(cells, self.family))
        drop_dangling_carries(folder / f"{TOP}.json", TOP)

    def _place(self, folder: Path) -> None:
        (folder / f"{TOP}.{self.family.pins}").write_text(self.pins)
        try:
            tools.run(tools.tool(self.family.nextpnr), self._place_arguments(), folder, LOGS[1])
        except tools.ToolFailed:
            use = log_use((folder / LOGS[1]).read_text(), self.family)
            self._refuse({name: count.used for name, count in use.items()})
            cells = use.get("LUT4 cells")
            if cells and cells.used > CROWDED * cells.available:
                raise DoesNotFit(f"{self} needs {cells.used} of the {cells.available} LUT4 cells of {self.board.name}, "
                                 "too many to place") from None
            raise

    def _pack(self, folder: Path) -> None:
        tools.run(tools.tool(self.family.packer), self._pack_arguments(), folder, LOGS[2])

    def _place_arguments(self) -> list[str]:
        """For nextpnr, which lets timing fail: the report is judged afterwards."""
        family = [*self.family.place, *(() if isinstance(self.array, Bare) else self.family.machine)]
        own = [argument.format(clock=self.clock_mhz) for argument in family]
        return [*self.board.part.options, *self.board.place, "--seed", str(self.seed), "--timing-allow-fail",
                "--json", f"{TOP}.json", "--report", REPORT, *own]

    def _pack_arguments(self) -> list[str]:
        own = [argument.format(part=self.board.part.name_for_packer) for argument in self.family.pack]
        return [*self.board.pack, *own]

    def _refuse(self, needs: Mapping[str, int]) -> None:
        """Raises for the first resource of which the part has too few."""
        for name, have in self.board.part.resources.items():
            if needs.get(name, 0) > have:
                raise DoesNotFit(f"{self} needs {needs[name]} {name}, {self.board.name} has {have}, "
                                 f"{needs[name] - have} too few")

    def __str__(self) -> str:
        return f"array {self.array.rows}x{self.array.columns}"


def _text(data: str | bytes) -> str:
    return data if isinstance(data, str) else data.decode()
