"""The cell file: what this robot cell is, in one typed, measured, dated YAML.

    cell = load_cell("calibration/cells/twin.yaml")

Frames: everything stands in the arm's base frame (x forward, y left, z up). A camera's pose is
that of its optical frame (x right, y down, z forward), a wrist camera's is given in the TCP frame.
Orientations are quaternions x, y, z, w.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from policy.contract import (
    ActionEntry,
    ActionSpec,
    ContractError,
    Entry,
    ImageSpec,
    Interface,
    Invalid,
    ObservationSpec,
    Problem,
    Strict,
    decode,
    encode,
)
from policy.contract.files import write_atomic

from . import measured as m

FORMAT = 1
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

    def __post_init__(self) -> None:
        for axis, size in (("width", self.width), ("height", self.height)):
            if size < 1:
                raise Invalid(axis, size, "1 or more pixels", "give the frame's size")
        terms, wanted = len(self.distortion.value), DISTORTION_TERMS[self.distortion_model]
        if terms not in wanted:
            text = f"{' or '.join(map(str, wanted))} coefficients for '{self.distortion_model}'"
            raise Invalid("distortion.value", self.distortion.value, text, "match model and terms")
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

    def interface(self, cameras: tuple[str, ...] = ("front",), action_window: int = 2) -> Interface:
        """What this cell offers a policy: frames, proprioception, and the largest action."""
        images = tuple(
            ImageSpec(name, self.cameras[name].height, self.cameras[name].width) for name in cameras
        )
        floor = self.bin.centre.value[2]
        proprio = (
            Entry("gripper_aperture", "m", *self.gripper.aperture.value),
            Entry(
                "tcp_height",
                "m",
                *(box.value[2] - floor for box in (self.workspace.low, self.workspace.high)),
            ),
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


class _UniqueKeys(yaml.SafeLoader):
    """YAML lets a repeated key silently win over the first; here it is an error."""


def _mapping(loader: _UniqueKeys, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            continue  # no key at all: construct_mapping says so
        name = loader.construct_object(key)
        if name in seen:
            where = f"line {key.start_mark.line + 1}"
            problem = Problem(str(name), f"a second time at {where}", "each key once", "remove one")
            raise ContractError(str(key.start_mark.name), [problem])
        seen.add(name)
    return loader.construct_mapping(node)


def _date(loader: _UniqueKeys, node: yaml.ScalarNode) -> str:
    """Still text: `decode` makes the date, and names the field if no calendar has that day."""
    return str(loader.construct_scalar(node))


_UniqueKeys.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)
_UniqueKeys.add_constructor("tag:yaml.org,2002:timestamp", _date)


def load_cell(path: str | Path) -> Cell:
    """Read, type-check and sanity-check a cell file; raise `ContractError` naming every fault."""
    from .geometry import problems

    with Path(path).open("rb") as file:
        try:
            data = yaml.load(file, _UniqueKeys)
        except yaml.YAMLError as error:
            remedy = f"mend the syntax: {' '.join(str(error).split())}"
            fault = Problem("(file)", Path(path).name, "YAML", remedy)
            raise ContractError(str(path), [fault]) from None
    cell = decode(Cell, data, str(path))
    if found := list(problems(cell)):
        raise ContractError(str(path), found)
    return cell


def save_cell(cell: Cell, path: str | Path) -> None:
    """Write the file whole or not at all; what `load_cell` reads back equals `cell`."""
    data = encode(cell)
    decode(Cell, data, f"the cell for {path}")  # what `load_cell` refuses is not written
    # PyYAML reads a bare U+0085 back as a blank; escaped, it survives.
    plain = "\x85" not in json.dumps(data, ensure_ascii=False)
    text = yaml.safe_dump(data, sort_keys=False, allow_unicode=plain, width=100)
    write_atomic(Path(path), text.encode())
