"""Simulation of the machine: compiled with Verilator, and on the bench with cocotb."""
