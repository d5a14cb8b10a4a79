"""What a node owns: publishers, subscriptions, services, clients, timers; made and destroyed."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

from rosless.left_out import refuse
from rosless.wire.graph import Graph, Owned

from rclpy.callback_groups import CallbackGroup, MutuallyExclusiveCallbackGroup
from rclpy.clock import Clock, ROSClock
from rclpy.context import Context
from rclpy.event_handler import PublisherEventCallbacks, SubscriptionEventCallbacks
from rclpy.impl.entity import Entity
from rclpy.impl.services import Client, Service
from rclpy.impl.topics import Publisher, Subscription
from rclpy.qos import QoSProfile, qos_profile_services_default
from rclpy.time import NANO
from rclpy.timer import GuardCondition, Rate, Timer

if TYPE_CHECKING:
    from rclpy.executors import Executor
    from rclpy.node import Node

E = TypeVar("E", bound=Entity)


class Owning:
    """The part of a node that is about what it owns, and who spins it."""

    _ros_context: Context
    _ros_clock: ROSClock
    _ros_graph: Graph
    _ros_owned: Owned
    _ros_default_group: CallbackGroup
    _ros_entities: tuple[Entity, ...] = ()
    _ros_executor: weakref.ref[Executor] | None = None
    resolve_topic_name: Callable[..., str]
    resolve_service_name: Callable[..., str]

    @property
    def executor(self) -> Executor | None:
        return self._ros_executor() if self._ros_executor is not None else None

    @executor.setter
    def executor(self, new_executor: Executor | None) -> None:
        node, current = cast("Node", self), self.executor
        if current is not None and current is not new_executor:
            current.remove_node(node)
        self._ros_executor = None if new_executor is None else weakref.ref(new_executor)
        if new_executor is not None:
            new_executor.add_node(node)

    def _ros_wake(self) -> None:
        if (executor := self.executor) is not None:
            executor.wake()

    def _ros_of(self, kind: type[E]) -> list[E]:
        return [entity for entity in self._ros_entities if isinstance(entity, kind)]

    publishers = property(lambda self: self._ros_of(Publisher))
    subscriptions = property(lambda self: self._ros_of(Subscription))
    clients = property(lambda self: self._ros_of(Client))
    services = property(lambda self: self._ros_of(Service))
    timers = property(lambda self: self._ros_of(Timer))

    # Made ---------------------------------------------------------------------------------------

    def _ros_add(self, entity: E) -> E:
        more = [entity] if entity.events is None else [entity, entity.events]
        self._ros_entities = (*self._ros_entities, *more)
        if entity.endpoints:
            self._ros_graph.add(self._ros_owned, *entity.endpoints)
        self._ros_wake()
        return entity

    def create_publisher(
        self,
        msg_type: Any,
        topic: str,
        qos_profile: QoSProfile | int,
        *,
        callback_group: CallbackGroup | None = None,
        event_callbacks: PublisherEventCallbacks | None = None,
        **others: Any,
    ) -> Publisher:
        refuse("create_publisher", others)
        name, group = self.resolve_topic_name(topic), callback_group or self._ros_default_group
        events = event_callbacks or PublisherEventCallbacks()
        return self._ros_add(Publisher(self, msg_type, name, _profile(qos_profile), group, events))

    def create_subscription(
        self,
        msg_type: Any,
        topic: str,
        callback: Callable[..., Any],
        qos_profile: QoSProfile | int,
        *,
        callback_group: CallbackGroup | None = None,
        event_callbacks: SubscriptionEventCallbacks | None = None,
        raw: bool = False,
        **others: Any,
    ) -> Subscription:
        refuse("create_subscription", others)
        group, qos = callback_group or self._ros_default_group, _profile(qos_profile)
        name, events = (
            self.resolve_topic_name(topic),
            event_callbacks or SubscriptionEventCallbacks(),
        )
        given = (self, msg_type, name, qos, group, events)
        return self._ros_add(Subscription(*given, callback=callback, raw=raw))

    def create_service(
        self,
        srv_type: Any,
        srv_name: str,
        callback: Callable[[Any, Any], Any],
        *,
        qos_profile: QoSProfile = qos_profile_services_default,
        callback_group: CallbackGroup | None = None,
        deferred: bool = False,
    ) -> Service:
        name, group = self.resolve_service_name(srv_name), callback_group or self._ros_default_group
        given = (self, srv_type, name, qos_profile, group)
        return self._ros_add(Service(*given, callback=callback, deferred=deferred))

    def create_client(
        self,
        srv_type: Any,
        srv_name: str,
        *,
        qos_profile: QoSProfile = qos_profile_services_default,
        callback_group: CallbackGroup | None = None,
    ) -> Client:
        name, group = self.resolve_service_name(srv_name), callback_group or self._ros_default_group
        return self._ros_add(Client(self, srv_type, name, qos_profile, group))

    def create_timer(
        self,
        timer_period_sec: float,
        callback: Callable[[], Any] | None,
        callback_group: CallbackGroup | None = None,
        clock: Clock | None = None,
        autostart: bool = True,
    ) -> Timer:
        group, period = callback_group or self._ros_default_group, int(timer_period_sec * NANO)
        clock = clock or self._ros_clock
        return self._ros_add(Timer(callback, group, period, clock, self._ros_wake, autostart))

    def create_guard_condition(
        self, callback: Callable[[], Any], callback_group: CallbackGroup | None = None
    ) -> GuardCondition:
        group = callback_group or self._ros_default_group
        return self._ros_add(GuardCondition(callback, group, self._ros_wake))

    def create_rate(self, frequency: float, clock: Clock | None = None) -> Rate:
        if frequency <= 0:
            raise ValueError("frequency must be > 0")
        # Of its own: a callback that sleeps must not keep its alarm from ringing.
        group = MutuallyExclusiveCallbackGroup()
        timer = self.create_timer(1 / frequency, None, group, clock)
        return Rate(timer, context=self._ros_context)

    # Destroyed ----------------------------------------------------------------------------------

    def _ros_drop(self, entity: Entity) -> bool:
        if entity not in self._ros_entities:
            return False
        gone = (entity, entity.events)
        self._ros_entities = tuple(one for one in self._ros_entities if one not in gone)
        if entity.endpoints:
            self._ros_graph.remove(self._ros_owned, *entity.endpoints)
        entity.destroy()
        self._ros_wake()
        return True

    destroy_publisher = destroy_subscription = destroy_service = destroy_client = _ros_drop
    destroy_timer = destroy_guard_condition = _ros_drop

    def destroy_rate(self, rate: Rate) -> bool:
        gone = self._ros_drop(rate._timer)
        rate.destroy()
        return gone


def _profile(qos: QoSProfile | int) -> QoSProfile:
    if isinstance(qos, QoSProfile):
        return qos
    if not isinstance(qos, int) or isinstance(qos, bool):
        raise TypeError(f"qos_profile: found {qos!r}, wanted a QoSProfile or int")
    return QoSProfile(depth=qos)
