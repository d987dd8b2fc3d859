"""Estimate cycles, energy and area without simulating: lookup array against MAC arrays.

Estimates a network, a workload known by shape (resnet18, bert-base), or one matrix product MxDxN. Cycles are
exactly those of the RTL; energies are counted events times the energies of a technology file, whose every entry
carries its source (docs/cost-model.md).
"""

import argparse
from typing import Any

from lutra_model import compare, workloads
from lutra_model.fit import lookup_array
from lutra_model.latency import latency
from lutra_model.params import Array, Layer, Metric
from lutra_model.schedule import Schedule
from lutra_model.workloads import Work

from .. import embedded
from .common import Outcome, array_options, network_argument, table, technologies, technology_option

NAME = "estimate"
SHAPES = {"resnet18": workloads.resnet18, "bert-base": workloads.bert_base}


def _product(text: str) -> tuple[int, int, int]:
    parts = text.split("x")
    if len(parts) != 3 or not all(part.isdigit() and int(part) for part in parts):
        raise argparse.ArgumentTypeError(f"must be ROWSxREDUCTIONxCOLUMNS such as 784x144x16, not {text}")
    rows, reduction, columns = map(int, parts)
    return rows, reduction, columns


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    network_argument(parser)
    array_options(parser)
    parser.add_argument("--workload", choices=list(SHAPES), help="a workload by shape, instead of a network")
    parser.add_argument("--product", type=_product, metavar="MxDxN", help="one matrix product, instead of a network")
    parser.add_argument("--length", type=int, default=9, metavar="V", help="sub-vector length of --product (9)")
    parser.add_argument("--entries", type=int, default=16, metavar="C", help="table entries of --product (16)")
    parser.add_argument("--metric", type=Metric, choices=list(Metric), default=Metric.L2,
                        help="the encoder's distance, for a workload or product (l2)")
    parser.add_argument("--batch", type=int, default=1, metavar="B", help="inputs of the network at once (1)")
    parser.add_argument("--table-period", type=int, default=1, metavar="P", help="cycles for each table beat (1)")
    parser.add_argument("--activation-period", type=int, default=1, metavar="P",
                        help="cycles for each activation beat (1)")
    technology_option(parser)


def _works(args: argparse.Namespace) -> tuple[str, tuple[Work, ...], Array]:
    rows, columns = args.array
    if not args.workload and not args.product:
        network = embedded.network(args.network)
        array = lookup_array(network, rows=rows, columns=columns, encoders=args.encoders)
        works = workloads.of_network(network, args.batch)
        return network.name, tuple(work for work in works if not work.layer.is_dense), array
    if args.product:
        m, reduction, n = args.product
        works = (Work(Layer(name="product", rows=m, codebooks=-(-reduction // args.length), columns=n,
                            length=args.length, entries=args.entries, reduction=reduction), m * reduction),)
    else:
        works = SHAPES[args.workload]()
    layers = [work.layer for work in works]
    array = Array(rows=rows, columns=columns, encoders=args.encoders, metric=args.metric,
                  length=max(layer.length for layer in layers), codebooks=max(layer.codebooks for layer in layers),
                  entries=max(2, 1 << (max(layer.entries for layer in layers) - 1).bit_length()))
    return args.workload or "product", works, array


def _layers(works: tuple[Work, ...], array: Array, args: argparse.Namespace) -> list[dict[str, object]]:
    found = []
    for work in works:
        layer = work.layer
        cost = latency(Schedule(layer, array), activation_period=args.activation_period,
                       table_period=args.table_period)
        found.append({"name": layer.name, "rows": layer.rows, "codebooks": layer.codebooks, "columns": layer.columns,
                      "macs": layer.macs, "lookups": layer.lookups, "cycles": cost.cycles, "encode": cost.encode,
                      "lookup": cost.lookup, "load": cost.load, "binding": cost.binding})
    return found


def _price(design: compare.Priced) -> dict[str, Any]:
    array, (low, high) = design.run.design.array, design.bill.range()
    return {"array": f"{array.rows}x{array.columns}", "cycles": design.run.cycles,
            "energy_pj": design.bill.picojoules, "energy_pj_low": low, "energy_pj_high": high,
            "components_pj": design.bill.components, "area_um2": design.area, "milliseconds": design.milliseconds,
            "pj_per_mac": design.pj_per_mac}


def run(args: argparse.Namespace) -> Outcome:
    """Cycles of every layer; energy and area of every design in every technology."""
    name, works, array = _works(args)
    layers = _layers(works, array, args)
    found = compare.compare(works, array, technologies(args.technology))
    energy = {tech: {design: _price(priced) for design, priced in result.designs.items()}
              for tech, result in found.items()}
    total = sum(int(str(layer["cycles"])) for layer in layers)
    data = {"workload": name, "array": {"rows": array.rows, "columns": array.columns, "encoders": array.encoders,
                                        "metric": array.metric}, "cycles": total, "layers": layers, "energy": energy}
    head = ["layer", "M", "K", "N", "cycles", "encode", "lookup", "load", "binding"]
    keys = ["name", "rows", "codebooks", "columns", "cycles", "encode", "lookup", "load", "binding"]
    shown = [table(f"{name} on {array.rows}x{array.columns} table cells, {array.encoders} encoders: {total:,} cycles",
                   head, [[layer[key] for key in keys] for layer in layers])]
    shown += [table(f"{tech}: MAC arrays at equal or better throughput",
                    ["design", "array", "cycles", "energy (range), uJ", "area, mm2"],
                    [_shown(design, price) for design, price in designs.items()]) for tech, designs in energy.items()]
    return Outcome(data, shown)


def _shown(design: str, price: dict[str, Any]) -> list[str]:
    middle, low, high = (price[key] / 1e6 for key in ("energy_pj", "energy_pj_low", "energy_pj_high"))
    return [design, price["array"], f"{price['cycles']:,}", f"{middle:.4g} ({low:.3g} to {high:.3g})",
            f"{price['area_um2'] / 1e6:.3g}"]
