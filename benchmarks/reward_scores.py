"""What verdicts are worth, alone and together, and when a gate notices that they no longer are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.judging import told
from policy.experience.episode import Verdict
from policy.experience.rate import Rate
from reward.gate import examine
from reward.rules import RULES
from reward.watch import Watch

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


def noticed(
    gate_of: tuple[Sequence[Verdict], Sequence[bool]], usual: Sequence[Verdict],
    changed: Sequence[Verdict], folder: Path,
) -> dict[str, Any]:  # fmt: skip
    """Episodes after the change until the detector is demoted; None: it never was."""
    gate = examine(usual[0].detector, *gate_of)
    watch = Watch(gate, folder / f"{gate.name}.jsonl")
    for one in usual:
        watch.saw(one)
    if watch.demoted:
        return {"false alarm": watch.demoted}
    for number, one in enumerate(changed, 1):
        watch.saw(one)
        if watch.demoted:
            return {"after": number, "of": len(changed), "why": watch.demoted}
    return {"after": None, "of": len(changed)}
