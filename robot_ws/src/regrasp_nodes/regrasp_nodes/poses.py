"""A tool that points down, as ROS tells it: position and yaw against pose messages."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from geometry_msgs.msg import PoseStamped, TwistStamped

from .wiring import BASE, stamp

Array = npt.NDArray[np.float64]
UPRIGHT = 2.0  # 1/s; how fast a tilt is taken back


def pose_of(message: PoseStamped) -> Array:
    """x, y, z, yaw."""
    p, q = message.pose.position, message.pose.orientation
    yaw = math.atan2(2 * (q.x * q.y + q.z * q.w), 1 - 2 * (q.y * q.y + q.z * q.z))
    return np.array([p.x, p.y, p.z, yaw])


def tilt_of(message: PoseStamped) -> tuple[float, float]:
    """How the tool has to turn about the base's x and y to point straight down: its z is
    (a, b, c), and (a, b, c) x (0, 0, -1) is that turn."""
    q = message.pose.orientation
    a, b = 2 * (q.x * q.z + q.y * q.w), 2 * (q.y * q.z - q.x * q.w)
    return -b, a


def pose_message(pose: Array, ns: int) -> PoseStamped:
    message = PoseStamped()
    message.header.frame_id, message.header.stamp = BASE, stamp(ns)
    p, q = message.pose.position, message.pose.orientation
    p.x, p.y, p.z, yaw = (float(v) for v in pose)
    q.x, q.y, q.z, q.w = math.cos(yaw / 2), math.sin(yaw / 2), 0.0, 0.0
    return message


def twist_message(velocity: Array, tilt: tuple[float, float], ns: int) -> TwistStamped:
    message = TwistStamped()
    message.header.frame_id, message.header.stamp = BASE, stamp(ns)
    linear, angular = message.twist.linear, message.twist.angular
    linear.x, linear.y, linear.z, angular.z = (float(v) for v in velocity)
    angular.x, angular.y = UPRIGHT * tilt[0], UPRIGHT * tilt[1]
    return message
