"""What a node can find out about the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum

from rosless.wire.graph import Found, Graph

from rclpy.context import Context
from rclpy.qos import QoSProfile

NamesAndTypes = list[tuple[str, list[str]]]
Look = Callable[[Graph], list[Found]]


class TopicEndpointTypeEnum(IntEnum):
    INVALID = 0
    PUBLISHER = 1
    SUBSCRIPTION = 2


@dataclass
class TopicEndpointInfo:
    """What is known of a publisher or subscription somewhere."""

    node_name: str
    node_namespace: str
    topic_type: str
    topic_type_hash: str
    endpoint_type: TopicEndpointTypeEnum
    endpoint_gid: list[int]
    qos_profile: QoSProfile


def _grouped(pairs: Iterable[tuple[str, str]]) -> NamesAndTypes:
    result: dict[str, dict[str, None]] = {}
    for name, type_name in pairs:
        result.setdefault(name, {})[type_name] = None
    return sorted((name, list(types)) for name, types in result.items())


def _infos(look: Look, kind: TopicEndpointTypeEnum) -> Callable[..., list[TopicEndpointInfo]]:
    def query(self: Queries, topic_name: str) -> list[TopicEndpointInfo]:
        wanted = f"rt{self.resolve_topic_name(topic_name)}"
        found = (one for one in look(self._ros_graph) if one.topic == wanted)
        return [
            TopicEndpointInfo(
                node_name=x.node[1],
                node_namespace=x.node[0],
                topic_type=x.type_name,
                topic_type_hash=x.said.get("typehash", ""),
                endpoint_type=kind,
                endpoint_gid=list(x.guid),
                qos_profile=QoSProfile.of(x.quality),
            )
            for x in found
        ]

    return query


class Queries:
    """The part of a node that looks around."""

    _ros_context: Context
    _ros_graph: Graph
    resolve_topic_name: Callable[..., str]
    resolve_service_name: Callable[..., str]

    def get_node_names_and_namespaces(self) -> list[tuple[str, str]]:
        return [(name, namespace) for namespace, name in self._ros_graph.nodes()]

    def get_node_names(self) -> list[str]:
        return [name for _, name in self._ros_graph.nodes()]

    def get_fully_qualified_node_names(self) -> list[str]:
        return [f"{space.rstrip('/')}/{name}" for space, name in self._ros_graph.nodes()]

    def wait_for_node(self, fully_qualified_node_name: str, timeout: float) -> bool:
        wanted = "/" + fully_qualified_node_name.lstrip("/")
        return self._ros_context.wait_until(
            lambda: wanted in self.get_fully_qualified_node_names(), timeout
        )

    def get_topic_names_and_types(self) -> NamesAndTypes:
        found = [*self._ros_graph.writers(), *self._ros_graph.readers()]
        return _grouped((one.topic[2:], one.type_name) for one in found if one.topic[:3] == "rt/")

    def get_service_names_and_types(self) -> NamesAndTypes:
        return _grouped(
            (one.topic[2:].removesuffix("Request"), one.type_name.removesuffix("_Request"))
            for one in self._ros_graph.readers()
            if one.topic.startswith("rq/")
        )

    get_publishers_info_by_topic = _infos(Graph.writers, TopicEndpointTypeEnum.PUBLISHER)
    get_subscriptions_info_by_topic = _infos(Graph.readers, TopicEndpointTypeEnum.SUBSCRIPTION)

    def count_publishers(self, topic_name: str) -> int:
        return len(self.get_publishers_info_by_topic(topic_name))

    def count_subscribers(self, topic_name: str) -> int:
        return len(self.get_subscriptions_info_by_topic(topic_name))

    def count_services(self, service_name: str) -> int:
        wanted = f"rq{self.resolve_service_name(service_name)}Request"
        return sum(one.topic == wanted for one in self._ros_graph.readers())
