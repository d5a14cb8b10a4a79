"""What a robot cell is: the typed content of a cell file (see cellfile.py).

Frames: everything stands in the arm's base frame (x forward, y left, z up). A camera's pose is
that of its optical frame (x right, y down, z forward), a wrist camera's is given in the TCP frame.
Orientations are quaternions x, y, z, w.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from policy.contract import (
    ActionEntry,
    ActionSpec,
    Entry,
    ImageSpec,
    Interface,
    Invalid,
    ObservationSpec,
    Strict,
    encode,
)

from . import measured as m

FORMAT = 1
DEPTH = "_depth"  # behind a camera's name: its depth
DISTORTION_TERMS = {
    "none": (0,),
    "plumb_bob": (4, 5),
    "rational_polynomial": (8,),
    "equidistant": (4,),
}


@dataclass(frozen=True)
class Pose(Strict):
    position: m.Point
    orientation: m.Quaternion


@dataclass(frozen=True)
class Arm(Strict):
    """`model` is a name the simulator knows, or `mjcf` the path of a model of your own. Reach is
    the radius of the sphere around the shoulder that the TCP can get to."""

    model: str
    mjcf: str | None
    joints: int
    interface: Literal["twist", "pose"]
    shoulder: m.Point
    reach: m.Length
    tcp: Pose
    max_speed: m.Speed
    max_turn_rate: m.TurnRate


@dataclass(frozen=True)
class Gripper(Strict):
    aperture: m.LengthRange
    force: m.Force
    closing_speed: m.Speed
    friction: m.Ratio

    def __post_init__(self) -> None:
        for field in ("force", "closing_speed", "friction"):
            if getattr(self, field).value <= 0:
                found = getattr(self, field).value
                raise Invalid(f"{field}.value", found, "more than 0", "measure it")


@dataclass(frozen=True)
class Depth(Strict):
    """Of a camera that also measures distance: aligned to its picture, as drivers offer it."""

    span: m.LengthRange  # what is nearer or farther is not measured
    noise: m.Ratio  # standard deviation, as a share of the distance


@dataclass(frozen=True)
class Camera(Strict):
    width: int
    height: int
    mount: Literal["world", "wrist"]
    pose: Pose
    focal: m.Pixels2
    centre: m.Pixels2
    distortion_model: Literal["none", "plumb_bob", "rational_polynomial", "equidistant"]
    distortion: m.Coefficients
    period: m.Seconds
    exposure: m.SecondsRange
    noise: m.GreyLevels
    white_balance: m.RatioRange
    vignetting: m.Ratio
    depth: Depth | None = None

    def __post_init__(self) -> None:
        for axis, size in (("width", self.width), ("height", self.height)):
            if size < 1:
                raise Invalid(axis, size, "1 or more pixels", "give the frame's size")
        terms, wanted = len(self.distortion.value), DISTORTION_TERMS[self.distortion_model]
        if terms not in wanted:
            text = f"{' or '.join(map(str, wanted))} coefficients for '{self.distortion_model}'"
            raise Invalid("distortion.value", self.distortion.value, text, "match model and terms")
        if self.period.value <= 0:
            raise Invalid("period.value", self.period.value, "more than 0 s", "give 1 / frame rate")
        if min(self.focal.value) <= 0:
            raise Invalid("focal.value", self.focal.value, "more than 0 px", "calibrate the camera")
        x, y = self.centre.value
        if not (0 < x < self.width and 0 < y < self.height):
            text = f"inside the {self.width}x{self.height} frame"
            raise Invalid("centre.value", (x, y), text, "calibrate at this very frame size")


@dataclass(frozen=True)
class Table(Strict):
    height: m.Height
    centre: m.Point
    size: m.Size2


@dataclass(frozen=True)
class Bin(Strict):
    """`centre` is the middle of the inner floor; the walls lean outwards by `wall_slope`."""

    centre: m.Point
    yaw: m.Angle
    floor: m.Size2
    wall_height: m.Length
    wall_slope: m.Angle


@dataclass(frozen=True)
class Workspace(Strict):
    """The box the TCP may be in, and the yaw it may have."""

    low: m.Point
    high: m.Point
    yaw: m.AngleRange


@dataclass(frozen=True)
class Control(Strict):
    """One action: how often, and how far at most."""

    period: m.Seconds
    max_step: m.Length
    max_yaw_step: m.Angle


@dataclass(frozen=True)
class Delay(Strict):
    mean: m.Seconds
    jitter: m.Seconds


@dataclass(frozen=True)
class Latency(Strict):
    """exposure -> image stamp, command -> motion, gripper command -> width."""

    camera: Delay
    command: Delay
    gripper: Delay


@dataclass(frozen=True)
class Dynamics(Strict):
    """Fitted by system identification; null in a cell file until that was done."""

    damping: m.JointDamping
    friction: m.JointTorque
    armature: m.JointInertia
    payload: m.Mass


@dataclass(frozen=True)
class Cell(Strict):
    format: int
    id: str
    description: str
    arm: Arm
    gripper: Gripper
    cameras: dict[str, Camera]
    table: Table
    bin: Bin
    workspace: Workspace
    control: Control
    latency: Latency
    dynamics: Dynamics | None

    def __post_init__(self) -> None:
        if self.format != FORMAT:
            raise Invalid("format", self.format, str(FORMAT), "write the file anew in that format")
        if not self.id:
            raise Invalid("id", self.id, "a name", "name the cell: a policy card refers to it")
        if self.arm.joints < 1:
            raise Invalid("arm.joints", self.arm.joints, "1 or more", "count the arm's joints")
        if "front" not in self.cameras:
            found = sorted(self.cameras)
            raise Invalid("cameras", found, "a camera named 'front'", "name the main camera front")
        if self.dynamics is not None:
            for name in ("damping", "friction", "armature"):
                values = getattr(self.dynamics, name).value
                if len(values) != self.arm.joints:
                    text = f"{self.arm.joints} numbers, one a joint"
                    raise Invalid(f"dynamics.{name}.value", values, text, "match arm.joints")

    @property
    def fingerprint(self) -> str:
        """Changes with every recalibration; `id` names the cell for good."""
        text = json.dumps(encode(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def interface(self, cameras: Sequence[str] | None = None, action_window: int = 2) -> Interface:
        """What this cell offers a policy: the frames of these (or all) cameras, and the depth of
        those named `<camera>_depth`; proprioception, and the largest action."""
        names = tuple(self.cameras) if cameras is None else tuple(cameras)
        images = tuple(self._image(name) for name in names)
        floor = self.bin.centre.value[2]
        low, high = self.workspace.low.value, self.workspace.high.value
        proprio = (
            Entry("gripper_aperture", "m", *self.gripper.aperture.value),
            Entry("tcp_x", "m", low[0], high[0]),
            Entry("tcp_y", "m", low[1], high[1]),
            Entry("tcp_height", "m", low[2] - floor, high[2] - floor),
            Entry("tcp_yaw", "rad", *self.workspace.yaw.value),
        )
        step, turn = self.control.max_step.value, self.control.max_yaw_step.value
        moves = tuple(ActionEntry(name, "m", -step, step) for name in ("dx", "dy", "dz"))
        switches = tuple(
            ActionEntry(name, "1", 0.0, 1.0, threshold=0.5)
            for name in ("gripper_close", "gripper_open", "terminate")
        )
        action = ActionSpec((*moves, ActionEntry("dyaw", "rad", -turn, turn), *switches))
        observation = ObservationSpec(images, proprio, action_window)
        return Interface(observation, action, self.control.period.value)

    @property
    def images(self) -> dict[str, str]:
        """What can be seen, by the camera that gives it: each one's picture, and its depth."""
        depths = {f"{name}{DEPTH}": name for name, camera in self.cameras.items() if camera.depth}
        return {name: name for name in self.cameras} | depths

    def camera_of(self, image: str) -> str:
        """The camera that gives an image: itself, or its depth."""
        if image not in self.images:
            wanted = f"a camera of cell '{self.id}': {', '.join(self.images)}"
            raise Invalid("cameras", image, wanted, "name one of them, or add it to the cell")
        return self.images[image]

    def _image(self, name: str) -> ImageSpec:
        camera = self.cameras[self.camera_of(name)]
        if name in self.cameras or camera.depth is None:
            return ImageSpec(name, camera.height, camera.width)
        return ImageSpec(name, camera.height, camera.width, 1, camera.depth.span.value)
