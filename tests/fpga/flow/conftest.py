"""Tools that write what archived logs say."""

from pathlib import Path

import pytest

from lutra_sim.fpga import job as jobs
from lutra_sim.fpga import tools
from lutra_sim.fpga.job import Job
from tests.fpga.flow.inputs import LOGS


@pytest.fixture
def no_tools(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Tools that write what archived logs say instead of running; the names of those that ran."""
    ran: list[str] = []
    cells: dict[str, int] = {}

    def synthesise(rtlil: str, text: str, top: str, folder: Path) -> dict[str, int]:
        ran.append("yosys")
        (folder / f"{top}.json").write_text('{"modules": {"lutra": {"ports": {}, "cells": {}}}}')
        return cells

    def run(tool: tools.Tool, arguments: list[str], folder: Path, log: str) -> str:
        ran.append(tool.name)
        name = "nextpnr_report.json" if "report.json" in arguments else None
        if name:
            (folder / "report.json").write_text((LOGS / name).read_text())
        (folder / log).write_text("")
        if tool.name == "ecppack":
            (folder / "lutra.bit").write_bytes(b"bits")
        return ""

    monkeypatch.setattr(Job, "of", lambda board, array, clock_mhz, seed: Job(
        board=board, array=array, clock_mhz=clock_mhz, seed=seed, rtlil=repr(array), pins=""))
    monkeypatch.setattr(jobs, "synthesise", synthesise)
    monkeypatch.setattr(tools, "run", run)
    return ran
