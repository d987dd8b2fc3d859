"""Run a network on an FPGA board behind a serial port, or on the same board in simulation.

Asks the board for its identity, loads program and tables, streams inputs, and compares every answer with the golden
model. INPUT is an array as for lutra golden; without it, embedded test images. The board must hold the machine that
--board or --design says. --simulated has the board's top level, serial pins included, in Verilator behind a
pseudo-terminal, with the same driver on the other side. docs/fpga.md describes the protocol.
"""

import argparse
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lutra_model import golden
from lutra_model.bare import Bare
from lutra_model.files import write_whole
from lutra_model.network import Network
from lutra_model.nodes import Product
from lutra_model.params import Array, Metric
from lutra_model.program import Program, compile_network

from .. import embedded
from .common import Outcome, input_options, network_argument, progress, some_inputs
from .golden import save_array

if TYPE_CHECKING:
    from lutra_hw.board.boards import Board
    from lutra_sim.fpga.host import Host
    from lutra_sim.fpga.serial import SerialPort

NAME = "run"
BATCH = 16       # inputs of one job: what is done again when the line spoils it
SLOW = {"timeout": 60.0, "settle": 0.5}  # seconds that a simulated board is given


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    network_argument(parser)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--port", metavar="DEVICE", help="the board's serial port, such as /dev/ttyUSB0")
    where.add_argument("--simulated", action="store_true", help="the board in simulation; compiling it takes minutes")
    machine = parser.add_mutually_exclusive_group(required=True)
    machine.add_argument("--board", metavar="B", help="the machine of lutra bitstream --board B")
    machine.add_argument("--design", metavar="FILE.json", help="the machine of a bitstream: what lutra bitstream "
                                                               "--json printed")
    input_options(parser)


def _design(args: argparse.Namespace) -> tuple["Board", Array, float]:
    """Board, machine and clock in MHz."""
    from lutra_hw.board.boards import board_named

    if args.board:
        board = board_named(args.board)
        return board, board.array, board.clock_mhz
    try:
        found = json.loads(Path(args.design).read_text())
        kind = Bare if "multipliers" in found["array"] else Array
        array = kind(**found["array"] | {"metric": Metric(found["array"]["metric"])})
        return board_named(found["board"]), array, float(found["clock_mhz"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"design file {args.design} must hold what lutra bitstream --json prints: {error}") from None


@contextmanager
def _port(args: argparse.Namespace, board: "Board", array: Array, show: Any) -> Iterator["SerialPort"]:
    from lutra_sim.fpga.serial import SerialPort
    from lutra_sim.fpga.simulated import SimulatedBoard, build_board
    from lutra_sim.fpga.terminal import terminal

    if not args.simulated:
        with SerialPort(args.port, baud=board.baud) as port:
            yield port
        return
    with terminal(SimulatedBoard(build_board(array, progress=show))) as path, \
            SerialPort(path, baud=board.baud, **SLOW) as port:
        yield port


def _answers(host: "Host", program: Program, inputs: NDArray[np.int8], name: str,
             show: Any) -> tuple[NDArray[np.int8], float]:
    """Outputs of all inputs, and the seconds that they took."""
    host.load(program)
    start, parts = time.monotonic(), []
    for first in range(0, len(inputs), BATCH):
        show(name, first, len(inputs))
        parts.append(host.run(inputs[first:first + BATCH]))
    show(name, len(inputs), len(inputs))
    return np.concatenate(parts), time.monotonic() - start


def run(args: argparse.Namespace) -> Outcome:
    """Answers, rates and the verdict."""
    from lutra_sim.compiled import MachineFailed
    from lutra_sim.fpga.host import Host
    from lutra_sim.fpga.rates import rates

    network, (board, array, clock_mhz) = embedded.network(args.network), _design(args)
    if isinstance(array, Bare):
        return _on_bare(args, board, array, network)
    inputs, program = golden.quantise(network, some_inputs(args)), compile_network(network, array)
    with progress(quiet=args.json) as show, _port(args, board, array, show) as port:
        host = Host(port)
        try:
            outputs, seconds = _answers(host, program, inputs, f"running {network.name}, inputs", show)
        except MachineFailed as failure:
            raise ValueError(str(failure)) from None
    if args.output:
        write_whole(args.output, lambda part: save_array(part, outputs))
    expected, speed = golden.outputs(network, inputs), rates(program, clock_mhz, board.baud)
    data = {"network": network.name, "board": board.name, "simulated": args.simulated, "inputs": len(inputs),
            "classes": outputs.reshape(len(outputs), -1).argmax(axis=1).tolist(),
            "bit_exact": bool((outputs == expected).all()), "seconds": seconds,
            "inputs_per_s": len(inputs) / seconds, "bound": speed.bound, "rates": asdict(speed),
            "faults": [str(fault) for fault in host.faults]}
    return Outcome(data, _shown(data, clock_mhz, board.baud))


def _on_bare(args: argparse.Namespace, board: "Board", array: Bare, network: Network) -> Outcome:
    """The network's products on a bare array, all that is between them here."""
    from lutra_sim.fpga import bare_network
    from lutra_sim.fpga.bare import BareHost

    products = [node for node in network.nodes if isinstance(node, Product)]
    refused = [why for node in products if (why := bare_network.refusal(array, node))]
    if len(refused) == len(products):
        raise ValueError(f"the array of {board.name} runs no layer of {network.name}: {refused[0]}")
    inputs = golden.quantise(network, some_inputs(args))
    with progress(quiet=args.json) as show, _port(args, board, array, show) as port:
        host, start = BareHost(port), time.monotonic()
        outputs, done = bare_network.run(host, array, network, inputs, show)
        seconds = time.monotonic() - start
    if args.output:
        write_whole(args.output, lambda part: save_array(part, outputs))
    data = {"network": network.name, "board": board.name, "simulated": args.simulated, "inputs": len(inputs),
            "classes": outputs.reshape(len(outputs), -1).argmax(axis=1).tolist(), "layers": done, "host": refused,
            "bit_exact": bool((outputs == golden.outputs(network, inputs)).all()), "seconds": seconds,
            "inputs_per_s": len(inputs) / seconds, "faults": [str(fault) for fault in host.faults]}
    return Outcome(data, [*_answered(data), f"on the array: {', '.join(done)}", *refused,
                          f"{'of simulation' if args.simulated else 'measured'}: {data['inputs_per_s']:,.3f} inputs/s"])


def _shown(data: dict[str, Any], clock_mhz: float, baud: int) -> list[str]:
    speed = data["rates"]
    return [*_answered(data),
            f"{data['bound']}-bound: the machine can do {speed['machine']:,.1f} inputs/s ({speed['cycles']:,} cycles "
            f"at {clock_mhz:g} MHz), the line {speed['line']:,.1f} ({speed['sent']:,} bytes there, "
            f"{speed['heard']:,} back, at {baud:,} baud)",
            f"{'of simulation' if data['simulated'] else 'measured'}: {data['inputs_per_s']:,.1f} inputs/s"]


def _answered(data: dict[str, Any]) -> list[str]:
    classes, again = data["classes"], "; ".join(data["faults"])
    return [f"{data['network']} on {data['board']}{', simulated' * data['simulated']}: {data['inputs']} inputs",
            "classes: " + " ".join(map(str, classes[:40])) + " ..." * (len(classes) > 40),
            f"bit-exact: {'yes' if data['bit_exact'] else 'NO'}; jobs done again: {len(data['faults'])}"
            + f" ({again})" * bool(again)]
