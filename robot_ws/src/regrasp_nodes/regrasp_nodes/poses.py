"""The tool, as ROS tells it: position, yaw, and how it leans from straight down, against pose
messages. It is turned by yaw while it points down, then leans about the base's x and y."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from geometry_msgs.msg import PoseStamped, Quaternion, TwistStamped
from scipy.spatial.transform import Rotation

from calibration.records import seven
from calibration.rigid import rigid

from .guard import Command
from .wiring import BASE, stamp

Array = npt.NDArray[np.float64]
UPRIGHT = 2.0  # 1/s; how fast a lean that nobody wanted is taken back
TINY_S = 1e-3


def pose_of(message: PoseStamped) -> Array:
    """x, y, z, yaw."""
    p, q = message.pose.position, message.pose.orientation
    a, b, c = _pointing(q)
    # Where the tool's x points, and the lean taken back: the shortest turn from (a, b, c) to
    # straight down, about (-b, a, 0). Written out: each pose comes by here, in each node.
    x, y = 1 - 2 * (q.y * q.y + q.z * q.z), 2 * (q.x * q.y + q.z * q.w)
    z = 2 * (q.x * q.z - q.y * q.w)
    lost = (a * x + b * y) / max(1 - c, 1e-9)
    return np.array([p.x, p.y, p.z, math.atan2(y + b * z - b * lost, x + a * z - a * lost)])


def lean_of(message: PoseStamped) -> Array:
    """Of the shortest turn that takes straight down to where the tool points."""
    a, b, c = _pointing(message.pose.orientation)
    across = math.hypot(a, b)
    angle = math.atan2(across, -c)
    return np.array([b, -a]) * (angle / across if across > 1e-9 else 1.0)


def pose_message(command: Command, ns: int) -> PoseStamped:
    turn = _turned(float(command.pose[3]), command.lean).as_matrix()
    message = pose_message_of(rigid(turn, command.pose[:3]))
    message.header.frame_id, message.header.stamp = BASE, stamp(ns)
    return message


def seven_of(message: PoseStamped) -> list[float]:
    p, q = message.pose.position, message.pose.orientation
    return [p.x, p.y, p.z, q.x, q.y, q.z, q.w]


def pose_message_of(pose: Array) -> PoseStamped:
    """Of a matrix (4, 4)."""
    message = PoseStamped()
    p, q = message.pose.position, message.pose.orientation
    p.x, p.y, p.z, q.x, q.y, q.z, q.w = seven(pose)
    return message


def twist_message(command: Command, leans: Array, ns: int) -> TwistStamped:
    """`leans`: as the arm says it does."""
    message = TwistStamped()
    message.header.frame_id, message.header.stamp = BASE, stamp(ns)
    linear, angular = message.twist.linear, message.twist.angular
    linear.x, linear.y, linear.z, yaw_rate = (float(v) for v in command.velocity)
    yaw = float(command.pose[3])
    here = _turned(yaw, command.lean)
    next_ = _turned(yaw + TINY_S * yaw_rate, command.lean + TINY_S * command.lean_rate)
    rates = (next_ * here.inv()).as_rotvec() / TINY_S
    rates[:2] += UPRIGHT * (command.lean - leans)
    angular.x, angular.y, angular.z = (float(v) for v in rates)
    return message


def _turned(yaw: float, lean: Array) -> Rotation:
    down = Rotation.from_quat([math.cos(yaw / 2), math.sin(yaw / 2), 0.0, 0.0])
    return Rotation.from_rotvec([*lean, 0.0]) * down


def _pointing(q: Quaternion) -> tuple[float, float, float]:
    """The tool's z."""
    return (
        2 * (q.x * q.z + q.y * q.w),
        2 * (q.y * q.z - q.x * q.w),
        1 - 2 * (q.x * q.x + q.y * q.y),
    )
