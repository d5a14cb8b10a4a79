"""Whether translators keep the task: where things are, before and after.

    python -m sim2real.keeping out/sim --detector out/detector.safetensors \\
        --translator out/cyclegan --translator out/retinagan

Held-out pictures of a log with masks are looked at by a detector as they are, and translated.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment

from policy.contract import ContractError, Invalid
from policy.experience.errors import ExperienceError
from policy.statistics import Rate

from .boxes import THING, Found
from .config import read_translator
from .data import Domain, read_domain
from .finders import Finder, all_found, read_finder
from .labels import things_of
from .measuring import translated

SURE = 0.3  # of a finding that counts
NEAR = 4.0  # px: a finding that is farther from a thing is not of it


@dataclass(frozen=True)
class Places:
    """Of things that were seen: how far from where they are, the mean and the 95th percentile
    (px); how many of them; and of what was seen, how much is none."""

    mean: float
    most: float
    found: Rate
    invented: Rate

    @classmethod
    def of(cls, found: Sequence[Found], wanted: Sequence[Found]) -> Places:
        apart: list[float] = []
        seen = there = 0
        for one, truth in zip(found, wanted, strict=True):
            one, truth = one.of(THING, SURE), truth.of(THING)
            far = np.linalg.norm(one.centres[:, None] - truth.centres, axis=2)
            pairs = far[linear_sum_assignment(far.clip(max=NEAR))]
            apart += pairs[pairs < NEAR].tolist()
            seen, there = seen + len(one), there + len(truth)
        mean, most = (np.mean(apart), np.percentile(apart, 95)) if apart else (np.nan, np.nan)
        none = Rate(seen - len(apart), seen)
        return cls(float(mean), float(most), Rate(len(apart), there), none)

    def __str__(self) -> str:
        shares = f"{self.found.value:.1%} | {self.invented.value:.1%}"
        return f"{self.mean:.2f} | {self.most:.2f} | {shares}"


def places(finder: Finder, domain: Domain, shown: Sequence[Found]) -> Places:
    return Places.of(all_found(finder, domain.pictures), shown)


def main(argv: list[str] | None = None) -> int:
    top = argparse.ArgumentParser(prog="python -m sim2real.keeping", description=__doc__)
    top.add_argument("sim", type=Path, help="log of the simulator, with masks")
    top.add_argument("--detector", required=True, help="see sim2real/finders.py")
    top.add_argument("--translator", type=Path, action="append", default=[], help="a run")
    top.add_argument("--camera", default="front")
    top.add_argument("--size", type=int, default=64, help="px (default 64)")
    a = top.parse_args(argv)
    torch.set_num_threads(1)
    try:
        finder = read_finder(a.detector, a.size, torch.device("cpu"))
        held_out = read_domain("sim", a.sim, a.camera, a.size).held_out
        shown = things_of(held_out, a.camera)
        table = {"not translated": places(finder, held_out, shown)}
        for run in a.translator:
            config, translator = read_translator(run)
            name = f"{run.name} ({config.translator})"
            table[name] = places(finder, translated(held_out, translator), shown)
    except (ContractError, Invalid, ExperienceError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    print("| | off, mean px | 95 % | things found | findings of nothing |")
    print("|---|---|---|---|---|")
    for name, found in table.items():
        print(f"| {name} | {found} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
