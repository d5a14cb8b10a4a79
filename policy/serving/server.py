"""Answer robots over ZeroMQ and, on the same machine, through shared memory.

    with Server(Host(OnnxPolicy(path)), ServerConfig("tcp://127.0.0.1:5555")) as server:
        server.run()

One thread does it all, from the socket to the graph and back: a hand-over to another thread would
cost more than most of what is done here. What waits when it looks is run as one batch; it never
waits for more. Every request is held against its deadline and its observation's age, before the
policy runs and after.
"""

from __future__ import annotations

import contextlib
import logging
import math
import socket
import time
from dataclasses import dataclass

import zmq

from policy.contract import ContractError, Invalid
from policy.feed import LIMITS, announced, tensors
from policy.serving.batch import Waiting, decide
from policy.serving.clock import CLOCK, on_our_clock
from policy.serving.host import Host
from policy.serving.keys import ServerKeys, require_own
from policy.serving.local import AVAILABLE, SLOTS, Door, Guest
from policy.serving.network import Network, admitting
from policy.serving.orders import Orders
from policy.serving.parcels import Parcel, fetch
from policy.serving.watch import Watch, resident, return_memory
from policy.serving.wire import Ask, Hello, Refusal, Welcome, pack, unpack

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class ServerConfig:
    bind: str
    control: str | None = None  # where an operator offers policies: ipc only
    max_age_s: float | None = None  # of an observation; one control period if not given
    max_batch: int = 8  # robots in one run of the policy
    max_local: int = 64  # clients through shared memory
    max_memory: int = 4 << 30  # bytes; beyond it, what came over the network is thrown away
    keys: ServerKeys | None = None

    def __post_init__(self) -> None:
        if self.max_batch < 1:
            raise Invalid("max_batch", self.max_batch, "1 or more", "8 is the default")
        if self.max_age_s is not None and not 0 < self.max_age_s < math.inf:
            remedy = "give seconds, or leave it out for one control period"
            raise Invalid("max_age_s", self.max_age_s, "more than 0, and finite", remedy)


class Server:
    def __init__(self, host: Host, config: ServerConfig) -> None:
        self._host, self._config = host, config
        self._tensors = tensors(host.interface, host.stack)
        self._announced = announced(host.interface, host.stack)
        frames = [one.nbytes for one in self._tensors.values() if one.dtype == "uint8"]
        age = host.interface.control_period_s if config.max_age_s is None else config.max_age_s
        self._max_age_ns = int(age * 1e9)
        self._running = True
        self._guests: dict[int, Guest] = {}
        self._orders = Orders(host, self._ring)
        self._poller = zmq.Poller()
        self._watch = Watch(config.max_memory)
        with contextlib.ExitStack() as opened:
            # Rung to stop, and when an offer is decided.
            self._bell, self._rope = map(opened.enter_context, socket.socketpair())
            context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
            opened.callback(context.destroy, linger=0)
            opened.enter_context(admitting(context, config.keys))
            self.network = Network(context, config.bind, max(frames, default=0), config.keys)
            self._control = None
            if config.control is not None:
                require_own(config.control)
                self._control = Network(context, config.control, 0)
            self._door = None
            if AVAILABLE and frames:
                self._door = Door(SLOTS * sum(frames), config.max_local)
                opened.callback(self._door.close)
            opened.callback(self._dismiss)
            self._opened = opened.pop_all()
        self.address = self.network.address
        for one in (self.network.socket, self._control and self._control.socket):
            if one:
                self._poller.register(one, zmq.POLLIN)
        for file in (self._bell, self._door):
            if file:
                self._poller.register(file.fileno(), zmq.POLLIN)

    def run(self) -> None:
        """Serve until `stop`."""
        while self._running:
            self.turn()

    def stop(self) -> None:
        """From any thread."""
        self._running = False
        self._ring()

    def close(self) -> None:
        self._opened.close()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def turn(self) -> None:
        """Take what is there, then decide. For `run`, and for who has a loop of their own."""
        looked = time.monotonic_ns()
        ready = dict(self._poller.poll(0))
        if self.network.socket not in ready:
            self.network.emptied_ns = looked
        arrived = self.network.emptied_ns  # what waits already came at some time since then
        if not ready:
            ready = dict(self._poller.poll(self._watch.every_ms))
            arrived = time.monotonic_ns()  # or earlier by what it took us to wake up
        if self._watch.exceeded():
            self._hang_up()
            return
        waiting: list[Waiting] = []
        for source in ready:
            if source in self._guests:
                waiting += self._hear(self._guests[source])
            elif source is self.network.socket:
                for parcel in self.network.take(self._config.max_batch):
                    waiting += self._open(parcel, arrived)
            elif self._control and source is self._control.socket:
                for parcel in self._control.take(1):
                    self._orders.obey(parcel)
            elif source == self._bell.fileno():
                self._bell.recv(4096)
                self._orders.settle()
            elif self._door:
                self._admit(self._door)
        for first in range(0, len(waiting), self._config.max_batch):
            batch = waiting[first : first + self._config.max_batch]
            decide(self._host, batch, self._max_age_ns)

    def _admit(self, door: Door) -> None:
        guest = door.admit(len(self._guests))
        if guest:
            self._guests[guest.fileno()] = guest
            self._poller.register(guest.fileno(), zmq.POLLIN)

    def _hear(self, guest: Guest) -> list[Waiting]:
        parcel = guest.take()
        if parcel:
            return self._open(parcel, None)
        self._poller.unregister(guest.fileno())
        del self._guests[guest.fileno()]
        guest.close()
        return []

    def _hang_up(self) -> None:
        """Begin anew with the network. Clients connect again by themselves; those on this machine
        do not notice."""
        held = resident()
        self._poller.unregister(self.network.socket)
        self.network.reopen()
        self._poller.register(self.network.socket, zmq.POLLIN)
        return_memory()
        LOG.error(
            "memory: found %d MiB, wanted at most %d; all network connections dropped; "
            "raise max_memory if it is the policy that is so large",
            held >> 20,
            self._config.max_memory >> 20,
        )

    def _dismiss(self) -> None:
        for guest in self._guests.values():
            guest.close()

    def _open(self, parcel: Parcel, arrived: int | None) -> list[Waiting]:
        """A robot's parcel: who asks for an action waits for the others, the rest is answered."""
        id = 0
        try:
            message = unpack(parcel.header)
            id = message.id
            if isinstance(message, Ask):
                return [self._waiting(message, parcel, arrived)]
            if not isinstance(message, Hello):
                found, remedy = type(message).__name__.lower(), "see the control address"
                raise Invalid("kind", found, "ask or hello", remedy)
            parcel.reply(pack(self._welcome(message)))
        except (Invalid, ContractError) as error:
            parcel.reply(pack(Refusal.of(id, error)))
        return []

    def _waiting(self, ask: Ask, parcel: Parcel, arrived: int | None) -> Waiting:
        """`arrived` is the earliest time that it can have; None if it was sent on this machine."""
        now = time.monotonic_ns()
        if ask.clock == CLOCK:
            arrived = ask.sent_ns
        elif arrived is None:
            raise Invalid("clock", ask.clock, f"'{CLOCK}', this machine's", "use the network")
        captured, deadline = on_our_clock(
            ask.clock, ask.captured_ns, ask.sent_ns, ask.deadline_ns, arrived, now
        )
        feed = fetch(ask, self._announced, parcel.reach)
        limits = feed.pop(LIMITS, None)
        if feed.keys() != self._tensors.keys():
            wanted = ", ".join(self._tensors)
            raise Invalid("arrays", sorted(feed), wanted, "send what the policy's card says")
        return Waiting(ask, feed, limits, captured, deadline, arrived, parcel.reply)

    def _welcome(self, hello: Hello) -> Welcome:
        LOG.info("'%s' says hello", hello.robot)
        return Welcome(
            hello.id,
            self._host.name,
            self._host.version,
            self._host.interface,
            self._host.stack,
            self._max_age_ns / 1e9,
            CLOCK,
            self._door.name if self._door else "",
        )

    def _ring(self, _: object = None) -> None:
        with contextlib.suppress(OSError):  # closed meanwhile
            self._rope.send(b"!")
