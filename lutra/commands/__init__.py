"""The commands, in the order that help lists them."""

from . import convert, export, golden, info, simulate, verilog

__all__ = ["COMMANDS"]

COMMANDS = (simulate, golden, convert, export, verilog, info)
