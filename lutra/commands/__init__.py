"""The commands, in the order that help lists them."""

from . import convert, estimate, export, golden, info, simulate, verilog

__all__ = ["COMMANDS"]

COMMANDS = (estimate, simulate, golden, convert, export, verilog, info)
