"""The commands, in the order that help lists them."""

from . import bench, bitstream, compare, convert, estimate, export, golden, info, report, simulate, verilog

__all__ = ["COMMANDS"]

COMMANDS = (report, compare, estimate, simulate, golden, convert, export, verilog, bitstream, info, bench)
