"""Drive the robot by a policy that openpi serves: a vision-language-action model, elsewhere.

    policy = RemotePolicy("ws://gpu:8000", cell.interface(), droid)
    policy.reset()                                   # when an episode begins
    decision = policy.act(batch_of_one(images, proprio))

Such a policy answers with a chunk of actions. The first `horizon` of them are executed, then it is
asked again. A chunk lasts for half as long again as they take, counted from its observation. Its
answers have no number, so a connection on which one came too late is given up.

openpi's protocol knows no encryption of its own: use wss:// or a tunnel beyond a network you trust.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from policy.contract import ContractError, Interface, Invalid, Problem
from policy.feed import (
    PROPRIO,
    Array,
    BadAction,
    Decision,
    Feed,
    FloatArray,
    check_feed,
    check_limits,
    tensors,
)
from policy.serving import openpi


@dataclass(frozen=True)
class Column:
    """Where in a row of its actions one of ours is, and what a unit of it is in ours."""

    index: int
    scale: float = 1.0


@dataclass(frozen=True)
class Dialect:
    """How a model calls what we see and do. Its own server does any resizing."""

    images: Mapping[str, str]  # its key: our camera
    state: Mapping[str, Sequence[str]]  # its key: our proprio entries, in its order
    action: Mapping[str, Column]  # our entry: where it is; switches may be left out, and stay low
    prompt: str
    horizon: int = 8
    prompt_key: str = "prompt"
    actions_key: str = "actions"
    fixed: Mapping[str, Any] = field(default_factory=dict)  # what else it wants to be told


class RemotePolicy:
    stack = 1

    def __init__(
        self,
        url: str,
        interface: Interface,
        dialect: Dialect,
        api_key: str | None = None,
        timeout_s: float = 60.0,  # of an answer; the first one compiles
    ) -> None:
        self.name, self.interface, self._dialect = url, interface, dialect
        _check(dialect, interface)
        self._tensors = tensors(interface)
        self._headers = {"Authorization": f"Api-Key {api_key}"} if api_key else {}
        self._timeout_s = timeout_s
        self._opened = ExitStack()
        self._connection: ClientConnection | None = None
        self._chunk: list[FloatArray] = []  # what is left to execute
        self._until = 0.0  # when it is too old
        self.timing: Mapping[str, Any] = {}
        self.metadata: dict[str, Any] = {}
        self.version = ""
        self._connect()

    def reset(self) -> None:
        """Forget what is left of the chunk: what follows is another episode."""
        self._chunk = []

    def act(
        self,
        feed: Feed,
        limits: FloatArray | None = None,
        seeds: Sequence[int] | None = None,  # it draws its own
    ) -> Decision:
        """The next action, brought within its limits: the model does not know them."""
        rows = check_feed(self._tensors, feed)
        if rows != 1:
            problem = Problem("observation", f"{rows} rows", "one", "use a policy for each robot")
            raise ContractError("observation", [problem])
        allowed = check_limits(self.interface.action, limits, 1)
        if not self._chunk or time.monotonic() > self._until:
            self._chunk = self._plan(feed)
        action = np.clip(self._chunk.pop(0)[None], allowed[:, 0], allowed[:, 1])
        return Decision(action, np.full(1, np.nan, np.float32), self.version)

    def close(self) -> None:
        self._connection = None
        self._opened.close()

    def __enter__(self) -> RemotePolicy:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _connect(self) -> ClientConnection:
        try:
            connection = self._opened.enter_context(
                connect(
                    self.name,
                    compression=None,
                    max_size=openpi.MAX_MESSAGE,
                    additional_headers=self._headers,
                    open_timeout=self._timeout_s,
                )
            )
        except (OSError, WebSocketException, ValueError) as error:
            raise self._failed(error) from None
        self._connection = connection
        greeting = self._receive(connection)
        self.metadata = self._understand(greeting)
        self.version = f"openpi-{hashlib.sha256(greeting).hexdigest()[:12]}"
        return connection

    def _plan(self, feed: Feed) -> list[FloatArray]:
        """A chunk for what is seen now, unless the answer takes so long that now is long ago."""
        seen, lasting = time.monotonic(), self._dialect.horizon * self.interface.control_period_s
        chunk = self._ask(feed)
        age, most = time.monotonic() - seen, 1.5 * lasting
        if age > most:
            remedy = "ask again, if it has compiled only now; else look at the server's load"
            problem = Problem("chunk age", f"{age:.1f} s", f"up to {most:.1f} s", remedy)
            raise ContractError(self.name, [problem])
        self._until = seen + most
        return chunk

    def _ask(self, feed: Feed) -> list[FloatArray]:
        connection = self._connection or self._connect()
        try:
            connection.send(openpi.pack(self._observation(feed)))
        except (OSError, WebSocketException) as error:
            raise self._failed(error) from None
        reply = self._understand(self._receive(connection))
        timing = reply.get("server_timing", {})
        self.timing = timing if isinstance(timing, dict) else {}
        return list(self._actions(reply.get(self._dialect.actions_key))[: self._dialect.horizon])

    def _receive(self, connection: ClientConnection) -> bytes:
        try:
            data = connection.recv(self._timeout_s)
        except (OSError, WebSocketException) as error:  # a timeout is an OSError
            raise self._failed(error) from None
        if isinstance(data, str):  # its way to say that it failed: a traceback
            lines = data.strip().splitlines() or [""]
            raise self._failed(lines[-1])
        return data

    def _understand(self, data: bytes) -> dict[str, Any]:
        try:
            return openpi.unpack(data)
        except Invalid as error:
            self.close()
            raise ContractError(self.name, [error.problem]) from None

    def _observation(self, feed: Feed) -> dict[str, Any]:
        words, names = self._dialect, [e.name for e in self.interface.observation.proprio]
        felt: dict[str, Array] = {
            key: feed[PROPRIO][0, [names.index(name) for name in wanted]]
            for key, wanted in words.state.items()
        }
        seen = {key: feed[camera][0] for key, camera in words.images.items()}
        return {**words.fixed, **seen, **felt, words.prompt_key: words.prompt}

    def _actions(self, found: Any) -> FloatArray:
        """Its chunk in our words, (steps, A)."""
        words, spec = self._dialect, self.interface.action
        columns = 1 + max(column.index for column in words.action.values())
        wanted = f"floats of at least {words.horizon} steps by {columns} columns"
        if not isinstance(found, np.ndarray) or found.dtype.kind != "f":
            text = type(found).__name__ if not isinstance(found, np.ndarray) else str(found.dtype)
            raise self._broken("actions", text, wanted, "correct the keys of the dialect")
        if found.ndim != 2 or found.shape[0] < words.horizon or found.shape[1] < columns:
            raise self._broken("actions", found.shape, wanted, "correct horizon and columns")
        chunk = np.repeat(spec.low[None], len(found), 0)
        for k, name in enumerate(spec.names):
            if name in words.action:
                column = words.action[name]
                chunk[:, k] = found[:, column.index] * column.scale
        if not np.isfinite(chunk).all():
            names = [spec.names[k] for k in np.flatnonzero(~np.isfinite(chunk).all(0))]
            remedy = "do not act on it: look at the server"
            raise self._broken("actions", f"NaN or infinity in {', '.join(names)}", wanted, remedy)
        return chunk

    def _broken(self, name: str, found: object, wanted: str, remedy: str) -> BadAction:
        return BadAction(self.name, [Problem(name, found, wanted, remedy)])

    def _failed(self, why: object) -> ContractError:
        self.close()
        text = str(why) or type(why).__name__
        problem = Problem("connection", text, "a server that answers", "look at the server")
        return ContractError(self.name, [problem])


def _check(dialect: Dialect, interface: Interface) -> None:
    spec = interface.observation
    known = {
        "images": (dialect.images.values(), spec.cameras),
        "state": (
            [name for names in dialect.state.values() for name in names],
            [entry.name for entry in spec.proprio],
        ),
        "action": (dialect.action, interface.action.names),
    }
    for part, (used, offered) in known.items():
        for name in used:
            if name not in offered:
                wanted = f"one of {', '.join(offered)}"
                raise Invalid(f"{part}.{name}", name, wanted, "correct the dialect")
    for entry in interface.action.entries:
        if entry.name not in dialect.action and not entry.discrete:
            remedy = "say which column of its actions it is"
            raise Invalid(f"action.{entry.name}", "nothing", "a column", remedy)
    if dialect.horizon < 1:
        raise Invalid("horizon", dialect.horizon, "1 or more", "say how much of a chunk to execute")
