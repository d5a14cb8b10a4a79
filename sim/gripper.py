"""A parallel gripper of the cell's aperture, drawn around the TCP. It closes along the TCP's y."""

from __future__ import annotations

import mujoco
import numpy as np

from calibration import Cell
from calibration.geometry import rotation

from .bits import GRIPPER, HIT_ALL, SOLIMP, SOLREF

FINGERS = ("finger_left", "finger_right")
PAD = (0.010, 0.004, 0.010)  # half extents: width, thickness, height above and below the TCP
# A geared motor: heavy as a finger feels it, and slow. Were it quick, it would slam through
# whatever a single missed contact lets go.
TRAVEL_MASS = 0.5  # kg
STIFFNESS = 6000.0  # N/m


def add_gripper(spec: mujoco.MjSpec, flange: mujoco.MjsBody, cell: Cell) -> None:
    """Hang palm, fingers, TCP site and actuator under `flange` (a body at the arm's flange)."""
    tcp = cell.arm.tcp
    x, y, z, w = tcp.orientation.value
    out, place = rotation(tcp.orientation.value)[:, 2], np.array(tcp.position.value)
    depth = float(out @ place)  # from the hand's own origin to the TCP, along its z
    hand = flange.add_body(name="hand", pos=place - depth * out, quat=(w, x, y, z), gravcomp=1)
    hand.add_site(name="tcp", pos=(0, 0, depth), size=(0.003,) * 3, group=4)
    payload = cell.dynamics.payload.value if cell.dynamics else 0.73
    hand.mass, hand.explicitinertial = max(payload - 0.04, 0.05), True
    hand.ipos, hand.inertia = (0, 0, 0.3 * depth), (0.0012, 0.0025, 0.0017)
    open_ = cell.gripper.aperture.value[1] / 2
    palm = open_ + 0.025
    solid = {
        "contype": GRIPPER, "conaffinity": HIT_ALL, "friction": (0.5, 0.005, 0.0001),
        "solref": SOLREF, "solimp": SOLIMP,
    }  # fmt: skip
    hand.add_geom(
        name="palm", type=mujoco.mjtGeom.mjGEOM_BOX, size=(0.024, palm, 0.022),
        pos=(0, 0, 0.040), material="shell", **solid,
    )  # fmt: skip
    hand.add_geom(
        type=mujoco.mjtGeom.mjGEOM_CYLINDER, size=(0.030, 0.012, 0), pos=(0, 0, 0.008),
        material="joint", contype=0, conaffinity=0,
    )  # fmt: skip
    for name, side in zip(FINGERS, (1, -1), strict=True):
        finger = hand.add_body(name=name, pos=(0, 0, depth), gravcomp=1)
        finger.add_joint(
            name=name, type=mujoco.mjtJoint.mjJNT_SLIDE, axis=(0, side, 0), range=(0, open_),
            limited=mujoco.mjtLimited.mjLIMITED_TRUE, armature=TRAVEL_MASS, damping=(4.0, 0, 0),
            solref_limit=(0.01, 1),
        )  # fmt: skip
        shaft = max(0.5 * (depth - 0.062), 0.005)
        finger.add_geom(
            name=f"{name}_pad", type=mujoco.mjtGeom.mjGEOM_BOX, size=PAD, mass=0.010,
            pos=(0, side * PAD[1], 0), material="pad", contype=GRIPPER, conaffinity=HIT_ALL,
            solref=SOLREF, solimp=SOLIMP,
        )  # fmt: skip
        finger.add_geom(
            name=f"{name}_shaft", type=mujoco.mjtGeom.mjGEOM_BOX, size=(0.009, 0.006, shaft),
            pos=(0, side * 0.0075, -shaft - PAD[2]), material="joint", mass=0.010, **solid,
        )  # fmt: skip
    _couple(spec, cell)


def _couple(spec: mujoco.MjSpec, cell: Cell) -> None:
    """One motor moves both fingers alike."""
    link = spec.add_equality(type=mujoco.mjtEq.mjEQ_JOINT, objtype=mujoco.mjtObj.mjOBJ_JOINT)
    link.name1, link.name2 = FINGERS
    link.data[:5] = (0, 1, 0, 0, 0)
    link.solref, link.solimp = (0.008, 1), (0.95, 0.99, 0.001, 0.5, 2)
    motor = spec.add_actuator(name="gripper", target=FINGERS[0])
    motor.trntype = mujoco.mjtTrn.mjTRN_JOINT
    motor.set_to_position(kp=STIFFNESS, kv=0.1 * STIFFNESS)
    force = 2 * cell.gripper.force.value  # the motor of one finger pushes both
    motor.forcelimited, motor.forcerange = True, (-force, force)
