"""What a node owns: publishers, subscriptions, services, clients, timers; made and destroyed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from rosless.wire.graph import Graph, Owned
from rosless.wire.participant import Endpoint

from rclpy.callback_groups import CallbackGroup, MutuallyExclusiveCallbackGroup
from rclpy.client import Client
from rclpy.clock import Clock, ROSClock
from rclpy.context import Context
from rclpy.event_handler import PublisherEventCallbacks, SubscriptionEventCallbacks
from rclpy.guard_condition import GuardCondition
from rclpy.impl.entity import Entity
from rclpy.impl.spun import Spun
from rclpy.logging import RcutilsLogger
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile, qos_profile_services_default
from rclpy.service import Service
from rclpy.subscription import Subscription
from rclpy.timer import Rate, Timer

NANO = 1_000_000_000
T = TypeVar("T")
E = TypeVar("E", bound=Entity)


class Owning(Spun):
    """The part of a node that is about what it owns."""

    _ros_context: Context
    _ros_logger: RcutilsLogger
    _ros_clock: ROSClock
    _ros_graph: Graph
    _ros_owned: Owned
    _ros_default_group: CallbackGroup
    _ros_entities: tuple[Entity, ...]
    _ros_owned_publishers: tuple[Publisher, ...]
    resolve_topic_name: Callable[..., str]
    resolve_service_name: Callable[..., str]

    def _ros_of(self, kind: type[T]) -> list[T]:
        return [entity for entity in self._ros_entities if isinstance(entity, kind)]

    @property
    def publishers(self) -> list[Publisher]:
        return list(self._ros_owned_publishers)

    @property
    def subscriptions(self) -> list[Subscription]:
        return self._ros_of(Subscription)

    @property
    def clients(self) -> list[Client]:
        return self._ros_of(Client)

    @property
    def services(self) -> list[Service]:
        return self._ros_of(Service)

    @property
    def timers(self) -> list[Timer]:
        return self._ros_of(Timer)

    @property
    def guards(self) -> list[GuardCondition]:
        return self._ros_of(GuardCondition)

    def _ros_add(self, entity: E, *endpoints: Endpoint) -> E:
        events = getattr(entity, "events", None)
        more = [entity] if events is None else [entity, events]
        self._ros_entities = (*self._ros_entities, *more)
        if endpoints:
            self._ros_graph.add(self._ros_owned, *endpoints)
        self._ros_wake()
        return entity

    def _ros_drop(self, entity: Any, *endpoints: Endpoint) -> bool:
        gone = (entity, getattr(entity, "events", None))
        if not any(one is entity for one in self._ros_entities):
            return False
        kept = [one for one in self._ros_entities if not any(one is x for x in gone)]
        self._ros_entities = tuple(kept)
        if endpoints:
            self._ros_graph.remove(self._ros_owned, *endpoints)
        entity.destroy()
        self._ros_wake()
        return True

    def create_publisher(
        self,
        msg_type: Any,
        topic: str,
        qos_profile: QoSProfile | int,
        *,
        callback_group: CallbackGroup | None = None,
        event_callbacks: PublisherEventCallbacks | None = None,
        qos_overriding_options: Any = None,
        publisher_class: type[Publisher] = Publisher,
    ) -> Publisher:
        _require_none(qos_overriding_options, "qos_overriding_options")
        publisher = publisher_class(
            self._ros_context.participant,
            msg_type,
            self.resolve_topic_name(topic),
            _profile(qos_profile),
            event_callbacks or PublisherEventCallbacks(),
            callback_group or self._ros_default_group,
            self._ros_logger.name,
        )
        self._ros_owned_publishers = (*self._ros_owned_publishers, publisher)
        if publisher.events is not None:
            self._ros_entities = (*self._ros_entities, publisher.events)
        self._ros_graph.add(self._ros_owned, publisher.writer)
        self._ros_wake()
        return publisher

    def create_subscription(
        self,
        msg_type: Any,
        topic: str,
        callback: Callable[..., Any],
        qos_profile: QoSProfile | int,
        *,
        callback_group: CallbackGroup | None = None,
        event_callbacks: SubscriptionEventCallbacks | None = None,
        qos_overriding_options: Any = None,
        raw: bool = False,
    ) -> Subscription:
        _require_none(qos_overriding_options, "qos_overriding_options")
        subscription = Subscription(
            self._ros_context.participant,
            msg_type,
            self.resolve_topic_name(topic),
            callback,
            callback_group or self._ros_default_group,
            _profile(qos_profile),
            raw,
            event_callbacks or SubscriptionEventCallbacks(),
            self._ros_logger.name,
        )
        return self._ros_add(subscription, subscription.reader)

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
        service = Service(
            self._ros_context.participant,
            srv_type,
            self.resolve_service_name(srv_name),
            callback,
            callback_group or self._ros_default_group,
            qos_profile,
            self._ros_logger.name,
            deferred,
        )
        return self._ros_add(service, service.server.reader, service.server.writer)

    def create_client(
        self,
        srv_type: Any,
        srv_name: str,
        *,
        qos_profile: QoSProfile = qos_profile_services_default,
        callback_group: CallbackGroup | None = None,
    ) -> Client:
        client = Client(
            self._ros_context,
            self._ros_context.participant,
            srv_type,
            self.resolve_service_name(srv_name),
            qos_profile,
            callback_group or self._ros_default_group,
            lambda: self.executor,
        )
        return self._ros_add(client, client.caller.reader, client.caller.writer)

    def create_timer(
        self,
        timer_period_sec: float,
        callback: Callable[[], Any],
        callback_group: CallbackGroup | None = None,
        clock: Clock | None = None,
        autostart: bool = True,
    ) -> Timer:
        group, period = callback_group or self._ros_default_group, int(timer_period_sec * NANO)
        clock, wake = clock or self._ros_clock, self._ros_wake
        timer = Timer(callback, group, period, clock, wake=wake, autostart=autostart)
        return self._ros_add(timer)

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
        timer = self.create_timer(1 / frequency, lambda: None, group, clock)
        return Rate(timer, context=self._ros_context)

    def destroy_publisher(self, publisher: Publisher) -> bool:
        if publisher not in self._ros_owned_publishers:
            return False
        kept = [one for one in self._ros_owned_publishers if one is not publisher]
        self._ros_owned_publishers = tuple(kept)
        self._ros_entities = tuple(one for one in self._ros_entities if one is not publisher.events)
        self._ros_graph.remove(self._ros_owned, publisher.writer)
        publisher.destroy()
        return True

    def destroy_subscription(self, subscription: Subscription) -> bool:
        return self._ros_drop(subscription, subscription.reader)

    def destroy_service(self, service: Service) -> bool:
        return self._ros_drop(service, service.server.reader, service.server.writer)

    def destroy_client(self, client: Client) -> bool:
        return self._ros_drop(client, client.caller.reader, client.caller.writer)

    def destroy_timer(self, timer: Timer) -> bool:
        return self._ros_drop(timer)

    def destroy_guard_condition(self, guard: GuardCondition) -> bool:
        return self._ros_drop(guard)

    def destroy_rate(self, rate: Rate) -> bool:
        gone = self._ros_drop(rate._timer)
        rate.destroy()
        return gone


def _profile(qos: QoSProfile | int) -> QoSProfile:
    if isinstance(qos, QoSProfile):
        return qos
    if not isinstance(qos, int) or isinstance(qos, bool):
        raise TypeError(f"qos_profile: found {qos!r}, wanted a QoSProfile or int")
    if qos < 0:
        raise ValueError(f"qos_profile: found a depth of {qos}, wanted 0 or more")
    return QoSProfile(depth=qos)


def _require_none(value: object, name: str) -> None:
    if value is not None:
        raise NotImplementedError(f"rosless: {name}; set the profile where it is created")
