"""Services on the wire: two topics, and a header that says whose call it is."""

from __future__ import annotations

import itertools
import struct
import time
from typing import Any, ClassVar

from rosless.interfaces import cdr

from .participant import Participant, Reader, Writer
from .qos import Quality, user_data

HEADER = struct.Struct("<Qq")  # the client's writer, and which of its calls
Header = tuple[int, int]
PATIENCE_S, POLL_S = 0.1, 0.001  # for a client's reader to be met before it is answered


class _End:
    role: ClassVar[str]
    hears: ClassVar[
        tuple[str, str, str]
    ]  # what is before a topic's name, behind it, and its type's
    says: ClassVar[tuple[str, str, str]]

    def __init__(
        self, participant: Participant, name: str, type_name: str, quality: Quality
    ) -> None:
        said = f"{self.role}={participant.call_id()};"
        (heard, behind, kind), (told, after, other) = self.hears, self.says
        own = (quality, said, True)
        self.reader = Reader(participant, f"{heard}{name}{behind}", f"{type_name}{kind}", *own)
        self.writer = Writer(participant, f"{told}{name}{after}", f"{type_name}{other}", *own)

    def send(self, message: Any, header: Header) -> None:
        self.writer.write(cdr.pieces(message, HEADER.pack(*header)))


class Server(_End):
    role = "serviceid"
    hears, says = ("rq", "Request", "_Request"), ("rr", "Reply", "_Response")

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._met: set[int] = set()

    def take(self) -> tuple[Any, Header] | None:
        """The bytes of a request, and whose it is."""
        taken = self.reader.take()
        if not taken:
            return None
        data, _, publication = taken[0]
        self._meet(publication)
        return data, HEADER.unpack_from(data.data, 4)

    def _meet(self, publication: int) -> None:
        """An answer goes to who is known: a new client's reader may not have been met yet."""
        if publication in self._met:
            return
        asking = self.reader.entity.get_matched_publication_data(publication)
        client = user_data(asking.qos).get("clientid") if asking is not None else None
        end = time.monotonic() + PATIENCE_S
        while client is not None and time.monotonic() < end:
            if client in self._clients():
                self._met.add(publication)
                return
            time.sleep(POLL_S)

    def _clients(self) -> set[str]:
        writer: Any = self.writer.entity
        found = map(writer.get_matched_subscription_data, writer.get_matched_subscriptions())
        return {user_data(one.qos).get("clientid", "") for one in found if one is not None}


class Caller(_End):
    role = "clientid"
    hears, says = Server.says, Server.hears

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._numbers = itertools.count(1)

    def number(self) -> int:
        """Of the next call, so that it can be known before it is answered."""
        return next(self._numbers)

    def call(self, request: Any, number: int) -> None:
        self.send(request, (self.writer.handle, number))

    def take(self) -> tuple[Any, int] | None:
        """The bytes of an answer, and to which call; answers to others pass by."""
        for data, _, _ in self.reader.take():
            client, number = HEADER.unpack_from(data.data, 4)
            if client == self.writer.handle:
                return data, number
        return None

    def ready(self) -> bool:
        return self.writer.met() > 0 and self.reader.met() > 0
