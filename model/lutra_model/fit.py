"""The machine that a network asks for: array sizes from the user, the rest from the network's layers."""

from .network import Network, Product
from .params import Array, Metric

__all__ = ["arrays", "lookup_array", "mac_array"]


def _layers(network: Network, scheme: str) -> list[Product]:
    return [node for node in network.products if node.scheme == scheme]


def lookup_array(network: Network, *, rows: int = 16, columns: int = 16, encoders: int = 4,
                 block_rows: int = 1024, index_words: int = 2048) -> Array:
    """The smallest lookup machine of that array size that holds every lookup layer of the network.

    Raises ``ValueError`` when the network has no lookup layer or mixes metrics.
    """
    layers = [node.layer() for node in _layers(network, "lut-nn")]
    metrics = sorted({node.metric for node in _layers(network, "lut-nn")}) or [Metric.L2]
    if not layers:
        raise ValueError(f"network {network.name} must have a lookup layer to run on a lookup array")
    if len(metrics) > 1:
        raise ValueError(f"network {network.name} must use one metric, not {' and '.join(metrics)}")
    codebooks = max(layer.codebooks for layer in layers)
    return Array(rows=rows, columns=columns, encoders=min(encoders, rows), metric=metrics[0],
                 length=max(layer.length for layer in layers),
                 entries=max(2, 1 << (max(layer.entries for layer in layers) - 1).bit_length()),
                 codebooks=codebooks, block_rows=block_rows, index_words=max(index_words, -(-codebooks // rows)))


def mac_array(network: Network, *, rows: int = 16, columns: int = 16, block_rows: int = 1024,
              index_words: int = 2048) -> Array:
    """The MAC machine of that array size that holds every product of the network done by multiplication."""
    reduction = max(layer.reduction for layer in network.layers())
    return Array.mac(rows=rows, columns=columns, codebooks=reduction, block_rows=block_rows,
                     index_words=max(index_words, -(-reduction // rows)))


def arrays(network: Network, *, rows: int = 16, columns: int = 16, encoders: int = 4) -> dict[str, Array]:
    """A machine for each scheme that the network uses, by the scheme's name."""
    found = {}
    if _layers(network, "lut-nn"):
        found["lut-nn"] = lookup_array(network, rows=rows, columns=columns, encoders=encoders)
    if _layers(network, "int8"):
        found["int8"] = mac_array(network, rows=rows, columns=columns)
    return found
