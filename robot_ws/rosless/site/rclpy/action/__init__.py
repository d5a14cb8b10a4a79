"""Actions: goals with feedback, that can be cancelled, and have a result."""

from rosless.left_out import left_out

from rclpy.action.client import ActionClient
from rclpy.action.graph import get_action_names_and_types
from rclpy.action.server import ActionServer, CancelResponse, GoalResponse

__all__ = [
    "ActionClient",
    "ActionServer",
    "CancelResponse",
    "GoalResponse",
    "get_action_names_and_types",
]

__getattr__ = left_out(__name__)
