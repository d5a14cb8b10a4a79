"""Watches a detector after its gate: whether it still judges as it did when it was tested, and
whether others agree with it. One who does not is demoted: it is heard, but labels no more, until it
passes again.

All of it is appended to a file beside the gate, so that a node that starts anew goes on.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scipy import stats

from policy.contract.files import write_atomic
from policy.experience.episode import Verdict
from policy.experience.rate import Rate

from .gate import Gate

WINDOW = 40  # of the latest verdicts
SOME = 12  # of one kind among them, before they are compared
UNLIKELY = 1e-4  # that a detector which judges as ever looks so: it is asked after every episode
EVERY = 10  # episodes between spot checks
CHECKS = 10  # before they count, and
LATEST = 50  # so many of them do


class Watch:
    def __init__(self, gate: Gate, path: Path) -> None:
        self.gate, self._path = gate, path
        self._scores: list[tuple[bool | None, float]] = []  # what it said, how sure
        self._checks: dict[str, tuple[bool, float]] = {}  # by episode: agreed, of whom
        self.demoted = ""
        if path.exists():
            for line in _whole(path).splitlines():
                self._take(json.loads(line))

    def saw(self, verdict: Verdict) -> None:
        """Of every episode that it judged."""
        said = None if verdict.abstained else verdict.success
        self._note({"said": said, "sure": round(verdict.confidence, 4)})
        self._demote(self._drift())

    def checked(self, episode: str, agreed: bool, trust: float) -> None:
        """By who is right with probability `trust`."""
        if episode not in self._checks:
            self._note({"episode": episode, "agreed": agreed, "trust": round(trust, 4)})
            self._demote(self._disagreement())

    @property
    def agreement(self) -> Rate:
        latest = list(self._checks.values())[-LATEST:]
        return Rate(sum(agreed for agreed, _ in latest), len(latest))

    def _drift(self) -> str:
        if len(self._scores) < WINDOW:
            return ""
        window = self._scores[-WINDOW:]
        known = self.gate.reference
        for word, kind, were in (
            ("successes", True, known.successes), ("failures", False, known.failures)
        ):  # fmt: skip
            are = [sure for said, sure in window if said is kind]
            if len(are) >= SOME and len(were) >= SOME:
                odds = _alike(are, were)
                if odds < UNLIKELY:
                    return f"drift: it is sure of {word} as by chance once in {1 / odds:.0g} times"
        silent = sum(said is None for said, _ in window)
        share = (known.abstained + 1) / (self.gate.episodes * 2 + 2)
        if float(stats.binom.sf(silent - 1, len(window), share)) < UNLIKELY:
            return f"drift: it abstained in {silent} of {len(window)} episodes"
        return ""

    def _disagreement(self) -> str:
        """Less than a detector of that precision would agree with who checks."""
        latest = list(self._checks.values())[-LATEST:]
        if len(latest) < CHECKS:
            return ""
        trust = sum(one for _, one in latest) / len(latest)
        if self.agreement.interval[1] < self.gate.wanted.precision * trust:
            return f"spot checks: others agreed in {self.agreement}"
        return ""

    def _demote(self, reason: str) -> None:
        if reason and not self.demoted:
            self._note({"demoted": reason})

    def _note(self, line: dict[str, Any]) -> None:
        self._take(line)
        with self._path.open("a") as file:
            file.write(json.dumps(line) + "\n")

    def _take(self, line: dict[str, Any]) -> None:
        if "said" in line:
            self._scores = [*self._scores[1 - WINDOW :], (line["said"], line["sure"])]
        elif "agreed" in line:
            self._checks[line["episode"]] = (line["agreed"], line["trust"])
        else:
            self.demoted = line["demoted"]


def _whole(path: Path) -> str:
    """Without the last line, if whoever wrote it was killed over it."""
    text = path.read_text()
    kept = text[: text.rfind("\n") + 1]
    if kept != text:
        write_atomic(path, kept.encode())
    return kept


def _alike(are: Sequence[float], were: Sequence[float]) -> float:
    """Probability that both are drawn alike (Kolmogorov and Smirnov)."""
    found = stats.ks_2samp(are, were, method="asymp")
    return max(float(found.pvalue), 1e-12)
