"""From a board and an array to a bitstream: Amaranth, yosys, nextpnr, and the family's packer."""

import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from lutra_hw.board.boards import Board, board_named
from lutra_model.params import Array

from .. import library
from .job import LOGS, REPORT, SECONDS, Job
from .reports import Use, report_fmax, report_use

__all__ = ["BitstreamReport", "TimingFailed", "build", "make"]


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
    bitstream : the file, with nextpnr's report and the logs beside it. sha256 : of its bytes.
    tools : version of each tool.
    seconds : of each step when it ran, which may have been in an earlier call.
    source : of the numbers.
    """

    board: str
    device: str
    array: Array
    clock_mhz: int
    fmax_mhz: float
    seed: int
    resources: Mapping[str, Use]
    bitstream: Path
    sha256: str
    tools: Mapping[str, str]
    seconds: Mapping[str, float]
    source: str

    @property
    def meets_timing(self) -> bool:
        """Whether the design may run at its clock."""
        return self.fmax_mhz >= self.clock_mhz

    def as_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {**asdict(self), "bitstream": str(self.bitstream), "meets_timing": self.meets_timing}


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
    job = Job.of(chosen, array or chosen.array, chosen.clock_mhz if clock_mhz is None else clock_mhz, seed)
    return make(job, allow_timing_fail=allow_timing_fail, out=out, progress=progress, cache=cache)


def make(job: Job, *, allow_timing_fail: bool = False, out: Path, progress: library.Progress | None = None,
         cache: Path | None = None) -> BitstreamReport:
    """As :func:`build`, of a machine that is elaborated."""
    board = job.board

    def fill(folder: Path) -> None:
        try:
            job.make(folder, progress)
        finally:
            _deliver(folder, out, board, LOGS)

    folder = library.cached(cache or library.cache_folder(), f"bitstream-{job.key}", fill)
    report = json.loads((folder / REPORT).read_text())
    fmax = report_fmax(report)
    _deliver(folder, out, board, (*LOGS, REPORT))
    if fmax < job.clock_mhz and not allow_timing_fail:
        raise TimingFailed(f"{job} reaches {fmax:g} MHz on {board.name}, not {job.clock_mhz} MHz; "
                           "choose a lower --clock, or --allow-timing-fail")
    _deliver(folder, out, board, (job.bitstream,))
    return BitstreamReport(board=board.name, device=board.part.name, array=job.array, clock_mhz=job.clock_mhz,
                           fmax_mhz=fmax, seed=job.seed, resources=report_use(report, job.family),
                           bitstream=out / f"{board.name}-{job.bitstream}",
                           sha256=hashlib.sha256((folder / job.bitstream).read_bytes()).hexdigest(),
                           tools=job.versions(), seconds=json.loads((folder / SECONDS).read_text()),
                           source=job.source)
