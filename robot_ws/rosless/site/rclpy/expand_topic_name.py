"""A topic's full name, before it is remapped."""

from rclpy.impl.names import expand, validate_namespace, validate_node_name, validate_topic_name


def expand_topic_name(topic_name: str, node_name: str, node_namespace: str) -> str:
    validate_topic_name(topic_name)
    validate_node_name(node_name)
    validate_namespace(node_namespace)
    return expand(topic_name, node_name, node_namespace)
