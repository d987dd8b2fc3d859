"""From a board and an array to a bitstream: Amaranth, yosys, nextpnr, ecppack."""

import hashlib
import json
import shutil
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from lutra_hw.board.boards import Board, board_named
from lutra_hw.board.top import BoardTop
from lutra_model.params import Array

from .. import library
from . import tools
from .reports import Use, least_cells, log_use, report_fmax, report_use
from .synthesis import drop_dangling_carries, script, squares, synthesise

__all__ = ["BitstreamReport", "DoesNotFit", "TimingFailed", "build"]

TOP = "lutra"
DEVICES = {"LFE5U-25F": "--25k", "LFE5U-85F": "--85k"}
BITSTREAM, REPORT, SECONDS = f"{TOP}.bit", "report.json", "seconds.json"
LOGS = ("yosys.log", "nextpnr.log", "ecppack.log")
CROWDED = 0.8  # of the LUT4 cells: above, a failed placement means that there are too many


class DoesNotFit(ValueError):
    """The array is too large for the board; the message is one sentence."""


class TimingFailed(ValueError):
    """The design does not reach its clock; the message is one sentence."""


@dataclass(frozen=True, kw_only=True)
class BitstreamReport:
    """A bitstream and what place and route measured.

    Parameters
    ----------
    fmax_mhz : the clock that the design reaches, by nextpnr's timing analysis.
    clock_mhz : the clock that it runs at.
    resources : what is used of what the part has.
    bitstream : the file, with nextpnr's report and the logs beside it.
    tools : version of each tool.
    seconds : of each step when it ran, which may have been in an earlier call.
    """

    board: str
    device: str
    array: Array
    clock_mhz: int
    fmax_mhz: float
    seed: int
    resources: Mapping[str, Use]
    bitstream: Path
    tools: Mapping[str, str]
    seconds: Mapping[str, float]

    @property
    def meets_timing(self) -> bool:
        """Whether the design may run at its clock."""
        return self.fmax_mhz >= self.clock_mhz

    def as_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {**asdict(self), "bitstream": str(self.bitstream), "meets_timing": self.meets_timing,
                "source": "nextpnr-ecp5 --report"}


@dataclass(frozen=True, kw_only=True)
class _Job:
    """One bitstream to make: everything that its bytes depend on."""

    board: Board
    array: Array
    seed: int
    rtlil: str
    pins: str
    script: str

    @classmethod
    def of(cls, board: Board, array: Array, clock_mhz: int, seed: int) -> "_Job":
        plan = board.platform().prepare(BoardTop(board, array, clock_mhz), TOP, emit_src=False)
        rtlil, pins = (plan.files[f"{TOP}.{ending}"] for ending in ("il", "lpf"))
        return cls(board=board, array=array, seed=seed, rtlil=_text(rtlil), pins=_text(pins),
                   script=script(array, TOP, board.square_multipliers, [f"write_json {TOP}.json"]))

    @property
    def key(self) -> str:
        parts = [self.rtlil, self.pins, self.script, squares(), self._arguments(), _versions()]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]

    def make(self, folder: Path, progress: library.Progress | None) -> None:
        """Fills ``folder`` with bitstream, report, logs and the seconds of each step."""
        seconds = {}
        for number, (name, step) in enumerate([("synthesis", self._synthesise), ("place and route", self._place),
                                               ("bitstream", self._pack)]):
            if progress:
                progress(name, number, 3)
            start = time.monotonic()
            step(folder)
            seconds[name] = round(time.monotonic() - start, 1)
        (folder / SECONDS).write_text(json.dumps(seconds))
        for path in folder.iterdir():
            if path.name not in (BITSTREAM, REPORT, SECONDS, *LOGS):
                path.unlink()

    def _synthesise(self, folder: Path) -> None:
        cells = synthesise(self.rtlil, self.script, TOP, folder)
        self._refuse(least_cells(cells))
        drop_dangling_carries(folder / f"{TOP}.json", TOP)

    def _place(self, folder: Path) -> None:
        (folder / f"{TOP}.lpf").write_text(self.pins)
        try:
            tools.run(tools.nextpnr(), self._arguments(), folder, LOGS[1])
        except tools.ToolFailed:
            use = log_use((folder / LOGS[1]).read_text())
            self._refuse({name: count.used for name, count in use.items()})
            cells = use.get("LUT4 cells")
            if cells and cells.used > CROWDED * cells.available:
                raise DoesNotFit(f"{self} needs {cells.used} of the {cells.available} LUT4 cells of {self.board.name}, "
                                 "too many to place; choose a smaller --array") from None
            raise

    def _pack(self, folder: Path) -> None:
        arguments = ["--compress", "--input", f"{TOP}.config", "--bit", BITSTREAM]
        tools.run(tools.ecppack(), arguments, folder, LOGS[2])

    def _arguments(self) -> list[str]:
        """For nextpnr, which lets timing fail: the report is judged afterwards."""
        return [DEVICES[self.board.part.name], "--package", self.board.package, "--speed", str(self.board.speed),
                "--seed", str(self.seed), "--router", "router2", "--timing-allow-fail", "--json", f"{TOP}.json",
                "--lpf", f"{TOP}.lpf", "--textcfg", f"{TOP}.config", "--report", REPORT]

    def _refuse(self, needs: Mapping[str, int]) -> None:
        """Raises for the first resource of which the part has too few."""
        part = self.board.part
        for name, have in [("LUT4 cells", part.lut4), ("distributed RAM blocks", part.ramw),
                           ("block RAMs", part.block_ram), ("multipliers", part.dsp)]:
            if needs.get(name, 0) > have:
                raise DoesNotFit(f"{self} needs {needs[name]} {name}, {self.board.name} has {have}; "
                                 "choose a smaller --array")

    def __str__(self) -> str:
        return f"array {self.array.rows}x{self.array.columns}"


def _text(data: str | bytes) -> str:
    return data if isinstance(data, str) else data.decode()


def _versions() -> dict[str, str]:
    return {tool.name: tool.version for tool in (tools.yosys(), tools.nextpnr(), tools.ecppack())}


def _deliver(folder: Path, out: Path, board: Board, names: Iterable[str]) -> None:
    """Copies what there is of ``names`` to ``out``, each whole or not at all."""
    out.mkdir(parents=True, exist_ok=True)
    for name in names:
        if (folder / name).exists():
            target = out / f"{board.name}-{name}"
            part = target.with_name(f".{target.name}.part")
            shutil.copy(folder / name, part)
            part.replace(target)


def build(board: str, array: Array | None = None, *, clock_mhz: int | None = None, seed: int = 1,
          allow_timing_fail: bool = False, out: Path, progress: library.Progress | None = None,
          cache: Path | None = None) -> BitstreamReport:
    """The bitstream of the array's machine on a board, in the folder ``out`` with nextpnr's report and all logs.

    Nothing runs that the cache has; the same source, tools and seed give the same bytes. Raises ``ValueError`` for an
    unknown board or a clock that it cannot make, :class:`DoesNotFit`, and, unless ``allow_timing_fail``,
    :class:`TimingFailed`.
    """
    chosen = board_named(board)
    array = array or chosen.array
    clock_mhz = chosen.clock_mhz if clock_mhz is None else clock_mhz
    job = _Job.of(chosen, array, clock_mhz, seed)

    def fill(folder: Path) -> None:
        try:
            job.make(folder, progress)
        finally:
            _deliver(folder, out, chosen, LOGS)

    folder = library.cached(cache or library.cache_folder(), f"bitstream-{job.key}", fill)
    report = json.loads((folder / REPORT).read_text())
    fmax = report_fmax(report)
    _deliver(folder, out, chosen, (*LOGS, REPORT))
    if fmax < clock_mhz and not allow_timing_fail:
        raise TimingFailed(f"{job} reaches {fmax:g} MHz on {board}, not {clock_mhz} MHz; "
                           "choose a lower --clock, or --allow-timing-fail")
    _deliver(folder, out, chosen, (BITSTREAM,))
    return BitstreamReport(board=board, device=chosen.part.name, array=array, clock_mhz=clock_mhz, fmax_mhz=fmax,
                           seed=seed, resources=report_use(report), bitstream=out / f"{board}-{BITSTREAM}",
                           tools=_versions(), seconds=json.loads((folder / SECONDS).read_text()))
