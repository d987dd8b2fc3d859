"""Estimate cycles, energy and area without simulating: lookup array against MAC arrays.

Estimates a network, a workload known by shape (resnet18, bert-base, bitnet-3b, llama3-8b), or one matrix product
MxDxN. Cycles are exactly those of the RTL, and every one of them is accounted for; energies are counted events times
the energies of a technology file, whose every entry carries its source (docs/cost-model.md).
"""

import argparse
from typing import Any

from lutra_model import compare, fit, footprint, llm, runs, workloads
from lutra_model.activity import load
from lutra_model.latency import OperationLatency
from lutra_model.params import Array, Layer, Metric
from lutra_model.runs import Design, Job, Run
from lutra_model.workloads import Work
from lutra_reports import doubt

from .. import embedded
from .common import (
    REST,
    Outcome,
    array_options,
    network_argument,
    progress,
    rest,
    table,
    technologies,
    technology_option,
)

NAME = "estimate"
SHARES = ("on_chip", "total")  # of an energy
BY_TOKENS = {"bert-base": workloads.bert_base, **{name: model.works for name, model in llm.MODELS.items()}}
SHAPES = ["resnet18", *BY_TOKENS]


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
    parser.add_argument("--workload", choices=SHAPES, help="a workload by shape, instead of a network")
    parser.add_argument("--tokens", type=int, metavar="M",
                        help="tokens of a language workload: M of a prompt, or 1 that follows (128)")
    parser.add_argument("--product", type=_product, metavar="MxDxN", help="one matrix product, instead of a network")
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


def _single(args: argparse.Namespace) -> tuple[Work, ...]:
    rows, reduction, columns = args.product
    layer = Layer(name="product", rows=rows, codebooks=-(-reduction // args.length), columns=columns,
                  length=args.length, entries=args.entries, reduction=reduction)
    return (Work(name="product", layer=layer, width=rows, channels=reduction, output=True),)


def _by_shape(args: argparse.Namespace) -> tuple[Work, ...]:
    if args.workload in BY_TOKENS:
        return BY_TOKENS[args.workload](128 if args.tokens is None else args.tokens)
    if args.tokens is not None:
        raise ValueError(f"--tokens must come with a workload of tokens ({', '.join(BY_TOKENS)}), "
                         f"not with {args.workload}")
    return workloads.resnet18()


def _works_run(works: tuple[Work, ...], args: argparse.Namespace, periods: dict[str, int]) -> Run:
    """The works on the array of the command line; ``auto`` encoders are the fewest that are hardly slower."""
    rows, columns = args.array
    layers = [work.layer for work in works if work.layer]

    def make(encoders: int) -> Run:
        array = Array(rows=rows, columns=columns, encoders=encoders, metric=args.metric, gather=args.gather,
                      length=max(layer.length for layer in layers),
                      entries=max(2, 1 << (max(layer.entries for layer in layers) - 1).bit_length()))
        fitting, streamed = runs.sized(array, works, streamed=True if args.stream else
                                          False if args.resident else None)
        return runs.run(Design("lookup", fitting), works, images=args.batch, streamed=streamed, **periods)

    if args.encoders != "auto":
        return make(min(args.encoders, rows))
    tried = [make(1 << power) for power in range(rows.bit_length()) if rows % (1 << power) == 0]
    return next(found for found in tried if found.cycles <= fit.SLOWER * min(item.cycles for item in tried))


def _estimated(args: argparse.Namespace) -> tuple[str, tuple[Work, ...], Run, tuple[str, ...], int]:
    """Name, steps by shape, the run on the lookup array, the nodes that the host computes, levels of a weight."""
    periods = {"table_period": args.table_period, "activation_period": args.activation_period,
               "encoder_clock": args.encoder_clock}
    if args.workload or args.product:
        works = _single(args) if args.product else _by_shape(args)
        return args.workload or "product", works, _works_run(works, args, periods), (), 256
    from lutra_sim.stages import stages

    network = embedded.network(args.network)
    resident = True if args.resident else False if args.stream else None
    arrays = fit.arrays(network, rows=args.array[0], columns=args.array[1], encoders=args.encoders, resident=resident,
                        gather=args.gather)
    cut = stages(network, arrays, resident=resident)
    array = arrays[fit.main_scheme(network) or next(iter(arrays))]
    companion = arrays.get("int8") if array.is_lookup else None
    run = runs.run_programs(Design("lookup", array, companion=companion), network,
                               [(stage.source, stage.program) for stage in cut if stage.program], images=args.batch,
                               **periods)
    host = tuple(stage.nodes[0].name for stage in cut if not stage.program)
    levels = max(product.coding.weight_levels for product in network.products)
    return network.name, workloads.of_network(network), run, host, levels


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
    name, works, found, host, levels = _estimated(args)
    array = found.design.array
    board = _on_board(args.board, array) if args.board else {}
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
    shown = _shown(data)
    if board:
        data |= board
        shown.append(_board_table(args.board, board))
    return Outcome(data, shown)


def _on_board(name: str, array: Array) -> dict[str, Any]:
    """Estimates for bare arrays of so many cells, behind their host link, of what was measured; their known errors."""
    from lutra_hw.board.boards import board_named  # slow to import
    from lutra_sim.fpga import places

    board, found = board_named(name), []
    for engine, fields in places.KINDS:
        try:
            made = places.array(board, engine, array.rows, array.columns, **fields)
            taken = footprint.estimate(made, board.part.name, board.part.family)
        except ValueError:
            continue
        short = {what: count - board.part.resources[what] for what, count in taken.resources.items()
                 if count > board.part.resources[what]}
        found.append({"engine": engine, **fields, "multipliers_of_cells": max(0, made.multipliers),
                      "resources": dict(taken.resources), "fmax_mhz": taken.fmax_mhz, "short": short})
    if not found:
        raise ValueError(f"board must be of a family that was measured, not {name}: see lutra study fpga")
    return {"board": found, "known_errors": footprint.known_errors(board.part.name)}


def _board_table(name: str, data: dict[str, Any]) -> Any:
    found, errors = data["board"], data["known_errors"]
    names = list(found[0]["resources"])
    rows = [[f"{item['engine']} " + " ".join(f"{key}={item[key]}" for key in ("length", "entries") if key in item),
             *(f"{item['resources'][what]:,}" for what in names),
             f"{item['fmax_mhz']:.0f}" if item["fmax_mhz"] else "unknown",
             ", ".join(f"{count:,} {what} too few" for what, count in item["short"].items()) or "fits"]
            for item in found]
    off = ", ".join(f"{what} {100 * errors[what]:.0f} %" if what in errors else f"{what} unknown"
                    for what in (*footprint.FITTED, "Fmax"))
    return table(f"bare arrays of these cells on {name}, estimated; errors for arrays on this part that nothing was "
                 f"fitted to, at most: {off} (lutra study fpga)", ["array", *names, "Fmax, MHz", "verdict"], rows)


def _shown(data: dict[str, Any]) -> list[Any]:
    """Tables for people; shapes stand in ``lutra info`` and in ``--json``."""
    array = data["array"]
    rows = [[layer["name"], f"{layer['cycles']:,}", layer["binding"], f"{100 * layer['binding_busy']:.1f}%",
             f"{100 * layer['cell_utilisation']:.1f}%", rest(layer["causes"], layer["binding"], layer["ragged"])]
            for layer in data["layers"]]
    rows.append(["sum", f"{data['cycles']:,}", "", f"{100 * data['binding_busy']:.1f}%", "",
                 rest(data["causes"], "", sum(layer["ragged"] for layer in data["layers"]))])
    host = f"; on the host: {', '.join(data['host'])}" if data["host"] else ""
    title = (f"{data['workload']} on {array['rows']}x{array['columns']} cells, {array['encoders']} encoders: "
             f"{data['cycles']:,} cycles for one input{host}")
    shown = [table(title, ["layer", "cycles", "bound by", "busy", "cells", REST], rows)]
    return shown + [table(f"{tech}: MAC arrays at equal or better throughput",
                          ["design", "array", "cycles", "energy (range), uJ", "area, mm2", "DRAM bytes/MAC"],
                          [_design(design, price) for design, price in designs.items()])
                    for tech, designs in data["energy"].items()] + _overall(data["overall"])


def _overall(data: dict[str, Any]) -> list[Any]:
    """Ranges over all technologies, with memories of other kinds and other memory outside the chip."""
    rows = [[design, *(f"{found[which]['low'] / 1e6:.3g} to {found[which]['high'] / 1e6:.3g}" for which in SHARES),
             *("" if design not in data["ratios"] else
               "{low:.2f} to {high:.2f}".format(**data["ratios"][design][which]) for which in SHARES)]
            for design, found in data["energy_pj"].items()]
    head = ["design", "on the chip, uJ", "with memory, uJ", "over lookup, on the chip", "with memory"]
    return [table("over all of them, all kinds of memory and of DRAM", head, rows)] if rows else []


def _design(design: str, price: dict[str, Any]) -> list[str]:
    middle, low, high = (price[key] / 1e6 for key in ("energy_pj", "energy_pj_low", "energy_pj_high"))
    return [design, price["array"], f"{price['cycles']:,}", f"{middle:.4g} ({low:.3g} to {high:.3g})",
            f"{price['area_um2'] / 1e6:.3g}", f"{price['dram_bytes_per_mac']:.3g}"]
