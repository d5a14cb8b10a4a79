"""Arms drawn from primitives: published kinematics, limits and inertias; a few hundred triangles.

A link's frame is that of its joint, which turns about z. Lengths in m, angles in rad, masses in
kg, inertias (xx, yy, zz, xy, xz, yz) in kg*m^2 about the centre of mass, in the link's frame.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Vec = tuple[float, ...]
Paint = Literal["shell", "joint", "accent"]
PI = math.pi


@dataclass(frozen=True)
class Tube:
    """A capsule, or a cylinder with `flat` ends, between two points of the link's frame."""

    start: Vec
    end: Vec
    radius: float
    paint: Paint = "shell"
    flat: bool = False
    solid: bool = False  # takes part in collisions


@dataclass(frozen=True)
class Link:
    name: str
    position: Vec  # in the parent's frame
    turn: Vec  # roll, pitch, yaw in the parent's frame
    range: tuple[float, float]
    effort: float
    speed: float
    mass: float
    com: Vec
    inertia: Vec
    tubes: tuple[Tube, ...]


@dataclass(frozen=True)
class ArmModel:
    """`home` is a bend of the elbow from which the inverse kinematics starts; `stiffness` is what
    the joints' servos hold with, N*m/rad."""

    base: tuple[Tube, ...]
    links: tuple[Link, ...]
    flange: tuple[Vec, Vec]  # position and turn in the last link's frame
    home: Vec
    stiffness: Vec


# Kinematics and limits: Franka's own data sheet (FER). Inertias: identified by Gaz et al.,
# "Dynamic Identification of the Franka Emika Panda Robot", RA-L 2019.
FRANKA = ArmModel(
    base=(
        Tube((-0.08, 0, 0.06), (0.02, 0, 0.06), 0.06, "shell"),
        Tube((0, 0, 0.0), (0, 0, 0.19), 0.075, "shell", flat=True),
    ),
    links=(
        Link(
            "link1", (0, 0, 0.333), (0, 0, 0), (-2.8973, 2.8973), 87, 2.175,
            4.970684, (0.003875, 0.002081, -0.04762),
            (0.70337, 0.70661, 0.0091170, -0.00013900, 0.0067720, 0.019169),
            (
                Tube((0, 0, -0.14), (0, 0, -0.03), 0.068, "shell", flat=True),
                Tube((0, -0.07, 0), (0, 0.07, 0), 0.062, "joint", flat=True),
            ),
        ),
        Link(
            "link2", (0, 0, 0), (-PI / 2, 0, 0), (-1.7628, 1.7628), 87, 2.175,
            0.646926, (-0.003141, -0.02872, 0.003495),
            (0.0079620, 0.028110, 0.025995, -0.0039250, 0.010254, 0.00070400),
            (Tube((0, -0.02, 0), (0, -0.19, 0), 0.065, "shell"),),
        ),
        Link(
            "link3", (0, -0.316, 0), (PI / 2, 0, 0), (-2.8973, 2.8973), 87, 2.175,
            3.228604, (0.027518, 0.039252, -0.066502),
            (0.037242, 0.036155, 0.010830, -0.0047610, -0.011396, -0.012805),
            (
                Tube((0, 0, -0.12), (0.02, 0, -0.03), 0.062, "shell"),
                Tube((0.0825, -0.06, 0), (0.0825, 0.06, 0), 0.055, "joint", flat=True),
                Tube((0.02, 0, -0.03), (0.0825, 0, 0), 0.052, "shell"),
            ),
        ),
        Link(
            "link4", (0.0825, 0, 0), (PI / 2, 0, 0), (-3.0718, -0.0698), 87, 2.175,
            3.587895, (-0.05317, 0.104419, 0.027454),
            (0.025853, 0.019552, 0.028323, 0.0077960, -0.0013320, 0.0086410),
            (
                Tube((0, 0, 0), (-0.07, 0.08, 0), 0.052, "shell"),
                Tube((-0.0825, 0.09, 0), (-0.0825, 0.14, 0), 0.056, "shell"),
            ),
        ),
        Link(
            "link5", (-0.0825, 0.384, 0), (-PI / 2, 0, 0), (-2.8973, 2.8973), 12, 2.61,
            1.225946, (-0.011953, 0.041065, -0.038437),
            (0.035549, 0.029474, 0.0086270, -0.0021170, -0.0040370, 0.00022900),
            (
                Tube((0, 0, -0.24), (0, 0.05, -0.12), 0.055, "shell", solid=True),
                Tube((0, 0.06, -0.10), (0, 0.02, 0), 0.042, "shell", solid=True),
            ),
        ),
        Link(
            "link6", (0, 0, 0), (PI / 2, 0, 0), (-0.0175, 3.7525), 12, 2.61,
            1.666555, (0.060149, -0.014117, -0.010517),
            (0.0019640, 0.0043540, 0.0054330, 0.00010900, -0.0011580, 0.00034100),
            (
                Tube((0, 0, -0.06), (0, 0, 0.06), 0.048, "joint", flat=True),
                Tube((0, 0, 0), (0.088, 0, 0), 0.045, "shell", solid=True),
            ),
        ),
        Link(
            "link7", (0.088, 0, 0), (PI / 2, 0, 0), (-2.8973, 2.8973), 12, 2.61,
            0.735522, (0.010517, -0.004252, 0.061597),
            (0.012516, 0.010027, 0.0048150, -0.00042800, -0.0011960, -0.00074100),
            (
                Tube((0, 0, -0.06), (0, 0, 0.07), 0.046, "shell", flat=True),
                Tube((0, 0, 0.07), (0, 0, 0.107), 0.040, "accent", flat=True, solid=True),
            ),
        ),
    ),
    flange=((0, 0, 0.107), (0, 0, 0)),
    home=(0.0, -0.35, 0.0, -2.35, 0.0, 2.0, 0.0),
    stiffness=(4500, 4500, 3500, 3500, 300, 300, 300),
)  # fmt: skip

# Kinematics (Denavit-Hartenberg), masses and centres of mass: Universal Robots' published table
# for the UR5e; inertias those of its ROS 2 description's cylinders. `base_link` of ROS.
UR5E = ArmModel(
    base=(Tube((0, 0, 0.0), (0, 0, 0.09), 0.075, "joint", flat=True),),
    links=(
        Link(
            "shoulder", (0, 0, 0.1625), (0, 0, PI), (-2 * PI, 2 * PI), 150, PI,
            3.761, (0, -0.00193, -0.02561),
            (0.0102675, 0.0102675, 0.0066600, 0, 0, 0),
            (
                Tube((0, 0, -0.07), (0, 0, 0.0), 0.057, "shell", flat=True),
                Tube((0, -0.138, 0), (0, 0.06, 0), 0.060, "accent", flat=True),
            ),
        ),
        Link(
            "upper_arm", (0, 0, 0), (PI / 2, 0, 0), (-2 * PI, 2 * PI), 150, PI,
            8.058, (-0.2125, 0, 0.11336),
            (0.0151074, 0.133886, 0.133886, 0, 0, 0),
            (
                Tube((0, 0, 0.136), (-0.425, 0, 0.136), 0.052, "shell"),
                Tube((-0.425, 0, 0.19), (-0.425, 0, 0.00), 0.054, "accent", flat=True),
            ),
        ),
        Link(
            "forearm", (-0.425, 0, 0), (0, 0, 0), (-PI, PI), 150, PI,
            2.846, (-0.2422, 0, 0.0265),
            (0.0040950, 0.0311796, 0.0311796, 0, 0, 0),
            (
                Tube((0, 0, 0.016), (-0.3922, 0, 0.016), 0.043, "shell"),
                Tube((-0.3922, 0, 0.0), (-0.3922, 0, 0.075), 0.042, "shell", flat=True),
            ),
        ),
        Link(
            "wrist_1", (-0.3922, 0, 0), (0, 0, 0), (-2 * PI, 2 * PI), 28, PI,
            1.37, (0, -0.01634, 0.1315),
            (0.0025599, 0.0025599, 0.0021942, 0, 0, 0),
            (
                Tube((0, 0, 0.075), (0, 0, 0.175), 0.043, "accent", flat=True),
                Tube((0, 0, 0.1333), (0, -0.055, 0.1333), 0.040, "shell", flat=True),
            ),
        ),
        Link(
            "wrist_2", (0, 0, 0.1333), (PI / 2, 0, 0), (-2 * PI, 2 * PI), 28, PI,
            1.3, (0, 0.01634, 0.0979),
            (0.0025599, 0.0025599, 0.0021942, 0, 0, 0),
            (
                Tube((0, 0, 0.055), (0, 0, 0.140), 0.043, "accent", flat=True),
                Tube((0, 0, 0.0997), (0, 0.055, 0.0997), 0.040, "shell", flat=True, solid=True),
            ),
        ),
        Link(
            "wrist_3", (0, 0, 0.0997), (-PI / 2, 0, 0), (-2 * PI, 2 * PI), 28, PI,
            0.365, (0, 0, 0.09846),
            (0.000132117, 0.000132117, 0.000171364, 0, 0, 0),
            (Tube((0, 0, 0.055), (0, 0, 0.0996), 0.040, "joint", flat=True, solid=True),),
        ),
    ),
    flange=((0, 0, 0.0996), (0, 0, 0)),
    home=(0.0, -1.9, 2.0, -1.67, -PI / 2, 0.0),
    stiffness=(4000, 4000, 3000, 300, 300, 300),
)  # fmt: skip

ARMS = {"franka_like": FRANKA, "ur5e_like": UR5E}
