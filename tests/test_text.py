"""lutra.text: WordPiece, the embedding and the encoder's model, against published numbers and naive code."""

import json
import math
import re
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from safetensors.numpy import save_file

from lutra.text import __main__ as text
from lutra.text.bert import EPSILON, Bert
from lutra.text.corpus import sentences, token_ids
from lutra.text.wordpiece import WordPiece
from lutra_model import calibrate, golden, netfile, onnx_read, scales
from lutra_model.convert import convert

PIECES = ["[CLS]", "[SEP]", "[UNK]", "un", "##aff", "##able", "call", "me", "ish", "##ma", "##el", ".", "'", "cafe",
          "5", "##0", "-", "$"]


def vocabulary() -> WordPiece:
    return WordPiece({piece: number for number, piece in enumerate(PIECES)})


@pytest.mark.parametrize(("words", "pieces"), [
    ("Call me Ishmael.", "call me ish ##ma ##el ."),
    ("unaffable", "un ##aff ##able"),  # the example of the BERT repository
    ("CAFÉ caf\u0065\u0301", "cafe cafe"),
    ("$50 - me's", "$ 5 ##0 - me ' [UNK]"),
    ("unmes " + "un" * 60, "[UNK] [UNK]"),
    (" \t\n", "")])
def test_pieces(words: str, pieces: str) -> None:
    found = [PIECES[number] for number in vocabulary().ids(words)]
    assert found == ["[CLS]", *pieces.split(), "[SEP]"]


def test_a_tokenizer_file(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps({"model": {"vocab": vocabulary().vocabulary}}))
    assert WordPiece.load(path).ids("call me") == [0, 6, 7, 1]
    path.write_text("{}")
    with pytest.raises(ValueError, match=r"must be a tokenizer\.json with a WordPiece vocabulary, not KeyError"):
        WordPiece.load(path)
    with pytest.raises(ValueError, match=r"^a vocabulary must have the piece \[SEP\]$"):
        WordPiece({"[CLS]": 0})


def test_sentences_and_their_tokens() -> None:
    lines = sentences()
    assert len(lines) == 160
    assert lines[1].startswith("It is a way I have of driving off the spleen")
    found = token_ids(vocabulary(), ["call me ishmael .", "me", "call me me me me me"], 5)
    np.testing.assert_array_equal(found, [[0, 6, 7, 8, 1], [0, 6, 7, 7, 1]])
    with pytest.raises(ValueError, match=r"^texts must have at least 9 tokens, but all are shorter$"):
        token_ids(vocabulary(), ["me"], 9)
    with pytest.raises(ValueError, match=r"^tokens must be at least 3 "):
        token_ids(vocabulary(), ["me"], 2)


def norm(x: np.ndarray, gain: np.ndarray, offset: np.ndarray) -> np.ndarray:
    mean = x.sum(axis=-1, keepdims=True) / x.shape[-1]
    spread = ((x - mean) ** 2).sum(axis=-1, keepdims=True) / x.shape[-1]
    return (x - mean) / np.sqrt(spread + EPSILON) * gain + offset


def naive(bert: Bert, x: np.ndarray) -> np.ndarray:
    """One sentence ``(tokens, hidden)``, head by head (Devlin et al., 2019; Vaswani et al., 2017)."""
    w, x = {name: values.astype(np.float64) for name, values in bert.weights.items()}, x.astype(np.float64)
    each = bert.hidden // bert.heads
    for number in range(bert.layers):
        part = f"encoder.layer.{number}."

        def linear(name: str, value: np.ndarray, part: str = part) -> np.ndarray:
            return value @ w[f"{part}{name}.weight"].T + w[f"{part}{name}.bias"]

        def normed(name: str, value: np.ndarray, part: str = part) -> np.ndarray:
            return norm(value, w[f"{part}{name}.LayerNorm.weight"], w[f"{part}{name}.LayerNorm.bias"])

        query, key, value = (linear(f"attention.self.{name}", x) for name in ("query", "key", "value"))
        contexts = []
        for head in range(bert.heads):
            some = slice(head * each, head * each + each)
            parts = np.exp(query[:, some] @ key[:, some].T / math.sqrt(each))
            contexts.append(parts / parts.sum(axis=1, keepdims=True) @ value[:, some])
        x = normed("attention.output", linear("attention.output.dense", np.concatenate(contexts, axis=1)) + x)
        wide = linear("intermediate.dense", x)
        wide = wide * 0.5 * (1 + np.vectorize(math.erf)(wide / math.sqrt(2)))
        x = normed("output", linear("output.dense", wide) + x)
    return x.mean(axis=0)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_model_is_berts(seed: int) -> None:
    bert = Bert.random(seed, hidden=12, heads=3, inner=20, layers=2)
    ids = np.random.default_rng(seed).integers(0, 32, (4, 7))
    x = bert.embed(ids)
    words, positions, kinds = (bert.weights[f"embeddings.{name}_embeddings.weight"].astype(np.float64)
                               for name in ("word", "position", "token_type"))
    expected = norm(words[ids] + positions[:7] + kinds[0], bert.weights["embeddings.LayerNorm.weight"],
                    bert.weights["embeddings.LayerNorm.bias"])
    np.testing.assert_allclose(x, expected, atol=1e-5)
    session = onnxruntime.InferenceSession(bert.model(7).SerializeToString(), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"embedding": x.astype(np.float32)})
    np.testing.assert_allclose(found, [naive(bert, one) for one in x], atol=1e-5)


def test_weights_in_a_file_and_refusals(tmp_path: Path) -> None:
    bert = Bert.random(2)
    save_file(bert.weights, tmp_path / "w.safetensors")
    loaded = Bert.load(tmp_path / "w.safetensors", 2)
    np.testing.assert_array_equal(loaded.embed(np.array([[1, 2]])), bert.embed(np.array([[1, 2]])))
    for bad, sentence in [
            (lambda: Bert(bert.weights, 3), "heads must divide 8 hidden values, 3 do not"),
            (lambda: bert.model(4, 2), "layers must be 1 to 1, not 2"),
            (lambda: bert.embed(np.zeros((1, 17), int)), "ids must have shape (batch, 1 to 16 tokens), not (1, 17)"),
            (lambda: bert.embed(np.array([[32]])), "ids must be 0 to 31, not 32 to 32")]:
        with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
            bad()
    (tmp_path / "x").write_bytes(b"nothing")
    with pytest.raises(ValueError, match=r"x must be a safetensors file with a BERT encoder: "):
        Bert.load(tmp_path / "x", 2)


def test_eight_bits_keep_the_embedding(tmp_path: Path) -> None:
    """A random block of 48 values: the int8 network's means point the way of the float model's."""
    bert = Bert.random(5, hidden=48, heads=4, inner=96)
    onnx.save(bert.model(8), tmp_path / "e.onnx")
    x = bert.embed(np.random.default_rng(5).integers(0, 32, (80, 8)))
    graph = onnx_read.read(tmp_path / "e.onnx")
    for functions in (False, True):
        network = convert(graph, x[:40], scheme="int8", functions=functions)
        real = np.array([naive(bert, one) for one in x[40:]])
        assert text.cosine(golden.outputs(network, x[40:, None]), real).min() > 0.99


@pytest.mark.parametrize("seed", [0, 1])
def test_a_row_with_a_large_value_does_not_coarsen_the_others(seed: int) -> None:
    """One row in 16 with one value of 200, as the first token of trained encoders has."""
    x = np.random.default_rng(seed).normal(size=(320, 64))
    plain = calibrate.activation_scale(x)
    assert calibrate.row_scale(x) == pytest.approx(plain, rel=0.2)
    x[::16, 3] = 200
    assert calibrate.activation_scale(x) * 127 > 190
    assert calibrate.row_scale(x) * 127 < 60
    assert calibrate.row_scale(np.zeros((4, 3))) == 0.0


def test_the_rows_of_a_norm_choose_its_scales(tmp_path: Path) -> None:
    """What a norm reads, and the product that a residual add brings there, have scales of rows; no others have."""
    bert = Bert.random(7)
    onnx.save(bert.model(6), tmp_path / "e.onnx")
    graph = onnx_read.read(tmp_path / "e.onnx")
    floats = calibrate.collect(graph, bert.embed(np.random.default_rng(7).integers(0, 32, (30, 6))))
    found = scales.choose(graph, floats)
    for name in ("attended.product", "attention.sum", "narrow.product", "sum"):
        assert found[f"encoder.layer.0.{name}"] == calibrate.row_scale(floats[f"encoder.layer.0.{name}"])
    for name in ("query.product", "context", "gelu"):
        assert found[f"encoder.layer.0.{name}"] == calibrate.activation_scale(floats[f"encoder.layer.0.{name}"])


def test_make_and_compare(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, output = tmp_path / "data" / "minilm", tmp_path / "out"
    arguments = ["make", "--folder", str(tmp_path / "data"), "--tokens", "6", "--output", str(output)]
    assert text.main(arguments) == 2
    assert f"the encoder must lie in {folder}: run lutra fetch minilm" in capsys.readouterr().err
    folder.mkdir(parents=True)
    save_file(Bert.random(0, hidden=24, heads=12, vocabulary=len(PIECES)).weights, folder / "model.fp16.safetensors")
    (folder / "tokenizer.json").write_text(json.dumps({"model": {"vocab": vocabulary().vocabulary}}))
    assert text.main(arguments) == 0
    assert "6 tokens, 96 sentences to calibrate on, 64 others" in capsys.readouterr().out
    network = convert(output / "encoder.onnx", np.load(output / "calibration.npy"), scheme="int8", functions=True)
    netfile.save(network, tmp_path / "n.lutra")
    np.save(tmp_path / "y.npy", golden.outputs(network, np.load(output / "inputs.npy")[:10]))
    assert text.main(["compare", "--output", str(output), "--network", str(tmp_path / "n.lutra"),
                      str(tmp_path / "y.npy")]) == 0
    assert re.search(r"10 embeddings: cosine to the float model 0\.9\d+ in the mean", capsys.readouterr().out)
