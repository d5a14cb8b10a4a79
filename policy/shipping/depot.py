"""The learner's side: takes in a robot's log, gives out the newest model.

    with Depot(Path("log"), "tcp://127.0.0.1:5556", offers=Path("out/finetune/offers")) as depot:
        depot.run()

It remembers nothing: what it has is in its directory, and every request may come again.
"""

from __future__ import annotations

import logging
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import zmq

from policy.contract import ContractError, Invalid
from policy.contract.files import newest
from policy.experience.errors import DamagedError, ExperienceError, ForeignError
from policy.serving.keys import ServerKeys
from policy.serving.network import Network, admitting
from policy.serving.parcels import Parcel
from policy.serving.watch import Watch, return_memory
from policy.serving.wire import SPEAK, Refusal
from policy.shipping.inbox import Inbox, item_of
from policy.shipping.sound import EPISODES, LARGEST_EPISODE, check_log_file
from policy.shipping.wire import (
    LARGEST,
    PIECE,
    STORAGE,
    Fetch,
    Inventory,
    Item,
    Lacking,
    Message,
    Model,
    Newest,
    Piece,
    Stored,
    pack,
    unpack,
)

if TYPE_CHECKING:
    from typing_extensions import Self

LOG = logging.getLogger(__name__)
AT_ONCE = 16  # messages between two looks at what is held
UNSOUND = (DamagedError, ForeignError)


class Depot:
    def __init__(
        self,
        log: Path,
        bind: str,
        offers: Path | None = None,
        keys: ServerKeys | None = None,
        max_memory: int = 4 << 30,
    ) -> None:
        self._inbox = Inbox(log, EPISODES, LARGEST_EPISODE, check_log_file)
        self._offers = offers
        self._newest: tuple[Path, int, Item] | None = None
        self._watch = Watch(max_memory)
        self._running = True
        with ExitStack() as opened:
            context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
            opened.callback(context.destroy, linger=0)
            opened.enter_context(admitting(context, keys))
            self._network = Network(context, bind, LARGEST, keys)
            self._opened = opened.pop_all()
        self.address = self._network.address

    def run(self) -> None:
        """Until `stop`."""
        while self._running:
            self.turn()

    def stop(self, *_: object) -> None:
        """From any thread, or as a handler of signals."""
        self._running = False

    def turn(self) -> None:
        if self._watch.exceeded():  # a peer that sends without end
            self._network.reopen()
            return_memory()
            LOG.error("memory: all connections dropped; raise max_memory if episodes need it")
        if self._network.socket.poll(self._watch.every_ms):
            # First all, then the answers: only a poll makes libzmq look how many of them are still
            # on their way, and what it takes for too many it drops.
            for parcel in list(self._network.take(AT_ONCE)):
                self._answer(parcel)

    def close(self) -> None:
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _answer(self, parcel: Parcel) -> None:
        number = 0
        try:
            message, data = unpack(parcel.header)
            number = message.id
            answer, back = self._do(message, data)
        except (Invalid, ContractError) as error:
            answer, back = Refusal.of(number, error), b""
        except (ExperienceError, OSError) as error:
            field = "file" if type(error) in UNSOUND else STORAGE
            fault = Invalid(field, str(error), "a sound file, and room for it", "see there")
            answer, back = Refusal.of(number, fault), b""
        if isinstance(answer, Refusal):
            LOG.warning("refused: %s", answer.error("a file"))
        parcel.reply(pack(answer, back))

    def _do(self, message: Message, data: bytes) -> tuple[Message, bytes]:
        number = message.id
        if isinstance(message, Inventory):
            lacking = [name for name, size in message.files if self._inbox.lacks(name, size)]
            return Lacking(number, tuple(lacking)), b""
        if isinstance(message, Piece):
            return Stored(number, self._inbox.put(message.item, message.offset, data)), b""
        if isinstance(message, Newest):
            return Model(number, self._model()), b""
        if isinstance(message, Fetch):
            return Piece(number, message.item, message.offset), self._piece(message)
        raise Invalid("kind", type(message).__name__.lower(), "a request", SPEAK)

    def _model(self) -> Item | None:
        path = newest(self._offers, "*.onnx") if self._offers else None
        if path is None or self._offers is None:
            return None
        changed = path.stat().st_mtime_ns
        if self._newest is None or self._newest[:2] != (path, changed):
            self._newest = path, changed, item_of(self._offers, path.name)
        return self._newest[2]

    def _piece(self, wanted: Fetch) -> bytes:
        """Of the newest model, which is the only one that is given out."""
        if self._offers is None or wanted.item != self._model():
            raise Invalid("item", wanted.item.name, "the newest model", "ask which one that is")
        with (self._offers / wanted.item.name).open("rb") as file:
            file.seek(min(wanted.offset, wanted.item.size) if wanted.offset > 0 else 0)
            return file.read(PIECE)
