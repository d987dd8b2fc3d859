"""Archived logs, a small machine and the default network."""

from pathlib import Path

from lutra_model.params import Array

__all__ = ["LOGS", "NETWORK", "SMALL"]

LOGS = Path(__file__).parents[1] / "logs"
NETWORK = Path(__file__).parents[3] / "lutra" / "networks" / "fashion-resnet8.lutra"
SMALL = Array(rows=2, columns=2, encoders=1, length=2, entries=2, lanes=2, codebooks=8, block_rows=16, index_words=16)
