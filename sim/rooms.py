"""What the twin's presets are furnished with: colours, lamps, lens and feel of three rooms."""

from __future__ import annotations

from dataclasses import dataclass

from .parameters import PLAIN, Dynamics, Imaging, Lamp, Surface, Vec, View

WHITE = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Room:
    """What makes a room. `hues` colour the objects, in any order; boxes draw one of `skins`, what
    is round has the first."""

    surfaces: dict[str, Surface]
    lamps: tuple[Lamp, ...]
    ambient: float
    hues: tuple[Vec, ...]
    skins: tuple[str | int, ...]
    gloss: tuple[float, float]  # specular, shininess of the objects
    strays: tuple[tuple[str, Vec], ...]  # family, colour
    view: View
    imaging: Imaging  # factors on the camera's own noise and vignetting
    dynamics: Dynamics
    slower: float  # factor on the latencies


FACTORY = Room(
    surfaces={
        "table": Surface(WHITE, "hazard_bench", 1.0, 0.25, 0.4),
        "ground": Surface((0.85, 0.86, 0.85), "concrete", 6.0, 0.1, 0.1),
        "wall_back": Surface(WHITE, "corrugated", 4.0, 0.3, 0.4),
        "wall_left": Surface(WHITE, "corrugated", 4.0, 0.3, 0.4),
        "bin": Surface((0.07, 0.30, 0.20), PLAIN, 1.0, 0.4, 0.4),
        "shell": Surface((0.95, 0.42, 0.05), PLAIN, 1.0, 0.5, 0.6),
        "joint": Surface((0.13, 0.13, 0.14), PLAIN, 1.0, 0.3, 0.5),
        "accent": Surface((0.85, 0.85, 0.85), PLAIN, 1.0, 0.4, 0.5),
        "pad": Surface((0.30, 0.10, 0.08), PLAIN, 1.0, 0.1, 0.1),
    },
    # Rows of tubes high above: hard and nearly from the zenith, greenish.
    lamps=(
        Lamp((0.25, -0.55, -1.9), (0.62, 0.68, 0.64), 0.8, True),
        Lamp((-0.5, 0.5, -1.6), (0.26, 0.29, 0.28), 0.4, False),
    ),
    ambient=0.22,
    hues=(
        (0.70, 0.71, 0.73), (0.78, 0.60, 0.25), (0.20, 0.20, 0.22), (0.72, 0.43, 0.28),
        (0.55, 0.58, 0.62), (0.86, 0.84, 0.76), (0.36, 0.38, 0.42), (0.80, 0.68, 0.38),
    ),
    skins=("machined",),
    gloss=(0.6, 0.5),
    strays=(
        ("can", (0.75, 0.12, 0.10)), ("block", (0.55, 0.57, 0.60)), ("rod", (0.80, 0.62, 0.28)),
        ("bracket", (0.30, 0.30, 0.33)),
    ),
    view=View((0.010, -0.012, 0.008), (0.012, -0.015, 0.010), 0.98),
    imaging=Imaging(gain=1.12, red=0.95, blue=0.97, noise=1.2, blur=0.3, vignetting=0.5),
    dynamics=Dynamics(damping=1.1, joint_friction=1.2, pad_friction=0.9),
    slower=1.2,
)  # fmt: skip

KITCHEN = Room(
    surfaces={
        "table": Surface(WHITE, "oak", 1.0, 0.3, 0.4),
        "ground": Surface(WHITE, "terracotta", 8.0, 0.2, 0.3),
        "wall_back": Surface(WHITE, "metro_tiles", 6.0, 0.5, 0.6),
        "wall_left": Surface(WHITE, "metro_tiles", 6.0, 0.5, 0.6),
        "bin": Surface((0.93, 0.90, 0.82), PLAIN, 1.0, 0.5, 0.7),
        "shell": Surface((0.96, 0.94, 0.90), PLAIN, 1.0, 0.4, 0.6),
        "joint": Surface((0.62, 0.64, 0.66), PLAIN, 1.0, 0.5, 0.6),
        "accent": Surface((0.72, 0.42, 0.30), PLAIN, 1.0, 0.6, 0.6),
        "pad": Surface((0.78, 0.80, 0.80), PLAIN, 1.0, 0.1, 0.1),
    },
    # The morning sun through a window, low and warm; the sky fills, bluish.
    lamps=(
        Lamp((-1.3, 0.75, -1.15), (0.74, 0.62, 0.44), 0.3, True),
        Lamp((0.6, 0.7, -1.7), (0.22, 0.25, 0.29), 0.1, False),
    ),
    ambient=0.34,
    hues=(
        (0.80, 0.12, 0.09), (0.96, 0.78, 0.12), (0.48, 0.70, 0.14), (0.93, 0.46, 0.10),
        (0.94, 0.86, 0.74), (0.33, 0.12, 0.26), (0.58, 0.36, 0.18), (0.86, 0.36, 0.42),
        (0.20, 0.42, 0.24), (0.55, 0.16, 0.12),
    ),
    skins=(PLAIN, PLAIN, "packet"),
    gloss=(0.35, 0.5),
    strays=(
        ("mug", (0.20, 0.38, 0.58)), ("egg", (0.95, 0.80, 0.15)), ("can", (0.82, 0.80, 0.76)),
        ("ball", (0.85, 0.20, 0.12)), ("mug", (0.95, 0.93, 0.88)),
    ),
    view=View((-0.012, 0.010, -0.010), (-0.015, 0.012, -0.012), 1.02),
    imaging=Imaging(gain=1.06, red=1.07, blue=0.90, noise=1.0, blur=0.6, vignetting=1.0, jpeg=80),
    dynamics=Dynamics(damping=0.9, joint_friction=0.9, pad_friction=1.1, closing_speed=0.9),
    slower=1.1,
)  # fmt: skip

LAB_NIGHT = Room(
    surfaces={
        "table": Surface(WHITE, "breadboard", 12.0, 0.4, 0.3),
        "ground": Surface((0.10, 0.11, 0.14), PLAIN, 1.0, 0.1, 0.2),
        "wall_back": Surface(WHITE, "server_rack", 2.0, 0.0, 0.0),
        "wall_left": Surface(WHITE, "server_rack", 2.0, 0.0, 0.0),
        "bin": Surface((0.60, 0.63, 0.68), PLAIN, 1.0, 0.3, 0.5),
        "shell": Surface((0.16, 0.17, 0.19), PLAIN, 1.0, 0.5, 0.6),
        "joint": Surface((0.50, 0.52, 0.55), PLAIN, 1.0, 0.5, 0.6),
        "accent": Surface((0.10, 0.55, 0.60), PLAIN, 1.0, 0.4, 0.5),
        "pad": Surface((0.06, 0.06, 0.06), PLAIN, 1.0, 0.1, 0.1),
    },
    # One desk lamp from the side, and a screen's glow opposite.
    lamps=(
        Lamp((1.05, -1.05, -1.0), (0.72, 0.60, 0.43), 0.5, True),
        Lamp((-0.9, 0.9, -0.6), (0.05, 0.11, 0.22), 0.1, False),
    ),
    ambient=0.07,
    hues=(
        (0.15, 0.65, 0.70), (0.82, 0.15, 0.50), (0.92, 0.92, 0.90), (0.35, 0.80, 0.35),
        (0.95, 0.55, 0.10), (0.35, 0.30, 0.80), (0.12, 0.12, 0.13), (0.90, 0.88, 0.30),
    ),
    skins=(PLAIN,),
    gloss=(0.5, 0.6),
    strays=(
        ("can", (0.30, 0.32, 0.36)), ("block", (0.12, 0.13, 0.15)), ("mug", (0.10, 0.30, 0.32)),
    ),
    view=View((0.008, 0.012, 0.010), (0.010, 0.014, -0.015), 1.01),
    imaging=Imaging(gain=1.28, red=1.02, blue=1.06, noise=3.5, blur=0.8, vignetting=2.5),
    dynamics=Dynamics(damping=1.15, joint_friction=1.1, grip_force=0.9),
    slower=1.4,
)  # fmt: skip
