"""What each command of `python -m reward` does."""

from __future__ import annotations

import argparse

import numpy as np
from tqdm import tqdm

from policy.experience.episode import PERSON, success
from policy.experience.log import VerdictWriter
from policy.experience.pictures import write_picture

from . import perceptual
from .detector import Setup, detector
from .gate import Gates, Wanted, examine
from .labels import examples, labelled
from .panel import Panel
from .rules import likelihood
from .sheet import sheet
from .watch import EVERY, Watch


def test(a: argparse.Namespace) -> int:
    wanted = Wanted(a.precision, a.recall)
    judge = detector(a.detector, Setup.load(a.folder))
    seen: frozenset[str] = getattr(judge, "seen", frozenset())
    known = [(one, label) for one, label in labelled(a.logs, a.by) if one.episode not in seen]
    verdicts = []
    for one, _ in tqdm(known, a.detector, unit=" episodes", leave=False):
        pair = one.pair
        verdicts.append(judge.judge(pair.before, pair.after, one.clip, one.entry.task))
    gate = examine(a.detector, verdicts, [label for _, label in known], wanted)
    print(f"{gate}\nin {Gates(a.folder).give(gate)}")
    return 0 if gate.passed else 1


def gates(a: argparse.Namespace) -> int:
    """Every label by a gate that a person has labelled as well is a spot check."""
    watches = _watches(a)
    for one in examples(a.logs):
        truth = one.label(PERSON)
        for verdict in one.entry.verdicts:
            watch = watches.get(verdict.gate)
            if truth is not None and watch is not None and not verdict.abstained:
                watch.checked(one.episode, verdict.success == truth, trust=1.0)
    for watch in watches.values():
        fate = f"demoted: {watch.demoted}" if watch.demoted else "labels"
        print(f"{watch.gate}\n  {fate}; others agreed in {watch.agreement}")
    return 0


def _watches(a: argparse.Namespace) -> dict[str, Watch]:
    known = Gates(a.folder)
    return {gate.name: Watch(gate, known.path(gate, ".jsonl")) for gate in known if gate.passed}


def ask(a: argparse.Namespace) -> int:
    """Half of them those that the detector is least sure of, half every k-th: who is wrong and
    sure of it is found by the latter alone."""
    judge = detector(a.detector, Setup.load(a.folder))
    open_ = [one for one in examples(a.logs) if one.label(PERSON) is None]
    doubts = []
    for one in tqdm(open_, a.detector, unit=" episodes", leave=False):
        pair = one.pair
        found = judge.judge(pair.before, pair.after)
        doubts.append(0.0 if found.abstained else abs(likelihood(found, True) - 0.5))
    unsure = [open_[k] for k in np.argsort(doubts, kind="stable")]
    wanted = list(dict.fromkeys([*unsure[: -(-a.count // 2)], *open_[::EVERY], *unsure]))[: a.count]
    for one in wanted:
        print(f"python -m policy.experience label {one.log} {one.episode} success|failure")
    if a.sheet and wanted:
        write_picture(a.sheet, sheet([(one, one.episode) for one in wanted]))
    return 0


def demonstrate(a: argparse.Namespace) -> int:
    shown = labelled(a.logs, a.by)[: a.count]
    perceptual.show(Setup.load(a.folder), shown)
    good = sum(label for _, label in shown)
    print(f"shown: {good} successes, {len(shown) - good} failures")
    return 0


def relabel(a: argparse.Namespace) -> int:
    panel = Panel.of(a.detectors, Setup.load(a.folder))
    for name, problem in panel.problems.items():
        print(f"{name}: {problem}")
    changed = count = 0
    for log in a.logs:
        with VerdictWriter(log) as writer:
            for one in tqdm(list(examples([log])), str(log), unit=" episodes", leave=False):
                pair, old = one.pair, one.label()
                found = panel.judge(pair.before, pair.after, one.clip, one.entry.task)
                for verdict in found:
                    writer.add(one.episode, verdict)
                count += 1
                changed += old != success([*one.entry.verdicts, *found])
    print(f"{count} episodes judged again, {changed} labels changed")
    return 0
