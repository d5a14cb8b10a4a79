"""How verdicts of several detectors become one label.

Each rule is given only what may label and did not abstain, in the order in which the detectors were
asked for, and may itself abstain.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from policy.experience.episode import Verdict

Rule = Callable[[Sequence[Verdict]], Verdict | None]
FIRST = "first"


def first(said: Sequence[Verdict]) -> Verdict | None:
    """Whoever was named first; the others are asked only where he cannot tell."""
    return said[0] if said else None


def vote(said: Sequence[Verdict]) -> Verdict | None:
    """What most say, as sure as they are on average; nobody where it is even."""
    good = sum(one.success for one in said)
    if 2 * good == len(said):
        return None
    success = 2 * good > len(said)
    sure = sum(likelihood(one, success) for one in said) / len(said)
    return _told("vote", success, sure, said)


def veto(said: Sequence[Verdict]) -> Verdict | None:
    """A success only where nobody who speaks denies it."""
    if not said:
        return None
    denied = [one.confidence for one in said if not one.success]
    sure = max(denied) if denied else min(one.confidence for one in said)
    return _told("veto", not denied, sure, said)


RULES: Mapping[str, Rule] = {"first": first, "vote": vote, "veto": veto}


def likelihood(verdict: Verdict, success: bool) -> float:
    """How likely it thinks that outcome."""
    return verdict.confidence if verdict.success == success else 1 - verdict.confidence


def _told(rule: str, success: bool, sure: float, said: Sequence[Verdict]) -> Verdict:
    words = ", ".join(
        f"{one.detector} {'success' if one.success else 'failure'} {one.confidence:.2f}"
        for one in said
    )
    gates = " ".join(sorted({one.gate for one in said if one.gate}))
    return Verdict(rule, success, sure, gate=gates, reason=words)
