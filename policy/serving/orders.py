"""An operator's orders to a server: another policy, the one before, or to tell which one serves."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

from policy.contract import ContractError, Invalid
from policy.serving.host import Host
from policy.serving.parcels import Parcel, Reply
from policy.serving.wire import SPEAK, Command, Refusal, Status, pack, unpack

LOG = logging.getLogger(__name__)


class Orders:
    def __init__(self, host: Host, ring: Callable[[object], None]) -> None:
        """`ring` is called, from another thread, when there is something to `settle`."""
        self._host, self._ring = host, ring
        self._offers: dict[Future[str], tuple[int, Reply]] = {}

    def obey(self, parcel: Parcel) -> None:
        id = 0
        try:
            command = unpack(parcel.header)
            id = command.id
            if not isinstance(command, Command):
                raise Invalid("kind", type(command).__name__.lower(), "command", SPEAK)
            if command.verb == "offer":
                offer = self._host.offer(Path(command.path))
                self._offers[offer] = id, parcel.reply
                offer.add_done_callback(self._ring)
                return
            version = self._host.rollback() if command.verb == "rollback" else self._host.version
            parcel.reply(pack(Status(id, version)))
        except (Invalid, ContractError) as error:
            parcel.reply(pack(Refusal.of(id, error)))

    def settle(self) -> None:
        """Tell operators what became of their offers."""
        for offer in [one for one in self._offers if one.done()]:
            id, reply = self._offers.pop(offer)
            try:
                answer: Status | Refusal = Status(id, offer.result())
            except ContractError as error:
                LOG.error("an offer is refused: %s", error)
                answer = Refusal.of(id, error)
            except Exception as error:  # whatever it is, robots are being served
                LOG.exception("an offer failed")
                remedy = "look at the server's log; the policy before keeps serving"
                fault = Invalid("offer", repr(error), "a policy that loads", remedy)
                answer = Refusal.of(id, fault)
            reply(pack(answer))
