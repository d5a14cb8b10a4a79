"""Friction from grips, of made data and of a block between two pads in MuJoCo."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest

from calibration.slip import Grip, friction, next_force
from policy.contract import Invalid

BLOCK = """
<mujoco>
  <option timestep="0.002" integrator="implicitfast" cone="elliptic" impratio="10"/>
  <worldbody>
    <body name="block"><freejoint/>
      <geom type="box" size=".02 .02 .02" mass="0.5" friction="{friction} 0.005 0.0001"/></body>
    <body name="left" pos="0 -.03 0"><joint name="left" type="slide" axis="0 1 0"/>
      <geom type="box" size=".01 .01 .01" mass=".2" friction="0 0.005 0.0001"/></body>
    <body name="right" pos="0 .03 0"><joint name="right" type="slide" axis="0 -1 0"/>
      <geom type="box" size=".01 .01 .01" mass=".2" friction="0 0.005 0.0001"/></body>
  </worldbody>
  <actuator><motor joint="left"/><motor joint="right"/></actuator>
</mujoco>
"""


def held_up(coefficient: float, force: float) -> Grip:
    """Pads press a block of half a kilogram, first without gravity, then with it."""
    model = mujoco.MjModel.from_xml_string(BLOCK.format(friction=coefficient))
    data = mujoco.MjData(model)
    data.ctrl[:] = force
    model.opt.gravity[:] = 0
    mujoco.mj_step(model, data, nstep=100)
    model.opt.gravity[2] = -9.81
    mujoco.mj_step(model, data, nstep=250)
    return Grip(force, 0.5 * 9.81, bool(data.body("block").xpos[2] < -0.01))


@pytest.mark.parametrize("coefficient", [0.3, 0.8])
def test_friction_of_a_block_between_pads(coefficient: float) -> None:
    grips: list[Grip] = []
    for _ in range(9):
        grips.append(held_up(coefficient, next_force(grips, 0.5 * 9.81, 40.0)))
    found = friction(grips)
    assert found.coefficient == pytest.approx(coefficient, rel=0.06)
    assert abs(found.coefficient - coefficient) < 4 * found.error


def test_spread_grips_give_a_spread() -> None:
    random = np.random.default_rng(0)
    off = []
    for _ in range(6):
        grips = []
        for _ in range(40):
            force = float(random.uniform(2, 8))
            slips = 5 / (2 * force) > 0.6 * random.lognormal(0, 0.1)
            grips.append(Grip(force, 5.0, bool(slips)))
        found = friction(grips)
        off.append((found.coefficient - 0.6) / found.error)
        assert 0.01 < found.spread < 0.3
    assert np.abs(off).max() < 4
    assert np.std(off) < 2


@pytest.mark.parametrize(("slipped", "remedy"), [(True, "press harder"), (False, "press less")])
def test_needs_both_kinds(slipped: bool, remedy: str) -> None:
    with pytest.raises(Invalid, match=remedy):
        friction([Grip(10, 5, slipped)] * 4)
