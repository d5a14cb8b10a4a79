"""Sees, decides, says so: once a control period while an episode is played."""

from __future__ import annotations

import json
import zlib
from collections import Counter, deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rclpy.node import Node
from regrasp_msgs.msg import EpisodeState, ExecutedStep, GuardState, Observation, PolicyStep

from policy.contract import ContractError, Interface, encode, require_fit
from policy.feed import FloatArray, batch_of_one
from policy.runtime import OnnxPolicy
from policy.serving.host import Host

from .body import Body
from .episode.acting import explored
from .guard.limits import TERMINATE
from .offers import NONE, Offers
from .pictures import Eyes, message_of
from .wiring import (
    EVERY,
    KEPT,
    LATCHED,
    OK,
    ROOT,
    WARN,
    Diagnostics,
    Health,
    cell_of,
    now_ns,
    parameter,
    run,
    stamp,
)

AGES = 500  # that the diagnostics' percentiles are of
AHEAD_NS = 20_000_000  # of our clock; what is told from later is of another clock
TRAINED = str(ROOT / "policy/trained/grasp.onnx")


@dataclass(frozen=True)
class Seen:
    frames: dict[str, npt.NDArray[np.uint8]]
    stamps: dict[str, int]
    proprio: FloatArray


class PolicyNode(Node):
    def __init__(self) -> None:
        super().__init__("policy")
        cell = cell_of(self)
        path = parameter(self, "policy", TRAINED, f"ONNX file, or '{NONE}': a person drives")
        images = parameter(self, "images", ["wrist_depth"], f"of an episode, if policy is '{NONE}'")
        self._max_age = parameter(self, "max_picture_age", 0.25, "s when deciding", 0.05, 2.0)
        self._max_steps = parameter(self, "max_steps", 20, "actions an episode", 1, 1000)
        self._explore = parameter(self, "explore", 0.0, "share of steps that stray", 0.0, 1.0)
        self._random = np.random.default_rng()
        self._host: Host | None = None
        self._interface: Interface = cell.interface(images)
        self._stack = 1
        if path != NONE:
            policy = OnnxPolicy(Path(path))
            offered = cell.interface([i.name for i in policy.interface.observation.images])
            require_fit(policy.card, cell.id, offered)
            self._host, self._interface = Host(policy), policy.interface
            self._stack = policy.stack
        spec = self._interface.observation
        self._terminate = self._interface.action.names.index(TERMINATE)
        self._eyes, self._body = Eyes(self, cell, spec.images), Body(self, cell)
        self._episode, self._step, self._over = "", 0, True
        self._past: deque[FloatArray] = deque(maxlen=max(spec.action_window, 1))
        self._frames: dict[str, deque[npt.NDArray[np.uint8]]] = {}
        self._allowed: FloatArray | None = None
        self._counts: Counter[str] = Counter()
        self._ages: deque[float] = deque(maxlen=AGES)
        self._steps = self.create_publisher(PolicyStep, "/policy/step", EVERY)
        self._seen = self.create_publisher(Observation, "/policy/observation", KEPT)
        self.create_subscription(EpisodeState, "/episode/state", self._on_episode, LATCHED)
        self.create_subscription(ExecutedStep, "/guard/executed", self._on_executed, EVERY)
        self.create_subscription(GuardState, "/guard/state", self._on_guard, LATCHED)
        self._clockwork = self.create_timer(self._interface.control_period_s, self._tick)
        self._clockwork.cancel()
        self._offers = Offers(self, self._host)
        Diagnostics(self, self._health)

    # The episode --------------------------------------------------------------------------------

    def _on_episode(self, message: EpisodeState) -> None:
        if message.phase != EpisodeState.ROLLOUT:
            self._over = True
            self._clockwork.cancel()
        elif message.episode_id != self._episode:
            self._episode, self._step, self._over = message.episode_id, 0, False
            nothing = np.zeros(len(self._interface.action), np.float32)
            self._past.extend([nothing] * (self._past.maxlen or 0))
            self._frames.clear()
            self._clockwork.reset()
            self._tick()

    def _on_executed(self, message: ExecutedStep) -> None:
        if self._over or message.episode_id != self._episode or message.step != self._step - 1:
            return
        action = np.asarray(message.executed_action, np.float32)
        self._past.append(action)
        self._over = bool(action[self._terminate] > 0.5) or self._step >= self._max_steps

    def _on_guard(self, message: GuardState) -> None:
        allowed = np.asarray(message.allowed, np.float32).reshape(2, -1)
        self._allowed = allowed if allowed.size else None

    # A control period ---------------------------------------------------------------------------

    def _tick(self) -> None:
        now, spec = now_ns(self), self._interface.observation
        stamps = {name: self._eyes.newest_ns(name) or 0 for name in spec.cameras}
        if max([*stamps.values(), self._body.newest_ns]) > now + AHEAD_NS:
            # How old it is nobody knows: what has stopped long ago would pass for fresh.
            self._counts["pictures or poses from the future"] += 1
            text = "pictures or poses from the future: set the clocks of these computers alike"
            self.get_logger().error(text, throttle_duration_sec=5.0)
            return
        proprio, oldest = self._body.proprio(spec.proprio), min([*stamps.values(), now])
        age = (now - min(oldest, self._body.oldest_ns)) * 1e-9
        if proprio is None or not 0 <= age <= self._max_age:
            self._counts["nothing fresh to see"] += 1
            return
        frames = {name: self._eyes.frame(name, ns) for name, ns in stamps.items()}
        seen = Seen({name: f for name, f in frames.items() if f is not None}, stamps, proprio)
        self._over = self._over or self._step >= self._max_steps
        if self._over:
            self._clockwork.cancel()
        else:
            self._decide(seen, oldest)
        self._record(seen, oldest)
        self._step += 1

    def _decide(self, seen: Seen, oldest: int) -> None:
        """The guard is told first, the record after."""
        message = PolicyStep(episode_id=self._episode, step=self._step, q=float("nan"))
        message.capture_stamp = stamp(oldest)
        if self._host is not None:
            limits = None if self._allowed is None else self._allowed[None]
            seed = zlib.crc32(f"{self._episode} {self._step}".encode())
            try:
                decision = self._host.act(self._feed(seen), limits, [seed])
            except ContractError as error:
                self._counts["refused"] += 1
                self.get_logger().error(str(error), throttle_duration_sec=1.0)
            else:
                message.action = explored(
                    decision.action[0], self._interface.action, limits, self._explore, self._random
                )
                message.q, message.policy_version = float(decision.q[0]), decision.version
        after = now_ns(self)
        message.header.stamp = stamp(after)
        message.observation_age = (after - oldest) * 1e-9
        self._ages.append(message.observation_age)
        self._steps.publish(message)

    def _feed(self, seen: Seen) -> dict[str, npt.NDArray[Any]]:
        images = {}
        for name, frame in seen.frames.items():
            kept = self._frames.setdefault(name, deque([frame] * self._stack, self._stack))
            kept.append(frame)
            images[name] = frame if self._stack == 1 else np.stack(kept)
        window = self._interface.observation.action_window
        past = np.stack(self._past)[-window:] if window else None
        return batch_of_one(images, seen.proprio, past)

    def _record(self, seen: Seen, oldest: int) -> None:
        message = Observation(
            episode_id=self._episode, step=self._step, proprio=seen.proprio, last=self._over
        )
        message.header.stamp = stamp(oldest)
        message.images = [
            message_of(name, frame, stamp(seen.stamps[name])) for name, frame in seen.frames.items()
        ]
        if not self._step:
            message.interface = json.dumps(encode(self._interface))
        self._seen.publish(message)

    def _health(self) -> Health:
        figures: dict[str, object] = dict(self._counts + self._offers.counts)
        if self._ages:
            p50, p99 = np.quantile(self._ages, [0.5, 0.99])
            figures |= {"observation age p50, ms": f"{1e3 * p50:.1f}", "p99": f"{1e3 * p99:.1f}"}
        if not self._offers.follows:
            return WARN, "a person went back: no offer is taken before /policy/follow", figures
        if self._counts["refused"] + self._offers.counts["policies refused"]:
            return WARN, "refused something", figures
        return OK, "ready", figures

    def destroy_node(self) -> None:
        if self._host is not None:
            self._host.close()
        super().destroy_node()


def main(args: list[str] | None = None) -> None:
    run(PolicyNode, args)


if __name__ == "__main__":
    main()
