"""Friction, damping and armature of the joints, and the payload, from a motion with reversals.

What the motors push (`efforts`) goes into the links' inertia, which a model of the arm knows, and
into what is sought; all of it is linear in the unknowns. How late commands are plays no part, but
efforts a millisecond older than the encoders would look like damping: that skew is found as well.
What was found counts only if it explains another motion better than the cell file did.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import mujoco
import numpy as np
import numpy.typing as npt
from mujoco import minimize

from policy.contract import Invalid

Array = npt.NDArray[np.float64]
SMOOTH = 0.02  # s: standard deviation of the filter that all signals pass alike
CREEP = 0.01  # rad/s: dry friction has its full size beyond
SLIDES = 0.98  # of the dry friction, filtered
LEAST_TURN = 0.05  # rad/s: a joint that never turns faster says nothing of itself
FEWEST = 300  # samples


@dataclass(frozen=True)
class Motion:
    """As recorded, a row a sample: times (s, even), joint angles (rad), and the motors' torques
    (N*m; without what holds the arm up, if the model's gravity is compensated)."""

    times: Array
    positions: Array
    efforts: Array


@dataclass(frozen=True)
class Joints:
    """One number a joint, and the payload; each with one standard deviation of its error."""

    damping: Array  # N*m*s/rad
    friction: Array  # N*m
    armature: Array  # kg*m^2
    payload: float  # kg
    errors: tuple[Array, Array, Array, float]
    skew: float  # s; how much older efforts are than the encoders read with them
    residual: float  # N*m, of the torques


def identify(motion: Motion, model: mujoco.MjModel, payload: str) -> Joints:
    """The model's first joints are the arm's; the payload is the body of that name with all that
    hangs on it."""
    joints, base = motion.positions.shape[1], float(model.body_subtreemass[model.body(payload).id])
    design, target, alike = _equations(motion, model, payload)
    found = _solve(design, target)
    left = target - design @ found
    residual = float(np.sqrt(left @ left / (len(target) / alike - len(found)) / alike))
    spread = residual * np.sqrt(alike * np.diag(np.linalg.inv(design.T @ design)))
    each = (found[:joints], found[joints : 2 * joints], found[2 * joints : 3 * joints])
    errors = (spread[:joints], spread[joints : 2 * joints], spread[2 * joints : 3 * joints])
    mass = base + float(found[-1])
    return Joints(*each, mass, (*errors, float(spread[-1])), float(found[-2]), residual)


def unexplained(motion: Motion, model: mujoco.MjModel, payload: str, joints: Joints) -> float:
    """How much of the torques (N*m, root mean square) these values leave unexplained."""
    design, target, _ = _equations(motion, model, payload)
    base = float(model.body_subtreemass[model.body(payload).id])
    values = np.concatenate(
        [joints.damping, joints.friction, joints.armature, [joints.skew, joints.payload - base]]
    )
    return float(np.sqrt(np.mean((target - design @ values) ** 2)))


def _equations(motion: Motion, model: mujoco.MjModel, payload: str) -> tuple[Array, Array, float]:
    """Linear in all that is unknown: columns, torques, and how many neighbours are alike."""
    joints = motion.positions.shape[1]
    period = float(np.diff(motion.times).mean())
    if len(motion.times) < FEWEST:
        wanted = f"{FEWEST} samples or more"
        raise Invalid("motion", f"{len(motion.times)} samples", wanted, "record for longer")
    angle, rate, rise = (_filtered(motion.positions, period, k) for k in range(3))
    fastest = np.abs(rate).max(axis=0)
    if fastest.min() < LEAST_TURN:
        joint = int(fastest.argmin())
        slow, wanted = f"{fastest[joint]:.3f} rad/s of joint {joint}", f"{LEAST_TURN} or more"
        raise Invalid("motion", slow, wanted, "excite every joint: turn the hand as well")
    carried = float(model.body(payload).mass[0])
    bare = _inverse(model, payload, carried, angle, rate, rise)
    heavier = _inverse(model, payload, carried + 1.0, angle, rate, rise)
    torque, swing = (_filtered(motion.efforts, period, k) for k in range(2))
    # Dry friction is no linear function of the motion: made first, then filtered as all else.
    dry = _filtered(np.tanh(_sharp(motion.positions, period) / CREEP), period, 0)
    edge = 2 * len(_kernel(period, 0))
    inner = slice(edge, len(angle) - edge)
    rows = [_rows(k, joints, x[inner]) for k, x in enumerate((rate, dry, rise))]
    shared = [x[inner].ravel() for x in (-swing, heavier - bare)]
    design = np.column_stack([*rows, *shared])
    target = (torque - bare)[inner].ravel()
    # Near a reversal a joint sticks and creeps, each kind in a way of its own.
    slides = np.abs(dry[inner].ravel()) > SLIDES
    # The filter makes neighbours alike: of so many samples, one counts.
    return design[slides], target[slides], float(2 * np.sqrt(np.pi) * SMOOTH / period)


def improves(
    simulate: Callable[[Joints], Motion], before: Joints, after: Joints, held_out: Motion
) -> tuple[float, float]:
    """How far off the simulated arm's torques are on a motion that was not fitted, with the values
    of before and after (N*m, all joints' weighted alike); raises where after is no better."""
    scale = held_out.efforts.std(axis=0)
    off = [
        float(np.sqrt((((simulate(x).efforts - held_out.efforts) / scale) ** 2).mean()))
        for x in (before, after)
    ]
    if not off[1] < off[0]:
        found = f"{off[1]:.4f} of the torques' spread unexplained"
        wanted = f"less than the {off[0]:.4f} that the cell file leaves"
        raise Invalid("dynamics", found, wanted, "excite more, and check the arm's model")
    return off[0], off[1]


def _inverse(
    model: mujoco.MjModel, payload: str, mass: float, angle: Array, rate: Array, rise: Array
) -> Array:
    """The torques that the links' inertia alone takes, with so much mass at the payload."""
    joints, body = angle.shape[1], model.body(payload).id
    dofs = (model.dof_damping, model.dof_frictionloss, model.dof_armature)
    edited = (*dofs, model.body_mass)
    kept, flags = [array.copy() for array in edited], int(model.opt.disableflags)
    try:
        for array in dofs:
            array[:joints] = 0.0
        model.body_mass[body] = mass
        model.opt.disableflags |= mujoco.mjtDisableBit.mjDSBL_CONTACT
        data, found = mujoco.MjData(model), np.empty_like(angle)
        for k in range(len(angle)):
            data.qpos[:joints], data.qvel[:joints] = angle[k], rate[k]
            data.qacc[:joints] = rise[k]
            mujoco.mj_inverse(model, data)
            found[k] = data.qfrc_inverse[:joints]
        return found
    finally:
        for array, before in zip(edited, kept, strict=True):
            array[:] = before
        model.opt.disableflags = flags


def _solve(design: Array, target: Array) -> Array:
    """Least squares, none of them negative but the skew and what the payload differs by."""
    size = np.linalg.norm(design, axis=0)
    low = np.zeros(design.shape[1])
    low[-2:] = -100.0
    found, _ = minimize.least_squares(
        np.full(len(low), 0.1), lambda x: design @ x - target[:, None],
        bounds=(low, np.full(len(low), 100.0)), jacobian=lambda x, r: design,
        verbose=minimize.Verbosity.SILENT, x_scale=1 / np.maximum(size, 1e-9),
    )  # fmt: skip
    return np.asarray(found, float)


def _rows(kind: int, joints: int, values: Array) -> Array:
    """Of a regressor that each joint has for itself: sample by sample, joint by joint."""
    return np.asarray((values[:, :, None] * np.eye(joints)).reshape(-1, joints), float)


def _kernel(period: float, derivative: int) -> Array:
    reach = int(np.ceil(4 * SMOOTH / period))
    t = np.arange(-reach, reach + 1) * period
    bell = np.exp(-0.5 * (t / SMOOTH) ** 2)
    bell /= bell.sum()
    if derivative == 0:
        return np.asarray(bell, float)
    slope = -t / SMOOTH**2 * bell
    slope /= -(slope * t).sum()  # a straight line's slope comes out exactly
    if derivative == 1:
        return np.asarray(slope, float)
    bend = (t**2 / SMOOTH**4 - 1 / SMOOTH**2) * bell
    bend -= bend.sum() * bell
    return np.asarray(bend / (0.5 * (bend * t**2).sum()), float)


def _filtered(values: Array, period: float, derivative: int) -> Array:
    kernel = _kernel(period, derivative)
    reach = len(kernel) // 2
    padded = np.pad(values, ((reach, reach), (0, 0)), mode="edge")
    columns = [np.convolve(line, kernel, "valid") for line in padded.T]
    return np.column_stack(columns)


def _sharp(positions: Array, period: float) -> Array:
    return np.asarray(np.gradient(positions, period, axis=0), float)
