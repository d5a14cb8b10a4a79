"""A cable that can be unplugged: TCP from one port to another, cut at random."""

from __future__ import annotations

import random
import select
import socket
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self


class Cable:
    """Every connection breaks after a random number of bytes, up to `most`; the other end is told
    nothing, as by a plug that is pulled, until it sends again. `cuts` counts."""

    def __init__(self, port: int, most: int, seed: int) -> None:
        self._port, self._most = port, most
        self._random = random.Random(seed)
        self.cuts = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"tcp://127.0.0.1:{self._socket.getsockname()[1]}"
        self._running = True
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._running = False
        self._thread.join()
        self._socket.close()

    def _work(self) -> None:
        while self._running:
            if select.select([self._socket], [], [], 0.02)[0]:
                near, _ = self._socket.accept()
                with near, socket.create_connection(("127.0.0.1", self._port)) as far:
                    self._carry(near, far)

    def _carry(self, near: socket.socket, far: socket.socket) -> None:
        left = self._random.randint(1, self._most)
        while self._running:
            for source in select.select([near, far], [], [], 0.02)[0]:
                data = source.recv(min(left, 1 << 16))
                if not data:
                    return
                (far if source is near else near).sendall(data)
                left -= len(data)
                if left <= 0:
                    self.cuts += 1
                    return
