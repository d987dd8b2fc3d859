"""The commands, in the order that help lists them."""

from . import (
    bench,
    bitstream,
    compare,
    convert,
    crossover,
    estimate,
    export,
    fetch,
    functions,
    golden,
    info,
    report,
    run,
    simulate,
    train,
    verilog,
    zoo,
)

__all__ = ["COMMANDS"]

COMMANDS = (report, compare, crossover, estimate, simulate, golden, convert, export, verilog, bitstream, run, info,
            functions, zoo, train, fetch, bench)
