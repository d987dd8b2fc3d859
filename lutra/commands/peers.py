"""Write the multiplying baseline as inputs of AccelForge, ZigZag and SCALE-Sim, and count it by Lutra's own model.

A folder for each tool: array, memories, price table and the workload's products in the form that the tool reads, and
a script that runs it. peers.json has what Lutra counts for the same products at the same prices, and SCALE-Sim's
cycles by its formula (docs/explore.md).
"""

import argparse
from dataclasses import replace
from typing import Any

from lutra_model import peers, scale_sim, workloads
from lutra_model.params import Array
from lutra_model.workloads import Work

from .. import embedded
from .common import Outcome, network_argument, shape, table, technologies

NAME = "peers"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    reference = peers.REFERENCE
    network_argument(parser)
    parser.add_argument("--workload", choices=["resnet18", "bert-base"], help="a workload by shape, instead")
    parser.add_argument("--array", type=shape, default=(reference.rows, reference.columns), metavar="RxC",
                        help=f"multipliers of the array ({reference.rows}x{reference.columns})")
    for name, words, what in [("input", reference.index_words, "a byte for each row"),
                              ("sum", reference.block_rows, "a sum for each column"),
                              ("weight", reference.table_words, "a byte for each column")]:
        parser.add_argument(f"--{name}-words", type=int, default=words, metavar="W",
                            help=f"words of the {name} memory, {what} ({words})")
    parser.add_argument("--technology", metavar="FILE",
                        help="prices of a technology, a file or a built-in one's name (the comparison's common table)")
    parser.add_argument("--output", default="peers", metavar="FOLDER", help="where the files go (peers)")


def _works(args: argparse.Namespace) -> tuple[str, tuple[Work, ...]]:
    if args.workload:
        return args.workload, {"resnet18": workloads.resnet18, "bert-base": workloads.bert_base}[args.workload]()
    network = embedded.network(args.network)
    return network.name, workloads.of_network(network)


def run(args: argparse.Namespace) -> Outcome:
    """What was written, and Lutra's own numbers."""
    from lutra_reports import write  # slow to import

    write.check(args.output)
    name, steps = _works(args)
    rows, columns = args.array
    array: Array = replace(Array.mac(rows=rows, columns=columns, fill=1), index_words=args.input_words,
                           block_rows=args.sum_words, table_words=args.weight_words)
    works = peers.products(steps)
    prices = peers.prices_of(technologies([args.technology])[0], array) if args.technology else peers.COMMON
    data = {"workload": name} | peers.counted(works, array, prices)
    for work in works:
        assert work.layer
        data["layers"][work.name]["scale_sim_cycles"] = {
            flow.value: scale_sim.layer_cycles(work.layer, rows, columns, flow) * work.groups * work.times
            for flow in scale_sim.Dataflow}
    files = {f"{tool}/{path}": text.encode() for tool, make in peers.TOOLS.items()
             for path, text in make(works, array, prices).items()}
    paths = write.store(files | {"peers.json": write.as_json(data)}, args.output)
    return Outcome(data, [_shown(data), f"written: {len(paths)} files in {args.output}"])


def _shown(data: dict[str, Any]) -> Any:
    lines = [[name, f"{layer['cycles']:,}", f"{layer['scale_sim_cycles']['ws']:,}", f"{layer['microjoules']:.4g}"]
             for name, layer in data["layers"].items()]
    flows = sum(layer["scale_sim_cycles"]["ws"] for layer in data["layers"].values())
    lines.append(["sum", f"{data['cycles']:,}", f"{flows:,}", f"{data['microjoules']:.5g}"])
    array = data["array"]
    return table(f"{data['workload']} on {array['rows']}x{array['columns']} multipliers",
                 ["product", "cycles", "SCALE-Sim's cycles (weights stay)", "energy, uJ"], lines)
