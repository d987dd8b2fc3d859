"""Say what a network file holds, or (without one) what is embedded and which tools were found."""

import argparse

from lutra_model.network import Network, Product

from .. import __version__, embedded
from .common import Outcome, network_argument, table

NAME = "info"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    network_argument(parser)


def _describe(network: Network) -> list[dict[str, object]]:
    rows = []
    for node in network.nodes:
        shape = network.shapes[node.name]
        row: dict[str, object] = {"name": node.name, "kind": type(node).__name__.lower(), "output": list(shape)}
        if isinstance(node, Product):
            layer = node.layer(node.rows(network.shapes[node.inputs[0]]))
            row |= {"kind": node.scheme, "rows": layer.rows, "codebooks": layer.codebooks, "columns": layer.columns,
                    "length": layer.length, "entries": layer.entries, "macs": layer.macs, "lookups": layer.lookups}
        rows.append(row)
    return rows


def run(args: argparse.Namespace) -> Outcome:
    """Layers, sizes, provenance and tool versions."""
    from lutra_sim import tools

    network = embedded.network(args.network)
    nodes = _describe(network)
    versions = tools.versions()
    data = {"lutra": __version__, "network": network.name, "input_shape": list(network.input_shape), "nodes": nodes,
            "provenance": network.provenance, "tools": versions}
    if network.name == embedded.DEFAULT:
        data["accuracy"] = embedded.accuracy()
    head = ["node", "kind", "output", "M", "K", "N", "V", "C", "MACs"]
    rows = [[row["name"], row["kind"], "x".join(map(str, row["output"])),  # type: ignore[call-overload]
             *(row.get(key, "") for key in ("rows", "codebooks", "columns", "length", "entries", "macs"))]
            for row in nodes]
    return Outcome(data, [
        table(f"{network.name}, one input of {'x'.join(map(str, network.input_shape))}", head, rows),
        f"M activation rows, K codebooks, N columns, V scalars of a sub-vector, C entries; "
        f"{sum(layer.macs for layer in network.layers()):,} MACs stand behind {len(network.products)} product layers",
        "tools: " + ", ".join(f"{name} {version}" for name, version in versions.items())])
