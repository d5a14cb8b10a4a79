"""Who is there: what this process says of its nodes, and what others say of theirs.

Endpoints are DDS's own knowledge; which node one belongs to is told on `ros_discovery_info`, whole
after each change. Others' is read when somebody asks, now and then by who spins, and never waited
for: what is known of endpoints that are gone is kept until it is taken out.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from cyclonedds.builtin import (
    BuiltinDataReader,
    BuiltinTopicDcpsParticipant,
    BuiltinTopicDcpsPublication,
    BuiltinTopicDcpsSubscription,
)
from cyclonedds.core import DDSException, InstanceState, ReadCondition, SampleState, ViewState

from rosless.interfaces import cdr
from rosless.interfaces.classes import message_class

from .library import WireError
from .participant import Endpoint, Participant, Reader, Writer
from .qos import Quality, user_data

TOPIC, TYPE = "ros_discovery_info", "rmw_dds_common/msg/ParticipantEntitiesInfo"
MOST = 10_000  # of each kind that are looked at
TIDY_NS = 10_000_000_000  # after which who spins looks, though nobody asked
ANY = SampleState.Any | ViewState.Any
ALIVE = InstanceState.Alive | ANY
GONE = InstanceState.NotAliveDisposed | InstanceState.NotAliveNoWriters | ANY
NodeName = tuple[str, str]  # namespace, name
UNKNOWN: NodeName = ("_NODE_NAMESPACE_UNKNOWN_", "_NODE_NAME_UNKNOWN_")
Owned = list[Endpoint]  # what belongs to a node


@dataclass(frozen=True)
class Found:
    """An endpoint somewhere."""

    topic: str  # as DDS has it: rt/chatter
    type_name: str  # std_msgs/msg/String
    guid: bytes
    node: NodeName
    quality: Quality
    said: Mapping[str, str]


class Graph:
    def __init__(self, participant: Participant) -> None:
        quality = Quality(transient_local=True, depth=1)
        self._participant = participant
        self._info, self._node, self._gid = (
            message_class(f"rmw_dds_common/msg/{name}")
            for name in ("ParticipantEntitiesInfo", "NodeEntitiesInfo", "Gid")
        )
        self._writer = Writer(participant, TOPIC, TYPE, quality)
        told = Quality(transient_local=True, keep_all=True)
        self._reader = Reader(participant, TOPIC, TYPE, told)
        self._others: dict[bytes, list[tuple[NodeName, set[bytes]]]] = {}
        self._own: list[tuple[NodeName, Owned]] = []
        self._lock = threading.RLock()
        self._held, self._due = 0, 0
        readers = {
            topic: BuiltinDataReader(participant.entity, topic)
            for topic in (
                BuiltinTopicDcpsParticipant,
                BuiltinTopicDcpsPublication,
                BuiltinTopicDcpsSubscription,
            )
        }
        self._look = {topic: ReadCondition(reader, ALIVE) for topic, reader in readers.items()}
        self._gone = [ReadCondition(reader, GONE) for reader in readers.values()]

    def add_node(self, name: NodeName) -> Owned:
        owned: Owned = []
        with self._lock:
            self._own.append((name, owned))
            self._tell()
        return owned

    def remove_node(self, owned: Owned) -> None:
        with self._lock:
            self._own = [one for one in self._own if one[1] is not owned]
            self._tell()

    def add(self, owned: Owned, *endpoints: Endpoint) -> None:
        with self._lock:
            owned += endpoints
            self._tell()

    def remove(self, owned: Owned, *endpoints: Endpoint) -> None:
        with self._lock:
            owned[:] = [one for one in owned if one not in endpoints]
            self._tell()

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """What changes within is told in one message: a new node's endpoints are many."""
        with self._lock:
            self._held += 1
        try:
            yield
        finally:
            with self._lock:
                self._held -= 1
                self._tell()

    def _tell(self) -> None:
        if self._held:
            return
        nodes = [
            self._node(
                node_namespace=namespace,
                node_name=name,
                reader_gid_seq=[self._gid(data=list(x.guid)) for x in owned if not x.writes],
                writer_gid_seq=[self._gid(data=list(x.guid)) for x in owned if x.writes],
            )
            for (namespace, name), owned in self._own
        ]
        own = self._gid(data=list(self._participant.guid))
        info = self._info(gid=own, node_entities_info_seq=nodes)
        self._writer.write(cdr.pieces(info))
        self._hear()

    def nodes(self) -> list[NodeName]:
        """A name for each node: one name may be there twice."""
        with self._lock:
            self._hear()
            return [name for nodes in self._others.values() for name, _ in nodes]

    def writers(self) -> list[Found]:
        return self._endpoints(BuiltinTopicDcpsPublication)

    def readers(self) -> list[Found]:
        return self._endpoints(BuiltinTopicDcpsSubscription)

    def _endpoints(self, topic: Any) -> list[Found]:
        with self._lock:
            self._hear()
            owners = {
                guid: name
                for nodes in self._others.values()
                for name, guids in nodes
                for guid in guids
            }
            return [
                Found(
                    one.topic_name,
                    _ros_type(one.type_name),
                    one.key.bytes,
                    owners.get(one.key.bytes, UNKNOWN),
                    Quality.found(one.qos),
                    user_data(one.qos),
                )
                for one in self._alive(topic)
            ]

    def _alive(self, topic: Any) -> Iterator[Any]:
        condition = self._look[topic]
        yield from condition.reader.read(MOST, condition)

    def tidy(self) -> None:
        if time.monotonic_ns() < self._due:
            return
        try:
            with self._lock:
                self._hear()
        except DDSException as error:  # closed meanwhile
            raise WireError(f"graph: {error}") from None

    def _hear(self) -> None:
        """What was told since; this process's own is among it."""
        self._due = time.monotonic_ns() + TIDY_NS
        while taken := self._reader.take():
            info = cdr.deserialize(taken[0], self._info)
            self._others[info.gid.data.tobytes()] = [
                (
                    (node.node_namespace, node.node_name),
                    {x.data.tobytes() for x in (*node.reader_gid_seq, *node.writer_gid_seq)},
                )
                for node in info.node_entities_info_seq
            ]
        for gone in self._gone:  # whoever ever was there would be remembered until it is taken out
            while gone.reader.take(MOST, gone):
                pass
        alive = {one.key.bytes for one in self._alive(BuiltinTopicDcpsParticipant)}
        self._others = {guid: nodes for guid, nodes in self._others.items() if guid in alive}


def _ros_type(name: str) -> str:
    """sensor_msgs::msg::dds_::Image_ -> sensor_msgs/msg/Image"""
    return name.replace("::dds_::", "::").removesuffix("_").replace("::", "/")
