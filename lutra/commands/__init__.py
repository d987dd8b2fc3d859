"""The commands, in the order that help lists them."""

from . import (
    bench,
    bitstream,
    characterise,
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
    run,
    simulate,
    study,
    technology,
    train,
    verilog,
    zoo,
)

__all__ = ["COMMANDS"]

COMMANDS = (report, compare, crossover, estimate, explore, simulate, golden, convert, export, verilog, bitstream, run,
            info, functions, characterise, technology, zoo, study, train, fetch, peers, bench)
