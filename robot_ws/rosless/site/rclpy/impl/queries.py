"""What a node can find out about the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from rosless.wire.graph import UNKNOWN, Found, Graph

from rclpy.context import Context
from rclpy.impl.waiting import until_true
from rclpy.qos import QoSProfile
from rclpy.topic_endpoint_info import TopicEndpointInfo, TopicEndpointTypeEnum

NamesAndTypes = list[tuple[str, list[str]]]


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

        def there() -> bool:
            return wanted in self.get_fully_qualified_node_names()

        return until_true(there, self._ros_context, timeout)

    def get_topic_names_and_types(self, no_demangle: bool = False) -> NamesAndTypes:
        return _topics([*self._ros_graph.writers(), *self._ros_graph.readers()], no_demangle)

    def get_service_names_and_types(self) -> NamesAndTypes:
        return _services(self._ros_graph.readers(), "rq", "Request")

    def get_publisher_names_and_types_by_node(
        self, node_name: str, node_namespace: str, no_demangle: bool = False
    ) -> NamesAndTypes:
        return _topics(_of(self._ros_graph.writers(), node_name, node_namespace), no_demangle)

    def get_subscriber_names_and_types_by_node(
        self, node_name: str, node_namespace: str, no_demangle: bool = False
    ) -> NamesAndTypes:
        return _topics(_of(self._ros_graph.readers(), node_name, node_namespace), no_demangle)

    def get_service_names_and_types_by_node(
        self, node_name: str, node_namespace: str
    ) -> NamesAndTypes:
        return _services(_of(self._ros_graph.readers(), node_name, node_namespace), "rq", "Request")

    def get_client_names_and_types_by_node(
        self, node_name: str, node_namespace: str
    ) -> NamesAndTypes:
        return _services(_of(self._ros_graph.readers(), node_name, node_namespace), "rr", "Reply")

    def count_publishers(self, topic_name: str) -> int:
        return len(self.get_publishers_info_by_topic(topic_name))

    def count_subscribers(self, topic_name: str) -> int:
        return len(self.get_subscriptions_info_by_topic(topic_name))

    def count_services(self, service_name: str) -> int:
        return self._ros_count(self._ros_graph.readers(), service_name)

    def count_clients(self, service_name: str) -> int:
        return self._ros_count(self._ros_graph.writers(), service_name)

    def _ros_count(self, found: list[Found], service_name: str) -> int:
        wanted = f"rq{self.resolve_service_name(service_name)}Request"
        return sum(one.topic == wanted for one in found)

    def get_publishers_info_by_topic(
        self, topic_name: str, no_mangle: bool = False
    ) -> list[TopicEndpointInfo]:
        kind = TopicEndpointTypeEnum.PUBLISHER
        return self._ros_infos(self._ros_graph.writers(), topic_name, no_mangle, kind)

    def get_subscriptions_info_by_topic(
        self, topic_name: str, no_mangle: bool = False
    ) -> list[TopicEndpointInfo]:
        kind = TopicEndpointTypeEnum.SUBSCRIPTION
        return self._ros_infos(self._ros_graph.readers(), topic_name, no_mangle, kind)

    def _ros_infos(
        self, found: list[Found], topic_name: str, no_mangle: bool, kind: TopicEndpointTypeEnum
    ) -> list[TopicEndpointInfo]:
        wanted = topic_name if no_mangle else f"rt{self.resolve_topic_name(topic_name)}"
        return [
            TopicEndpointInfo(
                node_name=one.node[1],
                node_namespace=one.node[0],
                topic_type=one.type_name,
                topic_type_hash=one.said.get("typehash", ""),
                endpoint_type=kind,
                endpoint_gid=list(one.guid),
                qos_profile=QoSProfile.of(one.quality),
            )
            for one in found
            if one.topic == wanted
        ]


def _of(found: list[Found], name: str, namespace: str) -> list[Found]:
    wanted = (namespace, name)
    return [one for one in found if one.node == wanted and one.node != UNKNOWN]


def _topics(found: Iterable[Found], no_demangle: bool) -> NamesAndTypes:
    if no_demangle:
        return _grouped((one.topic, one.type_name) for one in found)
    return _grouped((one.topic[2:], one.type_name) for one in found if one.topic[:3] == "rt/")


def _services(found: Iterable[Found], prefix: str, suffix: str) -> NamesAndTypes:
    kind = "_Request" if suffix == "Request" else "_Response"
    return _grouped(
        (one.topic.removeprefix(prefix).removesuffix(suffix), one.type_name.removesuffix(kind))
        for one in found
        if one.topic.startswith(f"{prefix}/")
    )


def _grouped(pairs: Iterable[tuple[str, str]]) -> NamesAndTypes:
    result: dict[str, dict[str, None]] = {}
    for name, type_name in pairs:
        result.setdefault(name, {})[type_name] = None
    return sorted((name, list(types)) for name, types in result.items())
