"""What a node owns: publishers, subscriptions, services, clients, timers; made and destroyed."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, cast

from rosless.wire.graph import Graph, Owned

from rclpy.callback_groups import CallbackGroup, MutuallyExclusiveCallbackGroup
from rclpy.clock import Clock, ROSClock
from rclpy.context import Context
from rclpy.impl.entity import Entity
from rclpy.impl.services import Client, Service
from rclpy.impl.topics import Publisher, Subscription
from rclpy.timer import GuardCondition, Rate, Timer

if TYPE_CHECKING:
    from rclpy.executors import Executor
    from rclpy.node import Node

P = ParamSpec("P")
E = TypeVar("E", bound=Entity)


def _making(kind: Callable[Concatenate[Any, P], E]) -> Callable[Concatenate[Any, P], E]:
    """A node's method that makes one of them, with the arguments that it takes itself."""

    def create(self: Any, /, *given: P.args, **named: P.kwargs) -> E:
        entity = kind(self, *given, **named)
        more = [entity] if entity.events is None else [entity, entity.events]
        self._ros_entities = (*self._ros_entities, *more)
        if entity.endpoints:
            self._ros_graph.add(self._ros_owned, *entity.endpoints)
        self._ros_wake()
        return entity

    return create


class Owning:
    """The part of a node that is about what it owns, and who spins it."""

    _ros_context: Context
    _ros_clock: ROSClock
    _ros_graph: Graph
    _ros_owned: Owned
    _ros_default_group: CallbackGroup
    _ros_entities: tuple[Entity, ...] = ()
    _ros_executor: weakref.ref[Executor] | None = None

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

    create_publisher = _making(Publisher)
    create_subscription = _making(Subscription)
    create_service = _making(Service)
    create_client = _making(Client)
    create_timer = _making(Timer)
    create_guard_condition = _making(GuardCondition)

    def create_rate(self, frequency: float, clock: Clock | None = None) -> Rate:
        if frequency <= 0:
            raise ValueError("frequency must be > 0")
        # Of its own: a callback that sleeps must not keep its alarm from ringing.
        timer = self.create_timer(1 / frequency, None, MutuallyExclusiveCallbackGroup(), clock)
        return Rate(timer, context=self._ros_context)

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
