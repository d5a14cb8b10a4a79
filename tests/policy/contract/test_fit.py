"""Does a policy fit a cell: every single difference is found, and named by its field."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cards import edited, make_card
from factories import INTERFACE

from policy.contract import (
    ActionEntry,
    ActionSpec,
    ContractError,
    ImageSpec,
    Interface,
    decode,
    encode,
    misfits,
    require_fit,
)

CELL = make_card().cell_id


def offering(path: str, value: object) -> Interface:
    """A cell that offers `INTERFACE` but for one value."""
    return decode(Interface, edited(encode(INTERFACE), path, value), "offered")


def test_a_fitting_policy_passes() -> None:
    assert list(misfits(make_card(), CELL, INTERFACE)) == []
    require_fit(make_card(), CELL, INTERFACE)


# Each case is one value of the cell that is not what the policy was trained with; entries are
# proprio 0 = gripper_aperture, 1 = tcp_height; action 0 = dx, 1 = dyaw, 2 = gripper_close.
@pytest.mark.parametrize(
    ("path", "value", "field", "found", "wanted"),
    [
        ("control_period_s", 0.1, "control_period_s", 0.2, "0.1 s"),
        ("control_period_s", 0.203, "control_period_s", 0.2, "0.203 s"),
        (
            "observation.images.0.name",
            "side",
            "observation.images.front",
            "no such camera",
            "one of side, wrist",
        ),
        ("observation.images.0.height", 24, "observation.images.front", (12, 16, 3), "(24, 16, 3)"),
        ("observation.images.1.width", 16, "observation.images.wrist", (8, 8, 3), "(8, 16, 3)"),
        ("observation.images.0.channels", 1, "observation.images.front", (12, 16, 3), "12, 16, 1"),
        (
            "observation.proprio.0.name",
            "finger_width",
            "observation.proprio.gripper_aperture",
            "no such entry",
            "one of finger_width, tcp_height",
        ),
        ("observation.proprio.1.unit", "rad", "observation.proprio.tcp_height.unit", "m", "'rad'"),
        (
            "observation.proprio.0.high",
            0.085,
            "observation.proprio.gripper_aperture",
            "[0.0, 0.08]",
            "at least [0.0, 0.085]",
        ),
        (
            "observation.proprio.1.low",
            -0.01,
            "observation.proprio.tcp_height",
            "[0.0, 0.3]",
            "at least [-0.01, 0.3]",
        ),
        ("action.entries.0.name", "dz", "action.dx", "no such entry", "one of dz, dyaw"),
        ("action.entries.1.unit", "1", "action.dyaw.unit", "rad", "'1'"),
        ("action.entries.0.high", 0.02, "action.dx", "[-0.04, 0.04]", "within [-0.04, 0.02] m"),
        ("action.entries.0.low", -0.03, "action.dx", "[-0.04, 0.04]", "within [-0.03, 0.04] m"),
        (
            "action.entries.2.threshold",
            None,
            "action.gripper_close",
            "a switch",
            "a continuous entry",
        ),
        ("action.entries.1.threshold", 0.0, "action.dyaw", "a continuous entry", "a switch"),
        # A switch that is thrown elsewhere, or to another value, is another switch.
        (
            "action.entries.2.threshold",
            0.4,
            "action.gripper_close",
            "(0.0, 1.0, 0.5)",
            "(low, high, threshold) = (0.0, 1.0, 0.4)",
        ),
        (
            "action.entries.2.high",
            2.0,
            "action.gripper_close",
            "(0.0, 1.0, 0.5)",
            "(low, high, threshold) = (0.0, 2.0, 0.5)",
        ),
    ],
)
def test_one_difference(path: str, value: object, field: str, found: object, wanted: str) -> None:
    [problem] = misfits(make_card(), CELL, offering(path, value))
    assert problem.field == field
    assert problem.found == found
    assert wanted in problem.wanted
    assert problem.remedy


@pytest.mark.parametrize(
    ("span", "wanted"), [((0.07, 0.9), "0.07 to 0.9 m"), ((0.1, 0.6), "0.1 to 0.6 m"), (None, "no")]
)
def test_bytes_of_another_depth(span: tuple[float, float] | None, wanted: str) -> None:
    def seeing(depth: tuple[float, float] | None) -> Interface:
        images = ImageSpec("front", 12, 16, 1, depth), INTERFACE.observation.images[1]
        return replace(INTERFACE, observation=replace(INTERFACE.observation, images=images))

    card = make_card(interface=seeing((0.07, 0.6)))
    require_fit(card, CELL, seeing((0.07, 0.6)))
    [problem] = misfits(card, CELL, seeing(span))
    assert problem.field == "observation.images.front.depth"
    assert problem.found == "0.07 to 0.6 m"
    assert problem.wanted.startswith(wanted)


def test_another_cell() -> None:
    [problem] = misfits(make_card(), "twin", INTERFACE)
    assert (problem.field, problem.found, problem.wanted) == ("cell_id", CELL, "'twin'")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("control_period_s", 0.2009),  # a clock's jitter
        ("observation.proprio.0.high", 0.07),  # a sensor that says less than the policy knows
        ("action.entries.0.high", 0.05),  # an arm that may do more than the policy asks
        ("observation.action_window", 5),  # what the policy remembers is its own business
    ],
)
def test_what_a_cell_may_offer_otherwise(path: str, value: object) -> None:
    require_fit(make_card(), CELL, offering(path, value))


def test_a_cell_may_offer_more() -> None:
    observation, action = INTERFACE.observation, INTERFACE.action
    more = replace(
        INTERFACE,
        observation=replace(
            observation, images=(ImageSpec("side", 4, 4), *reversed(observation.images))
        ),
        action=ActionSpec((ActionEntry("terminate", "1", 0.0, 1.0, 0.5), *action.entries[::-1])),
    )
    require_fit(make_card(), CELL, more)


def test_every_difference_is_reported_at_once() -> None:
    other = Interface(
        replace(INTERFACE.observation, images=INTERFACE.observation.images[:1], proprio=()),
        ActionSpec((ActionEntry("dx", "rad", -0.01, 0.01), *INTERFACE.action.entries[1:])),
        0.5,
    )
    with pytest.raises(ContractError) as refused:
        require_fit(make_card(), "twin", other)
    assert [problem.field for problem in refused.value.problems] == [
        "cell_id",
        "control_period_s",
        "observation.images.wrist",
        "observation.proprio.gripper_aperture",
        "observation.proprio.tcp_height",
        "action.dx.unit",
        "action.dx",
    ]
    lines = str(refused.value).splitlines()
    assert lines[0] == "policy 'grasp' does not fit cell 'twin': 7 problems"
    assert len(lines) == 8
