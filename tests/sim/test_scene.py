"""The compiled cell: geometry from the cell file, foreign arms, and what is refused."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import mujoco
import numpy as np
import pytest

from calibration import Cell, load_cell
from policy.contract import ContractError, Invalid
from sim.config import GraspConfig, ObjectConfig, SceneConfig, given
from sim.env import BinGrasp
from sim.scene import build
from sim.world import World

TWIN = Path(__file__).parents[2] / "calibration/cells/twin.yaml"

OWN_ARM = """
<mujoco model="mine"><worldbody><body name="pillar" pos="0 0 0.3"><joint name="turn" axis="0 0 1"/>
<geom type="capsule" size=".05" fromto="0 0 0 0 0 .1" mass="3"/>
<body pos="0 0 .1"><joint name="lift" axis="0 1 0" range="-115 115"/>
<geom type="capsule" size=".04" fromto="0 0 0 0 0 .4" mass="2"/>
<body pos="0 0 .4"><joint name="elbow" axis="0 1 0" range="-160 160"/>
<geom type="capsule" size=".04" fromto="0 0 0 0 0 .4" mass="2"/>
<body pos="0 0 .4"><joint name="roll" axis="0 1 0"/>
<geom type="capsule" size=".03" fromto="0 0 0 0 0 .05" mass=".5"/>
<body pos="0 0 .05"><joint name="pitch" axis="1 0 0"/>
<geom type="capsule" size=".03" fromto="0 0 0 0 0 .05" mass=".5"/>
<body pos="0 0 .05"><joint name="spin" axis="0 0 1"/>
<geom type="capsule" size=".03" fromto="0 0 0 0 0 .03" mass=".3"/>
<site name="flange" pos="0 0 .04"/></body></body></body></body></body></body></worldbody>
<actuator><motor joint="turn"/></actuator></mujoco>
"""


@pytest.fixture
def cell() -> Cell:
    return load_cell(TWIN)


def with_arm(cell: Cell, **fields: Any) -> Cell:
    return replace(cell, arm=replace(cell.arm, **fields), dynamics=None)


def test_the_bin_is_the_cell_files(cell: Cell) -> None:
    """Rays from above meet floor, walls and table where the file says."""
    model = build(cell, SceneConfig())
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    solid = np.zeros(6, np.uint8)
    solid[[0, 3]] = 1

    def surface(x: float, y: float) -> float:
        geom, start = np.zeros(1, np.int32), np.array([x, y, 0.2])
        down = np.array([0.0, 0.0, -1.0])
        return 0.2 - float(mujoco.mj_ray(model, data, start, down, solid, 1, -1, geom))

    (x, y, floor), (width, _) = cell.bin.centre.value, cell.bin.floor.value
    assert surface(x, y) == pytest.approx(floor, abs=1e-6)
    slope = math.tan(cell.bin.wall_slope.value)
    for up in (0.02, 0.05, 0.09):
        for sign in (-1, 1):
            found = surface(x + sign * (width / 2 + up * slope), y)
            assert found == pytest.approx(floor + up, abs=1e-4)
    assert surface(x + 0.3, y) == pytest.approx(cell.table.height.value, abs=1e-6)


def test_a_persons_own_arm_loads_and_grasps_in_place_of_ours(cell: Cell, tmp_path: Path) -> None:
    path = tmp_path / "mine.xml"
    path.write_text(OWN_ARM)
    world = World(with_arm(cell, mjcf=str(path), model="mine", joints=6), SceneConfig())
    assert world.angles.shape == (6,)
    before = world.tcp[0]
    world.move(world.kinematics.home + 0.1, 0.5)
    world.advance(1.0)
    assert np.linalg.norm(world.tcp[0] - before) > 0.01
    np.testing.assert_allclose(world.angles, world.kinematics.home + 0.1, atol=0.03)


def test_the_tcp_is_where_the_cell_file_has_it(cell: Cell) -> None:
    """In the flange's frame, turned and off its axis; and the pads are there, too."""
    tcp, half = cell.arm.tcp, math.sqrt(0.5)
    turned = replace(
        tcp,
        position=replace(tcp.position, value=(0.02, 0.01, 0.12)),
        orientation=replace(tcp.orientation, value=(0.0, 0.0, half, half)),
    )
    model = build(replace(cell, arm=replace(cell.arm, tcp=turned)), SceneConfig())
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    flange = data.body("flange")
    place = flange.xmat.reshape(3, 3).T @ (data.site("tcp").xpos - flange.xpos)
    np.testing.assert_allclose(place, (0.02, 0.01, 0.12), atol=1e-9)
    pads = [data.geom(f"finger_{side}_pad").xpos for side in ("left", "right")]
    np.testing.assert_allclose(np.mean(pads, axis=0), data.site("tcp").xpos, atol=1e-6)


@pytest.mark.parametrize(
    ("fields", "field", "wanted"),
    [
        ({"model": "panda"}, "arm.model", "franka_like"),
        ({"joints": 6}, "arm.joints", "7"),
        ({"mjcf": "nowhere.xml"}, "arm.mjcf", "loads"),
    ],
)
def test_refuses_an_arm_that_is_not_there(
    cell: Cell, fields: dict[str, Any], field: str, wanted: str
) -> None:
    with pytest.raises(ContractError) as refused:
        build(with_arm(cell, **fields), SceneConfig())
    assert field in str(refused.value)
    assert wanted in str(refused.value)


def test_refuses_a_foreign_arm_without_a_flange_or_of_other_joints(
    cell: Cell, tmp_path: Path
) -> None:
    path = tmp_path / "mine.xml"
    path.write_text(OWN_ARM.replace('name="flange"', 'name="tip"'))
    with pytest.raises(ContractError, match=r"arm\.mjcf.*'tip'.*flange"):
        build(with_arm(cell, mjcf=str(path), joints=6), SceneConfig())
    path.write_text(OWN_ARM)
    with pytest.raises(ContractError, match=r"arm\.joints: found 5"):
        build(with_arm(cell, mjcf=str(path), joints=5), SceneConfig())


@pytest.mark.parametrize(
    ("cls", "values", "field"),
    [
        (SceneConfig, {"objects": 13}, "objects"),
        (SceneConfig, {"timestep": 0.0}, "timestep"),
        (SceneConfig, {"shadows": -1}, "shadows"),
        (SceneConfig, {"shadow": 1}, "shadow"),
        (ObjectConfig, {"count": (5, 2)}, "count"),
        (ObjectConfig, {"width": (-0.1, 0.1)}, "width"),
        (ObjectConfig, {"families": ("pyramid",)}, "families"),
        (ObjectConfig, {"density": (-5.0, 5.0)}, "density"),
        (GraspConfig, {"step_penalty": -0.1}, "step_penalty"),
        (GraspConfig, {"success_height": "high"}, "success_height"),
    ],
)
def test_refuses_configuration_by_field_name(cls: Any, values: dict[str, Any], field: str) -> None:
    with pytest.raises(ContractError, match=field):
        given(cls, values, "configuration")


def test_refuses_textures_that_are_not_there(cell: Cell, tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"scene\.textures\.0.*wood\.png"):
        build(cell, SceneConfig(textures=(str(tmp_path / "wood.png"),)))
    with pytest.raises(ContractError, match=r"scene\.textures\.0.*no picture"):
        build(cell, SceneConfig(textures=(str(tmp_path),)))


def test_a_persons_own_textures_join_the_pool(cell: Cell, tmp_path: Path) -> None:
    picture = np.zeros((40, 60, 3), np.uint8)
    picture[..., 2] = 200  # red, in OpenCV's order
    cv2.imwrite(str(tmp_path / "red.png"), picture)
    model = build(cell, SceneConfig(textures=(str(tmp_path),)))
    texture = model.texture("surface24")
    first = model.tex_adr[texture.id]
    assert model.tex_data[first : first + 3].tolist() == [200, 0, 0]


def test_the_task_refuses_what_does_not_fit_together() -> None:
    with pytest.raises(Invalid, match=r"objects\.count"):
        BinGrasp(objects={"count": [5, 6]}, scene={"objects": 4})
    with pytest.raises(Invalid, match="cameras"):
        BinGrasp(cameras=("ceiling",))
    with pytest.raises(Invalid, match=r"size: found 1000"):
        BinGrasp(size=1000)
    with pytest.raises(Invalid, match=r"crop\.front"):
        BinGrasp(crops={"front": (0, 300, 480, 480)})
