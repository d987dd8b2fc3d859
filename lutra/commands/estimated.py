"""What an estimate is of: a network, a workload known by shape, or one matrix product, run on the lookup array."""

import argparse

from lutra_model import fit, llm, runs, workloads
from lutra_model.params import Array, Layer
from lutra_model.runs import Design, Run
from lutra_model.workloads import Work

from .. import embedded

__all__ = ["SHAPES", "estimated", "product"]

BY_TOKENS = {"bert-base": workloads.bert_base, **{name: model.works for name, model in llm.MODELS.items()}}
SHAPES = ["resnet18", *BY_TOKENS]


def product(text: str) -> tuple[int, int, int]:
    """Rows, reduction and columns of a matrix product, from a command line."""
    parts = text.split("x")
    if len(parts) != 3 or not all(part.isdigit() and int(part) for part in parts):
        raise argparse.ArgumentTypeError(f"must be ROWSxREDUCTIONxCOLUMNS such as 784x144x16, not {text}")
    rows, reduction, columns = map(int, parts)
    return rows, reduction, columns


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


def _resident(args: argparse.Namespace) -> bool | None:
    """Whether tables stay in table memory; None: as far as they fit."""
    return True if args.resident else False if args.stream else None


def _works_run(works: tuple[Work, ...], args: argparse.Namespace, periods: dict[str, int]) -> Run:
    """The works on the array of the command line; ``auto`` encoders are the fewest that are hardly slower."""
    rows, columns = args.array
    layers = [work.layer for work in works if work.layer]

    def make(encoders: int) -> Run:
        array = Array(rows=rows, columns=columns, encoders=encoders, metric=args.metric, gather=args.gather,
                      length=max(layer.length for layer in layers),
                      entries=max(2, 1 << (max(layer.entries for layer in layers) - 1).bit_length()))
        resident = _resident(args)
        fitting, streamed = runs.sized(array, works, streamed=None if resident is None else not resident)
        return runs.run(Design("lookup", fitting), works, images=args.batch, streamed=streamed, **periods)

    if args.encoders != "auto":
        return make(min(args.encoders, rows))
    tried = [make(1 << power) for power in range(rows.bit_length()) if rows % (1 << power) == 0]
    return next(found for found in tried if found.cycles <= fit.SLOWER * min(item.cycles for item in tried))


def estimated(args: argparse.Namespace) -> tuple[str, tuple[Work, ...], Run, tuple[str, ...], int]:
    """Name, steps by shape, the run on the lookup array, the nodes that the host computes, levels of a weight."""
    periods = {"table_period": args.table_period, "activation_period": args.activation_period,
               "encoder_clock": args.encoder_clock}
    if args.workload or args.product:
        works = _single(args) if args.product else _by_shape(args)
        return args.workload or "product", works, _works_run(works, args, periods), (), 256
    from lutra_sim.stages import stages

    network = embedded.network(args.network)
    resident = _resident(args)
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
