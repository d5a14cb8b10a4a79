"""Specs: what acts when an action is sent, and what is refused before it gets that far."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from dataclasses import replace

import hypothesis.extra.numpy as arrays
import hypothesis.strategies as st
import numpy as np
import numpy.typing as npt
import pytest
from factories import INTERFACE
from hypothesis import given

from policy.contract import (
    ActionEntry,
    ActionSpec,
    ContractError,
    Entry,
    ImageSpec,
    Invalid,
    ObservationSpec,
    Problem,
    encode,
)
from policy.contract.specs import FloatArray

ACTION = INTERFACE.action  # dx, dyaw, and the switch gripper_close
OBSERVATION = INTERFACE.observation


def vector(*values: float) -> FloatArray:
    return np.array(values, np.float32)


@pytest.mark.parametrize(
    ("sent", "acts"),
    [
        ((0.01, 0.1, 0.0), (0.01, 0.1, 0.0)),
        ((0.04, -0.35, 1.0), (0.04, -0.35, 1.0)),
        ((9.0, -9.0, 9.0), (0.04, -0.35, 1.0)),
        ((-9.0, 9.0, -9.0), (-0.04, 0.35, 0.0)),
        ((0.0, 0.0, 0.5), (0.0, 0.0, 0.0)),  # at the threshold, not above it
        ((0.0, 0.0, 0.51), (0.0, 0.0, 1.0)),
        ((math.inf, -math.inf, math.inf), (0.04, -0.35, 1.0)),
    ],
)
def test_executed(sent: tuple[float, ...], acts: tuple[float, ...]) -> None:
    executed = ACTION.executed(vector(*sent))
    assert executed.dtype == np.float32
    np.testing.assert_array_equal(executed, vector(*acts))


def test_a_switch_has_the_two_values_of_its_bounds() -> None:
    spec = ActionSpec((ActionEntry("valve", "1", -2.0, 3.0, threshold=-2.0),))
    sent = vector(-5.0, -2.0, -1.9, 3.0, 7.0)[:, None]
    np.testing.assert_array_equal(spec.executed(sent)[:, 0], vector(-2, -2, 3, 3, 3))


@given(
    arrays.arrays(
        np.float32,
        st.tuples(st.integers(0, 4), st.integers(0, 3), st.just(3)),
        elements=st.floats(-2, 2, width=32),
    )
)
def test_executed_is_bounded_idempotent_and_works_on_any_batch(actions: FloatArray) -> None:
    executed = ACTION.executed(actions)
    assert executed.shape == actions.shape
    assert ((executed >= ACTION.low) & (executed <= ACTION.high)).all()
    assert np.isin(executed[..., 2], (0.0, 1.0)).all()
    np.testing.assert_array_equal(ACTION.executed(executed), executed)
    for index in np.ndindex(actions.shape[:-1]):
        np.testing.assert_array_equal(executed[index], ACTION.executed(actions[index]))


def test_bounds_and_length() -> None:
    assert len(ACTION) == 3
    assert ACTION.names == ["dx", "dyaw", "gripper_close"]
    assert [entry.discrete for entry in ACTION.entries] == [False, False, True]
    np.testing.assert_array_equal(ACTION.low, vector(-0.04, -0.35, 0.0))
    np.testing.assert_array_equal(ACTION.high, vector(0.04, 0.35, 1.0))


def test_what_was_computed_from_a_spec_does_not_show_in_it() -> None:
    fresh = ActionSpec(ACTION.entries)
    plain = encode(fresh)
    fresh.executed(fresh.low)
    assert encode(fresh) == plain
    assert fresh == ActionSpec(ACTION.entries)
    assert hash(fresh) == hash(ActionSpec(ACTION.entries))


@pytest.mark.parametrize(
    ("action", "found", "wanted"),
    [
        (np.zeros(3), "float64 (3,)", "float32 (3,) of dx, dyaw, gripper_close"),
        (np.zeros(2, np.float32), "float32 (2,)", "float32 (3,)"),
        (np.zeros((1, 3), np.float32), "float32 (1, 3)", "float32 (3,)"),
        (vector(0.0, math.nan, 0.0), "nan", "finite numbers"),
        (vector(0.0, 0.0, math.inf), "inf", "finite numbers"),
    ],
)
def test_wrong_action_is_refused(action: npt.NDArray[np.float32], found: str, wanted: str) -> None:
    with pytest.raises(Invalid) as refused:
        ACTION.check(action, "policy")
    problem = refused.value.problem
    assert problem.field == "policy"
    assert found in str(problem.found)
    assert wanted in problem.wanted
    for part in (problem.field, found, wanted, problem.remedy):
        assert part in str(refused.value)


def test_the_entry_that_is_not_finite_is_named() -> None:
    with pytest.raises(Invalid, match=r"computes dyaw$"):
        ACTION.check(vector(0.0, math.nan, 0.0))
    ACTION.check(vector(0.0, 0.0, 0.0))


def frames() -> dict[str, npt.NDArray[np.uint8]]:
    return {image.name: np.zeros(image.shape, np.uint8) for image in OBSERVATION.images}


def test_an_observation_of_the_spec_passes() -> None:
    OBSERVATION.check(frames(), vector(0.0, 0.0))
    assert OBSERVATION.cameras == ("front", "wrist")


@pytest.mark.parametrize(
    ("change", "proprio", "field", "found"),
    [
        ({"front": np.zeros((16, 12, 3), np.uint8)}, (0, 0), "images.front", "uint8 (16, 12, 3)"),
        ({"wrist": np.zeros((8, 8, 3), np.float32)}, (0, 0), "images.wrist", "float32 (8, 8, 3)"),
        ({"front": np.zeros((12, 16), np.uint8)}, (0, 0), "images.front", "uint8 (12, 16)"),
        ({"side": np.zeros((8, 8, 3), np.uint8)}, (0, 0), "images", "'side'"),
        ({}, (0.0,), "proprio", "float32 (1,)"),
        ({}, (0.0, math.nan), "proprio", "nan"),
    ],
)
def test_wrong_observation_is_refused(
    change: dict[str, npt.NDArray[np.uint8]],
    proprio: tuple[float, ...],
    field: str,
    found: str,
) -> None:
    with pytest.raises(Invalid) as refused:
        OBSERVATION.check({**frames(), **change}, vector(*proprio))
    assert refused.value.problem.field == field
    assert found in str(refused.value.problem.found)


def test_a_missing_camera_is_refused() -> None:
    front = {"front": frames()["front"]}
    with pytest.raises(Invalid, match=r"images: found \['front'\], wanted front, wrist"):
        OBSERVATION.check(front, vector(0.0, 0.0))


@pytest.mark.parametrize(
    ("build", "field", "found"),
    [
        (lambda: Entry("x", "m", 1.0, 1.0), "high", 1.0),
        (lambda: Entry("x", "m", 1.0, -1.0), "high", -1.0),
        (lambda: Entry("x", "m", 0.0, math.nan), "high", None),
        (lambda: ActionEntry("x", "1", 2.0, 1.0, threshold=1.5), "high", 1.0),
        (lambda: ActionEntry("x", "1", 0.0, 1.0, threshold=1.0), "threshold", 1.0),
        (lambda: ActionEntry("x", "1", 0.0, 1.0, threshold=-0.1), "threshold", -0.1),
        (lambda: ActionEntry("x", "1", 0.0, 1.0, threshold=math.nan), "threshold", None),
        (lambda: ImageSpec("front", 0, 4), "height", 0),
        (lambda: ImageSpec("front", 4, -1), "width", -1),
        (lambda: ImageSpec("front", 4, 4, 0), "channels", 0),
        (lambda: ActionSpec(()), "entries", ()),
        (lambda: ActionSpec((*ACTION.entries, ACTION.entries[0])), "entries", "dx"),
        (lambda: ActionSpec((ActionEntry("", "m", 0.0, 1.0),)), "entries", ""),
        (lambda: ObservationSpec(OBSERVATION.images[:1] * 2), "images", "front"),
        (lambda: ObservationSpec((), OBSERVATION.proprio[:1] * 2), "proprio", "gripper_aperture"),
        (lambda: ObservationSpec((), (), -1), "action_window", -1),
        (lambda: replace(INTERFACE, control_period_s=0.0), "control_period_s", 0.0),
        (lambda: replace(INTERFACE, control_period_s=-0.2), "control_period_s", -0.2),
        (lambda: replace(INTERFACE, control_period_s=math.inf), "control_period_s", math.inf),
        (lambda: replace(INTERFACE, control_period_s=math.nan), "control_period_s", None),
    ],
)
def test_what_no_spec_can_be(build: Callable[[], object], field: str, found: object) -> None:
    with pytest.raises(Invalid) as refused:
        build()
    problem = refused.value.problem
    assert problem.field == field
    assert problem.wanted
    assert problem.remedy
    if found is not None:  # NaN equals nothing
        assert problem.found == found


def test_errors_travel_between_processes() -> None:
    problem = Problem("arm.reach.unit", "mm", "'m'", "divide it by 1000")
    refused = ContractError("twin.yaml", [problem])
    copied = pickle.loads(pickle.dumps(refused))  # noqa: S301
    assert (str(copied), copied.problems) == (str(refused), (problem,))
    invalid = Invalid("unit", "mm", "'m'", "divide it by 1000")
    assert pickle.loads(pickle.dumps(invalid)).problem == invalid.problem  # noqa: S301


@pytest.mark.parametrize("name", ["", "0front", "front/left", "../x", "front camera"])
def test_a_camera_names_topics_and_files(name: str) -> None:
    with pytest.raises(Invalid, match=r"name: found .*wanted letters, digits and _"):
        ImageSpec(name, 4, 4)
