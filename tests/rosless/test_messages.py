"""Message classes: fields, defaults, checks."""

from __future__ import annotations

import copy
import importlib
from typing import Any

import numpy as np
import pytest
import rosless  # noqa: F401 - makes what follows importable
from action_msgs.msg import GoalStatus
from control_msgs.action import GripperCommand
from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import PoseStamped, Quaternion, TwistStamped, Vector3
from regrasp_msgs.msg import EpisodeStep, Verdict
from sensor_msgs.msg import CameraInfo, Image, JointState
from std_msgs.msg import Bool, Empty, String, UInt8MultiArray
from std_srvs.srv import SetBool, Trigger
from unique_identifier_msgs.msg import UUID


def test_a_new_message_has_its_defaults() -> None:
    assert TwistStamped().twist.linear == Vector3(x=0.0, y=0.0, z=0.0)
    assert Quaternion().w == 1.0  # the one standard message with a default of its own
    assert PoseStamped().pose.orientation.w == 1.0
    info = CameraInfo()
    assert info.k.shape == (9,)
    assert info.d.shape == (0,)
    assert (JointState().name, String().data, Bool().data) == ([], "", False)
    assert DiagnosticStatus().level == b"\0"
    first, second = JointState(), JointState()
    first.name.append("finger")
    assert second.name == []


def test_constants_are_the_classs() -> None:
    assert GoalStatus.STATUS_CANCELED == 5
    assert EpisodeStep.HUMAN == 2
    assert DiagnosticStatus.WARN == b"\x01"
    assert DiagnosticStatus(level=DiagnosticStatus.ERROR).level == b"\x02"


def test_services_and_actions_consist_of_messages() -> None:
    assert SetBool.Request(data=True).data
    assert Trigger.Response().message == ""
    goal = GripperCommand.Goal()
    goal.command.position = 0.04
    assert GripperCommand.Impl.SendGoalService.Request(goal=goal).goal.command.position == 0.04
    assert GripperCommand.Impl.GoalStatusMessage().status_list == []
    assert Empty.get_fields_and_field_types() == {}


def test_fields_are_told_as_ros_tells_them() -> None:
    told = CameraInfo.get_fields_and_field_types()
    assert told["header"] == "std_msgs/Header"
    assert (told["k"], told["d"]) == ("double[9]", "sequence<double>")
    assert Verdict.get_fields_and_field_types()["confidence"] == "float"
    assert DiagnosticStatus.get_fields_and_field_types()["level"] == "octet"


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: Vector3(x=1), r"Vector3.x: found 1 \(int\), wanted float; use float"),
        (lambda: Vector3(x=np.float32(1)), r"x: found .*float32\), wanted float"),
        (lambda: String(data=b"x"), r"data: found b'x' \(bytes\), wanted str"),
        (lambda: Bool(data=1), r"data: found 1 \(int\), wanted bool"),
        (lambda: Image(height=-1), r"height: found -1 \(int\), wanted uint32, 0 to 4294967295"),
        (lambda: Image(height=2**32), r"height: .* wanted uint32"),
        (lambda: Image(height=1.0), r"height: .* wanted int"),
        (lambda: Image(data=[1, 256]), r"data: found 256 \(int\), wanted uint8, 0 to 255"),
        (lambda: Image(data=np.zeros(3)), r"data: found dtype\('float64'\).*astype\(np.uint8\)"),
        (lambda: Image(data="abc"), r"data: .* wanted numbers"),
        (lambda: CameraInfo(k=[1.0] * 8), r"k: .* wanted 9 values, not 8"),
        (lambda: UUID(uuid=bytes(16)), r"uuid: .* wanted numbers \(uint8\[16\]\)"),
        (lambda: JointState(name="finger"), r"name: .* wanted a list"),
        (lambda: JointState(name=[1]), r"name: found 1 \(int\), wanted str"),
        (lambda: TwistStamped(twist=Vector3()), r"twist: .* wanted Twist; give a geometry_msgs"),
        (lambda: DiagnosticStatus(level=1), r"level: .* wanted one byte; use bytes"),
        (lambda: Vector3(a=1.0), r"Vector3: found a, wanted fields of: x, y, z"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(make: Any, named: str) -> None:
    with pytest.raises(AssertionError, match=named) as caught:
        make()
    assert isinstance(caught.value, TypeError)


def test_a_field_that_is_not_there_cannot_be_set() -> None:
    message = TwistStamped()
    with pytest.raises(AttributeError, match="has no field 'twst'; it has: header, twist"):
        message.twst = 1


@pytest.mark.parametrize(
    "data",
    [b"\1\2\3", bytearray(b"\1\2\3"), [1, 2, 3], (1, 2, 3), np.array([1, 2, 3], np.uint8)],
)
def test_bytes_may_be_given_in_many_ways(data: Any) -> None:
    message = Image(data=data)
    assert np.frombuffer(message.data, np.uint8).tolist() == [1, 2, 3]
    assert message == Image(data=[1, 2, 3])


def test_a_picture_is_taken_flat() -> None:
    frame = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    assert Image(data=frame).data.tolist() == frame.ravel().tolist()
    assert Image(data=frame[:, ::2]).data.tolist() == frame[:, ::2].ravel().tolist()


def test_messages_are_equal_by_value_and_can_be_copied() -> None:
    one = JointState(name=["a"], position=[1.0, 2.0])
    other = copy.deepcopy(one)
    assert one == other
    other.position[1] = 3.0
    assert one != other
    assert one != String()
    assert "JointState(header=" in repr(one)
    assert "name=['a']" in repr(one)
    with pytest.raises(TypeError, match="unhashable"):
        hash(one)


def test_what_is_not_known_is_refused_by_name() -> None:
    import geometry_msgs.msg

    with pytest.raises(AttributeError, match="geometry_msgs has no msg 'Twst'; it has: Accel"):
        _ = geometry_msgs.msg.Twst
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("nowhere_msgs.msg")
    assert "Twist" in dir(geometry_msgs.msg)
    layout = UInt8MultiArray().layout
    assert layout.data_offset == 0
