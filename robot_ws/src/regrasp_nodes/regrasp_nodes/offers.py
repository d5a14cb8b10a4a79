"""Newer policies, as the learner offers them; and the way back, for a person."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from rclpy.node import Node
from std_msgs.msg import String
from std_srvs.srv import Trigger

from policy.contract import ContractError
from policy.serving.host import Host

from .wiring import LATCHED

NONE = "none"  # the policy that is not there: a person drives, the steps go on
LOOK_S = 0.5


class Offers:
    """Without a host nothing is served: then nothing is taken, either."""

    def __init__(self, node: Node, host: Host | None) -> None:
        self.follows = True  # until a person goes back: what comes next is of the same weights
        self.counts: Counter[str] = Counter()
        self._node, self._host, self._newest = node, host, ""
        self._tried: dict[str, Future[str]] = {}
        self._version = node.create_publisher(String, "/policy/version", LATCHED)
        node.create_subscription(String, "/finetune/offer", self._on_offer, LATCHED)
        node.create_service(Trigger, "~/rollback", self._rollback)
        node.create_service(Trigger, "~/follow", self._follow)
        node.create_timer(LOOK_S, self._look)
        self._tell()

    def _on_offer(self, message: String) -> None:
        self._newest = message.data
        if self.follows:
            self._take()

    def _take(self) -> None:
        if self._host is not None and self._newest:
            self._tried[self._newest] = self._host.offer(Path(self._newest))

    def _look(self) -> None:
        """What became of the offers; loading and trying them took place beside."""
        for path in [path for path, future in self._tried.items() if future.done()]:
            error = self._tried.pop(path).exception()
            if error is None:
                self.counts["policies taken"] += 1
                self._tell()
            else:
                self.counts["policies refused"] += 1
                self._node.get_logger().error(f"{path}: {error}")

    def _rollback(self, _: Any, response: Any) -> Any:
        """To the policy before. It stays until somebody asks to follow."""
        try:
            if self._host is None:
                raise RuntimeError(f"policy: found '{NONE}', wanted one that serves")
            response.message, response.success = self._host.rollback(), True
            self.follows = False
            self._tell()
        except (ContractError, RuntimeError) as error:
            response.message = str(error)
        return response

    def _follow(self, _: Any, response: Any) -> Any:
        """The learner's newest offer, and those to come."""
        self.follows, response.success = True, True
        response.message = self._newest or "nothing was offered yet"
        self._take()
        return response

    def _tell(self) -> None:
        self._version.publish(String(data=self._host.version if self._host else NONE))
