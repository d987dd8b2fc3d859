"""Run a network on the compiled RTL, and compare every bit with the golden model and every cycle with the prediction.

INPUT is an array as for lutra golden; without it, embedded test images. The first run of an array compiles it with
Verilator (cached afterwards). A simulation that was interrupted goes on where it stopped when it is started again with
the same arguments: what is done is kept beside OUTPUT, or in the cache.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lutra_model.files import write_whole
from lutra_model.fit import arrays
from lutra_model.network import Network

from .. import embedded
from .common import Outcome, array_options, input_options, network_argument, progress, some_inputs, table
from .golden import save_array

NAME = "simulate"


def cycles(text: str) -> tuple[int, int]:
    """First and last cycle from ``100:199``."""
    first, _, last = text.partition(":")
    if not (first.isdigit() and last.isdigit() and int(first) <= int(last)):
        raise argparse.ArgumentTypeError(f"must be FIRST:LAST such as 0:999, not {text}")
    return int(first), int(last)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    network_argument(parser)
    array_options(parser)
    input_options(parser)
    tables = parser.add_mutually_exclusive_group()
    tables.add_argument("--resident", action="store_true", help="table memory has room for all tables")
    tables.add_argument("--stream", action="store_true", help="all tables come from the table stream, for every input")
    parser.add_argument("--table-period", type=int, default=1, metavar="P",
                        help="cycles from one beat of the table stream to the next (1)")
    parser.add_argument("--layers", action="store_true",
                        help="check the value of every node, by running the network up to it on one input")
    parser.add_argument("--activity", metavar="FILE.json",
                        help="count how many bits change in every component, for lutra estimate --activity")
    parser.add_argument("--trace", metavar="FILE", help="write a waveform of the first input, .fst or .vcd")
    parser.add_argument("--cycles", type=cycles, default=(0, 999), metavar="A:B",
                        help="which cycles of it, both included (0:999)")


def run(args: argparse.Namespace) -> Outcome:
    """Verdict, cycles predicted and simulated, operation by operation."""
    from lutra_sim import network as simulation
    from lutra_sim.library import cache_folder

    network, (rows, columns) = embedded.network(args.network), args.array
    inputs, resident = some_inputs(args), True if args.resident else False if args.stream else None
    chosen = arrays(network, rows=rows, columns=columns, encoders=args.encoders, resident=resident)
    keep = Path(f"{args.output}.partial") if args.output else cache_folder()
    with progress(quiet=args.json) as show:
        if args.trace:
            write_trace(network, inputs, chosen, args, resident, show)
        found = simulation.simulate(network, inputs, chosen, resident=resident, table_period=args.table_period,
                                    activity=bool(args.activity), keep=keep, progress=show)
        exact = simulation.check_layers(network, inputs[:1], chosen, resident=resident,
                                        progress=show) if args.layers else {}
    if args.output:
        write_whole(args.output, lambda part: save_array(part, found.outputs))
    counted = found.network_activity(network.name)
    if args.activity:
        write_whole(args.activity, lambda part: part.write_text(json.dumps(counted.as_dict(), indent=1) + "\n"))
    data = found.as_dict() | {"classes": np.reshape(found.outputs, (len(inputs), -1)).argmax(axis=1).tolist(),
                              "arrays": {scheme: str(array) for scheme, array in chosen.items()}, "exact": exact,
                              "toggles": counted.toggles}
    return Outcome(data, _shown(network, data))


def write_trace(network: Network, inputs: NDArray[Any], chosen: Any, args: argparse.Namespace, resident: bool | None,
                show: Any) -> None:
    """The waveform, whole or not at all."""
    from lutra_sim.network import trace

    kind = Path(args.trace).suffix.removeprefix(".")
    write_whole(args.trace, lambda part: trace(network, inputs, chosen, part, args.cycles, kind=kind,
                                               resident=resident, progress=show))


def _shown(network: Network, data: dict[str, Any]) -> list[Any]:
    verdict = {True: "yes", False: "NO", None: ""}
    rows = [[layer["name"], layer["kind"], layer["node"], f"{layer['predicted']:,}",
             "" if layer["simulated"] is None else f"{layer['simulated']:,}", layer["binding"],
             *([verdict[data["exact"].get(layer["node"])]] if data["exact"] else [])] for layer in data["layers"]]
    head = ["operation", "kind", "makes", "predicted", "simulated", "bound by", *(["exact"] if data["exact"] else [])]
    total, host = data["cycles"], f"; on the host: {', '.join(data['host'])}" if data["host"] else ""
    speed = (f"{data['images_per_s']:.2f} images/s, {data['cycles_per_s']:,.0f} cycles/s simulated"
             if data["images_per_s"] else "all results were there from an earlier run")
    rates = [table(f"bits that change, of those that come to a component ({engine})", ["component", "changes"],
                   [[component, f"{100 * rate:.1f}%"] for component, rate in found.items()])
             for engine, found in data["toggles"].items() if found]
    return [table(f"{network.name}, {data['images']} inputs: cycles of the first one", head, rows), *rates,
            f"bit-exact: {verdict[data['bit_exact']]}; cycles as predicted: {verdict[data['cycles_exact']]}; "
            f"{total['predicted']:,} predicted, {total['simulated']:,} simulated{host}", speed]
