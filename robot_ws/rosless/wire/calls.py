"""Services on the wire: two topics, and a header that says whose call it is."""

from __future__ import annotations

import itertools
import struct
import time
from typing import Any

from rosless.interfaces import cdr

from .participant import Participant, Reader, Writer
from .qos import Quality, user_data

HEADER = struct.Struct("<Qq")  # the client's writer, and which of its calls
Header = tuple[int, int]
PATIENCE_S, POLL_S = 0.1, 0.001  # for a client's reader to be met before it is answered


class Server:
    def __init__(
        self, participant: Participant, name: str, type_name: str, quality: Quality
    ) -> None:
        said = f"serviceid={participant.call_id()};"
        asked, told = f"{type_name}_Request", f"{type_name}_Response"
        self.reader = Reader(participant, f"rq{name}Request", asked, quality, said, call=True)
        self.writer = Writer(participant, f"rr{name}Reply", told, quality, said, call=True)
        self._met: set[int] = set()

    def take(self) -> tuple[Any, Header] | None:
        """The bytes of a request, and whose it is."""
        taken = self.reader.take()
        if not taken:
            return None
        data, _, publication = taken[0]
        self._meet(publication)
        return data, _header(data)

    def reply(self, response: Any, header: Header) -> None:
        self.writer.write(cdr.pieces(response, HEADER.pack(*header)))

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

    def close(self) -> None:
        self.reader.close()
        self.writer.close()


class Caller:
    def __init__(
        self, participant: Participant, name: str, type_name: str, quality: Quality
    ) -> None:
        said = f"clientid={participant.call_id()};"
        asked, told = f"{type_name}_Request", f"{type_name}_Response"
        self.reader = Reader(participant, f"rr{name}Reply", told, quality, said, call=True)
        self.writer = Writer(participant, f"rq{name}Request", asked, quality, said, call=True)
        self._numbers = itertools.count(1)

    def number(self) -> int:
        """Of the next call, so that it can be known before it is answered."""
        return next(self._numbers)

    def send(self, request: Any, number: int) -> None:
        self.writer.write(cdr.pieces(request, HEADER.pack(self.writer.handle, number)))

    def take(self) -> tuple[Any, int] | None:
        """The bytes of an answer, and to which call; answers to others pass by."""
        for data, _, _ in self.reader.take():
            client, number = _header(data)
            if client == self.writer.handle:
                return data, number
        return None

    def ready(self) -> bool:
        return self.writer.met() > 0 and self.reader.met() > 0

    def close(self) -> None:
        self.reader.close()
        self.writer.close()


def _header(data: Any) -> Header:
    client, number = HEADER.unpack_from(data, 4)
    return client, number
