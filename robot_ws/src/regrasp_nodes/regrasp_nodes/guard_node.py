"""The only node that commands the arm: everybody else asks it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from geometry_msgs.msg import PoseStamped, TwistStamped
from rclpy.node import Node
from regrasp_msgs.msg import ArmStatus, ExecutedStep, GuardState, HumanAction, PolicyStep
from std_srvs.srv import Trigger

from policy.contract import Invalid

from .gripper import Gripper
from .guard import Command, Done, Guard, Motion, Patience, Sensed, Step
from .poses import amiss, lean_of, pose_message, pose_of, twist_message
from .ways import Ways
from .wiring import (
    ERROR,
    EVERY,
    KEPT,
    LATCHED,
    LATEST,
    OK,
    WARN,
    Diagnostics,
    Health,
    cell_of,
    nanoseconds,
    now_ns,
    parameter,
    run,
    stamp,
)

FAULTS = {ArmStatus.PROTECTIVE_STOP: "protective stop", ArmStatus.EMERGENCY_STOP: "emergency stop"}


class GuardNode(Node):
    def __init__(self) -> None:
        super().__init__("guard")
        cell = cell_of(self)
        rate = parameter(self, "rate", 100.0, "commands a second", 50.0, 500.0)
        arm_now = parameter(self, "arm_at_start", False, "be armed once all is there: for the twin")
        picture = parameter(self, "max_picture_age", 0.25, "s from capture to action", 0.05, 2.0)
        lean = parameter(self, "lean", 0.0, "rad that the tool may lean; to calibrate", 0.0, 0.7)
        motion = Motion.of(cell)
        pull = parameter(self, "acceleration", motion.acceleration, "m/s^2", 0.1, 20.0)
        jerk = parameter(self, "jerk", motion.jerk, "m/s^3", 1.0, 5000.0)
        motion = Motion(motion.speed, motion.turn_rate, pull, jerk)
        self._guard = Guard(cell, motion, Patience(picture=picture), lean)
        self._as_pose = cell.arm.interface == "pose"
        self._arm_by_itself = arm_now
        self._newest = "", 0  # of the policy's steps
        self._leans = np.zeros(2)
        self._odd = ""  # why the arm's pose cannot be gone by
        self._fault, self._told = "no word of the arm's controller", ""
        kind, topic = (
            (PoseStamped, "/target_pose")
            if self._as_pose
            else (TwistStamped, "/servo_node/delta_twist_cmds")
        )
        self._commands = self.create_publisher(kind, topic, 1)
        self._executed = self.create_publisher(ExecutedStep, "/guard/executed", KEPT)
        self._state = self.create_publisher(GuardState, "/guard/state", LATCHED)
        self._gripper = Gripper(self, cell.gripper.force.value, self._guard.forget_grip)
        self.create_subscription(PoseStamped, "/tcp_pose", self._on_pose, LATEST)
        self.create_subscription(ArmStatus, "/arm/status", self._on_status, LATCHED)
        self.create_subscription(HumanAction, "/teleop/action", self._on_human, LATEST)
        self.create_subscription(PolicyStep, "/policy/step", self._on_step, EVERY)
        self.create_service(Trigger, "~/arm", self._arm)
        self.create_service(Trigger, "~/stop", self._stop)
        self._ways = Ways(self, self._guard, self._grip)
        self.create_timer(1 / rate, self._tick)
        self.create_timer(0.1, self._tell)
        Diagnostics(self, self._health)

    # In -----------------------------------------------------------------------------------------

    def _on_pose(self, message: PoseStamped) -> None:
        self._odd = amiss(message)
        if self._odd:
            self._guard.stop(self._odd)
            return
        self._leans = lean_of(message)
        when = nanoseconds(message.header.stamp)
        self._guard.sense(Sensed(when, pose_of(message), self._leans))

    def _on_status(self, message: ArmStatus) -> None:
        fault = FAULTS.get(message.mode)
        self._fault = f"the arm's {fault}: {message.reason}" if fault else ""
        if fault:
            self._guard.stop(self._fault)

    def _on_human(self, message: HumanAction) -> None:
        action = np.asarray(message.action)
        self._guard.human(message.engaged, action, now_ns(self), message.device)

    def _on_step(self, message: PolicyStep) -> None:
        """Each once: two policies at a time would go twice as far, and one that was started again
        in the middle of an episode is in no state to go on."""
        episode, newest = self._newest
        if message.episode_id == episode and message.step <= newest:
            self._guard.counts["steps that came again"] += 1
            text = f"step {message.step} came again: is there a second policy, or a new one?"
            self.get_logger().error(text, throttle_duration_sec=1.0)
            return
        self._newest = message.episode_id, message.step
        step = Step(
            message.episode_id, message.step, np.asarray(message.action, np.float32),
            nanoseconds(message.capture_stamp),
            message.q, message.observation_age, message.policy_version,
        )  # fmt: skip
        now = now_ns(self)
        done = self._guard.step(step, now)
        self._tell_fingers()
        self._publish(done, now)
        self._tell()  # what the next action may be

    # Out ----------------------------------------------------------------------------------------

    def _publish(self, done: Done, now: int) -> None:
        step, none = done.step, np.zeros(0, np.float32)
        message = ExecutedStep(
            episode_id=step.episode_id, step=step.index, driver=int(done.driver),
            policy_action=none if done.policy is None else done.policy,
            human_action=none if done.human is None else done.human,
            executed_action=done.executed, q=step.q, observation_age=step.age,
            policy_version=step.version, reasons=list(done.reasons),
        )  # fmt: skip
        message.header.stamp = stamp(now)
        self._executed.publish(message)

    def _tick(self) -> None:
        now = now_ns(self)
        if self._arm_by_itself and not self._fault and not self._arming(now):
            self._arm_by_itself = False
        command = self._guard.tick(now)
        if self._guard.stopped is not None:
            self._gripper.stop()
        self._gripper.look()
        if command is not None:
            self._command(command, now)
        self._ways.watch(now)
        if self._summary(now) != self._told:
            self._tell()

    def _command(self, command: Command, now: int) -> None:
        if self._as_pose:
            self._commands.publish(pose_message(command, now))
        else:
            self._commands.publish(twist_message(command, self._leans, now))

    def _grip(self, width: float, finished: Callable[[], None]) -> bool:
        self._guard.grip(width)
        return self._tell_fingers(finished)

    def _tell_fingers(self, finished: Callable[[], None] | None = None) -> bool:
        """What is new to them, if anything; it is told when they are done."""
        width = self._guard.take_grip()
        if width is not None:
            self._gripper.go(width, finished)
        return width is not None

    def _summary(self, now: int) -> str:
        guard = self._guard
        return f"{guard.stopped}|{guard.holding}|{guard.human_drives(now)}"

    def _tell(self) -> None:
        guard, now = self._guard, now_ns(self)
        self._told = self._summary(now)
        mode, reason = GuardState.READY, ""
        if guard.stopped is not None:
            mode, reason = GuardState.STOPPED, guard.stopped
        elif guard.holding is not None:
            mode, reason = GuardState.HOLDING, guard.holding
        message = GuardState(mode=mode, reason=reason, human=guard.human_drives(now))
        message.allowed = guard.allowed().ravel()
        message.header.stamp = stamp(now)
        self._state.publish(message)

    # Asked --------------------------------------------------------------------------------------

    def _arming(self, now: int) -> str:
        """Why not, if not."""
        try:
            self._guard.arm(now, self._fault or self._odd or None)
        except Invalid as error:
            return str(error)
        self.get_logger().info("armed")
        return ""

    def _rivals(self) -> str:
        """Who else commands the arm, if somebody does: a second launch, or somebody's own node."""
        topic = self._commands.topic_name
        count = self.count_publishers(topic)
        killed = "end the others; one that was killed is forgotten after some ten seconds"
        return f"{count} nodes publish on {topic}: {killed}" if count > 1 else ""

    def _arm(self, _: Any, response: Any) -> Any:
        """A person asks for it."""
        response.message = self._rivals() or self._arming(now_ns(self))
        response.success = not response.message
        return response

    def _stop(self, _: Any, response: Any) -> Any:
        self._guard.stop("a person pressed stop")
        self.get_logger().warning("stopped by a person")
        response.success = True
        return response

    def _health(self) -> Health:
        guard = self._guard
        if guard.stopped is not None:
            level, words = ERROR, f"stopped: {guard.stopped}"
        elif guard.holding is not None:
            level, words = WARN, f"holding: {guard.holding}"
        else:
            level, words = OK, "ready"
        return level, words, dict(guard.counts)


def main(args: list[str] | None = None) -> None:
    run(GuardNode, args)


if __name__ == "__main__":
    main()
