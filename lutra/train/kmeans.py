"""k-means of many codebooks at once, and the tables that fit best once the centroids stand."""

import torch
from torch import Tensor

__all__ = ["assignments", "centroids", "fitted_table"]


def _distances(x: Tensor, points: Tensor) -> Tensor:
    """Squared distances ``(codebooks, entries, rows)`` of ``x`` ``(codebooks, length, rows)`` to the points."""
    return torch.baddbmm(points.square().sum(2, keepdim=True), points, x, alpha=-2) + x.square().sum(1, keepdim=True)


def _seeded(x: Tensor, entries: int) -> Tensor:
    """k-means++: each next centroid is a sample, drawn by its squared distance from the centroids so far."""
    codebooks, _, rows = x.shape
    books = torch.arange(codebooks)
    points = [x[books, :, torch.randint(rows, (codebooks,))]]
    nearest = torch.full((codebooks, rows), torch.inf)
    for _ in range(entries - 1):
        nearest = torch.minimum(nearest, _distances(x, points[-1][:, None])[:, 0])
        chosen = torch.multinomial(nearest.clamp(min=1e-6), 1)[:, 0]
        points.append(x[books, :, chosen])
    return torch.stack(points, 1)


def assignments(x: Tensor, points: Tensor) -> Tensor:
    """One-hot nearest centroids ``(codebooks, entries, rows)``."""
    nearest = _distances(x, points).argmin(1, keepdim=True)
    return torch.zeros(*points.shape[:2], x.shape[2]).scatter_(1, nearest, 1.0)


def centroids(x: Tensor, entries: int, rounds: int = 25) -> tuple[Tensor, float]:
    """Centroids ``(codebooks, entries, length)`` of ``x`` ``(codebooks, length, rows)``, and the mean squared error.

    A centroid that no sample is nearest to stays where it was.
    """
    points = _seeded(x, entries)
    for _ in range(rounds):
        chosen = assignments(x, points)
        members = chosen.sum(2, keepdim=True)
        points = torch.where(members > 0, torch.bmm(chosen, x.mT) / members.clamp(min=1), points)
    return points, float(_distances(x, points).amin(1).clamp(min=0).mean())


def fitted_table(chosen: Tensor, target: Tensor, start: Tensor, pull: float = 1e-2) -> Tensor:
    """Table whose lookups come closest to ``target`` ``(columns, rows)`` in least squares.

    ``chosen`` is one-hot, ``(codebooks, entries, rows)``. The normal equations are singular (every codebook sums
    to one): ``pull`` times the mean diagonal draws the table towards ``start``.
    """
    ones = chosen.flatten(0, 1).double()
    gram = ones @ ones.T
    gram.diagonal().add_(pull * gram.diagonal().mean())
    rest = target.double() - start.flatten(0, 1).T.double() @ ones
    return start + torch.linalg.solve(gram, ones @ rest.T).float().view_as(start)
