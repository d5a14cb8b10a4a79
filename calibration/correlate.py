"""How much later one signal shows what another did, to a fraction of a sample."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from policy.contract import Invalid

Array = npt.NDArray[np.float64]
LEAST = 0.3  # of a correlation that means anything


def delay_of(response: npt.ArrayLike, command: npt.ArrayLike, period: float, most: float) -> float:
    """Seconds from `command` to `response`, both sampled every `period`, 0 to `most` s: where their
    normalised cross-correlation is highest, between samples by the parabola through the peak.
    All that delays counts: dead time and the follower's own lag."""
    a, b = np.asarray(response, float), np.asarray(command, float)
    a, b = a - a.mean(), b - b.mean()
    reach = round(most / period)
    if len(a) != len(b) or len(a) < 4 * reach:
        wanted = f"of one length, {4 * reach} samples or more"
        raise Invalid("response", f"{len(a)} and {len(b)} samples", wanted, "record for longer")
    size = float(np.linalg.norm(a) * np.linalg.norm(b))
    if size == 0:
        raise Invalid("response", "no motion", "a signal that moves", "command a motion, larger")
    length = 1 << (2 * len(a) - 1).bit_length()
    product = np.fft.rfft(a, length) * np.conj(np.fft.rfft(b, length))
    score: Array = np.fft.irfft(product, length)[: reach + 1] / size
    peak = int(score.argmax())
    if score[peak] < LEAST:
        found, wanted = f"a correlation of {score[peak]:.2f}", f"{LEAST} or more"
        raise Invalid("response", found, wanted, "check which axis moves, and move farther")
    return period * (peak + _between(score, peak))


def _between(score: Array, peak: int) -> float:
    """Where the parabola through a peak and its neighbours is highest, from the peak."""
    if not 0 < peak < len(score) - 1:
        return 0.0
    before, here, after = score[peak - 1 : peak + 2]
    bend = before - 2 * here + after
    return float(0.5 * (before - after) / bend) if bend < 0 else 0.0
