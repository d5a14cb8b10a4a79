"""The tool's tip from touches of one point; bin and table from touches and from depth."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from scipy.spatial.transform import Rotation

from calibration import Cell, load_cell
from calibration.binfit import BinResult, Touches, fit_bin, sorted_out, together
from calibration.cell import Bin, Camera
from calibration.geometry import bin_corners, down
from calibration.lens import Lens
from calibration.pivot import pivot
from calibration.planes import cloud, fit_plane
from calibration.rigid import matrix_of, rigid, standing
from policy.contract import Invalid
from sim.camera import Drawer
from sim.config import SceneConfig
from sim.depth import DepthEye
from sim.parameters import Imaging
from sim.world import World

Array = npt.NDArray[np.float64]
CELL = load_cell(Path(__file__).resolve().parents[2] / "calibration/cells/twin.yaml")
ASIDE = np.array([2.5, -0.35, 0.0, -2.35, 0.0, 2.0, 0.0])  # the arm out of the picture
TIP = np.array([0.003, -0.002, 0.112])


def touches(random: np.random.Generator, count: int = 8, tilt: float = 0.4) -> list[Array]:
    """Flange poses with the tip on one point, to 0.1 mm."""
    found = []
    for _ in range(count):
        turn = Rotation.from_rotvec([*random.uniform(-tilt, tilt, 2), random.uniform(-1, 1)])
        pose = turn.as_matrix() @ np.diag([1.0, -1, -1])
        found.append(rigid(pose, (0.5, 0.1, 0.02) - pose @ TIP + random.normal(0, 1e-4, 3)))
    return found


def test_the_tip_is_found_by_pivoting() -> None:
    found = pivot(touches(np.random.default_rng(0)))
    off = float(np.linalg.norm(found.tip - TIP))
    assert off < 5e-4
    assert off < 4 * found.sd
    assert found.residual < 3e-4
    np.testing.assert_allclose(found.point, (0.5, 0.1, 0.02), atol=5e-4)


def test_a_careless_touch_stands_out() -> None:
    poses = touches(np.random.default_rng(1), count=10)
    poses[4] = rigid(poses[4][:3, :3], poses[4][:3, 3] + (0.004, 0, 0))
    found = pivot(poses)
    assert int(found.misses.argmax()) == 4
    assert found.misses[4] > 2e-3
    assert np.linalg.norm(found.tip - TIP) < 1e-3


def test_touches_that_do_not_tell_are_refused() -> None:
    random = np.random.default_rng(0)
    with pytest.raises(Invalid, match="touches: found 3, wanted 4 or more"):
        pivot(touches(random, 3))
    with pytest.raises(Invalid, match="wanted 8 deg about a second axis; tilt the tool"):
        pivot(touches(random, 8, tilt=0.0))


def test_a_plane_among_other_things() -> None:
    random = np.random.default_rng(0)
    flat = np.column_stack([random.uniform(-1, 1, (400, 2)), np.zeros(400)])
    flat[:, 2] = 0.1 * flat[:, 0] + 0.05 + random.normal(0, 1e-3, 400)
    plane = fit_plane(np.concatenate([flat, random.uniform(-1, 1, (200, 3))]), 0.005)
    assert plane.height(0.5, 0.0) == pytest.approx(0.1, abs=5e-4)
    assert plane.tilt == pytest.approx(math.atan(0.1), abs=2e-3)
    assert plane.residual == pytest.approx(1e-3, rel=0.2)
    with pytest.raises(Invalid, match="points: found 2, wanted 3 or more"):
        fit_plane(flat[:2], 0.005)
    with pytest.raises(Invalid, match="all in a line"):
        fit_plane(np.outer(np.arange(5.0), (1, 1, 0)), 0.005)


# --- the bin -----------------------------------------------------------------------------------


def hidden_bin() -> Bin:
    box = CELL.bin
    values = {
        "centre": (0.512, -0.009, 0.0065), "yaw": 0.06, "floor": (0.306, 0.393),
        "wall_height": 0.094, "wall_slope": 0.32,
    }  # fmt: skip
    return replace(box, **{k: replace(getattr(box, k), value=v) for k, v in values.items()})


def require_found(found: BinResult, true: Bin, metres: float) -> None:
    np.testing.assert_allclose(found.centre, true.centre.value, atol=metres)
    np.testing.assert_allclose(found.size, true.floor.value, atol=2 * metres)
    assert found.yaw == pytest.approx(true.yaw.value, abs=0.01)
    assert found.slope == pytest.approx(true.wall_slope.value, abs=0.03)
    assert found.table_height == pytest.approx(0.0, abs=metres)
    assert found.floor.tilt < 0.01


def touched(true: Bin, random: np.random.Generator) -> Touches:
    """By hand: five spots on the floor, four on each wall, the rim's corners, five on the table."""
    floor, rim = bin_corners(true)
    middle = floor.mean(axis=0)
    walls = []
    for n in range(4):
        for along, up in ((0.2, 0.2), (0.8, 0.25), (0.25, 0.8), (0.75, 0.85)):
            low = floor[n] + along * (floor[(n + 1) % 4] - floor[n])
            high = rim[n] + along * (rim[(n + 1) % 4] - rim[n])
            walls.append(low + up * (high - low))
    table = np.array([[0.3, -0.4, 0], [0.7, -0.4, 0], [0.7, 0.4, 0], [0.3, 0.4, 0], [0.2, 0, 0]])
    kinds = ([*(middle + 0.7 * (floor - middle)), middle], walls, rim, table)
    return Touches(*(np.array(one) + random.normal(0, 2e-4, (len(one), 3)) for one in kinds))


def test_the_bin_by_touches() -> None:
    true = hidden_bin()
    points = touched(true, np.random.default_rng(0))
    found = fit_bin(points, CELL.bin, seen=False)
    require_found(found, true, 5e-4)
    assert found.wall_height == pytest.approx(true.wall_height.value, abs=5e-4)
    assert set(found.values("touches")) >= {"bin.centre", "bin.yaw", "table.height"}
    three = replace(points, walls=points.walls[4:])
    with pytest.raises(Invalid, match=r"walls: found '-y: less than 2 points \(12 in all"):
        fit_bin(three, CELL.bin, seen=False)


@pytest.fixture(scope="module")
def views() -> list[tuple[Camera, npt.NDArray[np.float32]]]:
    """Depth as a stereo camera has it, from the wrist at four poses above a bin that is not where
    the cell file has it."""
    found = []
    imaging = Imaging(depth_noise=0.005, holes=1.0)
    for x, y, yaw in ((0.5, -0.1, 0.0), (0.5, 0.1, 3.14), (0.42, 0, 1.57), (0.58, 0, -1.57)):
        camera = standing(CELL.cameras["wrist"], rigid(down(yaw), (x, y, 0.3)))
        cell: Cell = replace(CELL, bin=hidden_bin(), cameras={"front": camera})
        world = World(cell, SceneConfig(shadows=0))
        world.reset(ASIDE)
        world.refresh()
        drawer = Drawer(world.model)
        eye = DepthEye("front", camera, (480, 640), (0, 0, 480, 640))
        eye.aim(world.model)
        metres = drawer.depth(world.data, "front", (480, 640))
        found.append((camera, eye.measure(metres, imaging, np.random.default_rng(0))))
        drawer.close()
    return found


def test_the_bin_by_depth(views: list[tuple[Camera, npt.NDArray[np.float32]]]) -> None:
    parts = []
    for camera, metres in views:
        pose = matrix_of(camera.pose)
        points = cloud(metres, Lens.of(camera), pose)
        parts.append(sorted_out(points, CELL.bin, CELL.table, pose[:3, 3]))
    found = fit_bin(together(parts), CELL.bin, seen=True)
    true = hidden_bin()
    require_found(found, true, 1e-3)
    # The rim is as thick as the walls, and its outer edge higher for their slope.
    assert 0 <= found.wall_height - true.wall_height.value < 0.005
    with pytest.raises(Invalid, match="depth: found '640x240', wanted 640x480"):
        cloud(views[0][1][:240], Lens.of(views[0][0]), np.eye(4))


def test_a_wall_seen_from_outside_is_not_taken_for_its_inside() -> None:
    """The front camera looks over the wall that is towards the arm."""
    true, eye = CELL.bin, np.array(CELL.cameras["front"].pose.position.value)
    points = touched(true, np.random.default_rng(0)).walls
    kept = sorted_out(points, true, CELL.table, eye).walls
    assert 6 <= len(kept) < len(points)
    towards_the_arm = bin_corners(true)[0][:, 0].min() + 0.005
    assert (kept[:, 0] > towards_the_arm - 0.001).all()
