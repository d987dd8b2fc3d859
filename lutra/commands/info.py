"""Say what a network file holds, or (without one) what is embedded and which tools were found."""

import argparse

from lutra_model import fit
from lutra_model.network import Network, Product, Shape, placement

from .. import __version__, embedded
from .common import Outcome, network_argument, table

NAME = "info"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    network_argument(parser)


def _layer(node: Product, shape: Shape) -> dict[str, object]:
    """A product's shape, that of one group where there are several; MACs, lookups and bytes are those of all."""
    layer = node.layer(node.rows(shape))
    return {"kind": node.scheme, "rows": layer.rows, "codebooks": layer.codebooks, "columns": layer.columns,
            "groups": node.groups, "length": layer.length, "entries": layer.entries, "macs": node.macs(shape),
            "lookups": node.lookups(shape), "table_bytes": node.table.nbytes, "centroid_bytes": node.coding.nbytes}


def _on_the_host(network: Network) -> set[str]:
    """Nodes that machines of 16 x 16 cells leave to the host: by their kind, or because no array cuts them."""
    from lutra_sim.stages import stages

    arrays = fit.arrays(network, rows=16, columns=16)
    return {node.name for stage in stages(network, arrays) if not stage.program for node in stage.nodes}


def _describe(network: Network) -> list[dict[str, object]]:
    rows, host = [], _on_the_host(network)
    for node in network.nodes:
        row: dict[str, object] = {"name": node.name, "kind": type(node).__name__.lower(),
                                  "output": list(network.shapes[node.name]),
                                  "runs_on": "host" if node.name in host else placement(node)}
        if isinstance(node, Product):
            row |= _layer(node, network.shapes[node.inputs[0]])
        rows.append(row)
    return rows


def _by(*sizes: object) -> str:
    return "x".join(map(str, sizes))


def _short(count: object) -> str:
    """Three digits and a unit."""
    number, units = float(str(count)), iter(("", "k", "M", "G", "T"))
    unit = next(units)
    while number >= 999.5:
        number, unit = number / 1000, next(units)
    return f"{number:.3g}{unit}"


def _cells(row: dict[str, object]) -> list[str]:
    if "macs" not in row:
        return [""] * 5
    many = f"{row['groups']}*" if row["groups"] != 1 else ""
    return [many + _by(row["rows"], row["codebooks"], row["columns"]), _by(row["length"], row["entries"]),
            *(_short(row[key]) for key in ("macs", "lookups", "table_bytes"))]


def _told(network: Network, nodes: list[dict[str, object]]) -> str:
    host = [str(row["name"]) for row in nodes if row["runs_on"] == "host"]
    return ("M activation rows, K codebooks, N columns (groups* in front), V scalars of an index, "
            "C entries of a table or planes of a weight; "
            f"{network.macs:,} MACs stand behind {len(network.products)} product layers; "
            + (f"the host runs {len(host)} nodes: {', '.join(host)}" if host else "nothing runs on the host"))


def run(args: argparse.Namespace) -> Outcome:
    """Layers, sizes, provenance and tool versions."""
    from lutra_sim import tools

    network = embedded.network(args.network)
    nodes = _describe(network)
    versions = tools.versions()
    data = {"lutra": __version__, "network": network.name, "input_shape": list(network.input_shape), "nodes": nodes,
            "provenance": network.provenance, "tools": versions}
    if embedded.is_default(args.network):
        data["accuracy"] = embedded.accuracy()
    head = ["node", "kind", "output", "MxKxN", "VxC", "MACs", "lookups", "bytes", "runs on"]
    rows = [[row["name"], row["kind"], _by(*row["output"]), *_cells(row),  # type: ignore[misc]
             str(row["runs_on"]).removesuffix(" side")] for row in nodes]
    return Outcome(data, [
        table(f"{network.name}, one input of {'x'.join(map(str, network.input_shape))}", head, rows),
        _told(network, nodes),
        "tools: " + ", ".join(f"{name} {version}" for name, version in versions.items())])
