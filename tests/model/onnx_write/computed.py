"""The exported model in ONNX Runtime."""

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from lutra_model import golden, onnx_write
from lutra_model.network import Network

__all__ = ["assert_equal", "computed"]


def computed(network: Network, x: NDArray[np.int8]) -> dict[str, NDArray[np.int8]]:
    """Every value of the exported model, by ONNX Runtime."""
    model = onnx_write.export(network)
    names = [node.name for node in network.nodes]
    model.graph.output.extend(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.INT8, None)
                              for name in names[:-1])
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return dict(zip([output.name for output in session.get_outputs()], session.run(None, {"input": x}), strict=True))


def assert_equal(network: Network, x: NDArray[np.int8]) -> None:
    expected = golden.run(network, x)
    found = computed(network, x)
    for node in network.nodes:
        assert found[node.name].dtype == np.int8
        np.testing.assert_array_equal(found[node.name], expected[node.name], err_msg=node.name)
