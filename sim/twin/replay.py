"""The twin's answer to recorded commands: what a fitted cell file is held against."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from calibration import Cell
from calibration.cell import Dynamics
from calibration.dynamics import Joints, Motion
from policy.contract import Invalid

from .config import TwinConfig
from .twin import Twin


def joints_of(cell: Cell) -> Joints:
    """As the cell file has them."""
    dynamics = _dynamics(cell)
    damping, friction, armature = (
        np.array(part.value) for part in (dynamics.damping, dynamics.friction, dynamics.armature)
    )
    unknown = np.zeros(cell.arm.joints)
    errors = (unknown, unknown, unknown, 0.0)
    payload = dynamics.payload.value
    return Joints(damping, friction, armature, payload, errors, skew=0.0, residual=0.0)


def with_joints(cell: Cell, found: Joints) -> Cell:
    """The cell as it would be with these dynamics."""
    dynamics = _dynamics(cell)
    values = {
        name: replace(getattr(dynamics, name), value=tuple(float(v) for v in getattr(found, name)))
        for name in ("damping", "friction", "armature")
    }
    payload = replace(dynamics.payload, value=found.payload)
    return replace(cell, dynamics=replace(dynamics, **values, payload=payload))


def _dynamics(cell: Cell) -> Dynamics:
    if cell.dynamics is None:
        raise Invalid("dynamics", None, "values to begin with", "give the arm's data sheet's")
    return cell.dynamics


def replay(cell: Cell, twists: npt.NDArray[np.float64], period: float) -> Motion:
    """Send the twists (a row a command, every `period` s) to a twin of that cell, arm above the bin
    as after a reset."""
    config = TwinConfig(mode="lockstep", cameras=())
    with Twin(cell, config) as twin, twin.arm.states.subscribe(1 << 16) as states:
        for twist in twists:
            twin.arm.twist(twist[:3], twist[3:])
            twin.advance(period)
        found = states.drain()
    if found[-1].mode != "ready":
        raise Invalid("twists", found[-1].reason, "a motion without a stop", "sway less far")
    return Motion(
        np.array([state.stamp_ns * 1e-9 for state in found]),
        np.array([state.positions for state in found]),
        np.array([state.efforts for state in found]),
    )
