"""Estimate cycles, energy and area without simulating: lookup array against MAC arrays.

Estimates a network, a workload known by shape (resnet18, bert-base, bitnet-3b, llama3-8b), or one matrix product
MxDxN. Cycles are exactly those of the RTL, and every one of them is accounted for; energies are counted events times
the energies of a technology file, whose every entry carries its source (docs/cost-model.md).
"""

import argparse
from typing import Any

from lutra_model import compare, runs
from lutra_model.activity import load
from lutra_model.latency import OperationLatency
from lutra_model.params import Metric
from lutra_model.runs import Job
from lutra_reports import doubt

from .common import Outcome, array_options, network_argument, progress, technologies, technology_option
from .estimate_tables import shown
from .estimated import SHAPES, estimated, product
from .on_board import board_table, on_board

NAME = "estimate"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    network_argument(parser)
    array_options(parser)
    parser.add_argument("--workload", choices=SHAPES, help="a workload by shape, instead of a network")
    parser.add_argument("--tokens", type=int, metavar="M",
                        help="tokens of a language workload: M of a prompt, or 1 that follows (128)")
    parser.add_argument("--product", type=product, metavar="MxDxN", help="one matrix product, instead of a network")
    parser.add_argument("--length", type=int, default=9, metavar="V", help="sub-vector length of --product (9)")
    parser.add_argument("--entries", type=int, default=16, metavar="C", help="table entries of --product (16)")
    parser.add_argument("--metric", type=Metric, choices=list(Metric), default=Metric.L2,
                        help="the encoder's distance, for a workload or product (l2)")
    parser.add_argument("--batch", type=int, default=1, metavar="B",
                        help="inputs that pay together for what is loaded once (1)")
    tables = parser.add_mutually_exclusive_group()
    tables.add_argument("--resident", action="store_true", help="all tables stay in table memory")
    tables.add_argument("--stream", action="store_true", help="all tables come from the table stream, for every input")
    parser.add_argument("--table-period", type=int, default=1, metavar="P",
                        help="cycles from one beat of the table stream to the next (1)")
    parser.add_argument("--activation-period", type=int, default=1, metavar="P",
                        help="cycles from one beat of the input stream to the next (1)")
    parser.add_argument("--encoder-clock", type=int, default=1, metavar="R",
                        help="how many times as fast as the rest the encoders and their feeder work, in the model (1)")
    parser.add_argument("--gather", action="store_true",
                        help="the array can load selected table entries only, and does where that takes fewer cycles")
    parser.add_argument("--activity", metavar="FILE.json",
                        help="what the network's data do, as lutra simulate --activity counts it")
    parser.add_argument("--board", metavar="B",
                        help="and what bare arrays of these cells take of this board's FPGA, before any synthesis")
    parser.add_argument("--int8-activity", metavar="FILE.json", help="and those of the same network of multiplications")
    technology_option(parser)


def _layer(job: Job, cost: OperationLatency) -> dict[str, Any]:
    """One row of the table; the cells' share is that of useful lookups (or products) in all cycles."""
    layer = job.layer
    shape = {"rows": layer.rows, "codebooks": layer.codebooks, "columns": layer.columns} if layer else \
        {"rows": job.operation.rows, "codebooks": 0, "columns": 0}
    return {"name": job.name, "kind": cost.kind.name.lower(), **shape, "macs": job.macs, "times": job.times,
            "lookups": job.times * job.lookups, "cycles": job.times * cost.cycles,
            "causes": {cause: job.times * cycles for cause, cycles in cost.causes.items()},
            "ragged": job.times * cost.ragged(job.lookups) if layer else 0,
            "busy": {stage: job.times * cycles for stage, cycles in cost.busy.items()},
            "binding": cost.binding, "binding_busy": cost.utilisation,
            "cell_utilisation": cost.cell_utilisation(job.lookups)}


def _price(design: runs.Priced) -> dict[str, Any]:
    array, (low, high) = design.run.design.array, design.bill.range()
    return {"array": f"{array.rows}x{array.columns}", "cycles": design.run.cycles,
            "energy_pj": design.bill.picojoules, "energy_pj_low": low, "energy_pj_high": high,
            "components_pj": design.bill.components, "area_um2": design.area, "milliseconds": design.milliseconds,
            "pj_per_mac": design.pj_per_mac, "dram_bytes_per_mac": design.run.dram_bits / 8 / design.run.macs}


def run(args: argparse.Namespace) -> Outcome:
    """Cycles of every layer and what they went into; energy and area of every design in every technology."""
    name, works, found, host, levels = estimated(args)
    array = found.design.array
    board = on_board(args.board, array) if args.board else {}
    layers = [_layer(job, cost) for job, cost in zip(found.jobs, found.latencies, strict=True)]
    own, twin = (load(path).toggles if path else None for path in (args.activity, args.int8_activity))
    with progress(quiet=args.json) as show:
        compared = compare.compare(works, [found], technologies(args.technology), images=args.batch,
                                   weight_levels=levels, lookup_toggles=own, mac_toggles=twin,
                                   progress=show) if array.is_lookup else {}
    energy = {tech: {design: _price(priced) for design, priced in result.designs.items()}
              for tech, result in compared.items()}
    total = sum(found.job_cycles)
    data = {"workload": name, "array": {"rows": array.rows, "columns": array.columns, "encoders": array.encoders,
                                        "metric": array.metric}, "cycles": total,
            "causes": found.causes, "binding_busy": found.binding_busy,
            "host": list(host), "batch": args.batch, "layers": layers, "energy": energy,
            "overall": doubt.ranges(result.designs for result in compared.values())}
    tables = shown(data)
    if board:
        data |= board
        tables.append(board_table(args.board, board))
    return Outcome(data, tables)
