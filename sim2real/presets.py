"""How large the experiment is: for two cores, and for a GPU."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Preset:
    transitions: int  # of each simulated log
    cell_episodes: int  # of each room: a tenth of the simulated ones or less
    pairs: int  # episodes, for RCAN and the detector
    detector: int  # updates
    translator: tuple[str, ...]  # choices of sim2real.train
    policy: tuple[str, ...]  # choices of policy.train
    capacity: int  # frames of each log that a policy learns from
    online: int  # self-judged grasps
    episodes: int  # that are counted
    seeds: int


PRESETS = {
    "small": Preset(
        transitions=40_000,
        cell_episodes=200,
        pairs=400,
        detector=2000,
        # Across: with so few updates, what has to be painted anew is speckled and blurred.
        translator=("updates=3000", "batch=2", "networks.generator=unet", "networks.width=16",
                    "networks.discriminator_width=16", "networks.across=true"),
        policy=("offline_updates=2500",),
        capacity=100_000,
        online=300,
        episodes=200,
        seeds=1,
    ),
    "full": Preset(
        transitions=400_000,
        cell_episodes=1000,
        pairs=4000,
        detector=20_000,
        translator=("updates=50000", "batch=8"),
        policy=("offline_updates=30000", "batch=256"),
        capacity=1_000_000,
        online=300,
        episodes=700,
        seeds=3,
    ),
}  # fmt: skip
