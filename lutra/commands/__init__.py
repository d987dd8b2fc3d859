"""The commands, in the order that help lists them."""

from . import (
    bench,
    bitstream,
    compare,
    convert,
    crossover,
    estimate,
    explore,
    export,
    fetch,
    functions,
    golden,
    info,
    peers,
    report,
    simulate,
    train,
    verilog,
    zoo,
)

__all__ = ["COMMANDS"]

COMMANDS = (report, compare, crossover, estimate, explore, simulate, golden, convert, export, verilog, bitstream, info,
            functions, zoo, train, fetch, peers, bench)
