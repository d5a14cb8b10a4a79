"""The guard's node by its topics alone, between a policy that is played and the twin's arm: in
lockstep, under the twin's clock, so that each command is seen and none is late."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import rclpy
from control_msgs.action import GripperCommand
from geometry_msgs.msg import PoseStamped, TwistStamped
from rclpy.action import ActionClient, ActionServer, CancelResponse
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.task import Future
from rclpy.time import Time
from rclpy.utilities import try_shutdown
from regrasp_msgs.action import MoveTo
from regrasp_msgs.msg import ArmStatus, ExecutedStep, GuardState, PolicyStep
from regrasp_nodes.guard_node import GuardNode
from ros_doing import until
from rosgraph_msgs.msg import Clock
from std_srvs.srv import Trigger

from calibration import load_cell
from sim.config import ObjectConfig
from sim.env import TWIN
from sim.twin import ArmState, Twin, TwinConfig

LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
LATEST = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
TICK, PERIOD = 0.01, 0.2  # s
AWAY = 1_000_000_000_000  # ns: the clock does not begin at nothing


class Bench(Node):
    """The clock, the arm and the policy that a guard meets."""

    def __init__(self, executor: SingleThreadedExecutor, guard: GuardNode) -> None:
        super().__init__("bench")
        self.run, self.guard = executor, guard
        self.twin = Twin(
            load_cell(TWIN),
            TwinConfig(mode="lockstep", cameras=(), objects=ObjectConfig(count=(1, 1))),
        )
        self.names = self.twin.cell.interface(["front"]).action.names
        self.offset, self.index = AWAY, 0
        self.arm_states: list[ArmState] = []
        self.twists: list[TwistStamped] = []
        self.steps: list[ExecutedStep] = []
        self.modes: list[GuardState] = []
        self.twin.arm.states.listen(self.arm_states.append)
        self._ticks = self.create_publisher(Clock, "/clock", LATEST)
        self._pose = self.create_publisher(PoseStamped, "/tcp_pose", 10)
        self._status = self.create_publisher(ArmStatus, "/arm/status", LATCHED)
        self._step = self.create_publisher(PolicyStep, "/policy/step", 10)
        self.create_subscription(
            TwistStamped, "/servo_node/delta_twist_cmds", self.twists.append, 10
        )
        self.create_subscription(ExecutedStep, "/guard/executed", self.steps.append, 10)
        self.create_subscription(GuardState, "/guard/state", self.modes.append, LATCHED)
        self._status.publish(ArmStatus())
        self.mover = ActionClient(self, MoveTo, "/guard/move_to")
        self._asked = {
            name: self.create_client(Trigger, f"/guard/{name}") for name in ("arm", "stop")
        }

    @property
    def now(self) -> int:
        return self.twin.time_ns + self.offset

    @property
    def place(self) -> np.ndarray:
        return np.array(self.arm_states[-1].tcp_position)

    def until(self, condition: Any) -> Any:
        def looked() -> Any:
            self.run.spin_once(timeout_sec=0.01)
            return condition()

        return until(looked)

    def meet(self) -> None:
        publishers = (self._ticks, self._pose, self._status, self._step)
        self.until(lambda: all(one.get_subscription_count() for one in publishers))

    def tick(self) -> None:
        """10 ms, and the guard's command at their end is what the arm does next."""
        self.twin.advance(TICK)
        count = len(self.twists)
        self._tell(Time(nanoseconds=self.now).to_msg())
        self.until(lambda: len(self.twists) > count)
        self._obey()

    def _tell(self, stamp: Any) -> None:
        pose = PoseStamped()
        pose.header.frame_id, pose.header.stamp = "base", stamp
        p, q = pose.pose.position, pose.pose.orientation
        p.x, p.y, p.z = (float(v) for v in self.place)
        q.x, q.y, q.z, q.w = (float(v) for v in self.arm_states[-1].tcp_orientation)
        self._pose.publish(pose)
        self._ticks.publish(Clock(clock=stamp))

    def _obey(self) -> None:
        twist = self.twists[-1].twist
        linear, angular = twist.linear, twist.angular
        self.twin.arm.twist((linear.x, linear.y, linear.z), (angular.x, angular.y, angular.z))

    def listen(self, seconds: float) -> None:
        """Obey the guard, if it says anything: it does not where the clock has just jumped."""
        for _ in range(round(seconds / TICK)):
            self.twin.advance(TICK)
            stamp, count = Time(nanoseconds=self.now).to_msg(), len(self.twists)
            self._tell(stamp)
            for _ in range(5):
                self.run.spin_once(timeout_sec=0.002)
            if len(self.twists) > count:
                self._obey()

    def wait(self, seconds: float) -> None:
        for _ in range(round(seconds / TICK)):
            self.tick()

    def ask(self, name: str) -> Any:
        asked = self._asked[name].call_async(Trigger.Request())
        self.until(asked.done)
        return asked.result()

    def want(self, age: float = 0.05, **parts: float) -> ExecutedStep:
        action = [parts.get(name, 0.0) for name in self.names]
        count, taken = len(self.steps), self.now - round(age * 1e9)
        message = PolicyStep(episode_id="e", step=self.index, action=action, q=0.5)
        message.capture_stamp = Time(nanoseconds=taken).to_msg()
        self._step.publish(message)
        self.until(lambda: len(self.steps) > count)
        self.index += 1
        return self.steps[-1]

    def way(self, **parts: float) -> Any:
        """Its result, to come."""
        goal = MoveTo.Goal(aperture=float("nan"), speed=0.1)
        place = self.place + [parts.get(name, 0.0) for name in ("x", "y", "z")]
        goal.position.x, goal.position.y, goal.position.z = (float(v) for v in place)
        sent = self.mover.send_goal_async(goal)
        self.until(sent.done)
        assert sent.result().accepted
        return sent.result().get_result_async()

    def speed(self) -> float:
        linear = self.twists[-1].twist.linear
        return float(np.linalg.norm([linear.x, linear.y, linear.z]))

    def armed(self) -> None:
        self.tick()
        assert self.ask("arm").success
        self.wait(2.0)  # full speed comes slowly


@pytest.fixture
def bench() -> Iterator[Bench]:
    rclpy.init(args=["--ros-args", "-p", "use_sim_time:=true"])
    executor = SingleThreadedExecutor()
    guard = GuardNode()
    bench = Bench(executor, guard)
    for node in (guard, bench):
        executor.add_node(node)
    try:
        with bench.twin:
            bench.meet()
            bench.listen(0.1)
            yield bench
    finally:
        executor.shutdown()
        guard.destroy_node()
        bench.destroy_node()
        try_shutdown()


def test_it_does_nothing_before_a_person_arms_it(bench: Bench) -> None:
    bench.wait(0.1)
    done = bench.want(dz=-0.03)
    assert (done.driver, list(done.reasons)) == (ExecutedStep.NOBODY, ["not armed yet"])
    start = bench.place
    bench.wait(0.3)
    assert np.abs(bench.place - start).max() < 1e-4
    bench.armed()
    done = bench.want(dz=-0.03)
    assert (done.driver, list(done.reasons)) == (ExecutedStep.POLICY, [])
    assert done.executed_action[bench.names.index("dz")] == pytest.approx(-0.03)
    bench.wait(0.5)
    assert start[2] - bench.place[2] == pytest.approx(0.03, abs=0.004)


def test_a_policy_that_stalls_leaves_the_arm_standing(bench: Bench) -> None:
    bench.armed()
    for _ in range(3):
        bench.want(dx=0.02, dz=-0.02)
        bench.wait(PERIOD)
    assert bench.speed() > 0.05
    bench.wait(0.1)
    assert bench.speed() < 0.01  # what is left keeps it in its place


def test_a_stop_latches(bench: Bench) -> None:
    bench.armed()
    bench.want(dx=0.03)
    bench.wait(0.1)
    assert bench.ask("stop").success
    bench.tick()
    assert bench.speed() == 0
    bench.wait(0.2)
    start = bench.place
    assert bench.want(dx=0.03).driver == ExecutedStep.NOBODY
    bench.wait(1.0)
    assert np.abs(bench.place - start).max() < 5e-4
    assert bench.modes[-1].mode == GuardState.STOPPED
    bench.armed()
    assert bench.want(dx=0.03).driver == ExecutedStep.POLICY


@pytest.mark.parametrize("seconds", [5.0, -5.0])
def test_a_clock_that_jumps_moves_nothing(bench: Bench, seconds: float) -> None:
    bench.armed()
    bench.want(dx=0.03, dz=-0.03)
    bench.wait(0.1)
    assert bench.speed() > 0.05
    bench.offset += round(seconds * 1e9)
    at = len(bench.twists)
    # A timer of a clock that went back waits until it is there again: the arm's watchdog stops it.
    start = bench.place
    bench.listen(0.5)
    # Nothing of what was under way is made up for; it goes back to where it was, slowly.
    said = [one.twist.linear for one in bench.twists[at:]]
    assert max(abs(v) for one in said for v in (one.x, one.y, one.z)) <= 0.05
    assert np.linalg.norm(bench.place - start) < 0.02  # braking
    bench.wait(0.3)
    assert bench.want(dx=0.02).driver == ExecutedStep.POLICY


def test_what_is_no_action_is_not_executed(bench: Bench) -> None:
    bench.armed()
    start = bench.place
    for broken in (float("nan"), float("inf")):
        done = bench.want(dx=broken)
        assert done.driver == ExecutedStep.NOBODY
        assert not len(done.policy_action)
        bench.wait(PERIOD)
    assert np.abs(bench.place - start).max() < 1e-4
    done = bench.want(dx=7.0)
    assert done.executed_action[0] <= 0.04 + 1e-6
    assert "clipped: dx" in done.reasons[0]


def test_an_old_picture_is_not_acted_upon(bench: Bench) -> None:
    bench.armed()
    done = bench.want(age=0.4, dx=0.03)
    assert done.driver == ExecutedStep.NOBODY
    assert "the picture is 0.4" in done.reasons[0]


def test_of_two_ways_the_latest_counts(bench: Bench) -> None:
    """Who asked for the first may have died since."""
    bench.armed()
    start = bench.place
    first = bench.way(z=-0.1)
    bench.wait(0.3)
    second = bench.way(y=0.03)
    bench.until(first.done)
    assert not first.result().result.reached
    assert first.result().result.message == "another way was asked for"
    bench.wait(1.5)
    bench.until(second.done)
    assert second.result().result.reached
    assert bench.place[1] - start[1] == pytest.approx(0.03, abs=0.005)
    assert start[2] - bench.place[2] < 0.05


def test_a_pose_that_is_none_stops_it_and_is_not_sent_on(bench: Bench) -> None:
    bench.armed()
    at = len(bench.twists)
    broken = PoseStamped()
    broken.header.frame_id = "base"
    broken.header.stamp = Time(nanoseconds=bench.now).to_msg()
    broken.pose.position.x = float("nan")
    broken.pose.orientation.w = 1.0
    bench._pose.publish(broken)
    bench.until(lambda: bench.guard._guard.stopped)
    bench.wait(0.1)
    assert "not finite" in bench.modes[-1].reason
    for one in bench.twists[at:]:
        parts = (one.twist.linear, one.twist.angular)
        assert np.isfinite([[part.x, part.y, part.z] for part in parts]).all()
    broken.pose.position.x, broken.header.frame_id = 0.0, "world"
    bench._pose.publish(broken)
    bench.until(lambda: "world" in bench.ask("arm").message)
    bench.armed()  # once it tells what it should


def test_beside_somebody_who_commands_the_arm_it_is_not_armed(bench: Bench) -> None:
    bench.tick()
    rival = bench.create_publisher(TwistStamped, "/servo_node/delta_twist_cmds", 1)
    bench.until(lambda: not bench.ask("arm").success)
    answer = bench.ask("arm")
    assert "2 nodes publish on /servo_node/delta_twist_cmds" in answer.message
    bench.destroy_publisher(rival)
    bench.until(lambda: bench.ask("arm").success)


def test_a_step_that_comes_again_is_not_done_again(bench: Bench) -> None:
    """Of a second policy, or of one whose node was started again."""
    bench.armed()
    start = bench.place
    bench.want(dz=-0.03)
    again = PolicyStep(episode_id="e", step=0, action=[0.0, 0.0, -0.03, 0.0, 0.0, 0.0, 0.0])
    for _ in range(3):
        again.capture_stamp = Time(nanoseconds=bench.now).to_msg()
        bench._step.publish(again)
        bench.wait(PERIOD)
    bench.wait(0.5)
    assert start[2] - bench.place[2] == pytest.approx(0.03, abs=0.004)
    assert len(bench.steps) == 1
    assert bench.guard._guard.counts["steps that came again"] == 3


def test_a_bound_that_is_set_later_is_refused_as_it_would_change_nothing(bench: Bench) -> None:
    [result] = bench.guard.set_parameters([Parameter("acceleration", value=0.5)])
    assert not result.successful
    assert bench.guard.get_parameter("acceleration").value != 0.5


def test_a_stop_stops_fingers_that_are_closing_and_they_are_told_again(bench: Bench) -> None:
    asked: list[Any] = []
    cancelled = threading.Event()

    async def close(handle: Any) -> Any:
        asked.append(handle)
        done = Future()
        handle.done = done
        await done
        handle.canceled()
        return GripperCommand.Result()

    def cancel(handle: Any) -> CancelResponse:
        cancelled.set()
        asked[-1].done.set_result(None)
        return CancelResponse.ACCEPT

    server = ActionServer(
        bench, GripperCommand, "/gripper/gripper_cmd", close, cancel_callback=cancel
    )
    bench.until(lambda: bench.guard._gripper._client.server_is_ready())
    bench.armed()
    bench.want(gripper_close=1.0)
    bench.until(lambda: asked)
    bench.wait(0.1)
    assert bench.ask("stop").success
    bench.wait(0.1)
    bench.until(cancelled.is_set)
    bench.armed()
    bench.want(gripper_close=1.0)
    bench.until(lambda: len(asked) == 2)
    bench.ask("stop")
    bench.wait(0.2)
    server.destroy()
