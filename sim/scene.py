"""The cell as a MuJoCo model, built from its cell file with MjSpec.

The model is compiled once. What differs between episodes (shapes, masses, colours, lights, camera)
is edited in place: compiling again costs 30 ms, a new renderer 160 ms, an edit microseconds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import mujoco
import numpy as np
import numpy.typing as npt

from calibration import Cell
from calibration.geometry import rotation
from policy.contract import ContractError, Problem

from . import textures
from .arms import ARMS, ArmModel, Tube, Vec
from .bits import GRIPPER, HIT_ALL, HIT_OBJECTS, SCENERY
from .config import SceneConfig
from .gripper import add_gripper
from .objects import PARTS, quaternion

BOX = mujoco.mjtGeom.mjGEOM_BOX
LIGHTS = 4
WALL = 0.005  # half thickness
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
    _scenery(spec, cell)
    flange = _arm(spec, cell)
    add_gripper(spec, flange, cell)
    _cameras(spec, cell)
    _lights(spec, cell)
    for number in range(config.objects):
        _slot(spec, number)
    for number in range(config.distractors):
        # Seen, not touched: clutter on the table around the bin.
        _slot(spec, number, "distractor", free=False)
    return spec.compile()


def build_arm(cell: Cell) -> mujoco.MjModel:
    """Arm and gripper alone: for kinematics."""
    spec = mujoco.MjSpec()
    spec.compiler.degree = False
    for name in ("shell", "joint", "accent", "pad"):
        spec.add_material(name=name)
    add_gripper(spec, _arm(spec, cell), cell)
    return spec.compile()


def home(cell: Cell) -> npt.NDArray[np.float64]:
    """A bent elbow to start from; for a person's own model, the middle of each joint's range."""
    if cell.arm.mjcf is None:
        return np.array(arm_model(cell).home)
    model = build_arm(cell)
    middle = model.jnt_range[: cell.arm.joints].mean(axis=1)
    return np.where(model.jnt_limited[: cell.arm.joints], middle, 0.0)


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


def _scenery(spec: mujoco.MjSpec, cell: Cell) -> None:
    world, table = spec.worldbody, cell.table
    solid = {"contype": SCENERY, "conaffinity": HIT_OBJECTS, "friction": (0.7, 0.005, 0.0001)}
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
        turn = np.array([[math.cos(angle), -math.sin(angle), 0], [math.sin(angle), math.cos(angle), 0], [0, 0, 1]])  # fmt: skip
        tilt = np.array([[math.cos(slope), 0, math.sin(slope)], [0, 1, 0], [-math.sin(slope), 0, math.cos(slope)]])  # fmt: skip
        body.add_geom(
            name=f"bin_wall{number}", type=BOX, group=3,
            size=(WALL, half[along] + lean + 2 * WALL, hypotenuse), pos=turn @ middle,
            quat=quaternion(turn @ tilt), **solid,
        )  # fmt: skip
        # What is seen are trapezia that meet at the corners; the boxes above would stick out.
        mesh = spec.add_mesh(name=f"bin_wall{number}")
        rise, thick = np.array([lean, height]), 2 * WALL / math.cos(slope)
        corners = [
            (half[across] + s * rise[0] + t * thick, k * (half[along] + s * rise[0] + t * thick), s * rise[1])
            for t in (0, 1) for s in (0, 1) for k in (-1, 1)
        ]  # fmt: skip
        mesh.uservert = (np.array(corners) @ turn.T).ravel()
        body.add_geom(
            type=mujoco.mjtGeom.mjGEOM_MESH, meshname=mesh.name, material="bin", contype=0,
            conaffinity=0,
        )  # fmt: skip


def _arm(spec: mujoco.MjSpec, cell: Cell) -> mujoco.MjsBody:
    """Add the arm; its joints are named joint0, joint1, ... Returns a body at the flange."""
    if cell.arm.mjcf is not None:
        return _foreign_arm(spec, cell)
    model = arm_model(cell)
    parent = spec.worldbody.add_body(name="base")
    for tube in model.base:
        _tube(parent, tube)
    for number, link in enumerate(model.links):
        parent = parent.add_body(
            name=link.name, pos=link.position, quat=_euler(link.turn), gravcomp=1,
            mass=link.mass, ipos=link.com, fullinertia=link.inertia, explicitinertial=True,
        )  # fmt: skip
        parent.add_joint(name=f"joint{number}", axis=(0, 0, 1), range=link.range)
        for tube in link.tubes:
            _tube(parent, tube)
        _servo(spec, cell, number, model.stiffness[number], link.effort)
    position, turn = model.flange
    return parent.add_body(name="flange", pos=position, quat=_euler(turn))


def arm_model(cell: Cell) -> ArmModel:
    """The named arm, or a ContractError: the cell's own checks cannot know the simulator's arms."""
    model = ARMS.get(cell.arm.model)
    if model is None:
        remedy = "name one of them, or give the path of your own model in arm.mjcf"
        _refuse(cell, Problem("arm.model", cell.arm.model, f"one of {', '.join(ARMS)}", remedy))
    if len(model.links) != cell.arm.joints:
        wanted = f"{len(model.links)} (the joints of {cell.arm.model})"
        _refuse(cell, Problem("arm.joints", cell.arm.joints, wanted, "count them again"))
    return model


def _foreign_arm(spec: mujoco.MjSpec, cell: Cell) -> mujoco.MjsBody:
    """Attach a person's own MJCF: hinge joints in order, and a site where the gripper goes."""
    path = Path(str(cell.arm.mjcf))
    try:
        arm = mujoco.MjSpec.from_file(str(path))
    except (ValueError, FileNotFoundError) as error:
        _refuse(cell, Problem("arm.mjcf", str(path), "an MJCF file that loads", str(error)))
    sites = [site for site in arm.sites if site.name in ("flange", "attachment_site")]
    if not sites:
        found = [site.name for site in arm.sites]
        wanted = "a site named flange or attachment_site, z out of the flange"
        _refuse(cell, Problem("arm.mjcf", f"sites {found}", wanted, "add one where tools mount"))
    if len(arm.joints) != cell.arm.joints:
        names = [joint.name for joint in arm.joints]
        remedy = "remove the gripper's joints from the file (the gripper is drawn by the cell)"
        _refuse(cell, Problem("arm.joints", cell.arm.joints, f"{len(names)}: {names}", remedy))
    for extra in [*arm.actuators, *arm.keys, *arm.sensors, *arm.lights, *arm.cameras]:
        arm.delete(extra)  # the servos are ours, and poses of another tree do not fit
    body = sites[0].parent
    flange = body.add_body(name="flange", pos=sites[0].pos, quat=sites[0].quat)
    for joint, number in zip(arm.joints, range(cell.arm.joints), strict=True):
        joint.name = f"joint{number}"
    for part in arm.bodies[1:]:
        part.gravcomp = 1
    for geom in arm.geoms:
        solid = bool(geom.contype or geom.conaffinity)
        geom.contype, geom.conaffinity = (GRIPPER, HIT_ALL) if solid else (0, 0)
    spec.attach(arm, prefix="", frame=spec.worldbody.add_frame())
    for number in range(cell.arm.joints):
        _servo(spec, cell, number, 2000, 100)
    return spec.body(flange.name)


def _servo(spec: mujoco.MjSpec, cell: Cell, number: int, stiffness: float, effort: float) -> None:
    joint = spec.joint(f"joint{number}")
    if cell.dynamics is not None:
        joint.damping[0] = cell.dynamics.damping.value[number]
        joint.frictionloss = cell.dynamics.friction.value[number]
        joint.armature = cell.dynamics.armature.value[number]
    motor = spec.add_actuator(name=f"joint{number}", target=f"joint{number}")
    motor.trntype = mujoco.mjtTrn.mjTRN_JOINT
    motor.set_to_position(kp=stiffness, kv=0.05 * stiffness)
    motor.forcelimited, motor.forcerange = True, (-effort, effort)


def _tube(body: mujoco.MjsBody, tube: Tube) -> None:
    start, end = np.array(tube.start, float), np.array(tube.end, float)
    axis, length = end - start, float(np.linalg.norm(end - start))
    kinds = (mujoco.mjtGeom.mjGEOM_CAPSULE, mujoco.mjtGeom.mjGEOM_CYLINDER)
    bits = (GRIPPER, HIT_ALL) if tube.solid else (0, 0)
    body.add_geom(
        type=kinds[tube.flat], size=(tube.radius, length / 2, 0), pos=(start + end) / 2,
        quat=_along(axis / length), material=tube.paint, contype=bits[0], conaffinity=bits[1],
    )  # fmt: skip


def _cameras(spec: mujoco.MjSpec, cell: Cell) -> None:
    for name, camera in cell.cameras.items():
        # MuJoCo's cameras look along -z with y up, optical frames along z with y down.
        turn = rotation(camera.pose.orientation.value) @ np.diag([1.0, -1.0, -1.0])
        body, position = spec.worldbody, np.array(camera.pose.position.value)
        if camera.mount == "wrist":
            body, position = spec.body("hand"), position + spec.site("tcp").pos
        body.add_camera(
            name=name, pos=position, quat=quaternion(turn), resolution=(camera.width, camera.height),
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
            solref=(0.01, 1), solimp=(0.95, 0.99, 0.001, 0.5, 2), rgba=(1, 1, 1, 0),
        )  # fmt: skip


def _euler(turn: Vec) -> Vec:
    roll, pitch, yaw = turn
    q = np.zeros(4)
    mujoco.mju_euler2Quat(q, np.array([roll, pitch, yaw], float), "XYZ")
    return tuple(q)


def _along(axis: Sequence[float]) -> Vec:
    q = np.zeros(4)
    mujoco.mju_quatZ2Vec(q, np.asarray(axis, float))
    return tuple(q)


def _refuse(cell: Cell, problem: Problem) -> NoReturn:
    raise ContractError(f"cell '{cell.id}'", [problem])
