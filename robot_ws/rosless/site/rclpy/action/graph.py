"""Which actions there are."""

from __future__ import annotations

from typing import Any

FEEDBACK, MESSAGE = "/_action/feedback", "_FeedbackMessage"


def get_action_names_and_types(node: Any) -> list[tuple[str, list[str]]]:
    return [
        (name.removesuffix(FEEDBACK), [one.removesuffix(MESSAGE) for one in types])
        for name, types in node.get_topic_names_and_types()
        if name.endswith(FEEDBACK)
    ]
