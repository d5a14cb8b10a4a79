"""The MuJoCo twin behind the interfaces of the hardware: what the other nodes meet is a RealSense,
an arm under MoveIt Servo and a gripper. What only a simulation can do is under /twin."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.node import Node
from rosgraph_msgs.msg import Clock as ClockMsg
from sensor_msgs.msg import JointState
from std_msgs.msg import String
from std_srvs.srv import Trigger

from calibration.board import Board
from policy.contract import ContractError, Invalid, decode_json
from sim.config import SceneConfig
from sim.twin import ArmState, ClawState, Closed, Faults, FeedConfig, Frame, Twin, TwinConfig

from .twin.arm import Arm
from .twin.fingers import Fingers
from .twin.lens import Lens
from .twin.stamps import Stamps
from .twin.truth import told
from .wiring import (
    ERROR,
    LATCHED,
    LATEST,
    OK,
    WARN,
    Diagnostics,
    Health,
    cell_of,
    parameter,
    run,
    stamp,
)

NONE = "none"  # the cell as its file has it
SLOW = 0.95  # of the wanted factor: below, the machine does not keep up


def scene_of(board: bool) -> SceneConfig:
    """Its defaults; with a board, edges as fine as a lens draws them."""
    scene = TwinConfig().scene
    return replace(scene, board=Board(), multisamples=4) if board else scene


class TwinNode(Node):
    def __init__(self, **choices: Any) -> None:
        super().__init__("twin", **choices)
        try:
            self._open()
        except BaseException:
            super().destroy_node()  # else a node that never was stays in the graph
            raise

    def _open(self) -> None:
        cell = cell_of(self)
        images = parameter(self, "cameras", list(cell.images), "images: wrist, wrist_depth, ...")
        preset = parameter(self, "preset", NONE, f"a room that training does not know, or {NONE}")
        self._seed = parameter(self, "seed", 0, "of objects, looks and noise", 0, 2**31 - 1)
        factor = parameter(self, "factor", 1.0, "twin seconds a wall second", 0.01, 100.0)
        rate = parameter(self, "camera_rate", 0.0, "Hz of twin time; 0: the cell's", 0.0, 1000.0)
        shadows = parameter(self, "shadows", True, "draw them: they cost half a picture's time")
        board = parameter(self, "board", False, "have a printed board, for /twin/board to move")
        clock = parameter(
            self, "publish_clock", False,
            "publish /clock and stamp by it; so at any factor but 1, and with use_sim_time",
        )  # fmt: skip
        simulated = clock or factor != 1 or self.get_parameter("use_sim_time").value
        config = TwinConfig(
            factor=factor, seed=self._seed, preset=None if preset == NONE else preset,
            cameras=tuple(images), shadows=shadows, feed=FeedConfig(rate=rate or None),
            scene=scene_of(board),
        )  # fmt: skip
        self._twin = Twin(cell, config)
        self._stamps = Stamps(self._twin, simulated)
        self._wire()
        self._listen()
        Diagnostics(self, self._health)
        self.get_logger().info("the twin is up")

    def _wire(self) -> None:
        twin = self._twin
        self._clock_out = self.create_publisher(ClockMsg, "/clock", LATEST)
        self._telling_time = threading.Lock()
        self._arm = Arm(self, twin, self._stamps, self._say)
        self._claw = self.create_publisher(JointState, "/gripper/joint_states", 10)
        self._fingers = Fingers(self, twin, "/gripper/gripper_cmd")
        self._truth = self.create_publisher(String, "/twin/truth", 10)
        self.create_subscription(String, "/twin/inject", self._on_faults, 10)
        self.create_subscription(String, "/twin/board", self._on_board, LATCHED)
        for name, act in (
            ("/arm/clear", twin.arm.clear), ("/arm/emergency_stop", twin.arm.emergency_stop),
            ("/arm/release", twin.arm.release), ("/twin/reset", self._reset),
            ("/twin/reset_objects", self._reset_objects),
        ):  # fmt: skip
            self.create_service(Trigger, name, _answering(act))
        self.create_timer(0.2, self._tell_truth)
        # What made the twin fail ends the node. By a clock that goes on when /clock does not.
        self.create_timer(0.1, twin.check, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def _listen(self) -> None:
        twin = self._twin
        for name, driver in twin.cameras.items():
            lens = Lens(self, name, twin, self._stamps, self._say)
            driver.listen(self._showing(lens))
        twin.gripper.states.listen(self._on_claw)
        twin.arm.states.listen(self._on_arm)

    # Out, in the twin's own threads -------------------------------------------------------------

    def _say(self, publisher: Any, message: Any) -> None:
        try:
            publisher.publish(message)
        except Exception:
            if self.context.ok():  # else the shutdown came first
                raise

    def _tell_time(self) -> None:
        """Before whatever is stamped with it; never backwards."""
        if self._stamps.simulated:
            with self._telling_time:
                self._say(self._clock_out, ClockMsg(clock=stamp(self._twin.time_ns)))

    def _showing(self, lens: Lens) -> Callable[[Frame], None]:
        def show(frame: Frame) -> None:
            self._tell_time()
            lens.publish(frame)

        return show

    def _on_arm(self, state: ArmState) -> None:
        self._tell_time()
        self._arm.publish(state)

    def _on_claw(self, state: ClawState) -> None:
        message = JointState(name=["gripper_width"], position=[state.width], effort=[state.force])
        message.header.stamp = stamp(self._stamps.ros_ns(state.stamp_ns))
        self._say(self._claw, message)
        self._fingers.moved()

    # What only a simulation can do --------------------------------------------------------------

    def _on_faults(self, message: String) -> None:
        try:
            self._twin.inject(decode_json(Faults, message.data, "/twin/inject"))
        except (ContractError, Invalid) as error:
            self.get_logger().error(f"faults refused: {error}")
        else:
            self.get_logger().info(f"faults: {message.data}")

    def _on_board(self, message: String) -> None:
        """`held`, `bin`, `away`; `shown CAMERA`."""
        place, _, camera = message.data.partition(" ")
        try:
            self._twin.put_board(place, camera)
        except Invalid as error:
            self.get_logger().error(str(error))

    def _reset(self) -> None:
        self._twin.reset(self._seed + 1)
        self._seed += 1
        self._fingers.give_up("the twin was reset")

    def _reset_objects(self) -> None:
        self._twin.reset_objects(self._seed + 1)
        self._seed += 1

    def _tell_truth(self) -> None:
        self._truth.publish(String(data=told(self._twin.cell, self._twin.truth())))

    # About it -----------------------------------------------------------------------------------

    def _health(self) -> Health:
        health, wanted = self._twin.health(), self._twin.config.factor
        figures: dict[str, object] = {
            "real-time factor": round(health.factor, 3), "lag (s)": round(health.lag_s, 4),
            "time given up (s)": round(health.slipped_s, 3), "seed": self._seed,
            "commands obeyed": health.commands_received,
            "commands refused while stopped": health.commands_refused,
            "commands lost": health.commands_lost, "watchdog stops": health.watchdog_stops,
        }  # fmt: skip
        for field, count in self._arm.customs.refused.items():
            figures[f"commands refused: {field}"] = count
        for name, counts in health.cameras.items():
            figures[f"{name}: frames delivered"] = counts.delivered
            figures[f"{name}: frames lost"] = counts.lost + counts.overrun
            figures[f"{name}: frames late"] = counts.late
        if health.failure:
            return ERROR, health.failure, figures
        if health.factor < SLOW * wanted:
            return WARN, f"{health.factor:.2f} of the wanted {wanted} s a second", figures
        return OK, "runs", figures

    def destroy_node(self) -> None:
        try:
            self._twin.close()  # first: its threads publish
        finally:
            super().destroy_node()


def _answering(act: Callable[[], None]) -> Callable[[Any, Any], Any]:
    """A service that does it; what speaks against it is its answer."""

    def answer(_: Any, response: Any) -> Any:
        try:
            act()
        except Closed:
            raise
        except (Invalid, RuntimeError) as error:
            response.message = str(error)
        else:
            response.success = True
        return response

    return answer


def main(args: list[str] | None = None) -> None:
    try:
        run(TwinNode, args)
    except Closed as error:
        print(error, file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
