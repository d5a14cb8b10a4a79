"""What a person does with a device, as an action; and what is asked with its buttons."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import termios
import threading
import tty
from collections.abc import Callable, Iterator
from typing import TextIO

from rclpy.node import Node
from regrasp_msgs.msg import GuardState, HumanAction
from regrasp_msgs.srv import Label
from sensor_msgs.msg import Joy
from std_srvs.srv import Trigger

from policy.contract import Invalid

from .teleop import DEVICES, Keys, Orders, Pad
from .teleop.keys import HELP
from .wiring import (
    LATCHED,
    LATEST,
    OK,
    WARN,
    Diagnostics,
    Health,
    cell_of,
    now_ns,
    parameter,
    run,
    stamp,
)

RATE = 50.0
SILENT_S = 0.2  # of the device: then nobody holds the switch
INSIST_S = 0.1  # stop is said again until the guard has stopped


class TeleopNode(Node):
    def __init__(self) -> None:
        super().__init__("teleop")
        spec = cell_of(self).interface().action
        name = parameter(self, "device", "gamepad", f"one of {', '.join(DEVICES)}")
        view = parameter(self, "view_yaw", 0.0, "rad; the way that a person looks", -3.15, 3.15)
        gain = parameter(self, "gain", 1.0, "share of the largest action", 0.05, 1.0)
        if name not in DEVICES:
            raise Invalid("device", name, f"one of {', '.join(DEVICES)}", "correct its name")
        self._device = name
        self._pad = Pad(spec, DEVICES[name], view, gain)
        self._keys: Keys | None = None
        self._heard_s = -SILENT_S
        self._guard, self._stopping = "", False
        self._actions = self.create_publisher(HumanAction, "/teleop/action", LATEST)
        self._stop = self.create_client(Trigger, "/guard/stop")
        self._arm = self.create_client(Trigger, "/guard/arm")
        self._label = self.create_client(Label, "/episode/label")
        self.create_subscription(GuardState, "/guard/state", self._on_guard, LATCHED)
        if name == "keyboard":
            self._keys, terminal = Keys(), _terminal()
            threading.Thread(target=self._read, args=(self._keys, terminal), daemon=True).start()
        else:
            self.create_subscription(Joy, "/joy", self._on_joy, LATEST)
        self.create_timer(1 / RATE, self._tick)
        self.create_timer(INSIST_S, self._insist)
        Diagnostics(self, self._health)

    def _now_s(self) -> float:
        return now_ns(self) * 1e-9

    def _on_guard(self, message: GuardState) -> None:
        if message.mode == GuardState.STOPPED:
            self._stopping = False
        if message.reason != self._guard:
            self._guard = message.reason
            self.get_logger().info(f"guard: {message.reason or 'ready'}")

    def _on_joy(self, message: Joy) -> None:
        self._take(list(message.axes), list(message.buttons))

    def _take(self, axes: list[float], buttons: list[int]) -> None:
        self._heard_s = self._now_s()
        try:
            self._ask(self._pad.take(axes, buttons, self._heard_s))
        except Invalid as error:
            self._pad.engaged = False
            self.get_logger().error(f"/joy: {error}", throttle_duration_sec=5.0)

    def _ask(self, orders: Orders) -> None:
        if orders.stop:
            self._stopping = True
            self._insist()
        if orders.arm:
            self._arm.call_async(Trigger.Request())
        if orders.label is not None:
            self._label.call_async(Label.Request(success=orders.label, reason=self._device))

    def _insist(self) -> None:
        if not self._stopping:
            return
        if self._stop.service_is_ready():
            self._stop.call_async(Trigger.Request())
        else:
            self.get_logger().error("there is no guard to stop", throttle_duration_sec=1.0)

    def _tick(self) -> None:
        now = self._now_s()
        if (keys := self._keys) is not None:  # its reader may take it away meanwhile
            self._take(*keys.state(now))
        pad = self._pad
        engaged = pad.engaged and 0 <= now - self._heard_s <= SILENT_S
        message = HumanAction(engaged=engaged, action=pad.action, device=self._device)
        message.header.stamp = stamp(now_ns(self))
        self._actions.publish(message)

    def _read(self, keys: Keys, terminal: TextIO) -> None:
        print(HELP, flush=True)
        try:
            with terminal, _raw(terminal.fileno()) as read:
                while self.context.ok():
                    if key := read():
                        keys.press(key, self._now_s())
        except (OSError, termios.error) as error:
            self._keys = None  # silent from now on: what was held is let go
            remedy = "nobody can press stop here: start teleop_node in another terminal"
            self.get_logger().fatal(f"the terminal is gone ({error.args[-1]}): {remedy}")

    def _health(self) -> Health:
        silent = self._now_s() - self._heard_s > 1.0
        words = f"{self._device} is silent" if silent else self._device
        return WARN if silent else OK, words, {"engaged": self._pad.engaged}


def _terminal() -> TextIO:
    """The one that all was started in; what launch gives its nodes to read from is none."""
    try:
        return open("/dev/tty")
    except OSError as error:
        remedy = "start teleop_node in a terminal of its own, or use a gamepad"
        raise Invalid("device", "keyboard", f"a terminal ({error.strerror})", remedy) from error


@contextlib.contextmanager
def _raw(handle: int) -> Iterator[Callable[[], str]]:
    """Keys as they are pressed, an error if it is gone; the terminal is put back as it was."""

    def read() -> str:
        if not select.select([handle], [], [], 0.1)[0]:
            return ""
        if not (found := os.read(handle, 1)):
            raise OSError(errno.EIO, "it was hung up")
        return found.decode(errors="ignore")

    before = termios.tcgetattr(handle)
    tty.setcbreak(handle)
    try:
        yield read
    finally:
        with contextlib.suppress(termios.error):  # one that is gone needs nothing put back
            termios.tcsetattr(handle, termios.TCSADRAIN, before)


def main(args: list[str] | None = None) -> None:
    run(TeleopNode, args)


if __name__ == "__main__":
    main()
