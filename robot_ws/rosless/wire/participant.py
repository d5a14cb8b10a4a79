"""A process on the wire: one participant, and the writers and readers of all its nodes."""

from __future__ import annotations

import ctypes as C
import struct
import threading
from collections.abc import Sequence
from typing import Any, ClassVar

from cyclonedds.core import DDSException, Entity, Policy, Qos, ReadCondition
from cyclonedds.domain import DomainParticipant
from cyclonedds.pub import DataWriter, Publisher
from cyclonedds.sub import DataReader, Subscriber
from cyclonedds.topic import Topic

from rosless.interfaces.definitions import type_hash

from . import settings
from .library import ANY, LIBRARY, Incompatible, Taker, WireError, checked, close, sertype, write
from .qos import Quality, user_data
from .types import idl_type


class Participant:
    def __init__(self, domain: int) -> None:
        settings.apply()
        said = Qos(Policy.Userdata(b"enclave=/;"))
        self.entity = DomainParticipant(domain, qos=said)
        self.domain = domain
        self.guid: bytes = self.entity.guid.bytes
        self.publisher, self.subscriber = Publisher(self.entity), Subscriber(self.entity)
        self._topics: dict[tuple[str, str, bool], Topic[Any]] = {}
        self._lock = threading.Lock()
        self._calls = 0

    def topic(self, name: str, type_name: str, call: bool) -> Topic[Any]:
        """Topics are few and kept: another endpoint may come."""
        with self._lock:
            key = (name, type_name, call)
            if key not in self._topics:
                self._topics[key] = Topic(self.entity, name, idl_type(type_name, call))
            return self._topics[key]

    def call_id(self) -> str:
        """By which the two topics of a service or client are known to belong together."""
        with self._lock:
            self._calls += 1
            return ".".join(f"{b:x}" for b in self.guid[:12] + struct.pack(">I", self._calls))

    def close(self) -> None:
        close(self.entity)


class Endpoint:
    """A writer or reader. `said` goes before its type's hash in what others can read of it; a
    `call` carries the header of a service."""

    entity: Entity
    matched: ClassVar[str]  # the function that lists who it has met
    misfits: ClassVar[tuple[int, str]]  # the status bit of those that do not fit, and what tells it
    writes: ClassVar[bool]

    def __init__(
        self,
        participant: Participant,
        topic: str,
        type_name: str,
        quality: Quality,
        said: str = "",
        call: bool = False,
    ) -> None:
        known = participant.topic(topic, type_name, call)
        hash_of_type = f"{said}typehash={type_hash(type_name)};".encode()
        qos = quality.told(hash_of_type, self.writes)
        if self.writes:
            self.entity = DataWriter(participant.publisher, known, qos=qos)
        else:
            self.entity = DataReader(participant.subscriber, known, qos=qos)
        self.ref: int = self.entity._ref
        self.guid: bytes = self.entity.guid.bytes

    def close(self) -> None:
        close(self.entity)

    def met(self) -> int:
        """How many there are on the other side."""
        found: int = LIBRARY[self.matched](self.ref, None, 0)
        return max(found, 0)

    def watch_incompatible(self) -> None:
        """From here on it is ready, as a condition, when one was met whose quality does not fit."""
        LIBRARY.dds_set_status_mask(self.ref, self.misfits[0])

    def incompatible(self) -> tuple[int, int, int]:
        """How many there were, how many since the last time, and the policy of the latest."""
        status = Incompatible()
        checked(LIBRARY[self.misfits[1]](self.ref, C.byref(status)), "status")
        return status.total, status.change, status.policy


class Writer(Endpoint):
    matched, writes = "dds_get_matched_subscriptions", True
    misfits = (1 << 3, "dds_get_offered_incompatible_qos_status")

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.handle: int = self.entity.get_instance_handle() & ((1 << 64) - 1)
        self._kind = sertype(self.ref)

    def write(self, parts: Sequence[Any]) -> None:
        write(self.ref, self._kind, parts)

    def clients(self) -> set[str]:
        """Whose readers a service's writer has met."""
        try:
            handles = self.entity.get_matched_subscriptions()
            found = map(self.entity.get_matched_subscription_data, handles)
            return {user_data(one.qos).get("clientid", "") for one in found if one is not None}
        except DDSException as error:  # closed meanwhile
            raise WireError(f"clients: {error}") from None


class Reader(Endpoint):
    matched, writes = "dds_get_matched_publications", False
    misfits = (1 << 4, "dds_get_requested_incompatible_qos_status")

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._ready = ReadCondition(self.entity, ANY)
        self.condition: int = self._ready._ref
        self.take = Taker(self.ref)

    def client(self, publication: int) -> str | None:
        """Whose writer that is."""
        asking = self.entity.get_matched_publication_data(publication)
        return user_data(asking.qos).get("clientid") if asking is not None else None

    def close(self) -> None:
        close(self._ready)
        super().close()
