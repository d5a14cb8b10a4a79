"""The part of ROS 2's launch_ros that rosless has: what is missing says so."""

from . import actions, parameter_descriptions

__all__ = ["actions", "parameter_descriptions"]
