"""The statistics that LeRobot keeps of every feature."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Stats = dict[str, Array]

PIXEL = np.arange(256) / 255.0  # LeRobot's statistics count pixels from 0 to 1
QUANTILES = {"q01": 0.01, "q10": 0.1, "q50": 0.5, "q90": 0.9, "q99": 0.99}
STATISTICS = ("min", "max", "mean", "std", "count", *QUANTILES)


def stats_of(values: Array) -> Stats:
    """Over one episode: by entry for vectors, by channel and from 0 to 1 for frames."""
    count = np.array([len(values)])
    if values.ndim < 4:
        values = values.reshape(len(values), -1)
        real = values.astype(np.float64)
        steps = np.quantile(real, list(QUANTILES.values()), 0, method="inverted_cdf")
        quantiles = dict(zip(QUANTILES, steps, strict=True))
        least, most, mean, std = values.min(0), values.max(0), real.mean(0), real.std(0)
        return {"min": least, "max": most, "mean": mean, "std": std, "count": count, **quantiles}
    # A histogram says all there is to say about bytes, and needs no copy of the frames as floats.
    pixels = np.zeros((3, 256), np.int64)
    for frame in values:
        pixels += [np.bincount(frame[..., c].reshape(-1), minlength=256) for c in range(3)]
    number = values[..., 0].size
    mean = pixels @ PIXEL / number
    found = {
        "min": PIXEL[(pixels > 0).argmax(1)],
        "max": PIXEL[255 - (pixels[:, ::-1] > 0).argmax(1)],
        "mean": mean,
        "std": np.sqrt((pixels * (PIXEL - mean[:, None]) ** 2).sum(1) / number),
        **{
            name: PIXEL[(pixels.cumsum(1) >= q * number).argmax(1)] for name, q in QUANTILES.items()
        },
    }
    return {"count": count} | {name: v.reshape(3, 1, 1) for name, v in found.items()}


def merge(a: Stats, b: Stats) -> Stats:
    """Over both: exact but for the quantiles, which LeRobot averages over episodes as well."""
    count = a["count"] + b["count"]
    share = float(b["count"][0] / count[0])
    merged = {name: (1 - share) * a[name] + share * b[name] for name in ("mean", *QUANTILES)}
    between = share * (1 - share) * (b["mean"] - a["mean"]) ** 2
    merged["std"] = np.sqrt((1 - share) * a["std"] ** 2 + share * b["std"] ** 2 + between)
    least, most = np.minimum(a["min"], b["min"]), np.maximum(a["max"], b["max"])
    return {"min": least, "max": most, "count": count, **merged}


def flat(stats: dict[str, Stats]) -> dict[str, Any]:
    return {f"stats/{key}/{k}": v.tolist() for key, s in stats.items() for k, v in s.items()}
