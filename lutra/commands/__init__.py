"""The commands, in the order that help lists them."""

from . import bench, bitstream, convert, estimate, export, functions, golden, info, report, simulate, verilog

__all__ = ["COMMANDS"]

COMMANDS = (report, estimate, simulate, golden, convert, export, verilog, bitstream, info, functions, bench)
