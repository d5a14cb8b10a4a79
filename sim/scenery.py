"""What stands around: table, bin, floor and two walls of the room."""

from __future__ import annotations

import math

import mujoco
import numpy as np

from calibration import Cell

from .bits import HIT_OBJECTS, SCENERY, SOLIMP, SOLREF
from .objects import about, matrix, quaternion

BOX = mujoco.mjtGeom.mjGEOM_BOX
WALL = 0.005  # half thickness


def add_scenery(spec: mujoco.MjSpec, cell: Cell) -> None:
    world, table = spec.worldbody, cell.table
    solid = {
        "contype": SCENERY, "conaffinity": HIT_OBJECTS, "friction": (0.7, 0.005, 0.0001),
        "solref": SOLREF, "solimp": SOLIMP,
    }  # fmt: skip
    ghost = {"contype": 0, "conaffinity": 0}
    (width, depth), (x, y, _) = table.size.value, table.centre.value
    top = table.height.value
    # The bin lies on the table: a sunken top keeps the two from flickering through each other.
    world.add_geom(
        name="table", type=BOX, size=(width / 2, depth / 2, 0.02), pos=(x, y, top - 0.02),
        material="table", **solid,
    )  # fmt: skip
    ground = top - 0.75
    world.add_geom(
        name="ground", type=BOX, size=(4, 4, 0.01), pos=(x, y, ground), material="ground", **ghost
    )
    world.add_geom(
        name="wall_back", type=BOX, size=(0.01, 4, 1.6), pos=(x + 2.6, y, ground + 1.6),
        material="wall_back", **ghost,
    )  # fmt: skip
    world.add_geom(
        name="wall_left", type=BOX, size=(4, 0.01, 1.6), pos=(x, y + 2.4, ground + 1.6),
        material="wall_left", **ghost,
    )  # fmt: skip
    _bin(spec, cell, solid)


def _bin(spec: mujoco.MjSpec, cell: Cell, solid: dict[str, object]) -> None:
    box = cell.bin
    half = np.array(box.floor.value) / 2
    height, slope = box.wall_height.value, box.wall_slope.value
    body = spec.worldbody.add_body(
        name="bin",
        pos=box.centre.value,
        quat=(math.cos(box.yaw.value / 2), 0, 0, math.sin(box.yaw.value / 2)),
    )
    body.add_geom(
        name="bin_floor", type=BOX, size=(*(half + 2 * WALL), 0.01), pos=(0, 0, -0.01),
        material="bin", **solid,
    )  # fmt: skip
    lean = height * math.tan(slope)
    for number, (across, along) in enumerate(((0, 1), (1, 0), (0, 1), (1, 0))):
        side = 1 if number < 2 else -1
        angle = (0.0 if across == 0 else math.pi / 2) + (0.0 if side > 0 else math.pi)
        # Looking outwards along x: the inner face starts at the floor's edge and leans by `slope`.
        hypotenuse = height / math.cos(slope) / 2
        middle = np.array([half[across] + lean / 2, 0, height / 2])
        middle += WALL * np.array([math.cos(slope), 0, -math.sin(slope)])
        turn = matrix(about("z", angle))
        tilt = matrix(about("y", slope))
        body.add_geom(
            name=f"bin_wall{number}", type=BOX, group=3,
            size=(WALL, half[along] + lean + 2 * WALL, hypotenuse), pos=turn @ middle,
            quat=quaternion(turn @ tilt), **solid,
        )  # fmt: skip
        # What is seen are trapezia that meet at the corners; the boxes above would stick out.
        mesh = spec.add_mesh(name=f"bin_wall{number}")
        thick = 2 * WALL / math.cos(slope)
        corners = []
        for out in (0.0, thick):
            for rim in (0, 1):
                reach = rim * lean + out
                for end in (-1, 1):
                    corners.append(
                        (half[across] + reach, end * (half[along] + reach), rim * height)
                    )
        mesh.uservert = (np.array(corners) @ turn.T).ravel()
        body.add_geom(
            type=mujoco.mjtGeom.mjGEOM_MESH, meshname=mesh.name, material="bin", contype=0,
            conaffinity=0,
        )  # fmt: skip
