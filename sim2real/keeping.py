"""Whether translators keep the task: where things are, and what actions are worth.

    python -m sim2real.keeping out/sim --detector out/detector.safetensors --judge out/rlcyclegan \\
        --translator out/cyclegan --translator out/retinagan --translator out/rlcyclegan

Held-out pictures of a log with masks are looked at by a detector as they are, and translated; and
what was done in them is judged by critics. A run of RL-CycleGAN has two, one for either look; a
policy has one for both.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from scipy.optimize import linear_sum_assignment

from policy.contract import ContractError, ImageSpec, Invalid, differences
from policy.experience.errors import MISTAKES
from policy.learners.qtopt import QTOpt
from policy.run import CONFIG
from policy.start import read_start
from policy.statistics import Rate

from .boxes import THING, Found
from .config import names_of, read_translator, translator_of
from .critic import critic_of
from .data import Domain, as_tensor
from .finders import ROWS, Finder, all_found, read_finder
from .labels import things_of
from .reading import read_domain
from .rlcyclegan import RLCycleGan, worth
from .transitions import Transitions
from .translator import painted

Numbers = npt.NDArray[np.float64]

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


@dataclass(frozen=True)
class Judge:
    """Critics of a simulator's pictures as they are, and of what they are translated to."""

    before: QTOpt
    after: QTOpt

    @classmethod
    def read(cls, path: Path) -> Judge:
        """A run of sim2real.train with rlcyclegan, or a policy's start."""
        config = path / CONFIG
        if config.is_file() and "translator" in json.loads(config.read_text()):
            chosen, translator = read_translator(path)
            if not isinstance(translator, RLCycleGan):
                raise Invalid(
                    f"judge {path.name}", chosen.translator, "rlcyclegan", "it has critics"
                )
            return cls(translator.q_sim, translator.q_cell)
        critic = critic_of(read_start(path))
        return cls(critic, critic)

    def values(self, domain: Domain, translated: Domain, camera: str) -> tuple[Numbers, Numbers]:
        """Of what was done in each state that anything was done in."""
        log = Transitions(domain, camera, self.before.draw)
        self._require(domain, camera)
        parts = []
        for rows in np.array_split(log.every, -(-len(log.every) // ROWS)):
            batch = log.batch(rows)
            both = ((self.before, domain), (self.after, translated))
            with torch.no_grad():
                parts.append([worth(q, batch, as_tensor(of.pictures[rows])) for q, of in both])
        before, after = (torch.cat(part).double().numpy() for part in zip(*parts, strict=True))
        return before, after

    def _require(self, domain: Domain, camera: str) -> None:
        logged = domain.logged[0].info.interface
        seen = replace(
            logged.observation,
            images=(ImageSpec(camera, domain.size, domain.size),),
            action_window=self.before.interface.observation.action_window,
        )
        shown = replace(logged, observation=seen)
        if found := differences(
            self.before.interface, shown, "name critics of these very pictures"
        ):
            raise ContractError("judge", found)


@dataclass(frozen=True)
class Values:
    """Of what was done, before and after: their correlation, and how far they are apart."""

    correlation: float
    apart: float

    @classmethod
    def of(cls, before: Numbers, after: Numbers) -> Values:
        varied = before.std() > 0 and after.std() > 0
        correlation = float(np.corrcoef(before, after)[0, 1]) if varied else float("nan")
        return cls(correlation, float(np.abs(before - after).mean()))

    def __str__(self) -> str:
        return f"{self.correlation:.2f} | {self.apart:.3f}"


def places(finder: Finder, domain: Domain, shown: Sequence[Found]) -> Places:
    return Places.of(all_found(finder, domain.pictures), shown)


def main(argv: list[str] | None = None) -> int:
    top = argparse.ArgumentParser(prog="python -m sim2real.keeping", description=__doc__)
    top.add_argument("sim", type=Path, help="log of the simulator, with masks")
    top.add_argument("--detector", required=True, help="see sim2real/finders.py")
    top.add_argument("--judge", type=Path, help="a run of RL-CycleGAN, or a policy's start")
    top.add_argument("--translator", type=Path, action="append", default=[], help="a run")
    top.add_argument("--camera", default="front")
    top.add_argument("--size", type=int, default=64, help="px (default 64)")
    a = top.parse_args(argv)
    torch.set_num_threads(1)
    try:
        finder = read_finder(a.detector, a.size, torch.device("cpu"))
        held_out = read_domain("sim", a.sim, a.camera, a.size).held_out
        shown = things_of(held_out, a.camera)
        judge = Judge.read(a.judge) if a.judge else None
        looks = {"not translated": held_out}
        for run, name in zip(a.translator, names_of(a.translator), strict=True):
            config, translator = translator_of(run, a.camera, a.size)
            pictures = painted(translator, held_out.pictures)
            looks[f"{name} ({config.translator})"] = replace(held_out, pictures=pictures)
        rows = []
        for name, look in looks.items():
            cells = [name, str(places(finder, look, shown))]
            if judge is not None:
                cells.append(str(Values.of(*judge.values(held_out, look, a.camera))))
            rows.append(f"| {' | '.join(cells)} |")
    except MISTAKES as error:
        print(error, file=sys.stderr)
        return 2
    heads = ["", "off, mean px", "95 %", "things found", "findings of nothing"]
    heads += ["correlation of Q", "apart"] if a.judge else []
    print(f"| {' | '.join(heads)} |", "|" + "---|" * len(heads), *rows, sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
