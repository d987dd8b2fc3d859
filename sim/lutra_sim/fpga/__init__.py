"""From the machine to an FPGA: synthesis, place and route, bitstream, and the netlist that passes the same tests."""

from lutra_hw.board.boards import BOARDS

from .fitting import advice, fit
from .flow import BitstreamReport, TimingFailed, build
from .job import DoesNotFit
from .netlist import build_netlist, netlist

__all__ = ["BOARDS", "BitstreamReport", "DoesNotFit", "TimingFailed", "advice", "build", "build_netlist",
           "fit", "netlist"]
