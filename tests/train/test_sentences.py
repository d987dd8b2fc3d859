"""Sentences as training data, and the classifier that starts from a trained encoder."""

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from safetensors.numpy import save_file

from lutra import cli
from lutra.text.bert import Bert
from lutra.text.corpus import padded_ids
from lutra.text.wordpiece import WordPiece
from lutra.train.adopt import exported, float_graph
from lutra.train.data import load, sentences, tensor
from lutra.train.models import MODELS, Encoder
from lutra.train.recipes import RECIPES
from lutra_model import golden, netfile
from lutra_model.convert import convert
from lutra_model.network import placement
from lutra_model.nnlut import lint

PIECES = {name: number for number, name in enumerate(
    ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "a", "good", "bad", "film", "dull", "fine"])}


def archive(path: Path, lines: list[str]) -> None:
    text = "\r\n".join(lines).encode()
    with tarfile.open(path, "w:gz") as tar:
        info = tarfile.TarInfo(sentences.RATINGS)
        info.size = len(text)
        tar.addfile(info, io.BytesIO(text))


def folder(tmp_path: Path) -> Path:
    """Both packages with made-up sentences, 2,000 of them for the test, and a random encoder of two blocks."""
    for name in ("film-reviews", "minilm"):
        (tmp_path / name).mkdir()
    rng, words = np.random.default_rng(0), list(PIECES)[4:]
    texts = sorted({" ".join(rng.choice(words, rng.integers(1, 9))) for _ in range(4000)})
    rating = {"good": 2, "fine": 1, "bad": -2, "dull": -1}
    lines = [f"{number}\t{sum(rating.get(word, 0) for word in text.split()) / 3}\t{text}"
             for number, text in enumerate(texts)]
    archive(tmp_path / "film-reviews" / sentences.ARCHIVE, [*lines, f"{len(lines)}\t4\t{texts[0]}"])
    bert = Bert.random(1, hidden=24, heads=12, inner=32, layers=2, vocabulary=len(PIECES), longest=40)
    save_file(bert.weights, tmp_path / "minilm" / "model.fp16.safetensors")
    (tmp_path / "minilm" / "tokenizer.json").write_text(json.dumps({"model": {"vocab": PIECES}}))
    return tmp_path


def test_short_sentences_are_filled_and_long_ones_cut() -> None:
    found = padded_ids(WordPiece(PIECES), ["a good film", "a", "", "a bad film a dull film"], 6)
    assert found.tolist() == [[1, 4, 5, 7, 2, 0], [1, 4, 2, 0, 0, 0], [1, 2, 0, 0, 0, 0], [1, 4, 6, 7, 4, 2]]


def test_ratings_become_labels_and_ties_are_left_out(tmp_path: Path) -> None:
    data = load("film-reviews", folder(tmp_path))
    ratings = sentences.rated(tmp_path / "film-reviews" / sentences.ARCHIVE)
    kept = {text: rating for text, rating in ratings.items() if rating}
    assert len(kept) < len(ratings)
    assert 4 not in ratings.values(), "of a sentence that is there twice the first counts"
    assert data.test.shape == (sentences.TEST, 1, sentences.TOKENS, 24)
    assert len(data.train) == len(kept) - sentences.TEST > 0
    bert = Bert.minilm(tmp_path / "minilm")
    found = {one.tobytes(): label for one, label in zip(data.test, data.test_wanted.tolist(), strict=True)}
    x = bert.embed(padded_ids(WordPiece(PIECES), kept, sentences.TOKENS)).astype(np.float16)
    seen = [found.get(one.tobytes()) == (rating > 0) for one, rating in zip(x, kept.values(), strict=True)
            if one.tobytes() in found]
    assert len(seen) == sentences.TEST
    assert all(seen)


@pytest.mark.parametrize(("lines", "reason"), [(["1\t0.5"], "unpack"), (["1\tgood\ta film"], "float")])
def test_an_archive_of_something_else_is_refused(lines: list[str], reason: str, tmp_path: Path) -> None:
    archive(tmp_path / "a.tgz", lines)
    with pytest.raises(ValueError, match=rf"a\.tgz must hold .* with a number, a rating and a text in each line, but "
                                         rf".*{reason}"):
        sentences.rated(tmp_path / "a.tgz")
    (tmp_path / "b.tgz").write_bytes(b"nothing")
    with pytest.raises(ValueError, match=r"b\.tgz must hold "):
        sentences.rated(tmp_path / "b.tgz")


def test_missing_packages_are_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^data set film-reviews must lie in .*: run lutra fetch film-reviews$"):
        load("film-reviews", tmp_path)
    (tmp_path / "film-reviews").mkdir()
    with pytest.raises(ValueError, match=r"^data set minilm must lie in .*: run lutra fetch minilm$"):
        load("film-reviews", tmp_path)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_classifier_starts_as_the_encoder(seed: int) -> None:
    """Its blocks and mean are those of the encoder's own ONNX model, which is held against naive loops elsewhere."""
    torch.manual_seed(seed)
    bert = Bert.random(seed, hidden=12, heads=3, inner=20, layers=3)
    net, ids = Encoder(bert, 2, 5), np.random.default_rng(seed).integers(0, 32, (4, 7))
    x = bert.embed(ids)
    session = onnxruntime.InferenceSession(bert.model(7, 2).SerializeToString(), providers=["CPUExecutionProvider"])
    (pooled,) = session.run(None, {"embedding": x.astype(np.float32)})
    with torch.no_grad():
        found = net(tensor(x[:, None], None))
        expected = net.classifier(torch.from_numpy(pooled))
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_sentences_run_from_data_to_integers(tmp_path: Path) -> None:
    """The whole path: loader, float network, ONNX, a network without host nodes, its answers near the float ones."""
    torch.manual_seed(0)
    data = load("film-reviews", folder(tmp_path)).first(96, 64)
    net = MODELS["minilm-2"](data).eval()
    x = data.tensor(data.train).contiguous()
    session = onnxruntime.InferenceSession(exported(net, x).SerializeToString(), providers=["CPUExecutionProvider"])
    (real,) = session.run(None, {"input": data.tensor(data.test).numpy()})
    graph = float_graph(net, x)
    spread = {}
    for calibrated in (False, True):
        network = convert(graph, x.numpy(), scheme="int8", functions=True, calibrated=calibrated)
        assert {item.role for item in lint.held(network)} == {"exponential", "reciprocal", "1/sqrt", "function"}
        assert not [item for item in lint.held(network) if item.problems]
        made = golden.outputs(network, data.test) * network.nodes[-1].scale
        spread[calibrated] = np.abs(made - real).max()
        assert np.corrcoef(made.ravel(), real.ravel())[0, 1] > 0.95
    assert spread[True] != spread[False]
    with pytest.raises(ValueError, match=r"^calibrated is for tables: functions must be chosen as well$"):
        convert(graph, x.numpy(), scheme="int8", calibrated=True)


def test_the_recipe_runs_in_all_variants(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["train", "film-reviews-minilm2", "--tiny", "--json", "--data", str(folder(tmp_path)),
                 "--output", str(tmp_path / "out")]
    assert cli.main(arguments) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found["variants"]) == set(RECIPES["film-reviews-minilm2"].variants)
    where = tmp_path / "out" / "film-reviews-minilm2-tiny-1"
    nets = {name: netfile.load(where / f"film-reviews-minilm2-{name}.lutra") for name in found["variants"]}
    hosted = {name for name, net in nets.items() if any(placement(node) == "host" for node in net.nodes)}
    assert hosted == {"int8"}, "softmax and GELU; of the others nothing is left to the host"
    mixed = {node.name.rsplit(".", 1)[-1] for node in nets["lut-nn-qk"].products if node.scheme == "lut-nn"}
    assert mixed == {"query", "key"}
    data = load("film-reviews", tmp_path).first(256, 64)
    for name, net in nets.items():
        assert found["variants"][name]["golden"] == 100 * np.mean(golden.classify(net, data.test) == data.test_wanted)
