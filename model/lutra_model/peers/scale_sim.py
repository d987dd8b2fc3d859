"""Inputs of SCALE-Sim 3.0.0: configuration, topology and the layout file that it asks for even where it uses none."""

from collections.abc import Sequence

from ..params import Array
from ..workloads import Work
from .machine import Prices

__all__ = ["files"]

CONFIGURATION = """[general]
run_name = lutra

[architecture_presets]
ArrayHeight = {rows}
ArrayWidth = {columns}
IfmapSramSzkB = {inputs}
FilterSramSzkB = {weights}
OfmapSramSzkB = {sums}
IfmapOffset = 0
FilterOffset = 10000000
OfmapOffset = 20000000
Dataflow = ws
Bandwidth = 16
ReadRequestBuffer = 32
WriteRequestBuffer = 32

[layout]
IfmapCustomLayout = False
IfmapSRAMBankBandwidth = 10
IfmapSRAMBankNum = 10
IfmapSRAMBankPort = 2
FilterCustomLayout = False
FilterSRAMBankBandwidth = 10
FilterSRAMBankNum = 10
FilterSRAMBankPort = 2

[sparsity]
SparsitySupport = false
SparseRep = ellpack_block
OptimizedMapping = false
BlockSize = 8
RandomNumberGeneratorSeed = 40

[run_presets]
InterfaceBandwidth = CALC
UseRamulatorTrace = False
"""
LAYOUT_NUMBERS = 24
RUN = "python -m scalesim.scale -c scale.cfg -t topology.csv -l layout.csv -i gemm -p out\n"


def files(works: Sequence[Work], array: Array, prices: Prices) -> dict[str, str]:
    """Texts by file name. Products are matrices: the padded image of a convolution would be counted as work."""
    configuration = CONFIGURATION.format(
        rows=array.rows, columns=array.columns, inputs=-(-array.index_words * array.rows // 1024),
        weights=-(-array.table_words * array.beat_bytes // 1024), sums=-(-array.block_rows * array.columns // 256))
    topology, layout = ["Layer, M, N, K,"], ["Layer,"]
    for work in works:
        assert work.layer
        for copy in range(work.groups * work.times):
            name = work.name if work.groups * work.times == 1 else f"{work.name}.{copy}"
            topology.append(f"{name}, {work.layer.rows}, {work.layer.columns}, {work.layer.reduction},")
            layout.append(f"{name}, " + "1, " * LAYOUT_NUMBERS)
    return {"scale.cfg": configuration, "topology.csv": "\n".join([*topology, ""]),
            "layout.csv": "\n".join([*layout, ""]), "run.sh": RUN}
