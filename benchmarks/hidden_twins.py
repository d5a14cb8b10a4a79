"""Twins whose delays and joints are drawn and hidden, and what a calibration finds of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from calibration import Cell
from calibration.cell import Delay
from calibration.dynamics import Joints, Motion, identify, improves
from calibration.excitation import steps, sway
from calibration.image_motion import age, image_motion
from calibration.latency import Steps, dead_time
from policy.contract import Invalid
from sim.presets import PRESETS
from sim.robot import build_arm
from sim.twin import ArmState, FeedConfig, Twin, TwinConfig
from sim.twin.replay import joints_of, replay, with_joints

Array = npt.NDArray[np.float64]
Late = dict[str, tuple[float, float]]  # by link: mean and jitter, s
ACCELERATION = 5.0  # m/s^2, as the twin's controller is said to have
PERIOD = 0.02  # s, of commands
FAST = 0.01  # s, of commands that sway
TORQUE_NOISE = 0.05  # N*m
ROOMS = (None, *sorted(PRESETS))
# Of the mean and the jitter, s.
DRAWN = {
    "camera": ((0.010, 0.060), (0.001, 0.006)),
    "command": ((0.010, 0.080), (0.001, 0.008)),
    "gripper": ((0.030, 0.150), (0.002, 0.010)),
}
FACTORS = (0.5, 2.0)  # of the joints' values


def hidden(cell: Cell, random: np.random.Generator) -> Cell:
    def drawn(name: str, delay: Delay) -> Delay:
        mean, jitter = (float(random.uniform(*span)) for span in DRAWN[name])
        return replace(
            delay, mean=replace(delay.mean, value=mean), jitter=replace(delay.jitter, value=jitter)
        )

    latency = {name: drawn(name, getattr(cell.latency, name)) for name in DRAWN}
    joints = joints_of(cell)
    parts = [
        part * random.uniform(*FACTORS, len(part))
        for part in (joints.damping, joints.friction, joints.armature)
    ]
    damping, friction, armature = parts
    payload = float(random.uniform(0.5, 1.2))
    changed = replace(
        joints, damping=damping, friction=friction, armature=armature, payload=payload
    )
    return with_joints(replace(cell, latency=replace(cell.latency, **latency)), changed)


def command_latency(twin: Twin, random: np.random.Generator) -> tuple[float, float]:
    when, levels = steps(60, 0.03, 0.02, (0.3, 0.5), random)
    with twin.arm.states.subscribe(1 << 14) as arm:
        begun = twin.time_ns * 1e-9
        for k in range(round((when[-1] + 0.6) / PERIOD)):
            level = levels[np.searchsorted(when, k * PERIOD + 1e-9, side="right") - 1]
            twin.arm.twist((0, level, 0), (0, 0, 0))
            twin.advance(PERIOD)
        states = arm.drain()
    sent = begun + np.ceil(np.round(when / PERIOD, 6)) * PERIOD
    times, places = track(states)
    found = dead_time(Steps(sent, levels, 0.0, 1), times, places[:, 1], ACCELERATION)
    return found.mean, found.jitter


def gripper_latency(twin: Twin, random: np.random.Generator) -> tuple[float, float]:
    sent, widths = [], []
    with twin.gripper.states.subscribe(1 << 14) as gripper:
        for k in range(60):
            width = float(random.uniform(0.07, 0.08)) if k % 2 else 0.055
            sent.append(twin.time_ns * 1e-9)
            widths.append(width)
            twin.gripper.command(width)
            twin.advance(float(random.uniform(0.9, 1.1)))
        states = gripper.drain()
    opening = twin.cell.gripper.aperture.value[1]
    found = dead_time(
        Steps(np.array(sent), np.array(widths), opening, 0),
        [state.stamp_ns * 1e-9 for state in states],
        [state.width for state in states],
    )
    return found.mean, found.jitter


def camera_latency(twin: Twin, seconds: float = 6.0) -> tuple[float, float]:
    """The hand sways over the bin; what the hand's camera sees moves with it."""
    rate = 2 * np.pi * np.array([1.1, 1.3])
    with (
        twin.arm.states.subscribe(1 << 14) as arm,
        twin.cameras["wrist"].subscribe(1 << 10) as camera,
    ):
        for t in np.arange(0, seconds, PERIOD):
            gently = min(1.0, t / 0.5, (seconds - t) / 0.5)
            speed = gently * 0.015 * rate * np.cos(rate * t)
            twin.arm.twist((*speed, 0), (0, 0, 0))
            twin.advance(PERIOD)
        states, frames = arm.drain(), camera.drain()
    pictures = [frame.picture for frame in frames if frame.picture is not None]
    motion = image_motion(pictures, (160, 240, 160, 160), 60)
    times, places = track(states)
    stamps = np.array([frame.arrived_ns * 1e-9 for frame in frames])
    found = age(stamps, motion, np.asarray(times), places)
    return found.mean, found.jitter


def track(states: Sequence[ArmState]) -> tuple[Array, Array]:
    return (
        np.array([state.stamp_ns * 1e-9 for state in states]),
        np.array([state.tcp_position for state in states]),
    )


def latencies(cell: Cell, number: int, random: np.random.Generator) -> Late:
    room = ROOMS[number % len(ROOMS)]
    config = TwinConfig(
        mode="lockstep", seed=number, preset=room, cameras=(), feed=FeedConfig(rate=15.0)
    )
    with Twin(cell, config) as twin:
        found = {"command": command_latency(twin, random), "gripper": gripper_latency(twin, random)}
    with Twin(cell, replace(config, cameras=("wrist",))) as twin:
        found["camera"] = camera_latency(twin)
    return found


def answering(nominal: Cell, found: Late) -> Cell:
    """With the delays as they were found: they come first, as in the procedure."""
    delays = {}
    for name, (mean, jitter) in found.items():
        delay: Delay = getattr(nominal.latency, name)
        delays[name] = replace(
            delay, mean=replace(delay.mean, value=mean), jitter=replace(delay.jitter, value=jitter)
        )
    return replace(nominal, latency=replace(nominal.latency, **delays))


def record(cell: Cell, seconds: float, phase: float, random: np.random.Generator) -> Motion:
    motion = replay(cell, sway(seconds, FAST, 0.06, 0.35, phase), FAST)
    noise = random.normal(0, TORQUE_NOISE, motion.efforts.shape)
    return replace(motion, efforts=motion.efforts + noise)


def joints(cell: Cell, nominal: Cell, random: np.random.Generator) -> tuple[Joints, dict[str, Any]]:
    """Fitted on a sway of 20 s, held against another one of 5 s."""
    truth, phases = joints_of(cell), random.uniform(0, 6, 2)
    first = record(cell, 20.0, float(phases[0]), random)
    found = identify(first, build_arm(nominal), "hand")
    held_out = sway(5.0, FAST, 0.06, 0.35, float(phases[1]))

    def simulate(tried: Joints) -> Motion:
        return replay(with_joints(nominal, tried), held_out, FAST)

    other = record(cell, 5.0, float(phases[1]), random)
    try:
        before, after = improves(simulate, joints_of(nominal), found, other)
        accepted = True
    except Invalid:
        before = after = float("nan")
        accepted = False
    shares = {
        name: [float(v) for v in getattr(found, name) / getattr(truth, name) - 1]
        for name in ("damping", "friction", "armature")
    }
    return found, {
        **shares,
        "payload_error_kg": found.payload - truth.payload,
        "accepted": accepted,
        "unexplained_before": before,
        "unexplained_after": after,
    }
