"""The cell as a MuJoCo model, built from its cell file with MjSpec.

The model is compiled once. What differs between episodes (shapes, masses, colours, lights, camera)
is edited in place: compiling again costs 30 ms, a new renderer 160 ms, an edit microseconds.
"""

from __future__ import annotations

import mujoco
import numpy as np

from calibration import Cell
from calibration.geometry import rotation

from . import textures
from .bits import SOLIMP, SOLREF
from .config import SceneConfig
from .gripper import add_gripper
from .objects import PARTS, quaternion
from .robot import add_arm
from .scenery import add_scenery
from .sheet import add_sheet

BOX = mujoco.mjtGeom.mjGEOM_BOX
LIGHTS = 4
# Where unused objects wait: below the table, out of sight, touching nothing.
PARKED = (0.0, 0.0, -3.0)

# Each surface has a material of its own, so that each can be repainted. rgb, specular, shininess.
PAINTS = {
    "table": ((0.62, 0.56, 0.48), 0.1, 0.2),
    "bin": ((0.33, 0.40, 0.47), 0.2, 0.3),
    "ground": ((0.42, 0.43, 0.45), 0.1, 0.1),
    "wall_back": ((0.75, 0.74, 0.70), 0.0, 0.0),
    "wall_left": ((0.72, 0.73, 0.75), 0.0, 0.0),
    "shell": ((0.90, 0.91, 0.92), 0.4, 0.6),
    "joint": ((0.20, 0.21, 0.23), 0.3, 0.4),
    "accent": ((0.36, 0.50, 0.64), 0.3, 0.5),
    "pad": ((0.10, 0.10, 0.11), 0.1, 0.1),
}


def build(cell: Cell, config: SceneConfig) -> mujoco.MjModel:
    """Compile the cell, with `config.objects` bodies waiting to become objects."""
    spec = mujoco.MjSpec()
    spec.compiler.degree = False
    spec.modelname = cell.id
    _options(spec, cell, config)
    _paints(spec, config)
    add_scenery(spec, cell)
    flange = add_arm(spec, cell)
    add_gripper(spec, flange, cell)
    _cameras(spec, cell)
    _lights(spec, cell)
    for number in range(config.objects):
        _slot(spec, number)
    for number in range(config.distractors):
        # Seen, not touched: clutter on the table around the bin.
        _slot(spec, number, "distractor", free=False)
    if config.board is not None:
        add_sheet(spec, config.board)
    return spec.compile()


def _options(spec: mujoco.MjSpec, cell: Cell, config: SceneConfig) -> None:
    option, visual = spec.option, spec.visual
    option.timestep = config.timestep
    option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    option.impratio = 10  # a held object must not creep out of the fingers
    # Objects at rest sleep: in a settled bin only the arm is computed.
    option.enableflags |= mujoco.mjtEnableBit.mjENBL_SLEEP
    # Midphase boxes are computed when the model is compiled; ours change shape afterwards.
    option.disableflags |= mujoco.mjtDisableBit.mjDSBL_MIDPHASE
    spec.stat.center = cell.bin.centre.value
    spec.stat.extent = 0.6
    visual.global_.offwidth = visual.global_.offheight = config.largest_picture
    # On a CPU triangles decide what a frame costs: as few as still look round.
    quality = visual.quality
    quality.numslices, quality.numstacks, quality.numquads = 16, 8, 1
    quality.offsamples, quality.shadowsize = config.multisamples, max(config.shadows, 16)
    visual.map.znear, visual.map.zfar, visual.map.shadowclip = 0.02, 12.0, 1.3
    visual.headlight.ambient, visual.headlight.diffuse = (0.25,) * 3, (0.15,) * 3
    visual.headlight.specular = (0.0,) * 3


def _paints(spec: mujoco.MjSpec, config: SceneConfig) -> None:
    textures.add_pool(spec, config.textures)
    for name, (rgb, specular, shininess) in PAINTS.items():
        spec.add_material(name=name, rgba=(*rgb, 1), specular=specular, shininess=shininess)
    for number in range(config.objects):
        spec.add_material(name=f"object{number}", specular=0.3, shininess=0.4)
    for number in range(config.distractors):
        spec.add_material(name=f"distractor{number}", specular=0.3, shininess=0.4)


def _cameras(spec: mujoco.MjSpec, cell: Cell) -> None:
    for name, camera in cell.cameras.items():
        # MuJoCo's cameras look along -z with y up, optical frames along z with y down.
        turn = rotation(camera.pose.orientation.value) @ np.diag([1.0, -1.0, -1.0])
        body, position = spec.worldbody, np.array(camera.pose.position.value)
        if camera.mount == "wrist":
            body, position = spec.body("hand"), position + spec.site("tcp").pos
        body.add_camera(
            name=name, pos=position, quat=quaternion(turn),
            resolution=(camera.width, camera.height),
            sensor_size=(camera.width * 1e-5, camera.height * 1e-5), focal_pixel=camera.focal.value,
        )  # fmt: skip


def _lights(spec: mujoco.MjSpec, cell: Cell) -> None:
    """The first casts shadows, the others fill; which are lit is decided an episode."""
    x, y, z = cell.bin.centre.value
    places = ((-0.6, -0.5, 1.6), (0.8, 0.9, 1.8), (-0.4, 1.2, 1.5), (1.0, -1.0, 1.6))
    for number in range(LIGHTS):
        dx, dy, dz = places[number]
        spec.worldbody.add_light(
            name=f"light{number}", type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL,
            pos=(x + dx, y + dy, z + dz), dir=(-dx, -dy, -dz), castshadow=number == 0,
            active=number < 2, diffuse=(0.55,) * 3 if number == 0 else (0.25,) * 3,
            specular=(0.3,) * 3 if number == 0 else (0.0,) * 3, ambient=(0.0,) * 3,
        )  # fmt: skip


def _slot(spec: mujoco.MjSpec, number: int, name: str = "object", free: bool = True) -> None:
    """A body that can become any object. Its centre of mass is off its origin, so that the
    compiler takes none of the shortcuts that hold only for the shape it sees."""
    body = spec.worldbody.add_body(
        name=f"{name}{number}", pos=(*PARKED[:2], PARKED[2] - number), gravcomp=1, mass=0.1,
        ipos=(0.001, 0.002, 0.003), iquat=(0.9, 0.1, 0.2, 0.3), inertia=(1e-4, 2e-4, 2.5e-4),
        explicitinertial=True,
    )  # fmt: skip
    if free:
        body.add_freejoint(name=f"{name}{number}")
    else:
        body.mocap = True
    for part in range(PARTS):
        body.add_geom(
            name=f"{name}{number}_{part}", type=BOX, size=(0.01,) * 3, material=f"{name}{number}",
            pos=(0.01, 0, 0), quat=(0.9, 0.1, 0.2, 0.3), contype=0, conaffinity=0, condim=6,
            priority=1,
            solref=SOLREF, solimp=SOLIMP, rgba=(1, 1, 1, 0),
        )  # fmt: skip
