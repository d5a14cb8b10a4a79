"""The tool, as ROS tells it: position, yaw, and how it leans from straight down, against pose
messages. It is turned by yaw while it points down, then leans about the base's x and y."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from geometry_msgs.msg import PoseStamped, Quaternion, TwistStamped

from calibration.records import seven

from .guard import Command
from .guard.reference import bounded
from .wiring import BASE, stamp

Array = npt.NDArray[np.float64]
UPRIGHT = 2.0  # 1/s; how fast a lean that nobody wanted is taken back
UPRIGHT_MOST = 0.3  # rad/s of it
UNIT = 0.01  # that an orientation's length may be off


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
    if across < 1e-9:  # upright; or upside down, about whichever axis
        return np.array([angle, 0.0])
    return np.array([b, -a]) * (angle / across)


def amiss(message: PoseStamped) -> str:
    """Why that is no pose to go by, if it is none."""
    p, q, frame = message.pose.position, message.pose.orientation, message.header.frame_id
    length = math.hypot(q.x, q.y, q.z, q.w)
    if frame != BASE:
        return f"/tcp_pose is told in frame '{frame}', wanted '{BASE}'"
    if not all(map(math.isfinite, (p.x, p.y, p.z, length))):
        return "/tcp_pose is not finite"
    if abs(length - 1) > UNIT:
        return f"/tcp_pose has an orientation of length {length:.2f}, wanted 1"
    return ""


def pose_message(command: Command, ns: int) -> PoseStamped:
    message = PoseStamped()
    message.header.frame_id, message.header.stamp = BASE, stamp(ns)
    p, q = message.pose.position, message.pose.orientation
    p.x, p.y, p.z, yaw = command.pose.tolist()
    a, b = command.lean.tolist()
    # The lean's quaternion times that of straight down turned by yaw, (c, s, 0, 0).
    half, c, s = math.hypot(a, b) / 2, math.cos(yaw / 2), math.sin(yaw / 2)
    share, upright = 0.5 * _sinc(half), math.cos(half)
    q.x, q.y, q.z, q.w = upright * c, upright * s, share * (a * s - b * c), -share * (a * c + b * s)
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
    linear.x, linear.y, linear.z, yaw_rate = command.velocity.tolist()
    x, y, angular.z = _turning(command, yaw_rate)
    back_x, back_y = bounded(UPRIGHT * (command.lean - leans), UPRIGHT_MOST).tolist()
    angular.x, angular.y = x + back_x, y + back_y
    return message


def _turning(command: Command, yaw_rate: float) -> tuple[float, float, float]:
    """Angular velocity. The lean's part is its rotation vector's left Jacobian times its rate;
    yaw's is about z leaned."""
    (a, b), (da, db) = command.lean.tolist(), command.lean_rate.tolist()
    angle = math.hypot(a, b)
    across = _sinc(angle)
    # (1 - cos) / angle^2 and (1 - across) / angle^2; the latter's limit, before rounding eats it.
    rise = 0.5 * _sinc(angle / 2) ** 2
    rest = (1 - across) / angle**2 if angle > 1e-4 else 1 / 6
    round_ = a * db - b * da
    aside = rest * round_ + across * yaw_rate
    return da + aside * b, db - aside * a, rise * round_ + math.cos(angle) * yaw_rate


def _sinc(angle: float) -> float:
    return math.sin(angle) / angle if angle else 1.0


def _pointing(q: Quaternion) -> tuple[float, float, float]:
    """The tool's z."""
    return (
        2 * (q.x * q.z + q.y * q.w),
        2 * (q.y * q.z - q.x * q.w),
        1 - 2 * (q.x * q.x + q.y * q.y),
    )
