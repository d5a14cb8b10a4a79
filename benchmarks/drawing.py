"""What a picture of the cell costs, with shadow maps of several sizes; and what randomisation does.

    python -m benchmarks.drawing

A picture is drawn and read back through Drawer.draw, the bin full, the arm above it, nothing else
running; medians of 60. Randomisation is everything between an episode's seed and its painted
world: drawing the parameters, painting, aiming the cameras (and their sensors at each step, which
the whole episode's time holds), against the time of a scripted episode, its reset included.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.harness import machine
from sim.config import OFF, RandomConfig
from sim.env import BinGrasp
from sim.randomize import sample
from sim.scripted import Scripted

RESULT = Path(__file__).with_name("results") / "drawing.json"
SIZES = (64, 96, 128, 256, 480)
SHADOWS = (0, 128, 256, 512, 1024, 2048)


def median_ms(call: Callable[[], object], times: int = 60) -> float:
    call()
    spent = []
    for _ in range(times):
        started = time.perf_counter()
        call()
        spent.append(time.perf_counter() - started)
    return round(1e3 * statistics.median(spent), 3)


def pictures(shadows: int) -> dict[str, float]:
    """ms a picture, by its side in px."""
    env = BinGrasp(objects={"count": [12, 12]}, scene={"shadows": shadows})
    env.reset(seed=0)
    drawer = env.drawer
    assert drawer is not None
    found = {}
    for side in SIZES:

        def draw(side: int = side) -> object:
            return drawer.draw(env.world.data, "front", (side, side), shadows > 0)

        found[str(side)] = median_ms(draw)
    env.close()
    return found


def randomisation() -> dict[str, float]:
    """ms of one episode's randomisation, and of the episode."""
    env = BinGrasp(size=64, randomize=RandomConfig())
    random, policy = np.random.default_rng(0), Scripted(env, np.random.default_rng(0))
    env.reset(seed=0)
    assert env.parameters is not None
    things, cell = env.parameters.things, env.cell

    def dress(config: RandomConfig) -> float:
        strays = env.world.config.distractors
        return median_ms(lambda: env.dress(sample(cell, config, things, random, strays)))

    def episode(scale: float) -> float:
        spent, seed = [], 0
        for seed in range(40):
            started = time.perf_counter()
            env.reset(seed=seed, options={"scale": scale})
            policy.reset()
            done = False
            while not done:
                *_, terminated, truncated, _ = env.step(policy.act())
                done = terminated or truncated
            spent.append(time.perf_counter() - started)
        return round(1e3 * statistics.mean(spent), 2)

    full, none = dress(RandomConfig()), dress(OFF)
    whole, plain = episode(1.0), episode(0.0)
    env.close()
    return {
        "randomise_ms": full,
        "without_ms": none,
        "episode_ms": whole,
        "episode_without_ms": plain,
        "share": round((full - none) / whole, 4),
    }


def main() -> None:
    table = {str(shadows): pictures(shadows) for shadows in SHADOWS}
    print("| shadow map | " + " | ".join(f"{side} px" for side in SIZES) + " |")
    print("|---" * (len(SIZES) + 1) + "|")
    for shadows, row in table.items():
        print(f"| {shadows} | " + " | ".join(f"{ms:.2f}" for ms in row.values()) + " |")
    cost = randomisation()
    print(cost)
    result = {
        "command": "python -m benchmarks.drawing",
        "machine": machine(["mujoco", "numpy"]),
        "ms_a_picture_by_shadow_map_and_side": table,
        "randomisation": cost,
    }
    RESULT.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
