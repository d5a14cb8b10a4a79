"""ROS's packages, where ROS is not; and a domain of its own, so that runs do not meet."""

from __future__ import annotations

import os

os.environ.setdefault("ROS_DOMAIN_ID", str(os.getpid() % 100 + 1))

import rosless  # noqa: F401 - makes rclpy importable where it is missing
