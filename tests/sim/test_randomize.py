"""Randomisation: widths from the cell where it was measured, each factor switched and scaled."""

from __future__ import annotations

import datetime
import json
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from calibration import Cell, load_cell
from policy.contract import ContractError, Invalid, decode, encode
from sim.config import OFF, PUBLISHED, ObjectConfig, RandomConfig, given
from sim.parameters import Parameters, nominal
from sim.randomize import sample, things_of

CELL = load_cell(Path(__file__).parents[2] / "calibration/cells/twin.yaml")
THINGS = things_of(ObjectConfig(), 12, np.random.default_rng(0))


def draw(config: RandomConfig, seed: int = 0, cell: Cell = CELL) -> Parameters:
    return sample(cell, config, THINGS, np.random.default_rng(seed), 4)


def only(**widths: float) -> RandomConfig:
    """All factors off, but these."""
    off = {field.name: 0.0 for field in fields(RandomConfig) if field.name != "scale"}
    return RandomConfig(**{**off, **widths})


def test_off_is_the_cell_as_measured() -> None:
    assert draw(OFF) == nominal(CELL, THINGS)


def test_a_seed_draws_the_same_and_another_one_does_not() -> None:
    assert draw(RandomConfig(), 3) == draw(RandomConfig(), 3)
    assert draw(RandomConfig(), 3) != draw(RandomConfig(), 4)


def test_parameters_survive_the_log() -> None:
    """What is recorded with an episode can be read back, and played again."""
    drawn = draw(RandomConfig(), 5)
    text = json.dumps(encode(drawn))
    assert decode(Parameters, json.loads(text), "log") == drawn


@pytest.mark.parametrize(
    ("factor", "width", "part"),
    [
        ("camera_shift", 0.03, "views"),
        ("camera_turn", 0.05, "views"),
        ("camera_zoom", 0.05, "views"),
        ("exposure", 1.0, "imaging"),
        ("white_balance", 1.0, "imaging"),
        ("noise", 1.0, "imaging"),
        ("blur", 1.0, "imaging"),
        ("jpeg", 1.0, "imaging"),
        ("mass", 0.02, "things"),
        ("friction", 0.1, "things"),
        ("damping", 0.2, "dynamics"),
        ("grip_force", 0.2, "dynamics"),
        ("closing_speed", 0.2, "dynamics"),
        ("action_delay", 1.0, "timing"),
        ("observation_delay", 0.5, "timing"),
        ("period_jitter", 0.05, "timing"),
        ("misfit_shift", 0.004, "misfit"),
        ("misfit_yaw", 0.01, "misfit"),
        ("textures", 1.0, "look"),
        ("colours", 1.0, "look"),
        ("materials", 1.0, "look"),
        ("brightness", 1.0, "look"),
        ("lights", 1.0, "look"),
        ("light_turn", 0.35, "look"),
        ("no_shadow", 1.0, "look"),
        ("strays", 1.0, "look"),
    ],
)
def test_each_factor_can_be_switched_alone(factor: str, width: float, part: str) -> None:
    still = [getattr(draw(only(), seed), part) for seed in range(12)]
    moved = [getattr(draw(only(**{factor: width}), seed), part) for seed in range(12)]
    assert any(a != b for a, b in zip(still, moved, strict=True))


def test_scale_widens_and_narrows() -> None:
    config = only(camera_shift=0.02)

    def spread(scale: float) -> float:
        drawn = [draw(config.scaled(scale), seed).views["front"].shift for seed in range(200)]
        return float(np.abs(drawn).max())

    assert spread(0.5) == pytest.approx(0.01, rel=0.05)
    assert spread(2.0) == pytest.approx(0.04, rel=0.05)


def test_widths_come_from_the_cells_residuals_where_it_was_measured() -> None:
    """A camera calibrated to 2 mm is randomised by 6 mm, not by what is usual."""
    camera = CELL.cameras["front"]
    position = replace(
        camera.pose.position, method="handeye", date=datetime.date(2026, 1, 1), residual=0.002
    )
    measured = replace(camera, pose=replace(camera.pose, position=position))
    cell = replace(CELL, cameras={"front": measured})
    shifts = [draw(RandomConfig(), seed, cell).views["front"].shift for seed in range(200)]
    assert 0.005 < np.abs(shifts).max() <= 0.006
    off = [draw(RandomConfig(camera_shift=0), seed, cell).views["front"].shift for seed in range(9)]
    assert not np.any(off)


def test_switched_off_is_off_even_where_it_was_measured() -> None:
    friction = replace(
        CELL.gripper.friction, method="pull", date=datetime.date(2026, 1, 1), residual=0.3
    )
    cell = replace(CELL, gripper=replace(CELL.gripper, friction=friction))
    still = nominal(cell, THINGS)
    for drawn in (draw(only(), seed, cell) for seed in range(9)):
        assert (drawn.dynamics, drawn.timing) == (still.dynamics, still.timing)
        assert (drawn.views, drawn.imaging) == (still.views, still.imaging)
    rough = [draw(RandomConfig(), seed, cell).dynamics.pad_friction for seed in range(200)]
    assert 0.4 < min(rough) < 0.7


def test_lamps_turn_no_further_than_told() -> None:
    wanted = np.array(nominal(CELL, THINGS).look.lamps[0].direction)
    wanted /= np.linalg.norm(wanted)
    for seed in range(300):
        direction = np.array(draw(only(light_turn=0.35), seed).look.lamps[0].direction)
        assert np.arccos(direction @ wanted / np.linalg.norm(direction)) <= 0.3501


def test_delays_stay_within_a_control_step() -> None:
    config = RandomConfig(scale=3.0)
    for seed in range(100):
        timing = draw(config, seed).timing
        assert 0 < timing.camera < CELL.control.period.value
        assert timing.command >= CELL.latency.command.mean.value


def test_published_sets_are_valid_and_named() -> None:
    for config in PUBLISHED.values():
        draw(config)


def test_refuses_by_field_name() -> None:
    with pytest.raises(Invalid, match="camera_shift"):
        RandomConfig(camera_shift=-0.1)
    with pytest.raises(Invalid, match="friction"):
        RandomConfig(friction=0.5, scale=2.0)
    with pytest.raises(ContractError, match=r"did you mean 'textures'"):
        given(RandomConfig, {"texture": 1.0}, "randomize")
