"""What verdicts are worth, alone and together, and when a gate notices that they no longer are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.judging import told
from policy.experience.episode import Verdict
from policy.experience.rate import Rate
from reward.gate import Gate, examine
from reward.rules import RULES
from reward.watch import EVERY, Watch

Judged = tuple[Verdict, bool]  # with the truth

CONFIDENT = 0.9  # for combinations
RULED = {
    "fingers, then subtraction: the cell": ("first", ("fingers", "subtraction")),
    "first: subtraction, classifier": ("first", ("subtraction", "classifier")),
    "vote: subtraction, classifier, preference": (
        "vote", ("subtraction", "classifier", "preference"),
    ),
    "veto: subtraction, classifier": ("veto", ("subtraction", "classifier")),
}  # fmt: skip


def row(verdicts: Sequence[Verdict | None], truths: Sequence[bool]) -> dict[str, Any]:
    """A rate of nothing is None."""
    pairs = [(v, t) for v, t in zip(verdicts, truths, strict=True) if v and not v.abstained]
    positive = [t for v, t in pairs if v.success]
    true = [v.success for v, t in pairs if t]
    rates = {
        "precision": Rate(sum(positive), len(positive)),
        "recall": Rate(sum(true), len(true)),
        "right": Rate(sum(v.success == t for v, t in pairs), len(pairs)),
        "abstained": Rate(len(verdicts) - len(pairs), len(verdicts)),
    }
    return {name: told(rate) if rate.tries else None for name, rate in rates.items()}


def combined(
    rule: str, who: Sequence[str], said: Mapping[str, Sequence[Verdict]],
    spent: Mapping[str, Sequence[float]],
) -> tuple[list[Any], list[float]]:  # fmt: skip
    """Of verdicts that are confident, others abstain; and the seconds of those who were asked."""
    found, seconds = [], []
    for number, verdicts in enumerate(zip(*(said[name] for name in who), strict=True)):
        sure = [not v.abstained and v.confidence >= CONFIDENT for v in verdicts]
        asked = sure.index(True) + 1 if rule == "first" and any(sure) else len(who)
        found.append(RULES[rule]([v for v, is_ in zip(verdicts, sure, strict=True) if is_]))
        seconds.append(sum(spent[name][number] for name in who[:asked]))
    return found, seconds


def mixed(known: Sequence[Judged]) -> list[Judged]:
    """In any order: of several cells, one after the other, a gate's earlier half would tell nothing
    of the later ones."""
    return [known[k] for k in np.random.default_rng(0).permutation(len(known))]


def gate_of(known: Sequence[Judged]) -> Gate:
    return examine(known[0][0].detector, [v for v, _ in known], [truth for _, truth in known])


def noticed(usual: Sequence[Judged], changed: Sequence[Judged], folder: Path) -> dict[str, Any]:
    """Of one cell, in any order: the gate is given by half of the usual episodes, and the watch is
    kept over the others and then over the changed ones, a person checking every tenth. How many of
    these it takes until the detector is demoted; None: it never was."""
    calm, after = mixed(usual), mixed(changed)
    gate, calm = gate_of(calm[::2]), calm[1::2]
    watch = Watch(gate, folder / f"{gate.name}.jsonl")
    for number, (verdict, truth) in enumerate([*calm, *after], 1):
        watch.saw(verdict)
        if number % EVERY == 0 and not verdict.abstained:
            watch.checked(str(number), verdict.success == truth, trust=1.0)
        if watch.demoted:
            since = number - len(calm)
            told = {"after": since} if since > 0 else {"false alarm": number}
            return {"passed": gate.passed, **told, "of": len(after), "why": watch.demoted}
    return {"passed": gate.passed, "after": None, "of": len(after)}
