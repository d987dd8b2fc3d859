"""Builds a machine for cocotb and runs the bench on it."""

import os
from pathlib import Path
from unittest import mock

from cocotb_tools.check_results import get_results
from cocotb_tools.runner import get_runner

from . import tools
from .case import Case, environment

__all__ = ["build_bench", "run_bench"]

TOP = "lutra"
MAKE_FLAGS = "CXX=g++ AR=ar CFG_CXXFLAGS_PCH_I=-include OPT_FAST=-O1 OPT_SLOW=-O0 OPT_GLOBAL=-O0"
STREAMS = {"s_axis_cmd": ("tdata",), "s_axis_act": ("tdata", "tlast"), "s_axis_table": ("tdata", "tlast"),
           "m_axis": ("tdata", "tkeep", "tlast")}


def _public_ports() -> str:
    """Verilator's control file that lets the bench see the top's ports, and nothing else."""
    ports = ["clk", "rst", "status"] + [f"{prefix}_{name}" for prefix, names in STREAMS.items()
                                        for name in (*names, "tvalid", "tready")]
    lines = [f'public_flat_rw -module "{TOP}" -var "{port}"' for port in ports]
    return "\n".join(["`verilator_config", *lines, ""])


def build_bench(verilog: str, folder: Path) -> None:
    """Compile a machine's Verilog for cocotb into ``folder``."""
    (folder / "lutra.v").write_text(verilog)
    (folder / "ports.vlt").write_text(_public_ports())
    with mock.patch.dict(os.environ, tools.environment() | {"MAKEFLAGS": MAKE_FLAGS}):
        get_runner("verilator").build(
            sources=[folder / "ports.vlt", folder / "lutra.v"], hdl_toplevel=TOP, build_dir=folder,
            build_args=["--no-public-flat-rw", "-Wno-lint", "--no-timing"], timescale=("1ns", "1ps"),
            log_file=folder / "build.log")


def run_bench(folder: Path, cases: list[Case], *, module: str = "bench_machine",
              tests: list[str] | None = None) -> None:
    """Run a bench's tests, or those named, on the machine in ``folder``; ``AssertionError`` when one fails."""
    log, results = folder / "bench.log", folder / "results.xml"
    try:
        get_runner("verilator").test(
            hdl_toplevel=TOP, hdl_toplevel_lang="verilog", test_module=f"lutra_sim.{module}", build_dir=folder,
            test_dir=folder, testcase=tests, extra_env=environment(cases, folder), results_xml=str(results),
            log_file=log)
        ran, failed = get_results(results)
    except SystemExit:
        ran, failed = 0, 1
    if failed or not ran:
        raise AssertionError(log.read_text()[-6000:])
