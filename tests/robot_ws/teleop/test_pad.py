"""From a person's device to an action."""

from __future__ import annotations

import math

import numpy as np
import pytest
from regrasp_nodes.teleop import DEVICES, Keys, Pad

from calibration import load_cell
from policy.contract import Invalid
from sim.env import TWIN

SPEC = load_cell(TWIN).interface().action
STEP = float(SPEC.high[0])
AXES, BUTTONS = [0.0] * 6, [0] * 11
LB, X, Y = 4, 2, 3


def pressed(*which: int) -> list[int]:
    return [int(k in which) for k in range(11)]


def pushed(**axes: float) -> list[float]:
    return [axes.get(f"a{k}", 0.0) for k in range(6)]


def test_nobody_is_followed_without_the_switch() -> None:
    pad = Pad(SPEC, DEVICES["gamepad"])
    pad.take(pushed(a1=1.0), BUTTONS, 0.0)
    assert not pad.engaged
    pad.take(pushed(a1=1.0), pressed(LB), 0.1)
    assert pad.engaged
    pad.take(pushed(a1=1.0), BUTTONS, 0.2)
    assert not pad.engaged


def test_a_stick_to_its_end_is_the_largest_step_and_at_rest_nothing() -> None:
    pad = Pad(SPEC, DEVICES["gamepad"])
    pad.take(pushed(a1=1.0, a0=-1.0), pressed(LB), 0.0)
    np.testing.assert_allclose(pad.action[:3], [STEP, -STEP, 0], atol=1e-6)
    pad.take(pushed(a1=0.05, a0=math.nan), pressed(LB), 0.1)
    assert not pad.action[:4].any()


def test_actions_are_always_allowed() -> None:
    random = np.random.default_rng(0)
    pad = Pad(SPEC, DEVICES["gamepad"], view=1.0)
    for k in range(1000):
        axes = random.normal(0, 2, 6).tolist()
        pad.take(axes, random.integers(0, 2, 11).tolist(), 0.02 * k)
        assert (SPEC.low <= pad.action).all()
        assert (pad.action <= SPEC.high).all()


def test_forward_is_where_the_person_looks() -> None:
    there = Pad(SPEC, DEVICES["spacemouse"], view=math.pi / 2)
    there.take([1.0, 0, 0, 0, 0, 0], [0, 0], 0.0)
    np.testing.assert_allclose(there.action[:2], [0, STEP], atol=1e-6)


def test_a_spacemouse_is_its_own_switch_for_a_moment() -> None:
    pad = Pad(SPEC, DEVICES["spacemouse"])
    pad.take([0.0] * 6, [0, 0], 0.0)
    assert not pad.engaged
    pad.take([0, 0, -0.9, 0, 0, 0], [0, 0], 0.1)
    assert pad.engaged
    pad.take([0.0] * 6, [0, 0], 0.3)
    assert pad.engaged
    pad.take([0.0] * 6, [0, 0], 0.6)
    assert not pad.engaged


def test_orders_are_given_once_and_arming_needs_both_hands() -> None:
    pad = Pad(SPEC, DEVICES["gamepad"])
    assert pad.take(AXES, pressed(Y), 0.0).label is True
    assert pad.take(AXES, pressed(Y), 0.1).label is None
    assert pad.take(AXES, pressed(X), 0.2).label is False
    assert pad.take(AXES, pressed(6), 0.3).stop
    assert not pad.take(AXES, pressed(7), 0.4).arm
    pad.take(AXES, pressed(LB), 0.5)
    assert pad.take(AXES, pressed(LB, 7), 0.6).arm


def test_another_device_is_told_by_its_axes() -> None:
    with pytest.raises(Invalid, match="axes"):
        Pad(SPEC, DEVICES["gamepad"]).take([0.0, 0.0], [0], 0.0)


def test_keys_are_held_as_long_as_they_repeat() -> None:
    keys, pad = Keys(), Pad(SPEC, DEVICES["keyboard"])
    keys.press("w", 0.0)
    keys.press(" ", 0.0)
    keys.press("C", 0.0)
    pad.take(*keys.state(0.1), 0.1)
    assert pad.engaged
    assert pad.action[0] == pytest.approx(STEP)
    assert pad.action[SPEC.names.index("gripper_close")] == 1
    pad.take(*keys.state(2.0), 2.0)
    assert not pad.engaged
    assert not pad.action.any()
