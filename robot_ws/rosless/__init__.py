"""rclpy nodes and launch files on a machine without ROS, on ROS 2's own wire.

`import rosless` makes `rclpy`, `launch`, `launch_ros` and the message packages importable where
they are missing. Where ROS is installed it does nothing.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec

from rosless import left_out


def activate() -> bool:
    """Whether what is imported from here on is ours."""
    if str(left_out.SITE) not in sys.path:
        if find_spec("rclpy") is not None:
            return False
        # At the end: what is installed wins. (A finder of our own would come behind Python's own,
        # which takes any directory named `launch` for a package.)
        sys.path.append(str(left_out.SITE))
    from rosless.interfaces import finder

    if not any(isinstance(one, left_out.Finder) for one in sys.meta_path):
        sys.meta_path.insert(0, left_out.Finder())
        sys.meta_path.append(finder.Finder())  # behind all others
    return True


ACTIVE = activate()
