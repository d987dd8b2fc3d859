"""Lutra: a hardware-accelerator simulator for neural networks that compute by table lookup."""

from lutra_model.golden import run as golden
from lutra_model.latency import cycles, latency
from lutra_model.netfile import load, save
from lutra_model.params import Array, Layer, Metric
from lutra_model.schedule import Schedule

__all__ = ["Array", "Layer", "Metric", "Schedule", "__version__", "cycles", "golden", "latency", "load", "save"]

__version__ = "0.1.0"
