"""Actions: goals with feedback, that can be cancelled, and have a result."""

from __future__ import annotations

from typing import Any

from rclpy.action.client import ActionClient
from rclpy.action.server import ActionServer, CancelResponse, GoalResponse

FEEDBACK = "/_action/feedback"
__all__ = ["ActionClient", "ActionServer", "CancelResponse", "GoalResponse"]


def get_action_names_and_types(node: Any) -> list[tuple[str, list[str]]]:
    """Which there are, by the feedback they give."""
    return [
        (name.removesuffix(FEEDBACK), [one.removesuffix("_FeedbackMessage") for one in types])
        for name, types in node.get_topic_names_and_types()
        if name.endswith(FEEDBACK)
    ]
