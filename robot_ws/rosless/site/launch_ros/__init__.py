"""The part of ROS 2's launch_ros that rosless has: what is missing says so."""

from launch.left_out import left_out

from . import actions, descriptions, parameter_descriptions, substitutions

__all__ = ["actions", "descriptions", "parameter_descriptions", "substitutions"]

__getattr__ = left_out(__name__)
