"""How far two sets of features are from each other: FID and KID."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .features import Features

LEAST = 0.1  # of the median feature's spread: one that hardly varies is not blown up


@dataclass(frozen=True)
class Distance:
    """FID grows where pictures are few; KID does not, and may be a little below 0."""

    fid: float
    kid: float


def scale_of(*sets: Features) -> Features:
    """The spread of each feature over all of them together: what is compared is to be measured in
    one unit, and no feature to rule."""
    spread = np.concatenate(sets).std(0)
    found: Features = np.maximum(spread, max(LEAST * np.median(spread), 1e-12))
    return found


def distance(a: Features, b: Features, scale: Features) -> Distance:
    middle = b.mean(0)
    one, two = (a - middle) / scale, (b - middle) / scale
    return Distance(fid(one, two), kid(one, two))


def fid(a: Features, b: Features) -> float:
    """Frechet's distance of two Gaussians: |m - n|^2 + tr(A + B - 2 (A^1/2 B A^1/2)^1/2)."""
    one, two = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    values, vectors = np.linalg.eigh(one)
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    shared = np.sqrt(np.linalg.eigvalsh(root @ two @ root).clip(0)).sum()
    apart = np.square(a.mean(0) - b.mean(0)).sum()
    return float(apart + np.trace(one) + np.trace(two) - 2 * shared)


def kid(a: Features, b: Features) -> float:
    """Unbiased MMD^2 with the kernel (x y / d + 1)^3."""
    within = [_off_diagonal(_kernel(one, one)) for one in (a, b)]
    return float(sum(within) - 2 * _kernel(a, b).mean())


def _kernel(a: Features, b: Features) -> Features:
    found: Features = (a @ b.T / a.shape[1] + 1) ** 3
    return found


def _off_diagonal(kernel: Features) -> float:
    n = len(kernel)
    return float((kernel.sum() - np.trace(kernel)) / (n * (n - 1)))
