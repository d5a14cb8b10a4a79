"""Stands in for the person beside the twin: looks, clears a stop of the arm, arms the guard again,
and puts the board where a calibration asks for it.

Only for the twin. No node clears a fault of a real arm, and none arms a guard that has stopped.
"""

from __future__ import annotations

from rclpy.client import Client
from rclpy.node import Node
from regrasp_msgs.msg import ArmStatus, GuardState
from std_msgs.msg import String
from std_srvs.srv import Trigger

from .wiring import LATCHED, OK, Diagnostics, Health, now_ns, parameter, run

LOOK_S = 0.5


class AttendantNode(Node):
    def __init__(self) -> None:
        super().__init__("attendant")
        self._takes = parameter(self, "takes", 3.0, "s to come and look", 0.0, 600.0)
        self._arm_stands = self._guard_stands = False
        self._since: int | None = None
        self._cleared = 0
        self._clear = self.create_client(Trigger, "/arm/clear")
        self._arm = self.create_client(Trigger, "/guard/arm")
        self.create_subscription(ArmStatus, "/arm/status", self._on_arm, LATCHED)
        self.create_subscription(GuardState, "/guard/state", self._on_guard, LATCHED)
        self._board = self.create_publisher(String, "/twin/board", LATCHED)
        self._go = self.create_client(Trigger, "/calibration/go")
        self._asked: str | None = None
        self.create_subscription(String, "/calibration/asks", self._on_asks, LATCHED)
        self.create_timer(LOOK_S, self._look)
        Diagnostics(self, self._health)
        self.get_logger().info("beside the twin")

    def _on_arm(self, message: ArmStatus) -> None:
        self._arm_stands = message.mode == ArmStatus.PROTECTIVE_STOP

    def _on_guard(self, message: GuardState) -> None:
        self._guard_stands = message.mode == GuardState.STOPPED

    def _on_asks(self, message: String) -> None:
        self._board.publish(message)
        self._asked = message.data

    def _look(self) -> None:
        if self._asked is not None and self._go.service_is_ready():
            self._asked = None
            self._go.call_async(Trigger.Request())
        if not (self._arm_stands or self._guard_stands):
            self._since = None
            return
        if self._since is None:
            self._since = now_ns(self)
        if now_ns(self) - self._since < self._takes * 1e9:
            return
        if self._arm_stands:
            self._ask(self._clear)
        elif self._guard_stands:
            self._cleared += 1
            self._ask(self._arm)

    @staticmethod
    def _ask(client: Client) -> None:
        if client.service_is_ready():
            client.call_async(Trigger.Request())

    def _health(self) -> Health:
        return OK, "beside the cell", {"stops cleared": self._cleared}


def main(args: list[str] | None = None) -> None:
    run(AttendantNode, args)


if __name__ == "__main__":
    main()
