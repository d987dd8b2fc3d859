"""Lutra: a hardware-accelerator simulator for neural networks that compute by table lookup."""

from lutra_model.golden import run as golden
from lutra_model.latency import network_latency
from lutra_model.netfile import load, save
from lutra_model.params import Array, Layer, Metric
from lutra_model.program import compile_network

__all__ = ["Array", "Layer", "Metric", "__version__", "compile_network", "golden", "load", "network_latency", "save"]

__version__ = "0.1.0"
