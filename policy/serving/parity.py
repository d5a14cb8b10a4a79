"""Is a newly loaded policy fit to take over? Tried on stored observations before it serves.

A policy is not compared with the one it replaces: that it acts differently is the point of it.
It is compared with itself: the same seed must give the same action again, and a robot must get
the action that it would get alone when it is served in a batch with others.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from policy.contract import ContractError, Interface, Problem
from policy.feed import (
    PAST_ACTIONS,
    PROPRIO,
    Array,
    Decision,
    Feed,
    FloatArray,
    Policy,
    check_decision,
    check_limits,
    tensors,
)

ACTION_TOLERANCE = 1e-3  # of an entry's range
Q_TOLERANCE = 1e-3
# Between two actions of one value a search may go either way, and rounding, which depends on the
# batch, decides: this share of observations may be so.
TIES = 0.25
REPAIR = "export the policy again; the one before keeps serving"


def require_parity(policy: Policy, observations: Sequence[Feed]) -> None:
    """Raise `ContractError` unless the policy agrees with itself on `observations`, batches of
    one; each action must be finite and within its range."""
    seeds = range(len(observations))
    batch = stack(observations)
    many, again = _act(policy, batch, seeds), _act(policy, batch, seeds)
    alone = [_act(policy, one, [seed]) for one, seed in zip(observations, seeds, strict=True)]
    singles = Decision(
        np.concatenate([one.action for one in alone]),
        np.concatenate([one.q for one in alone]),
        policy.version,
    )
    problems = [
        *_differences("parity.seed", policy, many, again, "the same action for the same seed"),
        *_differences("parity.batch", policy, singles, many, "the same action alone", TIES),
    ]
    if problems:
        raise ContractError(f"policy '{policy.name}' {policy.version}", problems)


def stack(observations: Sequence[Feed]) -> dict[str, Array]:
    """Batches of one, or more, as one batch."""
    if len(observations) == 1:
        return dict(observations[0])  # nothing is copied for a robot alone
    return {name: np.concatenate([one[name] for one in observations]) for name in observations[0]}


def made_up(interface: Interface, frames: int, count: int) -> list[dict[str, Array]]:
    """Observations of noise, for a policy that has not seen any yet."""
    random, spec = np.random.default_rng(0), interface.observation
    found: list[dict[str, Array]] = []
    for _ in range(count):
        feed: dict[str, Array] = {}
        for name, tensor in tensors(interface, frames).items():
            shape = (1, *tensor.shape)
            if name == PROPRIO:
                low = np.array([entry.low for entry in spec.proprio])
                high = np.array([entry.high for entry in spec.proprio])
                feed[name] = random.uniform(low, high, shape).astype(np.float32)
            elif name == PAST_ACTIONS:
                low, high = interface.action.low, interface.action.high
                drawn = random.uniform(low, high, shape).astype(np.float32)
                feed[name] = interface.action.executed(drawn)
            else:
                feed[name] = random.integers(0, 256, shape, np.uint8)
        found.append(feed)
    return found


def _act(policy: Policy, feed: Feed, seeds: Sequence[int]) -> Decision:
    spec = policy.interface.action
    source = f"policy '{policy.name}' {policy.version}"
    whole: FloatArray = check_limits(spec, None, len(seeds))
    return check_decision(source, spec, whole, policy.act(feed, None, seeds))


def _differences(
    field: str, policy: Policy, one: Decision, other: Decision, wanted: str, ties: float = 0.0
) -> list[Problem]:
    spec = policy.interface.action
    apart = np.abs(one.action - other.action) / (spec.high - spec.low)
    differ = (apart > ACTION_TOLERANCE).any(1)
    tied = differ & (np.abs(one.q - other.q) <= Q_TOLERANCE)
    if tied.mean() <= ties:
        differ &= ~tied
    return [
        Problem(
            f"{field}.{spec.names[int(apart[row].argmax())]}",
            f"{apart[row].max():.3g} of its range apart",
            wanted,
            REPAIR,
        )
        for row in np.flatnonzero(differ)
    ]
