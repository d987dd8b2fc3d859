"""Train a recipe's float network, make it into lookup networks, train those with the arithmetic that ships.

Without a recipe, the recipes are listed. A run keeps a checkpoint after every epoch and goes on from it; what its
folder holds already is not computed again. Needs PyTorch: pip install "lutra[train]". docs/training.md says more.
"""

import argparse
from pathlib import Path
from typing import Any

from .common import Outcome, progress, table

NAME = "train"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("recipe", nargs="?", metavar="RECIPE", help="its name; without one, all are listed")
    parser.add_argument("--variant", action="append", default=[], metavar="V",
                        help="one of the recipe's networks; may be repeated (all)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of everything that is drawn (1)")
    parser.add_argument("--tiny", action="store_true", help="a few inputs and steps, to see the path run")
    parser.add_argument("--data", type=Path, default=Path("data"), help="where data sets lie (data)")
    parser.add_argument("--output", type=Path, default=Path("build/train"), metavar="FOLDER",
                        help="where checkpoints, networks and scores go (build/train)")
    parser.add_argument("--device", help="cpu, cuda, ...: PyTorch's name (a GPU where there is one)")
    parser.add_argument("--threads", type=int, metavar="T", help="processor threads (all cores)")


def _torch() -> Any:
    try:
        import torch
    except ImportError:
        raise ValueError('training needs PyTorch: run pip install "lutra[train]"') from None
    return torch


def _listed(recipes: dict[str, Any]) -> Outcome:
    data = {name: {"data": recipe.data, "model": recipe.model, "variants": list(recipe.variants)}
            for name, recipe in recipes.items()}
    rows = [[name, item["data"], item["model"], ", ".join(item["variants"])] for name, item in data.items()]
    return Outcome({"recipes": data}, [table("recipes", ["recipe", "data", "float model", "variants"], rows)])


def run(args: argparse.Namespace) -> Outcome:
    """The scores of the recipe's networks."""
    torch = _torch()
    from lutra.train.recipes import RECIPES  # slow to import
    from lutra.train.run import Run

    if args.recipe is None:
        return _listed(RECIPES)
    if args.recipe not in RECIPES:
        raise ValueError(f"recipe must be {', '.join(RECIPES)}, not {args.recipe}")
    recipe = RECIPES[args.recipe].tiny() if args.tiny else RECIPES[args.recipe]
    for name in args.variant:
        if name not in recipe.variants:
            raise ValueError(f"variant of {recipe.name} must be {', '.join(recipe.variants)}, not {name}")
    if args.threads is not None:
        if args.threads < 1:
            raise ValueError(f"threads must be at least 1, not {args.threads}")
        torch.set_num_threads(args.threads)
    torch.set_flush_denormal(True)
    folder = args.output / f"{recipe.name}{'-tiny' if args.tiny else ''}-{args.seed}"
    try:
        device = torch.device(args.device or ("cuda" if torch.cuda.is_available() else "cpu"))
    except RuntimeError:
        raise ValueError(f"device must be one that PyTorch knows, such as cpu or cuda, not {args.device}") from None
    with progress(quiet=args.json) as show:
        job = Run(recipe=recipe, seed=args.seed, folder=args.data, build=folder, device=device, progress=show)
        found, task = job.all(args.variant), job.data.task
    rows = [["float", "", task.shown(found["float"]), "", ""]]
    rows += [[name, task.shown(item["untrained"]) if "untrained" in item else "", task.shown(item["golden"]),
              " + ".join(map(str, item["epochs"])), item["claim"]] for name, item in found["variants"].items()]
    head = ["network", "before training", "golden integers", "epochs", "the paper's claim"]
    title = f"{recipe.name} on {found['test_inputs']:,} test inputs of {found['data']}"
    return Outcome(found, [table(title, head, rows), f"networks and scores: {folder}"])
