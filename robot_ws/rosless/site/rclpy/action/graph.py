"""Which actions there are."""

from __future__ import annotations

from typing import Any

FEEDBACK, MESSAGE = "/_action/feedback", "_FeedbackMessage"
NamesAndTypes = list[tuple[str, list[str]]]


def _actions(topics: NamesAndTypes) -> NamesAndTypes:
    return [
        (name.removesuffix(FEEDBACK), [one.removesuffix(MESSAGE) for one in types])
        for name, types in topics
        if name.endswith(FEEDBACK)
    ]


def get_action_names_and_types(node: Any) -> NamesAndTypes:
    return _actions(node.get_topic_names_and_types())


def get_action_server_names_and_types_by_node(
    node: Any, remote_node_name: str, remote_node_namespace: str
) -> NamesAndTypes:
    found = node.get_publisher_names_and_types_by_node(remote_node_name, remote_node_namespace)
    return _actions(found)


def get_action_client_names_and_types_by_node(
    node: Any, remote_node_name: str, remote_node_namespace: str
) -> NamesAndTypes:
    found = node.get_subscriber_names_and_types_by_node(remote_node_name, remote_node_namespace)
    return _actions(found)
