"""Trains a network by its recipe and writes its files: python -m lutra.train RECIPE."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from .recipes import RECIPES
from .run import run

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; exit status 2 for a user's mistake."""
    parser = argparse.ArgumentParser(prog="python -m lutra.train", description=__doc__.partition(":")[0] + ".")
    parser.add_argument("recipe", choices=sorted(RECIPES))
    parser.add_argument("--tiny", action="store_true", help="a few images and steps, to see the path run")
    parser.add_argument("--data", type=Path, default=Path("data"), help="where data sets lie (default: data)")
    parser.add_argument("--build", type=Path, default=Path("build/train"),
                        help="where checkpoints go; a run goes on from them (default: build/train)")
    parser.add_argument("--out", type=Path, help="where the files go (default: networks beside the checkpoints)")
    parser.add_argument("--threads", type=int, default=1, help="processor threads (default: 1)")
    args = parser.parse_args(argv)
    torch.set_num_threads(args.threads)
    recipe = RECIPES[args.recipe].tiny() if args.tiny else RECIPES[args.recipe]
    command = f"python -m lutra.train {args.recipe}{' --tiny' if args.tiny else ''}"
    build = args.build / (f"{recipe.name}-tiny" if args.tiny else recipe.name)
    try:
        shares = run(recipe, args.data, build, args.out or build / "networks", command)
    except ValueError as error:
        print(f"lutra.train: {error}", file=sys.stderr)
        return 2
    for view, share in shares.items():
        print(f"{view:10} {share:.2%}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
