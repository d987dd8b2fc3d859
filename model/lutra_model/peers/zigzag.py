"""Inputs of ZigZag 3.9.1: accelerator, mapping and workload, and a script that runs them."""

from collections.abc import Sequence

from ..params import Array
from ..workloads import Work
from .machine import DRAM_BITS, SUM_BITS, Prices

__all__ = ["files"]

PORT = """      - name: {name}
        type: {kind}
        bandwidth_min: {bits}
        bandwidth_max: {bits}
        allocation: [{moves}]
"""
MEMORY = """  {name}:
    size: {size}
    r_cost: {read:.6g}
    w_cost: {write:.6g}
    area: 0
    latency: 1
    operands: [{operands}]
    served_dimensions: [{served}]
    ports:
{ports}"""
ARRAY = """operational_array:
  input_precision: [8, 8]
  unit_energy: {mac:.6g}
  unit_area: 1
  dimensions: [D1, D2]
  sizes: [{rows}, {columns}]
"""
LINKS = """  memory_operand_links:
    O: O
    W: I2
    I: I1
"""
RUN = '''"""Runs ZigZag: cycles and picojoules of each layer, as JSON. Arguments: goal, lpf_limit."""
import json
import sys

from zigzag.api import get_hardware_performance_zigzag

goal, limit = (sys.argv[1:] + ["energy", "6"][len(sys.argv) - 1:])[:2]
energy, latency, found = get_hardware_performance_zigzag(
    "workload.yaml", "accelerator.yaml", "mapping.yaml", opt=goal, lpf_limit=int(limit), dump_folder="out",
    loma_show_progress_bar=False)
layers = {item.layer.name: {"cycles": item.latency_total2, "picojoules": item.energy_total, "mac_pj": item.mac_energy,
                            "memory_pj": {str(name): value for name, value in item.mem_energy_breakdown.items()}}
          for item, _ in found[0][1]}
print(json.dumps({"cycles": latency, "picojoules": energy, "layers": layers}, indent=1))
'''


def _memory(name: str, size: int, bits: int, read: float, write: float, ports: dict[str, list[str]],
            served: str = "") -> str:
    """One memory; ``ports`` by kind: what they move; ``read`` and ``write`` are prices of a bit."""
    short = {"read": "r_port_1", "write": "w_port_1", "read_write": "rw_port_1"}
    operands = ", ".join(sorted({move.split(",")[0] for moves in ports.values() for move in moves}))
    lines = "".join(PORT.format(name=short[kind], kind=kind, bits=bits,
                                moves=", ".join(f'"{move}"' for move in moves)) for kind, moves in ports.items())
    return MEMORY.format(name=name, size=size, read=read * bits, write=write * bits, operands=operands,
                         served=served, ports=lines)


def _accelerator(array: Array, prices: Prices) -> str:
    both, line = "D1, D2", 8 * array.rows
    memories = [
        _memory("weight_register", 8, 8, prices.register, prices.register, {"read": ["I2, tl"], "write": ["I2, fh"]}),
        _memory("inputs", 8 * array.index_words * array.rows, line, prices.input_read, prices.input_write,
                {"read": ["I1, tl"], "write": ["I1, fh"]}, both),
        _memory("weights", 8 * array.table_words * array.beat_bytes, 8 * array.beat_bytes, prices.weight_read,
                prices.weight_write, {"read": ["I2, tl"], "write": ["I2, fh"]}, both),
        _memory("sums", SUM_BITS * array.block_rows * array.columns, SUM_BITS * array.columns, prices.sum_read,
                prices.sum_write, {"read": ["O, tl", "O, th"], "write": ["O, fh", "O, fl"]}, both),
        _memory("dram", 10**10, DRAM_BITS, prices.dram, prices.dram, {"read_write": [
            f"{operand}, {move}" for operand, moves in [("I1", ("fh", "tl")), ("I2", ("fh", "tl")),
                                                        ("O", ("fh", "tl", "fl", "th"))] for move in moves]}, both)]
    return "name: lutra\nmemories:\n" + "".join(memories) + ARRAY.format(mac=prices.mac, rows=array.rows,
                                                                         columns=array.columns)


def _spread(work: Work, rows: int) -> list[tuple[str, int]]:
    """Loops over the array's rows: input channels, and taps of the window where these are few."""
    assert work.window
    height, width = work.window.kernel
    if work.channels >= rows:
        return [("C", rows)]
    loops, left = [("C", work.channels)], rows // work.channels
    for name, size in (("FX", width), ("FY", height)):
        taken = max(count for count in range(1, size + 1) if count <= left and not size % count)
        loops, left = loops + [(name, taken)] * (taken > 1), left // taken
    return loops


def _mapping(name: str, rows: list[tuple[str, int]], columns: int) -> str:
    lines = "".join(f"      - {loop}, {size}\n" for loop, size in rows)
    return f"- name: {name}\n  spatial_mapping:\n    D1:\n{lines}    D2:\n      - K, {columns}\n{LINKS}"


def _layer(number: int, name: str, work: Work) -> str:
    assert work.layer
    assert work.window
    (fy, fx), (top, left, bottom, right) = work.window.kernel, work.window.padding
    oy, ox = work.window.output(work.height, work.width)
    (sy, sx) = work.window.stride
    return (f"- id: {number}\n  name: {name}\n  operator_type: Conv\n"
            "  equation: O[b][k][oy][ox]+=W[k][c][fy][fx]*I[b][c][iy][ix]\n"
            f"  dimension_relations: [ix={sx}*ox+1*fx, iy={sy}*oy+1*fy]\n"
            "  loop_dims: [B, K, C, OY, OX, FY, FX]\n"
            f"  loop_sizes: [1, {work.layer.columns}, {work.channels}, {oy}, {ox}, {fy}, {fx}]\n"
            "  pr_loop_dims: [IX, IY]\n"
            f"  pr_loop_sizes: [{work.width}, {work.height}]\n"
            f"  padding: [[{left}, {right}], [{top}, {bottom}]]\n"
            f"  operand_precision: {{O: {SUM_BITS}, O_final: 8, W: 8, I: 8}}\n"
            f"  operand_source: {{I: {number}, W: {number}}}\n")


def files(works: Sequence[Work], array: Array, prices: Prices) -> dict[str, str]:
    """Texts by file name."""
    named = [(work.name if work.groups * work.times == 1 else f"{work.name}.{copy}", work)
             for work in works for copy in range(work.groups * work.times)]
    own = [_mapping(name, _spread(work, array.rows), array.columns) for name, work in named
           if work.channels < array.rows]
    return {"accelerator.yaml": _accelerator(array, prices),
            "mapping.yaml": "".join([_mapping("default", [("C", array.rows)], array.columns), *own]),
            "workload.yaml": "".join(_layer(number, name, work) for number, (name, work) in enumerate(named)),
            "run.py": RUN}
