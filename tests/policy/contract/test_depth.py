"""Metres become bytes in one place, and what was not measured stays unknown."""

from __future__ import annotations

import numpy as np
import pytest

from policy.contract import ImageSpec, Invalid
from policy.contract.depth import STEPS, UNKNOWN, depth_bytes

SPAN = (0.1, 0.6)


def test_a_byte_is_within_half_a_step_of_its_distance() -> None:
    metres = np.linspace(*SPAN, 1000).reshape(20, 50)
    found = depth_bytes(metres, SPAN)
    assert found.shape == (20, 50, 1)
    assert found.dtype == np.uint8
    assert (found.min(), found.max()) == (1, 255)
    back = SPAN[0] + (found[..., 0].astype(float) - 1) * (SPAN[1] - SPAN[0]) / STEPS
    np.testing.assert_allclose(back, metres, atol=(SPAN[1] - SPAN[0]) / STEPS / 2 + 1e-9)


def test_what_is_not_measured_is_unknown() -> None:
    metres = np.array([[np.nan, 0.0, 0.0999, 0.6001, np.inf, 0.1]])
    assert depth_bytes(metres, SPAN)[0, :, 0].tolist() == [UNKNOWN] * 5 + [1]


def test_a_spec_of_depth_has_one_channel_and_a_span() -> None:
    ImageSpec("wrist_depth", 480, 640, 1, SPAN)
    for channels, span in ((3, SPAN), (1, (0.6, 0.1)), (1, (-0.1, 0.6))):
        with pytest.raises(Invalid, match="depth: found"):
            ImageSpec("wrist_depth", 480, 640, channels, span)
