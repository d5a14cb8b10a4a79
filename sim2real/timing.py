"""How late things are, by the stamps of a log."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from policy.experience.log import open_index, read_episode

Numbers = npt.NDArray[np.float64]
MS = 1e-6  # of nanoseconds
PERCENTS = (50, 95, 99)


@dataclass(frozen=True)
class Timing:
    """Milliseconds, a number a step."""

    age: Numbers  # of what was seen, when it was acted upon
    period: Numbers  # from one action to the next

    @classmethod
    def of(cls, log: Path) -> Timing:
        ages, periods = [], []
        with open_index(log) as index:
            for entry in index:
                episode = read_episode(entry.path)
                ages.append(1e3 * episode.observation_age[1:].astype(np.float64))
                periods.append(MS * np.diff(episode.execution_ns[1:]))
        return cls(np.concatenate(ages), np.concatenate(periods))


def percentiles(values: Numbers) -> list[float]:
    return [float(found) for found in np.percentile(values, PERCENTS)]
