"""Ask a policy server for actions.

    with Client("tcp://127.0.0.1:5555", robot="left") as policy:
        decision = policy.act(feed, captured_ns=stamp)

A client is a policy: it stands where one is wanted. It speaks for one robot, from one thread. On
the server's own machine it puts frames into shared memory, and only the header goes over a socket;
`frames()` hands out that memory, for a camera that can write there itself.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np

from policy.contract import ContractError, Interface, Invalid, Problem
from policy.feed import (
    LIMITS,
    Array,
    Decision,
    Feed,
    FloatArray,
    announced,
    check_decision,
    check_feed,
    check_limits,
    tensors,
)
from policy.serving.clock import CLOCK, too_old
from policy.serving.keys import ClientKeys
from policy.serving.local import SLOTS, Link
from policy.serving.network import Buffer, Connection
from policy.serving.parcels import announce
from policy.serving.wire import (
    SPEAK,
    Answer,
    Ask,
    Command,
    Hello,
    Message,
    Refusal,
    Status,
    Welcome,
    pack,
    unpack,
)

T = TypeVar("T", bound=Message)


@dataclass(frozen=True)
class Answered(Decision):
    """A decision, and the seconds that went by: what the observation is old now, what it waited
    at the server, what the policy took."""

    age_s: float
    queue_s: float
    run_s: float


class Client:
    def __init__(
        self,
        address: str,
        robot: str = "robot",
        keys: ClientKeys | None = None,
        shared_memory: bool = True,
        patience_s: float = 5.0,  # for a server that is starting
    ) -> None:
        self.robot = robot
        self._ids = itertools.count(1)
        self._connection = Connection(address, keys)
        try:
            until = time.monotonic_ns() + int(patience_s * 1e9)
            number = next(self._ids)
            self._connection.send([pack(Hello(number, robot))], patience_s)
            welcome = _await(self._connection, number, until, Welcome)
        except ContractError:
            self._connection.close()
            raise
        self.name, self.version = welcome.name, welcome.version
        self.interface: Interface = welcome.interface
        self.stack, self.max_age_s, self.door = welcome.stack, welcome.max_age_s, welcome.door
        self._tensors = tensors(self.interface, self.stack)
        self._announced = announced(self.interface, self.stack)
        self._link: Link | None = None
        self._slots: list[dict[str, Array]] = []
        self._starts: dict[int, int] = {}  # of an array in a slot, by its identity
        self._slot = 0
        if shared_memory and welcome.door and welcome.clock == CLOCK:
            self._share(welcome.door)

    @property
    def shares_memory(self) -> bool:
        return self._link is not None

    def frames(self) -> dict[str, Array]:
        """Arrays, batches of one, for a camera to fill and `act` to be given: the next of two."""
        if not self._link:
            return {
                name: np.zeros((1, *one.shape), np.uint8)
                for name, one in self._tensors.items()
                if one.dtype == "uint8"
            }
        self._slot = (self._slot + 1) % SLOTS
        return self._slots[self._slot]

    def act(
        self,
        feed: Feed,
        limits: FloatArray | None = None,
        seeds: Sequence[int] | None = None,
        captured_ns: int | None = None,
        budget_s: float | None = None,
    ) -> Answered:
        """The action for one robot's observation, captured at `captured_ns` of
        `time.monotonic_ns()` (now, if not given). It comes within `budget_s` (one control period),
        and before the observation is too old, or `ContractError` is raised: there is nothing to act
        on then."""
        rows = check_feed(self._tensors, feed)
        if rows != 1:
            problem = Problem("observation", f"{rows} rows", "one", "use a client for each robot")
            raise ContractError("observation", [problem])
        spec = self.interface.action
        allowed = check_limits(spec, limits, 1)
        budget = self.interface.control_period_s if budget_s is None else budget_s
        sent = time.monotonic_ns()
        captured = sent if captured_ns is None else captured_ns
        until, number = sent + int(budget * 1e9), next(self._ids)
        parts: list[Buffer] = []
        given = feed if limits is None else {**feed, LIMITS: limits}
        arrays = announce(given, self._announced, lambda name, frame: self._put(name, frame, parts))
        seed = None if seeds is None else seeds[0]
        ask = pack(Ask(number, self.robot, CLOCK, captured, sent, until, seed, arrays))
        if self._link:
            self._link.send(ask)
        else:
            self._connection.send([ask, *parts], budget)
        answer = _await(self._link or self._connection, number, until, Answer)
        now, most = time.monotonic_ns(), int(self.max_age_s * 1e9)
        if now - captured > most:  # the server does not see what the network took
            raise ContractError("policy server", [too_old(now - captured, most).problem])
        if len(answer.action) != 4 * len(spec):
            found = f"{len(answer.action)} bytes"
            raise ContractError(
                "policy server", [Problem("action", found, f"{4 * len(spec)}", SPEAK)]
            )
        self.version = answer.version
        action = np.frombuffer(answer.action, np.float32)[None]
        answered = Answered(
            action,
            np.array([answer.q], np.float32),
            answer.version,
            age_s=(now - captured) / 1e9,
            queue_s=answer.queue_ns / 1e9,
            run_s=answer.run_ns / 1e9,
        )
        return check_decision("policy server", spec, allowed, answered)

    def close(self) -> None:
        if self._link:
            self._link.close()
        self._connection.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _share(self, door: str) -> None:
        """Take the short way if there is one: not from another user, or network namespace."""
        try:
            self._link = Link(door)
        except OSError:
            return
        start, frames = 0, [(n, t) for n, t in self._tensors.items() if t.dtype == "uint8"]
        for _ in range(SLOTS):
            slot = {}
            for name, one in frames:
                part = self._link.memory[start : start + one.nbytes]
                slot[name] = np.frombuffer(part, np.uint8).reshape(1, *one.shape)
                self._starts[id(slot[name])] = start
                start += one.nbytes
            self._slots.append(slot)

    def _put(self, name: str, frame: Array, parts: list[Buffer]) -> int:
        if not self._link:
            parts.append(np.ascontiguousarray(frame).data)
            return len(parts) - 1
        start = self._starts.get(id(frame))
        if start is None:  # else the camera wrote it there
            place = self._slots[self._slot][name]
            place[...] = frame
            start = self._starts[id(place)]
        return start


class Operator:
    """Changes the policy of a server, through its control address."""

    def __init__(self, control: str, patience_s: float = 120.0) -> None:
        self._connection, self._patience_s = Connection(control), patience_s
        self._ids = itertools.count(1)

    def offer(self, path: str) -> str:
        """The version that serves then; `ContractError` if the policy is refused."""
        return self._command("offer", path)

    def rollback(self) -> str:
        return self._command("rollback")

    def status(self) -> str:
        return self._command("status")

    def close(self) -> None:
        self._connection.close()

    def _command(self, verb: Literal["offer", "rollback", "status"], path: str = "") -> str:
        number = next(self._ids)
        until = time.monotonic_ns() + int(self._patience_s * 1e9)
        self._connection.send([pack(Command(number, verb, path))], self._patience_s)
        return _await(self._connection, number, until, Status).version


def _await(way: Connection | Link, number: int, until_ns: int, kind: type[T]) -> T:
    """The reply to request `number`. Those to requests given up on before are thrown away."""
    while True:
        left = (until_ns - time.monotonic_ns()) / 1e9
        packet = way.receive(left) if left > 0 else None
        if packet is None or time.monotonic_ns() > until_ns:
            wanted = "an answer before it has passed"
            remedy = "allow more time, or look at the server's load"
            raise ContractError("policy server", [Problem("deadline", "passed", wanted, remedy)])
        try:
            reply = unpack(packet)
        except Invalid as error:
            raise ContractError("policy server", [error.problem]) from None
        if isinstance(reply, Refusal) and reply.id in (0, number):
            raise reply.error("policy server")
        if isinstance(reply, kind) and reply.id == number:
            return reply
