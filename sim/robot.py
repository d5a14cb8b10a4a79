"""The arm in MjSpec: one of ours by name, or a person's own MJCF file.

python -m sim.robot cell.yaml arm.xml     # arm and gripper alone, for MuJoCo
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import mujoco
import numpy as np
import numpy.typing as npt

from calibration import Cell, load_cell
from policy.contract import ContractError, Problem
from policy.contract.files import write_atomic

from .arms import ARMS, ArmModel, Tube, Vec
from .bits import GRIPPER, HIT_ALL
from .gripper import add_gripper

# A collaborative arm stops rather than presses: gravity is compensated apart from this, so a
# quarter of the rated torque moves it briskly and pushes with some 40 N at most.
GENTLE = 0.25
OWN = "own/"


def build_arm(cell: Cell) -> mujoco.MjModel:
    """Arm and gripper alone: for kinematics."""
    return _alone(cell).compile()


def _alone(cell: Cell) -> mujoco.MjSpec:
    spec = mujoco.MjSpec()
    spec.compiler.degree = False
    for name in ("shell", "joint", "accent", "pad"):
        spec.add_material(name=name)
    add_gripper(spec, add_arm(spec, cell), cell)
    return spec


def home(cell: Cell) -> npt.NDArray[np.float64]:
    """A bent elbow to start from; for a person's own model, the middle of each joint's range."""
    if cell.arm.mjcf is None:
        return np.array(arm_model(cell).home)
    model = build_arm(cell)
    middle = model.jnt_range[: cell.arm.joints].mean(axis=1)
    return np.where(model.jnt_limited[: cell.arm.joints], middle, 0.0)


def joint_speeds(cell: Cell) -> list[float]:
    """Rated speeds, rad/s, where the arm's makers publish them."""
    if cell.arm.mjcf is None:
        return [link.speed for link in arm_model(cell).links]
    return [2.0] * cell.arm.joints


def add_arm(spec: mujoco.MjSpec, cell: Cell) -> mujoco.MjsBody:
    """Add the arm; its joints are named joint0, joint1, ... Returns a body at the flange."""
    if cell.arm.mjcf is not None:
        return _foreign_arm(spec, cell)
    model = arm_model(cell)
    parent = spec.worldbody.add_body(name="base")
    for tube in model.base:
        _tube(parent, tube)
    for number, link in enumerate(model.links):
        parent = parent.add_body(
            name=link.name, pos=link.position, quat=_euler(link.turn), gravcomp=1,
            mass=link.mass, ipos=link.com, fullinertia=link.inertia, explicitinertial=True,
        )  # fmt: skip
        parent.add_joint(name=f"joint{number}", axis=(0, 0, 1), range=link.range)
        for tube in link.tubes:
            _tube(parent, tube)
        _servo(spec, cell, number, model.stiffness[number], link.effort)
    position, turn = model.flange
    return parent.add_body(name="flange", pos=position, quat=_euler(turn))


def arm_model(cell: Cell) -> ArmModel:
    """The named arm, or a ContractError: the cell's own checks cannot know the simulator's arms."""
    model = ARMS.get(cell.arm.model)
    if model is None:
        remedy = "name one of them, or give the path of your own model in arm.mjcf"
        _refuse(cell, Problem("arm.model", cell.arm.model, f"one of {', '.join(ARMS)}", remedy))
    if len(model.links) != cell.arm.joints:
        wanted = f"{len(model.links)} (the joints of {cell.arm.model})"
        _refuse(cell, Problem("arm.joints", cell.arm.joints, wanted, "count them again"))
    return model


def _foreign_arm(spec: mujoco.MjSpec, cell: Cell) -> mujoco.MjsBody:
    """Attach a person's own MJCF: hinge joints in order, and a site where the gripper goes."""
    path = Path(str(cell.arm.mjcf))
    try:
        arm = mujoco.MjSpec.from_file(str(path))
    except (ValueError, FileNotFoundError) as error:
        _refuse(cell, Problem("arm.mjcf", str(path), "an MJCF file that loads", str(error)))
    sites = [site for site in arm.sites if site.name in ("flange", "attachment_site")]
    if not sites:
        found = [site.name for site in arm.sites]
        wanted = "a site named flange or attachment_site, z out of the flange"
        _refuse(cell, Problem("arm.mjcf", f"sites {found}", wanted, "add one where tools mount"))
    if len(arm.joints) != cell.arm.joints:
        names = [joint.name for joint in arm.joints]
        remedy = "remove the gripper's joints from the file (the gripper is drawn by the cell)"
        _refuse(cell, Problem("arm.joints", cell.arm.joints, f"{len(names)}: {names}", remedy))
    hinge = mujoco.mjtJoint.mjJNT_HINGE
    other = [joint.name for joint in arm.joints if joint.type != hinge]
    if other:
        _refuse(cell, Problem("arm.mjcf", f"joints {other}", "hinges alone", "an arm of hinges"))
    for extra in [*arm.actuators, *arm.keys, *arm.sensors, *arm.lights, *arm.cameras]:
        arm.delete(extra)  # the servos are ours, and poses of another tree do not fit
    body = sites[0].parent
    body.add_body(name="flange", pos=sites[0].pos, quat=sites[0].quat)
    for joint, number in zip(arm.joints, range(cell.arm.joints), strict=True):
        joint.name = f"joint{number}"
    for part in arm.bodies[1:]:
        part.gravcomp = 1
    for geom in arm.geoms:
        solid = bool(geom.contype or geom.conaffinity)
        geom.contype, geom.conaffinity = (GRIPPER, HIT_ALL) if solid else (0, 0)
    # A prefix keeps its materials and bodies apart from ours; joints and flange get our names.
    spec.attach(arm, prefix=OWN, frame=spec.worldbody.add_frame())
    for number in range(cell.arm.joints):
        spec.joint(f"{OWN}joint{number}").name = f"joint{number}"
        _servo(spec, cell, number, 2000, 100)
    return spec.body(f"{OWN}flange")


def _servo(spec: mujoco.MjSpec, cell: Cell, number: int, stiffness: float, effort: float) -> None:
    joint = spec.joint(f"joint{number}")
    if cell.dynamics is not None:
        joint.damping[0] = cell.dynamics.damping.value[number]
        joint.frictionloss = cell.dynamics.friction.value[number]
        joint.armature = cell.dynamics.armature.value[number]
    motor = spec.add_actuator(name=f"joint{number}", target=f"joint{number}")
    motor.trntype = mujoco.mjtTrn.mjTRN_JOINT
    motor.set_to_position(kp=stiffness, kv=0.05 * stiffness)
    motor.forcelimited, motor.forcerange = True, (-effort * GENTLE, effort * GENTLE)


def _tube(body: mujoco.MjsBody, tube: Tube) -> None:
    start, end = np.array(tube.start, float), np.array(tube.end, float)
    axis, length = end - start, float(np.linalg.norm(end - start))
    kinds = (mujoco.mjtGeom.mjGEOM_CAPSULE, mujoco.mjtGeom.mjGEOM_CYLINDER)
    bits = (GRIPPER, HIT_ALL) if tube.solid else (0, 0)
    body.add_geom(
        type=kinds[tube.flat], size=(tube.radius, length / 2, 0), pos=(start + end) / 2,
        quat=_along(axis / length), material=tube.paint, contype=bits[0], conaffinity=bits[1],
    )  # fmt: skip


def _euler(turn: Vec) -> Vec:
    roll, pitch, yaw = turn
    q = np.zeros(4)
    mujoco.mju_euler2Quat(q, np.array([roll, pitch, yaw], float), "XYZ")
    return tuple(q)


def _along(axis: Sequence[float]) -> Vec:
    q = np.zeros(4)
    mujoco.mju_quatZ2Vec(q, np.asarray(axis, float))
    return tuple(q)


def _refuse(cell: Cell, problem: Problem) -> NoReturn:
    raise ContractError(f"cell '{cell.id}'", [problem])


def main() -> None:
    path, out = map(Path, sys.argv[1:])
    spec = _alone(load_cell(path))
    spec.compile()
    write_atomic(out, spec.to_xml().encode())


if __name__ == "__main__":
    main()
