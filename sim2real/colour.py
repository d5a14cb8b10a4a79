"""Plain colour transfer: the one linear map of colours, and the least, after which the simulator's
pictures have the cell's mean colour and covariance. Nothing moves: an honest baseline.

    T = A^-1/2 (A^1/2 B A^1/2)^1/2 A^-1/2,   y = T (x - a) + b      (Monge and Kantorovich's)
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from policy.learners.state import flatten, restore

from .translator import Metrics

LEAST = 1e-6  # variance, of [-1, 1]: a colour that never varies cannot be stretched


class Moments(nn.Module):
    """Of colours: what there was of them, their sum, and that of their products."""

    count: Tensor
    total: Tensor
    products: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("count", torch.zeros((), dtype=torch.double))
        self.register_buffer("total", torch.zeros(3, dtype=torch.double))
        self.register_buffer("products", torch.zeros(3, 3, dtype=torch.double))

    def add(self, pictures: Tensor) -> None:
        colours = pictures.permute(0, 2, 3, 1).reshape(-1, 3).double()
        self.count += len(colours)
        self.total += colours.sum(0)
        self.products += colours.T @ colours

    @property
    def mean(self) -> Tensor:
        mean: Tensor = self.total / self.count
        return mean

    @property
    def covariance(self) -> Tensor:
        spread = self.products / self.count - torch.outer(self.mean, self.mean)
        return spread + LEAST * torch.eye(3, dtype=torch.double, device=spread.device)


class Colour:
    """It has learnt when it has seen the pictures."""

    def __init__(self, device: torch.device) -> None:
        self.sim, self.cell = Moments().to(device), Moments().to(device)

    def update(self, sim: Tensor, cell: Tensor) -> Metrics:
        self.sim.add(sim)
        self.cell.add(cell)
        return {"shift": float((self.sim.mean - self.cell.mean).norm())}

    @torch.no_grad()
    def translate(self, sim: Tensor) -> Tensor:
        return _moved(sim, self.sim, self.cell)

    @torch.no_grad()
    def back(self, cell: Tensor) -> Tensor:
        return _moved(cell, self.cell, self.sim)

    def slow_down(self, share: float) -> None:
        """There is no rate."""

    def state_dict(self) -> dict[str, Tensor]:
        return flatten({"sim": self.sim, "cell": self.cell})

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        restore({"sim": self.sim, "cell": self.cell}, state)


def _moved(pictures: Tensor, of: Moments, to: Moments) -> Tensor:
    root = _root(of.covariance)
    back = torch.linalg.inv(root)
    matrix = back @ _root(root @ to.covariance @ root) @ back
    offset = to.mean - matrix @ of.mean
    moved = torch.einsum("ij,bjhw->bihw", matrix.float(), pictures)
    placed: Tensor = moved + offset.float()[:, None, None]
    return placed.clamp(-1, 1)


def _root(matrix: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh(matrix)
    root: Tensor = (vectors * values.clamp_min(0).sqrt()) @ vectors.T
    return root
