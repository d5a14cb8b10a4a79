"""A node: a name, and what it owns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rcl_interfaces.msg import Log, ParameterEvent
from rosless.left_out import Absent, refuse

from rclpy.callback_groups import CallbackGroup, MutuallyExclusiveCallbackGroup
from rclpy.clock import Clock, ROSClock, TimeSource
from rclpy.context import Context, get_default_context
from rclpy.exceptions import NotInitializedException
from rclpy.impl import names
from rclpy.impl.arguments import Arguments, parse, remapped, renamed
from rclpy.impl.owning import Owning
from rclpy.impl.parameters import Parameters
from rclpy.impl.queries import Queries
from rclpy.impl.topics import Publisher
from rclpy.logging import RcutilsLogger, Sink, Where, add_sink, get_logger, remove_sink
from rclpy.parameter import Parameter
from rclpy.parameter_service import offer_parameters
from rclpy.qos import qos_profile_parameter_events, qos_profile_rosout_default
from rclpy.time import Time


class Node(Owning, Parameters, Queries):
    """What is its own is called _ros_...: other names are for those who derive from it."""

    undeclare_parameter, set_descriptor, handle = Absent(), Absent(), Absent()
    get_publisher_names_and_types_by_node, count_clients = Absent(), Absent()
    get_subscriber_names_and_types_by_node = Absent()
    get_service_names_and_types_by_node, get_client_names_and_types_by_node = Absent(), Absent()

    def __init__(
        self,
        node_name: str,
        *,
        context: Context | None = None,
        cli_args: Sequence[str] | None = None,
        namespace: str | None = None,
        use_global_arguments: bool = True,
        enable_rosout: bool = True,
        start_parameter_services: bool = True,
        parameter_overrides: Sequence[Parameter] | None = None,
        automatically_declare_parameters_from_overrides: bool = False,
        **others: Any,
    ) -> None:
        refuse("Node", others)
        self._ros_context = get_default_context() if context is None else context
        if not self._ros_context.ok():
            raise NotInitializedException("cannot create node")
        own = parse(cli_args or [])
        told = [own, self._ros_context.arguments] if use_global_arguments else [own]
        self._ros_rules = [rule for one in told for rule in one.remaps]
        name, namespace = renamed(self._ros_rules, node_name, namespace or "/")
        names.validate_node_name(name)
        names.validate_namespace(namespace)
        self._ros_name, self._ros_namespace = name, namespace
        self._ros_logger = get_logger(f"{namespace}/{name}".strip("/").replace("/", "."))
        self._ros_default_group = MutuallyExclusiveCallbackGroup()
        self._ros_clock = ROSClock()
        self._ros_alive = True
        self._ros_say: Sink | None = None
        self._ros_context.count_node(+1)
        self._ros_graph = self._ros_context.graph
        with self._ros_graph.at_once():
            self._ros_owned = self._ros_graph.add_node((namespace, name))
            try:
                self._ros_begin(told, parameter_overrides or ())
                if enable_rosout:
                    self._ros_log()
                self._ros_time_source = TimeSource(self, self._ros_clock)
                if automatically_declare_parameters_from_overrides:
                    self._ros_declare_overrides()
                if start_parameter_services:
                    offer_parameters(self)
            except BaseException:
                self.destroy_node()
                raise

    def _ros_begin(self, told: Sequence[Arguments], given: Sequence[Parameter]) -> None:
        overrides: dict[str, Any] = {}
        for one in reversed(told):  # what is said of this node alone outranks what is said of all
            overrides |= one.parameters_of(self.get_fully_qualified_name())
        known = {key: Parameter(key, value=value) for key, value in overrides.items()}
        known |= {one.name: one for one in given}
        topic, qos = "/parameter_events", qos_profile_parameter_events
        events = self.create_publisher(ParameterEvent, topic, qos)

        def tell(event: ParameterEvent) -> None:
            event.stamp = self._ros_clock.now().to_msg()
            events.publish(event)

        self._ros_init_parameters(known, tell)

    def _ros_log(self) -> None:
        rosout: Publisher = self.create_publisher(Log, "/rosout", qos_profile_rosout_default)

        def say(level: int, name: str, text: str, where: Where, now: int) -> None:
            if self._ros_alive and self._ros_context.ok():
                stamp = Time(nanoseconds=now).to_msg()
                line = dict(zip(("file", "function", "line"), where, strict=True))
                rosout.publish(Log(stamp=stamp, level=int(level), name=name, msg=text, **line))

        add_sink(self._ros_logger.name, say)
        self._ros_say = say

    @property
    def context(self) -> Context:
        return self._ros_context

    @property
    def default_callback_group(self) -> CallbackGroup:
        return self._ros_default_group

    def get_name(self) -> str:
        return self._ros_name

    def get_namespace(self) -> str:
        return self._ros_namespace

    def get_fully_qualified_name(self) -> str:
        return f"{self._ros_namespace.rstrip('/')}/{self._ros_name}"

    def get_clock(self) -> Clock:
        return self._ros_clock

    def get_logger(self) -> RcutilsLogger:
        return self._ros_logger

    def resolve_topic_name(self, topic: str, *, only_expand: bool = False) -> str:
        return self._ros_resolved(topic, only_expand)

    def resolve_service_name(self, service: str, *, only_expand: bool = False) -> str:
        return self._ros_resolved(service, only_expand, is_service=True)

    def _ros_resolved(self, name: str, only_expand: bool, is_service: bool = False) -> str:
        names.validate_topic_name(name, is_service=is_service)
        own = self._ros_name, self._ros_namespace
        full = names.expand(name, *own)
        if not only_expand:
            full = remapped(self._ros_rules, full, *own)
        names.validate_full_topic_name(full, is_service=is_service)
        return full

    def destroy_node(self) -> None:
        if not self._ros_alive:
            return
        self._ros_alive = False
        if (executor := self.executor) is not None:
            executor.remove_node(self)
        if self._ros_say is not None:
            remove_sink(self._ros_logger.name, self._ros_say)
        entities, self._ros_entities = self._ros_entities, ()
        self._ros_graph.remove_node(self._ros_owned)
        for one in entities:
            one.destroy()
        self._ros_context.count_node(-1)

    def __enter__(self) -> Node:
        return self

    def __exit__(self, *_: object) -> None:
        self.destroy_node()
