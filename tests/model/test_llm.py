"""model.llm: published sizes of language models, and weights with published statistics."""

import math

import numpy as np
import pytest

from lutra.cli import main
from lutra_model.llm import MODELS, low_bit_weights, ternary_weights
from lutra_model.params import Array
from lutra_model.runs import Design, run, sized
from lutra_model.workloads import total_macs

# Linear layers: all parameters without embedding, head and norms. BitNet 3B has the shape of OpenLLaMA 3B.
BITNET_3B = 3_426_473_600 - 2 * 32_000 * 3200 - 53 * 3200
LLAMA3_8B = 8_030_261_248 - 2 * 128_256 * 4096 - 65 * 4096  # 8.03e9 parameters in all


@pytest.mark.parametrize(("name", "weights"), [("bitnet-3b", BITNET_3B), ("llama3-8b", LLAMA3_8B)])
@pytest.mark.parametrize("tokens", [1, 512])
def test_multiplications_are_the_published_weights(name: str, weights: int, tokens: int) -> None:
    assert MODELS[name].weights == weights
    assert total_macs(MODELS[name].works(tokens)) == tokens * weights


def test_published_kernel_shapes() -> None:
    """The pairs in microsoft/BitNet's ``utils/codegen_tl1.py``, which has outputs first."""
    shapes = {name: {(columns, reduction) for _, reduction, columns in model.products}
              for name, model in MODELS.items()}
    assert shapes["bitnet-3b"] == {(3200, 8640), (3200, 3200), (8640, 3200)}
    assert shapes["llama3-8b"] == {(14336, 4096), (4096, 14336), (1024, 4096), (4096, 4096)}


def test_many_layers_are_one_layer_so_many_times() -> None:
    works = MODELS["bitnet-3b"].works(4)[:2]
    array, streamed = sized(Array(rows=16, columns=16, encoders=4), works)
    all_of_them = run(Design("lookup", array), works, streamed=streamed)
    assert [job.times for job in all_of_them.jobs] == [26, 26]
    one = run(Design("lookup", array), works[:1], streamed=streamed)
    assert all_of_them.cycles == pytest.approx(2 * one.cycles, rel=1e-3)
    assert one.macs == 26 * 4 * 3200 * 3200
    assert streamed
    table_bytes = 3200 // 8 * 16 * 3200  # of one layer: each codebook's entries
    assert one.dram_bits / 8 > 26 * table_bytes
    assert one.dram_bits / 8 == pytest.approx(26 * table_bytes, rel=0.02)


def test_ternary_weights_have_the_zeros_of_the_absmean_rule() -> None:
    weights = ternary_weights(640, 640, 0)
    shares = [float((weights == value).mean()) for value in (-1, 0, 1)]
    zeros = math.erf(math.sqrt(2 / math.pi) / 2 / math.sqrt(2))
    assert zeros == pytest.approx(0.310, abs=5e-4)
    assert shares == pytest.approx([(1 - zeros) / 2, zeros, (1 - zeros) / 2], abs=0.004)


@pytest.mark.parametrize("bits", [2, 3, 4, 8])
def test_low_bit_weights_use_their_grid(bits: int) -> None:
    weights = low_bit_weights(200, 30, bits, 1)
    most = 2 ** (bits - 1) - 1
    np.testing.assert_array_equal(np.abs(weights.astype(int)).max(axis=0), np.full(30, most))
    assert len(np.unique(weights)) <= 2 * most + 1


def test_refusals() -> None:
    with pytest.raises(ValueError, match=r"^tokens must be at least 1, not 0$"):
        MODELS["llama3-8b"].works(0)
    with pytest.raises(ValueError, match=r"^bits must be 2 to 8, not 1$"):
        low_bit_weights(4, 4, 1, 0)


def test_the_command_line_takes_tokens(capsys: pytest.CaptureFixture[str]) -> None:
    common = ["estimate", "--technology", "nangate45-gates", "--encoders", "4", "--array", "16x16"]
    assert main([*common, "--workload", "bitnet-3b", "--tokens", "1"]) == 0
    assert "DRAM bytes/MAC" in capsys.readouterr().out
    assert main([*common, "--workload", "resnet18", "--tokens", "1"]) == 2
    assert "--tokens must come with a workload of tokens (bert-base, bitnet-3b, llama3-8b), not with resnet18" in \
        " ".join(capsys.readouterr().err.split())
