"""One HTTP request that ends in time, whatever is at the other end.

A socket's own timeout is of each byte: who sends one a second holds its reader for ever. So the
request has a thread of its own, whose socket is shut when time is up.
"""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

LARGEST = 1 << 20  # bytes of an answer
PIECE = 1 << 16


class Unanswered(Exception):
    """Why there is no answer; `again`: another try may get one."""

    def __init__(self, reason: str, again: bool = False) -> None:
        super().__init__(reason)
        self.again = again


def post(url: str, body: bytes, headers: Mapping[str, str], until: float) -> tuple[int, bytes]:
    """Status and body, before `until` of the monotonic clock."""
    request = _Request(url, body, headers, until)
    thread = threading.Thread(target=request.run, name="post", daemon=True)
    thread.start()
    thread.join(max(until - time.monotonic(), 0.0))
    if thread.is_alive():
        request.shut()
        raise Unanswered("no answer in time")
    if isinstance(request.found, Unanswered):
        raise request.found
    assert request.found is not None
    return request.found


class _Request:
    def __init__(self, url: str, body: bytes, headers: Mapping[str, str], until: float) -> None:
        self._parts, self._body, self._headers = urlsplit(url), body, headers
        left = max(until - time.monotonic(), 0.001)
        secure = self._parts.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        self._connection = kind(self._parts.hostname or "", self._parts.port, timeout=left)
        self.found: tuple[int, bytes] | Unanswered | None = None

    def run(self) -> None:
        try:
            self.found = self._talk()
        except (OSError, http.client.HTTPException) as error:
            self.found = Unanswered(f"{type(error).__name__}: {error}", again=True)
        except Unanswered as error:
            self.found = error
        finally:
            self._connection.close()

    def _talk(self) -> tuple[int, bytes]:
        path = self._parts.path + (f"?{self._parts.query}" if self._parts.query else "")
        self._connection.request("POST", path, self._body, dict(self._headers))
        with self._connection.getresponse() as response:
            data = bytearray()
            while piece := response.read(PIECE):
                data += piece
                if len(data) > LARGEST:
                    raise Unanswered(f"an answer of more than {LARGEST} bytes")
            if response.length:  # http.client says nothing of it to who reads in pieces
                raise Unanswered(f"the answer ends {response.length} bytes early", again=True)
            return response.status, bytes(data)

    def shut(self) -> None:
        """So that the thread wakes up, and ends."""
        sock = self._connection.sock
        if sock is not None:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # it has ended by itself
