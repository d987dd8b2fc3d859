"""An encoder's ONNX model with real text to convert and run it on, and how far a run's embeddings are from it.

    python -m lutra.text make [--folder data] [--tokens 16] [--layers 6] [--text FILE] [--output build/encoder]
    python -m lutra.text compare --output build/encoder --network NET.lutra Y.npy

The weights and the vocabulary are those of all-MiniLM-L6-v2: ``lutra fetch minilm``. ``make`` writes
``encoder.onnx``, ``calibration.npy`` (for ``lutra convert``), ``inputs.npy`` (other sentences, for ``lutra golden`` and
``lutra simulate``) and ``embeddings.npy`` (what the float model makes of those).
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from lutra_model import calibrate, netfile, onnx_read

from .bert import Bert
from .corpus import sentences, token_ids
from .wordpiece import WordPiece

__all__ = ["compare", "cosine", "main", "make"]

REST = 64  # sentences, at most, that are kept from calibration


def cosine(one: NDArray[np.generic], other: NDArray[np.generic]) -> NDArray[np.float64]:
    """Cosine similarity of rows."""
    a, b = (np.asarray(rows, np.float64).reshape(len(rows), -1) for rows in (one, other))
    return (a * b).sum(axis=1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1))


def make(folder: Path, tokens: int, layers: int | None, output: Path, text: Path | None = None) -> tuple[int, int]:
    """Write the model and the data; numbers of the sentences to calibrate on and of the others, the last ones.

    ``text`` has a sentence in each line; without it, the sentences that come with Lutra.
    """
    where = folder / "minilm"
    bert = Bert.minilm(where)
    lines = text.read_text(encoding="utf-8").splitlines() if text else sentences()
    x = bert.embed(token_ids(WordPiece.load(where / "tokenizer.json"), lines, tokens))
    first = len(x) - min(REST, len(x) // 2)
    output.mkdir(parents=True, exist_ok=True)
    onnx.save(bert.model(tokens, layers), output / "encoder.onnx")
    rest = x[first:]
    real = calibrate.predict(onnx_read.read(output / "encoder.onnx"), rest)
    for name, values in (("calibration", x[:first]), ("inputs", rest[:, None]), ("embeddings", real)):
        np.save(output / f"{name}.npy", values)
    return first, len(rest)


def compare(output: Path, network: Path, found: Path) -> NDArray[np.float64]:
    """Cosine of every embedding that a network made to the float model's."""
    made = np.load(found)
    real = np.load(output / "embeddings.npy")[:len(made)]
    if len(real) != len(made):
        raise ValueError(f"{found} must hold embeddings of at most {len(real)} sentences, not {len(made)}")
    return cosine(made * netfile.load(network).nodes[-1].scale, real)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; exit status 2 for a user's mistake."""
    parser = argparse.ArgumentParser(prog="python -m lutra.text", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    making = commands.add_parser("make", help="write the model and its data")
    making.add_argument("--folder", type=Path, default=Path("data"), help="where data sets lie (data)")
    making.add_argument("--tokens", type=int, default=16, help="of every sentence, both ends included (16)")
    making.add_argument("--layers", type=int, help="encoder blocks, from the first (all)")
    making.add_argument("--text", type=Path, metavar="FILE", help="sentences, one in each line (those of Lutra)")
    comparing = commands.add_parser("compare", help="say how far a run's embeddings are from the float model's")
    comparing.add_argument("found", type=Path, metavar="Y.npy", help="what lutra golden or lutra simulate wrote")
    comparing.add_argument("--network", type=Path, required=True, metavar="NET.lutra", help="the network that made it")
    for each in (making, comparing):
        each.add_argument("--output", type=Path, default=Path("build/encoder"), help="the files' folder")
    args = parser.parse_args(argv)
    try:
        if args.command == "make":
            first, rest = make(args.folder, args.tokens, args.layers, args.output, args.text)
            print(f"{args.output}: {args.tokens} tokens, {first} sentences to calibrate on, {rest} others")
        else:
            found = compare(args.output, args.network, args.found)
            print(f"{len(found)} embeddings: cosine to the float model {found.mean():.4f} in the mean, "
                  f"{found.min():.4f} at least")
    except (ValueError, OSError) as error:
        print(f"lutra.text: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
