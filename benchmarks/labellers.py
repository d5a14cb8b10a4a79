"""Who tells whether an episode succeeded, and is wrong as often as one says; and a log so told.

    python -m benchmarks.labellers out/experiment/random out/wrong/flipped-5 --wrong 0.05
    python -m benchmarks.labellers out/experiment/random out/wrong/gated \\
        --verdicts verdicts.json --detector subtraction --gated

A labeller knows the simulator's truth. It tells it wrong so often; or says what a detector said of
some episode that went the same way, out of a file that `benchmarks.rewards --verdicts` wrote: each
verdict, or, `--gated`, as its gate lets it. The new log has its verdicts and no rewards, as the log
of a cell that judges itself.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from policy.contract import decode_json
from policy.experience.episode import HEARD, SIMULATOR, Verdict
from policy.experience.log import EpisodeWriter, open_index, read_episode
from policy.experience.log.repair import copy_steps
from policy.experience.telling import exit_code

from .reward_scores import gate_of, mixed

Label = Callable[[bool], Verdict]  # of whether it succeeded


def truthful(success: bool) -> Verdict:
    return Verdict(SIMULATOR, success)


@dataclass(frozen=True)
class Labelling:
    """What is to be chosen of a labeller."""

    wrong: float = 0.0
    verdicts: Path | None = None
    detector: str = "subtraction"
    gated: bool = False
    seed: int = 0

    @classmethod
    def choices(cls, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--wrong", type=float, default=cls.wrong, help="share of labels")
        parser.add_argument("--verdicts", type=Path, help="of benchmarks.rewards, instead")
        parser.add_argument("--detector", default=cls.detector, help="whose")
        parser.add_argument("--gated", action="store_true", help="as its gate lets it")
        parser.add_argument("--seed", type=int, default=cls.seed)

    @classmethod
    def of(cls, a: argparse.Namespace) -> Labelling:
        return cls(a.wrong, a.verdicts, a.detector, a.gated, a.seed)

    def __str__(self) -> str:
        if self.verdicts is None:
            return f"{self.wrong:.0%} flipped"
        return f"{self.detector}, {'with' if self.gated else 'without'} its gate"

    def labeller(self) -> Label:
        random = np.random.default_rng([self.seed, 7])
        if self.verdicts is None:
            return lambda truth: Verdict("labeller", bool(truth ^ (random.random() < self.wrong)))
        return _measured(self.verdicts, self.detector, self.gated, random)


def _measured(path: Path, who: str, gated: bool, random: np.random.Generator) -> Label:
    """The gate is given by one half of the verdicts, labels are drawn from the other."""
    said = decode_json(dict[str, list[tuple[Verdict, bool]]], path.read_text(), str(path))[who]
    known = mixed(said)
    gate = gate_of(known[::2])
    print(gate)
    by_truth: dict[bool, list[Verdict]] = defaultdict(list)
    for verdict, truth in known[1::2]:
        by_truth[truth].append(verdict)

    def label(truth: bool) -> Verdict:
        said = by_truth[truth]
        one = said[random.integers(len(said))]
        may = gate.passed and one.confidence >= gate.threshold
        heard = HEARD if gated and not may else ""
        return Verdict(who, one.success, one.confidence, one.abstained, heard)

    return label


def fate(verdict: Verdict, truth: bool) -> str:
    if verdict.abstained or verdict.gate == HEARD:
        return "none"
    return "right" if verdict.success == truth else "wrong"


def relabel(log: Path, out: Path, label: Label) -> Counter[str]:
    """Labels that were right, wrong, or not given. What is there already is not made again."""
    with open_index(log) as index:
        entries = sorted(index, key=lambda entry: entry.episode_id)
    out.mkdir(parents=True, exist_ok=True)
    with open_index(out) as index:
        had = {entry.episode_id for entry in index}
    fates = Counter[str]()
    for entry in tqdm(entries, "labelling", unit=" episodes"):
        truth = bool(entry.success)
        verdict = label(truth)
        fates[fate(verdict, truth)] += 1
        if entry.episode_id in had:
            continue
        episode = read_episode(entry.path)
        with EpisodeWriter(out, episode.info, sync="episode") as writer:
            copy_steps(replace(episode, reward=np.zeros_like(episode.reward)), writer)
            writer.verdict(verdict)
    return fates


def main(argv: list[str] | None = None) -> int:
    top = argparse.ArgumentParser(
        prog="python -m benchmarks.labellers",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("log", type=Path, help="whose success a simulator told")
    top.add_argument("out", type=Path, help="the log to make")
    Labelling.choices(top)
    a = top.parse_args(argv)

    def work() -> None:
        fates = relabel(a.log, a.out, Labelling.of(a).labeller())
        print(*(f"{name}: {count}" for name, count in sorted(fates.items())), sep=", ")

    return exit_code(work)


if __name__ == "__main__":
    sys.exit(main())
