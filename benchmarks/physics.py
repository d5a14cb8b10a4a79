"""Is the simulated cell sane? Success of expert and scripted policy, and what 10^5 steps do.

    python -m benchmarks.physics [--steps 100000] [--episodes 300]

Counted without pictures, over control steps (of 50 physics steps each) under three drivers in
turn: the scripted policy, the near-expert and uniformly random actions; dynamics randomised.
After each control step: the deepest penetration of any contact, the fastest object, MuJoCo's own
warnings; after each episode: objects outside the bin, and where failed grasps failed.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from tqdm import tqdm

from benchmarks.harness import machine
from sim.bin import inside, local
from sim.bits import SCENERY
from sim.config import RandomConfig
from sim.env import BinGrasp
from sim.scripted import EMPTY, Expert, Scripted

RESULT = Path(__file__).with_name("results") / "physics.json"
DEEP = 0.005  # m: more than the pads' and walls' softness explains
FAST = 10.0  # m/s: nothing in the cell can throw that fast


@dataclass
class Sanity:
    control_steps: int = 0
    episodes: int = 0
    objects: int = 0
    deepest_m: float = 0.0
    deep_steps: int = 0
    fastest_m_s: float = 0.0
    fast_steps: int = 0
    warnings: int = 0
    not_finite: int = 0
    below_table: int = 0
    on_table: int = 0
    arm_unreached: int = 0
    penetrations_mm: list[float] = field(default_factory=list)


def success_rate(driver: str, episodes: int, randomize: bool) -> dict[str, object]:
    env = BinGrasp(cameras=(), randomize=RandomConfig() if randomize else None)
    random = np.random.default_rng(0)
    policy: Expert | Scripted = Expert(env) if driver == "expert" else Scripted(env, random)
    if driver == "blind":
        policy = Scripted(env, random, bias=0.0)
    successes, failures = 0, Counter[str]()
    for seed in tqdm(range(episodes), desc=f"{driver}{', randomised' if randomize else ''}"):
        info = _episode(env, policy, seed)
        successes += bool(info["success"])
        if not info["success"]:
            failures[_reason(env)] += 1
    return {
        "driver": driver,
        "randomised": randomize,
        "episodes": episodes,
        "successes": successes,
        "failures": dict(failures),
    }


def _episode(env: BinGrasp, policy: Expert | Scripted, seed: int) -> dict[str, object]:
    env.reset(seed=seed)
    policy.reset()
    while True:
        _, _, terminated, truncated, info = env.step(policy.act())
        if terminated or truncated:
            return info


def _reason(env: BinGrasp) -> str:
    """Why no object is up, told from the gripper at the episode's end."""
    world = env.world
    held = world.held()
    if held is not None:
        return "held, not lifted in time"
    if world.aperture < EMPTY:
        return "closed on nothing, or slipped out"
    if world.aperture > world.opening - EMPTY:
        return "still open"
    contacts = world.data.contact.geom[: world.data.ncon]
    pads = set(world.pads.tolist())
    touching = [pair for pair in contacts if pads & set(pair.tolist())]
    solid = world.model.geom_contype
    if any(solid[pair].max() & SCENERY for pair in touching):
        return "fingers on the bin"
    return "one finger, or still resting on something" if touching else "still closing"


def sanity(steps: int) -> Sanity:
    env = BinGrasp(cameras=(), randomize=RandomConfig())
    random = np.random.default_rng(0)
    env.action_space.seed(0)
    policies: list[Scripted | Expert | None] = [Scripted(env, random), Expert(env), None]
    found, seed = Sanity(), 0
    depths: list[float] = []
    with tqdm(total=steps, desc="sanity") as bar:
        while found.control_steps < steps:
            policy = policies[seed % len(policies)]
            env.reset(seed=100_000 + seed)
            seed += 1
            if policy is not None:
                policy.reset()
            done = False
            while not done:
                action = env.action_space.sample() if policy is None else policy.act()
                if policy is None:
                    action[-1] = 0.0  # a random stop ends most episodes at once
                *_, terminated, truncated, _ = env.step(action)
                done = terminated or truncated
                found.control_steps += 1
                bar.update()
                _look(env, found, depths)
            _count_out(env, found)
    found.arm_unreached = env.arm.unreached
    found.episodes = seed
    quantiles = np.quantile(1e3 * np.array(depths), [0.5, 0.99, 0.999])
    found.penetrations_mm = [round(float(q), 3) for q in quantiles]
    return found


def _look(env: BinGrasp, found: Sanity, depths: list[float]) -> None:
    data = env.world.data
    depth = max(0.0, -float(data.contact.dist[: data.ncon].min(initial=0.0)))
    depths.append(depth)
    found.deepest_m = max(found.deepest_m, depth)
    found.deep_steps += int(depth > DEEP)
    speed = float(env.world.object_speeds().max(initial=0.0))
    found.fastest_m_s = max(found.fastest_m_s, speed)
    found.fast_steps += int(speed > FAST)
    found.warnings += int(any(warning.number for warning in data.warning))
    found.not_finite += int(not np.isfinite(data.qpos).all())


def _count_out(env: BinGrasp, found: Sanity) -> None:
    positions = env.world.poses()[0]
    held = env.world.held()
    out = ~inside(env.cell.bin, positions)
    if held is not None:
        out[held] = False
    high = local(env.cell.bin, positions)[:, 2] > env.cell.bin.wall_height.value
    found.objects += len(positions)
    found.below_table += int((positions[:, 2] < env.cell.table.height.value).sum())
    found.on_table += int((out & ~high).sum())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--episodes", type=int, default=300)
    given = parser.parse_args()
    started = time.time()
    rates = [
        success_rate(driver, given.episodes, randomize)
        for driver in ("expert", "scripted", "blind")
        for randomize in (False, True)
    ]
    for rate in rates:
        print(rate)
    found = sanity(given.steps)
    print(json.dumps(asdict(found), indent=1))
    options = f"--steps {given.steps} --episodes {given.episodes}"
    result = {
        "command": f"python -m benchmarks.physics {options}",
        "machine": machine(["mujoco", "numpy"]),
        "minutes": round((time.time() - started) / 60, 1),
        "success": rates,
        "sanity": asdict(found),
    }
    RESULT.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
