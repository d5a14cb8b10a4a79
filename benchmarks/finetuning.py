"""Refining the policy that comes along in a room that it never saw, beside a learner.

    python -m policy.finetune start=policy/trained/grasp.safetensors log=out/room/log \\
        out=out/room/learner first_update=300 &
    python -m benchmarks.finetuning play out/room/log --room kitchen --minutes 20 \\
        --offers out/room/learner/offers
    python -m benchmarks.finetuning count policy/trained/grasp.onnx --room kitchen
    python -m benchmarks.finetuning count out/room/learner/offers/00005000.onnx --room kitchen

`play` stands in for the robot: it logs raw frames without a reward, and a verdict at the end; from
one episode to the next it takes over what the learner offers. `count` plays episodes of their own,
the same for every policy, and says how many of them succeed.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from policy.contract import ContractError, PolicyCard
from policy.contract.files import newest
from policy.evaluate import HELD_OUT, drawn_size
from policy.experience.episode import Action, EpisodeInfo, Frame, Observation
from policy.experience.log import EpisodeWriter
from policy.feed import Policy, batch_of_one
from policy.runtime import OnnxPolicy
from policy.serving.host import Host
from policy.statistics import Rate
from sim import presets
from sim.env import BinGrasp

from .labellers import Label, truthful

NOISE = 1000  # seeds an episode's search may use
EPSILON = 0.2  # how often a step strays, where it may: QT-Opt's


class Room:
    """The twin in a room, seen by its cameras' raw frames."""

    def __init__(self, room: str, card: PolicyCard) -> None:
        self._card = card
        cameras = card.interface.observation.cameras
        self.env = BinGrasp(size=drawn_size(card), cameras=cameras, room=room)
        entries = self.env.interface.action.entries
        self._straying = np.array([0.0 if one.threshold else one.high for one in entries])

    def play(
        self, policy: Policy, seed: int, explore: float = 0.0
    ) -> Iterator[tuple[Observation, Action | None, bool]]:
        """What is seen, the action that led to it, and whether it has succeeded so far. To
        `explore`, some steps stray by such a share of their range."""
        env, random = self.env, np.random.default_rng([seed, 1])
        seen, _ = env.reset(seed=seed)
        observation = self._observation(seen)
        yield observation, None, False
        for step in range(NOISE):
            feed = batch_of_one(observation.images, seen["proprio"], seen["actions"])
            decision = policy.act(feed, seeds=[seed % HELD_OUT * NOISE + step])
            executed = decision.action[0]
            if explore and random.random() < EPSILON:
                executed = executed + explore * self._straying * random.normal(size=len(executed))
            executed = env.interface.action.executed(executed.astype(np.float32))
            now = observation.stamp_ns
            seen, _, terminated, truncated, known = env.step(executed)
            observation = self._observation(seen)
            action = Action(
                executed,
                policy=decision.action[0],
                q=float(decision.q[0]),
                policy_version=decision.version,
                stamp_ns=now,
                terminated=terminated,
                truncated=truncated,
            )
            yield observation, action, bool(known["success"])
            if terminated or truncated:
                return

    def _observation(self, seen: dict[str, Any]) -> Observation:
        images: dict[str, Frame] = {}
        shapes = {one.name: one.shape for one in self._card.interface.observation.images}
        for step in self._card.preprocessing:
            top, left, height, width = step.crop
            images[step.image] = np.zeros(shapes[step.image], np.uint8)
            images[step.image][top : top + height, left : left + width] = seen[step.image]
        return Observation(images, seen["proprio"], round(self.env.captured * 1e9))


def logged(
    room: Room, policy: Policy, seed: int, log: Path, explore: float, label: Label = truthful
) -> bool:
    """Whether it succeeded, whatever `label` makes of that in the log."""
    env, success = room.env, False
    info = EpisodeInfo(policy.interface, "online", "grasp", env.cell.id, env.cell.fingerprint, seed)
    with EpisodeWriter(log, info) as writer:
        for observation, action, good in room.play(policy, seed, explore):
            success = good
            if action is None:
                writer.reset(observation)
            else:
                writer.step(action, observation)
        writer.verdict(label(success))
    return success


def play(a: argparse.Namespace) -> None:
    first, until = OnnxPolicy(a.policy), time.monotonic() + 60 * a.minutes
    room, seed, results = Room(a.room, first.card), 0, list[bool]()
    with closing(room.env), Host(first) as host, tqdm(unit=" episodes") as bar:
        while time.monotonic() < until:
            path = newest(a.offers, "*.onnx") if a.offers else None
            if path is not None:
                try:
                    host.offer(path).result()
                except ContractError as error:
                    tqdm.write(str(error))
            results.append(logged(room, host, seed, a.log, a.explore))
            time.sleep(a.pause)
            seed += 1
            bar.update()
            recent = Rate(sum(results[-100:]), len(results[-100:]))
            bar.set_postfix(success=f"{recent.value:.0%}", serves=host.version, refresh=False)
    half = len(results) // 2
    for name, part in (("first", results[:half]), ("second", results[half:])):
        print(f"{name} half: {Rate(sum(part), len(part))}")


def succeeded(path: Path, room: str, seeds: range) -> int:
    policy = OnnxPolicy(path)
    place = Room(room, policy.card)
    with closing(place.env):
        return sum([*place.play(policy, seed)][-1][2] for seed in seeds)


def count(a: argparse.Namespace) -> None:
    parts = [range(HELD_OUT + k, HELD_OUT + a.episodes, a.parts) for k in range(a.parts)]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(a.processes, mp_context=context) as pool:
        done = pool.map(partial(succeeded, a.policy, a.room), parts)
        good = sum(tqdm(done, total=len(parts), unit=" parts"))
    print(f"{a.policy} in {a.room}: {Rate(good, a.episodes)}")


def main(argv: list[str] | None = None) -> int:
    top = argparse.ArgumentParser(
        prog="python -m benchmarks.finetuning",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    sides = top.add_subparsers(required=True, metavar="COMMAND")
    one = sides.add_parser("play")
    one.add_argument("log", type=Path)
    one.add_argument("--policy", type=Path, default=Path("policy/trained/grasp.onnx"))
    one.add_argument("--offers", type=Path, help="a learner's, to take from")
    one.add_argument("--minutes", type=float, default=20.0)
    one.add_argument("--explore", type=float, default=0.25, help="of a range, in some steps")
    one.add_argument("--pause", type=float, default=0.0, help="s between episodes")
    one.set_defaults(run=play)
    two = sides.add_parser("count")
    two.add_argument("policy", type=Path)
    two.add_argument("--episodes", type=int, default=300)
    two.add_argument("--processes", type=int, default=2)
    two.add_argument("--parts", type=int, default=20, help="that the episodes are dealt out in")
    two.set_defaults(run=count)
    for side in (one, two):
        side.add_argument("--room", choices=sorted(presets.PRESETS), default="kitchen")
    a = top.parse_args(argv)
    a.run(a)
    return 0


if __name__ == "__main__":
    sys.exit(main())
