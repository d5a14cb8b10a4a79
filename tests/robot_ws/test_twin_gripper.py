"""The twin's gripper as an action: reached, stalled, cancelled, overtaken, refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from action_msgs.msg import GoalStatus
from ros_doing import result, until
from sensor_msgs.msg import JointState
from twin_doing import CHEAP, Client, ready, standing


@pytest.fixture(scope="module")
def pair() -> Iterator[Client]:
    with standing(**CHEAP) as client:
        yield client


@pytest.fixture
def client(pair: Client) -> Client:
    return ready(pair)


def over(handle: Any) -> tuple[int, Any]:
    answer = result(handle.get_result_async())
    return answer.status, answer.result


def test_the_fingers_go_where_they_are_told(client: Client) -> None:
    told_of: list[Any] = []
    handle = client.grip(0.03, feedback_callback=lambda m: told_of.append(m.feedback))
    status, found = over(handle)
    assert status == GoalStatus.STATUS_SUCCEEDED
    assert (found.reached_goal, found.stalled) == (True, False)
    assert found.position == pytest.approx(0.03, abs=0.002)
    assert len(told_of) > 3
    assert told_of[0].position > told_of[-1].position
    assert not told_of[0].reached_goal


def test_fingers_that_something_stops_have_stalled(client: Client) -> None:
    client.inject('{"gripper_jam": true}')
    status, found = over(client.grip(0.0, force=20.0))
    assert status == GoalStatus.STATUS_SUCCEEDED
    assert (found.reached_goal, found.stalled) == (False, True)
    assert found.position > 0.07


def test_a_cancelled_goal_stops_the_fingers(client: Client) -> None:
    handle = client.grip(0.0)
    until(lambda: client.next(JointState, "/gripper/joint_states").position[0] < 0.07)
    result(handle.cancel_goal_async())
    status, found = over(handle)
    assert status == GoalStatus.STATUS_CANCELED
    assert not found.reached_goal
    assert client.next(JointState, "/gripper/joint_states").position[0] > 0.01


def test_the_newest_goal_counts(client: Client) -> None:
    first = client.grip(0.0)
    second = client.grip(0.06)
    assert over(first)[0] == GoalStatus.STATUS_ABORTED
    status, found = over(second)
    assert status == GoalStatus.STATUS_SUCCEEDED
    assert found.position == pytest.approx(0.06, abs=0.002)


def test_a_width_that_the_fingers_do_not_have_is_refused(client: Client) -> None:
    assert not client.grip(0.5).accepted
    assert not client.grip(0.02, force=-1.0).accepted
