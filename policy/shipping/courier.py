"""The robot's side: sends its log as it grows, and fetches the newest model.

    with Courier("tcp://10.0.0.7:5556", Path("log"), offers=Path("offers"), keys=keys) as courier:
        courier.run()

It, too, remembers nothing that matters: after a restart it asks what is lacking. A file counts as
sent when the other side says that it is whole and on its disk.
"""

from __future__ import annotations

import itertools
import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from policy.contract import ContractError, Invalid
from policy.experience.errors import MISTAKES
from policy.experience.log.logfile import JUDGED, VERDICTS, files_of
from policy.serving.keys import ClientKeys
from policy.serving.local import gone
from policy.serving.network import Connection
from policy.serving.wire import SPEAK, Refusal
from policy.shipping.inbox import Inbox, item_of
from policy.shipping.sound import LARGEST_MODEL, MODELS, check_model
from policy.shipping.wire import (
    DIGEST,
    LISTED,
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
M = TypeVar("M", bound=Message)
EVERY_S = 1.0  # between two looks at the log, and before another try
KEPT = 5  # models
# Refusals that another try may lift: no room; a part that a power cut spoilt, and is gone now.
TEMPORARY = (STORAGE, DIGEST)


class Refused(ContractError):
    """The other side has said why it does not take a file."""


class Courier:
    def __init__(
        self,
        address: str,
        log: Path,
        offers: Path | None = None,
        keys: ClientKeys | None = None,
        patience_s: float = 10.0,  # for one answer: the other side may be reading a whole episode
    ) -> None:
        self._address, self._keys, self._patience_s = address, keys, patience_s
        self._log = log
        self._models = None
        if offers is not None:
            self._models = Inbox(offers, MODELS, LARGEST_MODEL, check_model, renewed=True)
        self._ids = itertools.count(1)
        self._connection: Connection | None = None
        # Not to be sent again: what is there, and what is not taken.
        self._done: dict[str, tuple[int, int]] = {}
        self._refused: set[str] = set()  # models, by their digest
        self._running = True

    def run(self) -> None:
        """Until `stop`. Whatever happens to the connection, it goes on where it was."""
        away = False
        while self._running:
            try:
                self.round()
                away = False
            except MISTAKES as error:
                if not away:
                    LOG.warning("%s; trying until it works", error)
                away = True
                self.hang_up()
            time.sleep(EVERY_S)

    def stop(self, *_: object) -> None:
        """From any thread, or as a handler of signals."""
        self._running = False

    def round(self) -> int:
        """Send what is lacking now, then look for a newer model; how many files were sent.
        `ContractError` if the other side does not answer, or cannot store."""
        sent = 0
        present = dict(files_of(self._log, (VERDICTS, JUDGED)))
        new = sorted(name for name, status in present.items() if self._done.get(name) != status)
        for first in range(0, len(new), LISTED):
            names = new[first : first + LISTED]
            files = tuple((name, present[name][0]) for name in names)
            lacking, _ = self._ask(Inventory(next(self._ids), files), Lacking)
            for name in names:
                if not self._running:
                    return sent
                if name in lacking.names:
                    sent += self._send(name)
                self._done[name] = present[name]
        if self._models is not None:
            self._fetch(self._models)
        return sent

    def hang_up(self) -> None:
        """The next question begins with a new connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.hang_up()

    def _send(self, name: str) -> bool:
        """Whether it is there now; if not, why not is in our log."""
        try:
            item = item_of(self._log, name)
            with (self._log / name).open("rb") as file:
                stored = self._put(item, 0, b"")
                while stored < item.size:
                    file.seek(stored)
                    stored = self._put(item, stored, file.read(PIECE))
            return True
        except FileNotFoundError:  # repaired or removed since
            return False
        except Refused as error:
            if any(problem.field in TEMPORARY for problem in error.problems):
                raise
            LOG.error("%s is not taken: %s", name, error)
            return False

    def _put(self, item: Item, offset: int, data: bytes) -> int:
        answer, _ = self._ask(Piece(next(self._ids), item, offset), Stored, data)
        if not 0 <= answer.offset <= item.size:
            raise Invalid("offset", answer.offset, f"0 to {item.size}", SPEAK)
        return answer.offset

    def _fetch(self, models: Inbox) -> None:
        answer, _ = self._ask(Newest(next(self._ids)), Model)
        item = answer.item
        if item is None or item.digest in self._refused:
            return
        if (have := models.put(item, 0, b"")) == item.size:
            return
        while have < item.size:
            _, data = self._ask(Fetch(next(self._ids), item, have), Piece)
            if not data:
                raise Invalid("data", "nothing", f"what comes after {have} bytes", SPEAK)
            try:
                have = models.put(item, have, data)
            except ContractError as error:
                self._refused.add(item.digest)
                LOG.error("%s is no model: %s", item.name, error)
                return
        LOG.info("fetched %s", item.name)
        found = sorted(models.directory.glob("*.onnx"), key=lambda path: path.stat().st_mtime_ns)
        for old in found[:-KEPT]:
            old.unlink()

    def _ask(self, message: Message, wanted: type[M], data: bytes = b"") -> tuple[M, bytes]:
        if self._connection is None:
            self._connection = Connection(self._address, self._keys)
        until = time.monotonic() + self._patience_s
        self._connection.send([pack(message, data)], self._patience_s)
        while (left := until - time.monotonic()) > 0:
            packet = self._connection.receive(left)
            if packet is None:
                continue
            answer, back = unpack(packet)
            if answer.id != message.id:
                continue  # to a question that we gave up
            if isinstance(answer, Refusal):
                raise Refused(self._address, answer.error(self._address).problems)
            if not isinstance(answer, wanted):
                raise Invalid("kind", type(answer).__name__, wanted.__name__, SPEAK)
            return answer, back
        raise gone(f"no answer from {self._address} within {self._patience_s:g} s")
