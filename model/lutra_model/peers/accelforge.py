"""Inputs of AccelForge 1.0.467: architecture and workload, and a script that maps them."""

from collections.abc import Sequence

from ..params import Array
from ..workloads import Work
from .machine import DRAM_BITS, SUM_BITS, Prices

__all__ = ["files"]

CLOCK = 1e9  # cycles in a second: latencies are cycles
MEMORY = """  - !Memory
    name: {name}
    size: {size}
    leak_power: 0
    area: 0
    tensors: {{{tensors}}}
    total_latency: {latency}
    actions:
    - {{name: read, energy: {read:.6g}, throughput: {rate:.6g}}}
    - {{name: write, energy: {write:.6g}, throughput: {rate:.6g}}}
"""
CONTAINER = """  - !Container
    name: ProcessingElement
    spatial:
    - {{name: reuse_output, fanout: {rows}, reuse: output, min_usage: 0}}
    - {{name: reuse_input, fanout: {columns}, reuse: input, min_usage: 0}}
"""
COMPUTE = """  - !Compute
    name: MAC
    leak_power: 0
    area: 0
    actions:
    - {{name: compute, energy: {mac:.6g}, throughput: {clock:.6g}}}
"""
RENAMES = """renames:
  einsums:
  - name: default
    tensor_accesses:
    - {name: input, source: Inputs & Intermediates, expected_count: 1}
    - {name: output, source: Outputs, expected_count: 1}
    - {name: weight, source: ~(input | output), expected_count: 1}

"""
RUN = '''"""Maps every layer with AccelForge (which asks for Graphviz), into result.json. Argument: the goal."""
import json
import sys

import accelforge as af

spec = af.Spec.from_yaml("arch.yaml", "workload.yaml")
spec.mapper.metrics = getattr(af.Metrics, sys.argv[1] if len(sys.argv) > 1 else "ENERGY")
found = spec.map_workload_to_arch()
with open("result.json", "w") as file:
    json.dump({"joules": float(found.energy()), "seconds": float(found.latency())}, file)
'''


def _memory(name: str, size: str, bits: int, read: float, write: float, tensors: str, shared: bool = False) -> str:
    """``shared``: reads and writes take turns; otherwise there is a port for each."""
    latency = f"{'sum' if shared else 'max'}(a.n_calls / a.throughput for a in actions)"
    return MEMORY.format(name=name, size=size, tensors=tensors, latency=latency, read=read * 1e-12,
                         write=write * 1e-12, rate=bits * CLOCK)


def _architecture(array: Array, prices: Prices) -> str:
    sums = _memory("Sums", str(SUM_BITS * array.block_rows * array.columns), SUM_BITS * array.columns,
                   prices.sum_read, prices.sum_write, "keep: output")
    memories = [
        _memory("MainMemory", "inf", DRAM_BITS, prices.dram, prices.dram, "keep: ~Intermediates, may_keep: All", True),
        _memory("Inputs", str(8 * array.index_words * array.rows), 8 * array.rows, prices.input_read,
                prices.input_write, "keep: input"),
        _memory("Weights", str(8 * array.table_words * array.beat_bytes), 8 * array.beat_bytes, prices.weight_read,
                prices.weight_write, "keep: weight"),
        sums.replace("    actions:", f"    bits_per_value: {{output: {SUM_BITS}}}\n    actions:"),
        CONTAINER.format(rows=array.rows, columns=array.columns),
        _memory("Register", "8", 8, prices.register, prices.register, "keep: weight")]
    return "arch:\n  nodes:\n" + "".join(memories) + COMPUTE.format(mac=prices.mac * 1e-12, clock=CLOCK)


def _einsum(number: int, work: Work) -> str:
    assert work.layer
    assert work.window
    (height, width), (sy, sx) = work.window.kernel, work.window.stride
    oy, ox = work.window.output(work.height, work.width)
    taps = [(name, size) for name, size in ((f"r{number}", height), (f"s{number}", width)) if size > 1]
    y = f"p{number} * {sy}" + f" + r{number}" * (height > 1)
    x = f"q{number} * {sx}" + f" + s{number}" * (width > 1)
    weights = "".join(f"{name}, " for name, _ in taps)
    shape = [(f"p{number}", oy), (f"q{number}", ox), (f"c{number}", work.channels),
             (f"m{number}", work.layer.columns), *taps]
    bounds = "".join(f"    - 0 <= {name} < {size}\n" for name, size in shape)
    return (f'  - einsum: "T{number}[p{number}, q{number}, m{number}] = I{number}[c{number}, H: {y}, W: {x}] * '
            f'W{number}[{weights}c{number}, m{number}]"\n    iteration_space_shape:\n{bounds}'
            f"    renames: {{output: T{number}, input: I{number}, weight: W{number}}}\n")


def files(works: Sequence[Work], array: Array, prices: Prices) -> dict[str, str]:
    """Texts by file name; the padding of a window belongs to its input, as in AccelForge's own networks."""
    each = [work for work in works for _ in range(work.groups * work.times)]
    einsums = "".join(_einsum(number, work) for number, work in enumerate(each))
    names = "".join(f"# {number}: {work.name}\n" for number, work in enumerate(each))
    return {"arch.yaml": _architecture(array, prices),
            "workload.yaml": f"{RENAMES}{names}workload:\n  bits_per_value: {{All: 8}}\n  einsums:\n{einsums}",
            "run.py": RUN}
