"""Decide for the robots that wait, in one run of the policy, and never for one that is late."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from policy.contract import ContractError, Invalid
from policy.feed import Array, FloatArray, check_limits
from policy.serving.clock import too_old
from policy.serving.host import Host
from policy.serving.parcels import Reply
from policy.serving.parity import stack
from policy.serving.wire import Answer, Ask, Refusal, pack


@dataclass(frozen=True)
class Waiting:
    """One robot's request, its stamps by our clock."""

    ask: Ask
    feed: dict[str, Array]
    limits: FloatArray | None
    captured_ns: int
    deadline_ns: int
    arrived_ns: int
    reply: Reply

    def refuse(self, error: ContractError | Invalid) -> None:
        self.reply(pack(Refusal.of(self.ask.id, error)))


def decide(host: Host, waiting: Sequence[Waiting], max_age_ns: int) -> None:
    """Run the policy once for all who are in time, and answer everybody."""
    started = time.monotonic_ns()
    timely = [one for one in waiting if _in_time(one, started, max_age_ns)]
    if not timely:
        return
    seeds = [secrets.randbits(62) if w.ask.seed is None else w.ask.seed for w in timely]
    try:
        decision = host.act(stack([one.feed for one in timely]), _limits(host, timely), seeds)
    except ContractError as error:
        if len(timely) == 1:
            timely[0].refuse(error)
        else:  # one robot's fault is not another's
            for one in timely:
                decide(host, [one], max_age_ns)
        return
    done = time.monotonic_ns()
    for row, one in enumerate(timely):
        if _in_time(one, done, max_age_ns):
            one.reply(
                pack(
                    Answer(
                        one.ask.id,
                        decision.action[row].tobytes(),
                        float(decision.q[row]),
                        decision.version,
                        age_ns=done - one.captured_ns,
                        queue_ns=started - one.arrived_ns,
                        run_ns=done - started,
                    )
                )
            )


def _in_time(one: Waiting, now: int, max_age_ns: int) -> bool:
    """A late or stale request is refused, and no more to be acted on."""
    age, over = now - one.captured_ns, now - one.deadline_ns
    if over > 0:
        found, wanted = f"{over / 1e6:.1f} ms ago", "a time to come"
        remedy = "allow more time, or a faster policy; mind the queue"
        one.refuse(Invalid("deadline", found, wanted, remedy))
    elif age > max_age_ns:
        one.refuse(too_old(age, max_age_ns))
    return over <= 0 and age <= max_age_ns


def _limits(host: Host, waiting: Sequence[Waiting]) -> FloatArray | None:
    if all(one.limits is None for one in waiting):
        return None
    spec = host.interface.action
    own = [check_limits(spec, None, 1) if w.limits is None else w.limits for w in waiting]
    return np.concatenate(own)
