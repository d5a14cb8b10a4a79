"""What one episode's world is like: plain numbers, recorded with the episode.

`nominal` is the cell as its file has it; `randomize.sample` draws others around it.
"""

from __future__ import annotations

from dataclasses import dataclass

from calibration import Cell
from calibration.cell import Camera

from .objects import Thing
from .scene import PAINTS

Vec = tuple[float, float, float]
PLAIN = -1
# Colours that tell objects apart when nothing is randomised.
HUES: tuple[Vec, ...] = (
    (0.80, 0.25, 0.22), (0.22, 0.49, 0.72), (0.30, 0.62, 0.32), (0.93, 0.72, 0.22),
    (0.55, 0.36, 0.62), (0.90, 0.50, 0.20), (0.25, 0.62, 0.62), (0.86, 0.52, 0.62),
    (0.55, 0.40, 0.28), (0.85, 0.84, 0.78), (0.30, 0.32, 0.36), (0.62, 0.72, 0.30),
)  # fmt: skip


@dataclass(frozen=True)
class Surface:
    """`texture` is a number in the pool, PLAIN, or the name of a preset's own; `repeat` its
    repetitions a metre or a face."""

    rgb: Vec
    texture: int | str = PLAIN
    repeat: float = 1.0
    specular: float = 0.2
    shininess: float = 0.3


@dataclass(frozen=True)
class Lamp:
    direction: Vec  # the way the light goes
    diffuse: Vec
    specular: float
    shadow: bool


@dataclass(frozen=True)
class Stray:
    """A thing on the table beside the bin: seen, never touched."""

    thing: Thing
    position: Vec
    yaw: float
    surface: Surface


@dataclass(frozen=True)
class Look:
    surfaces: dict[str, Surface]
    lamps: tuple[Lamp, ...]
    ambient: float
    things: tuple[Surface, ...]
    strays: tuple[Stray, ...]


@dataclass(frozen=True)
class View:
    """How far a camera is from where its calibration has it."""

    shift: Vec = (0.0, 0.0, 0.0)  # m
    turn: Vec = (0.0, 0.0, 0.0)  # axis times angle (rad), in the camera's own frame
    zoom: float = 1.0


@dataclass(frozen=True)
class Shade:
    """A soft shadow where the camera sees it: half of the light is gone at one `across`, or one
    `along`, from its middle. In px of the full frame."""

    middle: tuple[float, float]
    across: tuple[float, float]
    along: tuple[float, float]
    depth: Vec  # share of the light that it takes, of red, green and blue


@dataclass(frozen=True)
class Imaging:
    """What sensor and transport do to a picture. Lengths in px of the full frame."""

    gain: float = 1.0
    red: float = 1.0
    blue: float = 1.0
    noise: float = 0.0  # standard deviation in grey levels, at mid grey
    blur: float = 0.0
    vignetting: float = 0.0
    jpeg: int = 0  # quality; 0: not compressed
    # Of its depth, where the camera measures it.
    depth_scale: float = 1.0
    depth_noise: float = 0.0  # standard deviation, as a share of the distance
    holes: float = 0.0  # how often nothing is known beside an edge
    shade: Shade | None = None


@dataclass(frozen=True)
class Dynamics:
    """Factors on the cell's own values."""

    damping: float = 1.0
    joint_friction: float = 1.0
    pad_friction: float = 1.0
    grip_force: float = 1.0
    closing_speed: float = 1.0


@dataclass(frozen=True)
class Timing:
    """Seconds; `period_jitter` is the standard deviation of a control period."""

    camera: float
    command: float
    gripper: float
    period_jitter: float = 0.0


@dataclass(frozen=True)
class Misfit:
    """Hand-eye error: where the arm believes it is, less where it is."""

    shift: Vec = (0.0, 0.0, 0.0)
    yaw: float = 0.0


@dataclass(frozen=True)
class Parameters:
    things: tuple[Thing, ...]
    look: Look
    views: dict[str, View]
    imaging: dict[str, Imaging]
    dynamics: Dynamics
    timing: Timing
    misfit: Misfit


def imaging_of(camera: Camera) -> Imaging:
    depth_noise = camera.depth.noise.value if camera.depth else 0.0
    return Imaging(
        noise=camera.noise.value, vignetting=camera.vignetting.value, depth_noise=depth_noise
    )


def nominal(cell: Cell, things: tuple[Thing, ...]) -> Parameters:
    surfaces = {
        name: Surface(rgb, specular=specular, shininess=shininess)
        for name, (rgb, specular, shininess) in PAINTS.items()
    }
    lamps = (
        Lamp((0.6, 0.5, -1.6), (0.55,) * 3, 0.3, True),
        Lamp((-0.8, -0.9, -1.8), (0.25,) * 3, 0.0, False),
    )
    hues = tuple(
        Surface(HUES[k % len(HUES)], specular=0.3, shininess=0.4) for k in range(len(things))
    )
    latency = cell.latency
    return Parameters(
        things,
        Look(surfaces, lamps, 0.25, hues, ()),
        {name: View() for name in cell.cameras},
        {name: imaging_of(camera) for name, camera in cell.cameras.items()},
        Dynamics(),
        Timing(latency.camera.mean.value, latency.command.mean.value, latency.gripper.mean.value),
        Misfit(),
    )
