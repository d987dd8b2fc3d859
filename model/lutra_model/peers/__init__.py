"""The multiplying baseline in the words of others' tools: inputs for AccelForge, ZigZag and SCALE-Sim."""

from . import accelforge, scale_sim, zigzag
from .machine import COMMON, REFERENCE, Prices, counted, prices_of, products

__all__ = ["COMMON", "REFERENCE", "TOOLS", "Prices", "counted", "prices_of", "products"]

TOOLS = {"accelforge": accelforge.files, "zigzag": zigzag.files, "scale-sim": scale_sim.files}
