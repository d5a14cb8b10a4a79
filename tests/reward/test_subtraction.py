"""What image subtraction says of bins drawn by hand, whatever the light does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from bins import CLUTTER, CORNERS, DROPPED, SIZE, Picture, empty_cycles, mask, picture

from policy.contract import Invalid
from policy.experience.episode import Verdict
from reward.noise import measure
from reward.subtraction import LEAST, SUREST, Finding, Subtraction

LIGHTS: dict[str, dict[str, Any]] = {
    "as is": {},
    "lighter": {"gain": 1.25},
    "darker": {"gain": 0.7},
    "another cast": {"tint": (1.08, 1.0, 0.9)},
    "soft shadow": {"shadow": 0.5},
    "camera trembled": {"move": (2.3, -1.6, 0.2)},
    "all": {"gain": 1.15, "tint": (0.95, 1.0, 1.06), "shadow": 0.4, "move": (-1.2, 2.4, -0.2)},
}


@pytest.fixture(scope="module")
def judge() -> Subtraction:
    return Subtraction({"front": (mask(), measure("front", mask(), empty_cycles()))})


def verdict(judge: Subtraction, before: Picture, after: Picture) -> Verdict:
    return judge.judge({"front": before}, {"front": after})


@pytest.mark.parametrize("light", LIGHTS)
def test_a_dropped_thing_is_seen_in_any_light(judge: Subtraction, light: str) -> None:
    after = picture([*CLUTTER, DROPPED], 8, **LIGHTS[light])
    found = verdict(judge, picture(seed=7), after)
    assert (found.success, found.abstained, found.detector) == (True, False, "subtraction")
    assert found.confidence > 0.9
    assert "% of the bin changed" in found.reason


@pytest.mark.parametrize("light", LIGHTS)
def test_light_alone_is_no_thing(judge: Subtraction, light: str) -> None:
    found = verdict(judge, picture(seed=7), picture(seed=8, **LIGHTS[light]))
    assert (found.success, found.abstained) == (False, False)
    assert found.confidence > 0.9


def test_the_evidence_lies_where_the_thing_does(judge: Subtraction) -> None:
    after = picture([*CLUTTER, DROPPED], 8)
    found = judge.find("front", {"front": picture(seed=7)}, {"front": after})
    rows, columns = np.nonzero(found.changed)
    assert found.changed.shape == SIZE
    assert np.hypot(rows - DROPPED[1], columns - DROPPED[0]).max() < 3 * DROPPED[2]
    assert found.newness > 0.3


def test_what_was_nudged_did_not_appear(judge: Subtraction) -> None:
    x, y, radius, colour = CLUTTER[2]
    after = picture([*CLUTTER[:2], (x + 3, y - 2, radius, colour)], 8)
    found = judge.find("front", {"front": picture(seed=7)}, {"front": after})
    assert found.share > LEAST
    assert found.appeared < found.share / 3
    verdict_ = verdict(judge, picture(seed=7), after)
    assert not verdict_.success


def test_structure_tells_what_came_from_what_went(judge: Subtraction) -> None:
    less, more = picture(seed=7), picture([*CLUTTER, DROPPED], 8)
    came = judge.find("front", {"front": less}, {"front": more})
    went = judge.find("front", {"front": more}, {"front": less})
    assert came.newness == pytest.approx(-went.newness, abs=0.05)
    assert came.evidence > went.evidence


def test_evidence_grows_with_what_changed_and_is_even_in_between() -> None:
    def evidence(share: float) -> float:
        return Finding("front", mask(), share, share, 0.0, 0.0).evidence

    assert evidence(LEAST) == pytest.approx(0)
    shares = (0.0, LEAST / 2, LEAST, 2 * LEAST, 20 * LEAST)
    assert list(map(evidence, shares)) == sorted(map(evidence, shares))
    assert -evidence(0.0) == evidence(1.0) == SUREST


def test_what_changes_beside_the_bin_does_not_count(judge: Subtraction) -> None:
    beside = (*CORNERS[0] - (30, 0), 12, (200, 40, 40))
    found = verdict(judge, picture(seed=7), picture([*CLUTTER, beside], 8))
    assert not found.success
    assert not found.abstained


def test_it_abstains_where_it_cannot_tell(judge: Subtraction) -> None:
    good = picture(seed=7)
    arm = picture([(165, 120, 60, (240, 240, 240))], 8)
    elsewhere = np.ascontiguousarray(good[::-1, ::-1])
    for after, reason in (
        (np.zeros_like(good), "black"),
        (picture(gain=4.0), "overexposed"),
        (arm, "in the way"),
        (picture(move=(40, 0, 0)), "laid over"),
        (elsewhere, "laid over"),
    ):
        found = verdict(judge, good, after)
        assert found.abstained, reason
        assert reason in found.reason
        assert found.confidence == 0


def test_of_two_cameras_one_may_be_blind_but_they_must_not_disagree() -> None:
    known = measure("front", mask(), empty_cycles())
    both = Subtraction({"front": (mask(), known), "side": (mask(), known)})
    same, other = picture(seed=7), picture([*CLUTTER, DROPPED], 8)
    black = np.zeros_like(same)
    found = both.judge({"front": same, "side": black}, {"front": other, "side": black})
    assert found.success
    assert found.confidence > 0.9
    assert "side: 100% of the bin is black" in found.reason
    torn = both.judge({"front": same, "side": same}, {"front": other, "side": picture(seed=9)})
    assert torn.confidence == pytest.approx(0.5, abs=0.2)


def test_refuses_what_is_no_picture_of_its_camera(judge: Subtraction) -> None:
    good = picture()
    for after in ({}, {"front": good[:-1]}, {"front": good.astype(float)}):
        with pytest.raises(Invalid, match=r"after\.front"):
            judge.judge({"front": good}, after)


def test_refuses_a_mask_of_nothing_and_a_cell_that_never_rests() -> None:
    known = measure("front", mask(), empty_cycles())
    with pytest.raises(Invalid, match=r"masks\.front"):
        Subtraction({"front": (np.zeros(SIZE, bool), known)})
    with pytest.raises(Invalid, match="1 or more"):
        Subtraction({})
    rolling = [(picture(seed=2 * k), picture([*CLUTTER, DROPPED], 2 * k + 1)) for k in range(3)]
    with pytest.raises(Invalid, match="restless"):
        Subtraction({"front": (mask(), measure("front", mask(), rolling))})
