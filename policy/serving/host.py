"""Serve one policy at a time, and change it while a robot runs.

    host = Host(OnnxPolicy(path))
    decision = host.act(feed, seeds=[7])
    version = host.offer(new_path).result()    # refused ones raise ContractError

A host is a policy itself: it stands where one is wanted, in a node or behind a server. It does not
know robots apart, so it takes no policy that remembers an episode.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from policy.contract import ContractError, Interface, Problem, differences
from policy.feed import (
    Array,
    BadAction,
    Decision,
    Episodic,
    Feed,
    FloatArray,
    Policy,
    check_decision,
    check_feed,
    check_limits,
    tensors,
)
from policy.runtime import OnnxPolicy
from policy.serving.parity import REPAIR, made_up, require_parity

LOG = logging.getLogger(__name__)
KEPT = 8  # observations a new policy is tried on


@dataclass(frozen=True)
class Serving:
    """Replaced as a whole, so that a request sees one policy or the other, never half of each."""

    policy: Policy
    before: Policy | None


class Host:
    def __init__(
        self,
        policy: Policy,
        load: Callable[[Path], Policy] = OnnxPolicy,
        remember_every_s: float = 1.0,
    ) -> None:
        problems = _memories(policy)
        if problems:
            raise ContractError(f"policy '{policy.name}' {policy.version}", problems)
        self._load, self._remember_every_s = load, remember_every_s
        self._serving = Serving(policy, None)
        self._tensors = tensors(policy.interface, policy.stack)
        self._lock = threading.Lock()  # for what changes the policy; acting takes none
        self._loader = ThreadPoolExecutor(1, thread_name_prefix="offer")
        self._withdrawn: dict[str, str] = {}  # version: why
        self._seen: deque[dict[str, Array]] = deque(maxlen=KEPT)
        self._remembered = 0.0
        self._rollbacks = 0

    @property
    def policy(self) -> Policy:
        return self._serving.policy

    @property
    def name(self) -> str:
        return self.policy.name

    @property
    def version(self) -> str:
        return self.policy.version

    @property
    def interface(self) -> Interface:
        return self.policy.interface

    @property
    def stack(self) -> int:
        return self.policy.stack

    def act(
        self,
        feed: Feed,
        limits: FloatArray | None = None,
        seeds: Sequence[int] | None = None,
    ) -> Decision:
        """Actions of the serving policy. Where it fails, or gives one that is not finite or out of
        its limits, the policy before takes over, for this request already."""
        rows = check_feed(self._tensors, feed)
        allowed = check_limits(self.interface.action, limits, rows)
        serving = self._serving

        def decide(policy: Policy) -> Decision:
            source = f"policy '{policy.name}' {policy.version}"
            try:
                found = policy.act(feed, limits, seeds)
                return check_decision(source, self.interface.action, allowed, found)
            except ContractError:
                raise
            except Exception as error:  # the request is sound, so the policy is not
                LOG.exception("%s failed", source)
                remedy = "mend it, or go back to the one before"
                problem = Problem("act", repr(error), "a decision", remedy)
                raise BadAction(source, [problem]) from error

        try:
            decision = decide(serving.policy)
        except BadAction as error:
            before = self._withdraw(serving, str(error))
            if before is None:
                raise
            return decide(before)
        self._remember(feed)
        return decision

    def offer(self, path: Path) -> Future[str]:
        """Load, try and take over in the background; the version that serves then, or the
        `ContractError` that says why not."""
        return self._loader.submit(self._consider, path, self._rollbacks)

    def rollback(self) -> str:
        """Back to the policy before, and nothing that was offered until now is taken any more; the
        version that serves then."""
        with self._lock:
            before = self._serving.before
            if before is None:
                remedy = "offer the policy that you want"
                problem = Problem("before", "nothing", "a policy that served before", remedy)
                raise ContractError("rollback", [problem])
            LOG.warning("rolled back from %s to %s", self.version, before.version)
            self._serving = Serving(before, None)
            self._rollbacks += 1
            return before.version

    def close(self) -> None:
        self._loader.shutdown()

    def __enter__(self) -> Host:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _consider(self, path: Path, rollbacks: int) -> str:
        policy = self._load(path)
        if policy.version == self.version:
            return policy.version  # it serves already
        problems = self._misfits(policy)
        if problems:
            raise ContractError(f"{path} does not fit what is served", problems)
        seen = list(self._seen)
        missing = max(0, KEPT // 2 - len(seen))
        require_parity(policy, [*seen, *made_up(self.interface, self.stack, missing)])
        with self._lock:
            if rollbacks != self._rollbacks:
                problem = Problem("offer", "made before a rollback", "one after it", "offer again")
                raise ContractError(f"{path} is not taken", [problem])
            LOG.info("%s takes over from %s", policy.version, self.version)
            self._serving = Serving(policy, self.policy)
        return policy.version

    def _misfits(self, policy: Policy) -> list[Problem]:
        """Robots keep sending what they were told at first: the newcomer must be of that form."""
        served = self.policy
        found = _memories(policy)
        found += differences(policy.interface, served.interface, REPAIR)
        if policy.stack != served.stack:
            found.append(Problem("stack", policy.stack, str(served.stack), REPAIR))
        cells = [one.card.cell_id for one in (policy, served) if isinstance(one, OnnxPolicy)]
        if len(set(cells)) > 1:
            found.append(Problem("cell_id", cells[0], f"'{cells[1]}'", REPAIR))
        if policy.version in self._withdrawn:
            wanted = f"a policy that was not withdrawn ({self._withdrawn[policy.version]})"
            found.append(Problem("version", policy.version, wanted, "train and export anew"))
        return found

    def _withdraw(self, serving: Serving, why: str) -> Policy | None:
        with self._lock:
            if self._serving is serving and serving.before is not None:
                LOG.error("%s withdrawn, %s serves: %s", self.version, serving.before.version, why)
                self._withdrawn[serving.policy.version] = why
                self._serving = Serving(serving.before, None)
        return serving.before

    def _remember(self, feed: Feed) -> None:
        """Now and then one observation, copied: its buffers belong to whoever sent them."""
        now = time.monotonic()
        if now - self._remembered >= self._remember_every_s:
            self._remembered = now
            self._seen.append({name: array[:1].copy() for name, array in feed.items()})


def _memories(policy: Policy) -> list[Problem]:
    """One robot would be given what was meant for another, or for the episode before."""
    if not isinstance(policy, Episodic):
        return []
    wanted = "one that remembers nothing from one request to the next"
    remedy = "give each robot its own, in its own process, and reset it when an episode begins"
    return [Problem("policy", f"{type(policy).__name__}, which has reset()", wanted, remedy)]
