"""The cell file: the example loads, what is saved is read back, and every fault is named."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
import yaml
from cards import GONE, edited
from hypothesis import HealthCheck, given, settings

from calibration import Cell, load_cell, save_cell
from policy.contract import ContractError, Interface, Invalid, decode, encode

TWIN = Path(__file__).resolve().parents[2] / "calibration" / "cells" / "twin.yaml"
CELL = load_cell(TWIN)
PLAIN = encode(CELL)


def measured(data: Any, path: str = "") -> Iterator[str]:
    """The dotted path of each measured value."""
    if isinstance(data, dict) and "residual" in data:
        yield path
    elif isinstance(data, dict):
        for key, below in data.items():
            yield from measured(below, f"{path}.{key}" if path else key)


MEASURED = list(measured(PLAIN))


def at(path: str) -> Any:
    node = PLAIN
    for part in path.split("."):
        node = node[part]
    return node


def load(tmp_path: Path, *changes: tuple[str, object]) -> Cell:
    """The example cell after `changes` to its YAML."""
    with TWIN.open() as file:
        data = yaml.safe_load(file)
    for path, value in changes:
        data = edited(data, path, value)
    changed = tmp_path / "cell.yaml"
    changed.write_text(yaml.safe_dump(data, sort_keys=False))
    return load_cell(changed)


def load_text(tmp_path: Path, old: str, new: str) -> Cell:
    """The example cell after one replacement in its text."""
    text = TWIN.read_text(encoding="utf-8")
    assert old in text
    changed = tmp_path / "cell.yaml"
    changed.write_text(text.replace(old, new, 1), encoding="utf-8")
    return load_cell(changed)


# --- what it holds ----------------------------------------------------------------------------


def test_the_example() -> None:
    assert CELL.id == "twin"
    assert CELL.arm.joints == 7
    assert CELL.cameras["front"].width == 640
    assert CELL.bin.floor.value == (0.30, 0.40)
    assert CELL.bin.floor.unit == "m"
    assert isinstance(CELL.bin.floor.date, datetime.date)
    assert CELL.dynamics is not None
    assert len(MEASURED) > 40


def test_what_it_offers_a_policy() -> None:
    offered = CELL.interface()
    front, wrist = offered.observation.images
    assert (front.name, front.shape) == ("front", (480, 640, 3))
    assert (wrist.name, wrist.shape, wrist.depth) == ("wrist", (480, 640, 3), None)
    [depth] = CELL.interface(("wrist_depth",)).observation.images
    assert (depth.name, depth.shape, depth.depth) == ("wrist_depth", (480, 640, 1), (0.07, 0.6))
    with pytest.raises(Invalid, match="found 'front_depth', wanted a camera of cell 'twin': front"):
        CELL.interface(("front_depth",))  # it has none
    assert offered.observation.action_window == 2
    proprio = offered.observation.proprio
    assert [(e.name, e.unit) for e in proprio] == [
        ("gripper_aperture", "m"),
        ("tcp_x", "m"),  # in the base frame
        ("tcp_y", "m"),
        ("tcp_height", "m"),  # above the bin's floor
        ("tcp_yaw", "rad"),
    ]
    assert [e.low for e in proprio] == pytest.approx([0.0, 0.36, -0.19, 0.01, -1.5708])
    assert [e.high for e in proprio] == pytest.approx([0.08, 0.64, 0.19, 0.295, 1.5708])
    assert offered.control_period_s == 0.2

    action = offered.action
    step = ["dx", "dy", "dz", "dyaw"]
    assert action.names == [*step, "gripper_close", "gripper_open", "terminate"]
    assert [entry.name for entry in action.entries if not entry.discrete] == step
    largest = np.array([0.04, 0.04, 0.04, 0.35, 1, 1, 1], np.float32)
    np.testing.assert_array_equal(action.executed(np.full(7, 9, np.float32)), largest)
    smallest = np.array([-0.04, -0.04, -0.04, -0.35, 0, 0, 0], np.float32)
    np.testing.assert_array_equal(action.executed(np.full(7, -9, np.float32)), smallest)
    assert decode(Interface, encode(offered), "again") == offered


def test_the_cameras_a_policy_asks_for(tmp_path: Path) -> None:
    wrist = {**PLAIN["cameras"]["front"], "mount": "wrist", "width": 660}
    cell = load(tmp_path, ("cameras.wrist", wrist))
    images = cell.interface(cameras=("wrist", "front"), action_window=0).observation.images
    assert [(image.name, image.width) for image in images] == [("wrist", 660), ("front", 640)]
    assert set(cell.interface().observation.cameras) == {"front", "wrist"}
    with pytest.raises(Invalid, match="cameras: found 'side', wanted a camera of cell 'twin'"):
        cell.interface(cameras=["side"])


def test_an_arm_has_joints(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"arm\.joints: found 0, wanted 1 or more"):
        load(tmp_path, ("dynamics", None), ("arm.joints", 0))


def test_dynamics_may_be_unknown(tmp_path: Path) -> None:
    assert load(tmp_path, ("dynamics", None)).dynamics is None


def test_a_wrist_camera_need_not_see_the_bin(tmp_path: Path) -> None:
    upwards = ("cameras.front.pose.orientation.value", [0.0, 0.0, 0.0, 1.0])
    assert load(tmp_path, upwards, ("cameras.front.mount", "wrist")).cameras["front"]


# --- there and back ---------------------------------------------------------------------------


def test_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "cell.yaml"
    save_cell(CELL, path)
    again = load_cell(path)
    assert again == CELL
    assert again.fingerprint == CELL.fingerprint
    text = path.read_bytes()
    save_cell(again, str(path))
    assert path.read_bytes() == text
    assert list(tmp_path.iterdir()) == [path]


words = st.text(max_size=20)
factors = st.floats(0.9995, 1.0005)  # no quaternion far from unit, no camera off the bin


@st.composite
def cells(draw: st.DrawFn) -> Cell:
    """The example cell with other texts, and some values measured anew."""
    data = edited(PLAIN, "description", draw(words))
    data = edited(data, "id", draw(st.text(min_size=1, max_size=20)))
    for path in draw(st.lists(st.sampled_from(MEASURED), unique=True, min_size=1, max_size=4)):
        value = at(path)["value"]
        if isinstance(value, list):
            moved: Any = [number * draw(factors) for number in value]
        else:
            moved = value * draw(factors)
        residual = draw(st.floats(0, allow_infinity=False))
        fields = {
            "value": moved,
            "method": draw(st.text(min_size=1, max_size=20)),
            "date": draw(st.dates()).isoformat(),
            "residual": residual,
        }
        data = edited(data, path, {**at(path), **fields})
    return decode(Cell, data, "drawn")


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(cell=cells())
def test_round_trip_of_any_cell(tmp_path_factory: pytest.TempPathFactory, cell: Cell) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    save_cell(cell, path)
    again = load_cell(path)
    assert again == cell
    assert again.fingerprint == cell.fingerprint


@pytest.mark.parametrize(
    "text", ["a\x85b", "\u2028", "\ufeff", "\0", " ", "1e3", "2026-11-21", "no"]
)
def test_awkward_texts(tmp_path: Path, text: str) -> None:
    cell = replace(CELL, id=text, description=f"{text}\n {text}")
    save_cell(cell, tmp_path / "cell.yaml")
    assert load_cell(tmp_path / "cell.yaml") == cell


def test_what_could_not_be_read_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "cell.yaml"
    save_cell(CELL, path)
    before = path.read_bytes()
    wrong = load(tmp_path)
    object.__setattr__(wrong.arm.reach, "value", math.nan)
    with pytest.raises(ContractError, match=r"arm\.reach\.value: found nan"):
        save_cell(wrong, path)
    object.__setattr__(wrong.arm.reach, "value", 0.855)
    save_cell(wrong, path)
    assert path.read_bytes() == before


# --- fingerprint ------------------------------------------------------------------------------


def test_the_fingerprint_is_of_the_values_not_of_the_text(tmp_path: Path) -> None:
    assert load_cell(TWIN).fingerprint == CELL.fingerprint
    assert len(CELL.fingerprint) == 12
    with TWIN.open() as file:
        data = yaml.safe_load(file)
    shuffled = tmp_path / "shuffled.yaml"
    shuffled.write_text("# moved about\n" + yaml.safe_dump(data, sort_keys=True, indent=8))
    assert load_cell(shuffled).fingerprint == CELL.fingerprint


def nudge(number: float) -> float:
    return number * (1 - 1e-9) or 1e-9


def test_the_fingerprint_changes_with_every_recalibration() -> None:
    seen = {CELL.fingerprint}
    for path in MEASURED:
        value = at(path)["value"]
        nudged = [nudge(number) for number in value] if isinstance(value, list) else nudge(value)
        for field, new in (("value", nudged), ("residual", 1e-9), ("date", "2027-01-01")):
            changed = decode(Cell, edited(PLAIN, f"{path}.{field}", new), "changed")
            seen.add(changed.fingerprint)
    assert len(seen) == 1 + 3 * len(MEASURED)


# --- faults -----------------------------------------------------------------------------------

FRONT = "cameras.front"
FAULTS: list[tuple[str, object, list[str], str]] = [
    # keys
    ("colour", "red", ["colour"], "no such key (known: format, id"),
    ("arm.reech", 1.0, ["arm.reech"], "did you mean 'reach'?"),
    (f"{FRONT}.focus", 1.0, [f"{FRONT}.focus"], "no such key"),
    ("arm.reach.residuals", 0.1, ["arm.reach.residuals"], "did you mean 'residual'?"),
    ("dynamics.dampings", 1.0, ["dynamics.dampings"], "did you mean 'damping'?"),
    ("bin", GONE, ["bin"], "found 'nothing', wanted a value; add it"),
    ("latency.gripper.jitter", GONE, ["latency.gripper.jitter"], "add it"),
    ("dynamics", GONE, ["dynamics"], "add it"),
    ("arm.reach.date", GONE, ["arm.reach.date"], "add it"),
    ("format", 2, ["format"], "found 2, wanted 1"),
    ("id", "", ["id"], "name the cell"),
    # types
    ("arm.joints", "7", ["arm.joints"], "a valid integer"),
    ("arm.joints", True, ["arm.joints"], "a valid integer"),
    ("arm.interface", "torque", ["arm.interface"], "'twist' or 'pose'"),
    ("arm.reach.value", "0.855", ["arm.reach.value"], "a valid number"),
    ("arm.reach.value", math.nan, ["arm.reach.value"], "a finite number"),
    ("arm.reach.value", math.inf, ["arm.reach.value"], "a finite number"),
    ("arm.reach", 0.855, ["arm.reach"], "wanted"),
    ("arm", None, ["arm"], "wanted"),
    ("table.size.value", [1.2], ["table.size.value.1"], "add it"),
    ("table.size.value", [1.2, 1.2, 0.0], ["table.size.value"], "at most 2"),
    ("arm.reach.date", "yesterday", ["arm.reach.date"], "a valid date"),
    ("arm.reach.date", "2026-02-30", ["arm.reach.date"], "a valid date"),
    # units and ranges
    ("arm.reach.unit", "mm", ["arm.reach.unit"], "wanted 'm'; divide it by 1000 and write unit: m"),
    ("arm.reach.unit", "inch", ["arm.reach.unit"], "convert it and write unit: m"),
    ("bin.yaw.unit", "deg", ["bin.yaw.unit"], "multiply it by pi/180"),
    ("control.period.unit", "Hz", ["control.period.unit"], "give the period, 1/rate"),
    ("latency.command.mean.unit", "ms", ["latency.command.mean.unit"], "divide it by 1000"),
    ("gripper.force.unit", "kg", ["gripper.force.unit"], "multiply it by 9.81"),
    (f"{FRONT}.focal.unit", "m", [f"{FRONT}.focal.unit"], "write unit: px"),
    ("arm.reach.value", 855.0, ["arm.reach.value"], "within [0, 10] m"),
    ("arm.reach.value", -0.1, ["arm.reach.value"], "within [0, 10] m"),
    ("bin.wall_slope.value", 20.0, ["bin.wall_slope.value"], "check it and its unit"),
    ("gripper.aperture.value", [0.08, 0.0], ["gripper.aperture.value"], "swap or widen"),
    ("workspace.yaw.value", [1.0, 1.0], ["workspace.yaw.value"], "low < high"),
    (
        "arm.tcp.orientation.value",
        [0.0, 0.0, 0.0, 0.9],
        ["arm.tcp.orientation.value"],
        "norm is 0.9000",
    ),
    (
        "arm.tcp.orientation.value",
        [0.0, 0.0, 0.0, 90.0],
        ["arm.tcp.orientation.value"],
        "norm is 90.0000",
    ),
    # where a value comes from
    ("arm.reach.method", "tape measure", ["arm.reach.residual"], "the method is 'tape measure'"),
    ("arm.reach.method", "", ["arm.reach.method"], "name the procedure"),
    ("arm.reach.residual", -0.001, ["arm.reach.residual"], "0 or more"),
    # nothing of it
    ("gripper.force.value", 0.0, ["gripper.force.value"], "more than 0"),
    ("gripper.closing_speed.value", 0.0, ["gripper.closing_speed.value"], "more than 0"),
    (f"{FRONT}.period.value", 0.0, [f"{FRONT}.period.value"], "give 1 / frame rate"),
    # parts that contradict each other
    (f"{FRONT}.distortion.value", [0.0] * 3, [f"{FRONT}.distortion.value"], "4 or 5 coefficients"),
    (f"{FRONT}.distortion_model", "none", [f"{FRONT}.distortion.value"], "0 coefficients for"),
    (f"{FRONT}.distortion_model", "rational_polynomial", [f"{FRONT}.distortion.value"], "8 coef"),
    (f"{FRONT}.centre.value", [640.0, 240.0], [f"{FRONT}.centre.value"], "inside the 640x480"),
    (f"{FRONT}.height", 240, [f"{FRONT}.centre.value"], "at this very frame size"),
    (f"{FRONT}.height", 0, [f"{FRONT}.height"], "1 or more pixels"),
    (f"{FRONT}.focal.value", [615.0, 0.0], [f"{FRONT}.focal.value"], "more than 0 px"),
    ("dynamics.damping.value", [1.0] * 6, ["dynamics.damping.value"], "7 numbers, one a joint"),
    ("arm.joints", 6, ["dynamics.damping.value"], "match arm.joints"),
    # what cannot be true of a real cell
    ("workspace.high.value", [0.9, 0.19, 0.3], ["workspace"], "every corner within arm.reach"),
    ("arm.reach.value", 0.5, ["workspace"], "shrink the workspace or move the bin nearer"),
    ("workspace.high.value", [0.64, -0.2, 0.3], ["workspace.high.y", "workspace"], "swap them"),
    ("workspace.high.value", [0.64, 0.19, 0.01], ["workspace.high.z"], "more than low.z (0.015)"),
    ("workspace.low.value", [0.36, -0.19, 0.0], ["workspace.low.z"], "the bin's floor"),
    ("workspace.low.value", [0.36, 0.01, 0.015], ["workspace"], "spans the bin's centre"),
    ("bin.centre.value", [0.5, 0.0, -0.1], ["bin.centre.z"], "put the bin on the table"),
    ("table.height.value", 0.1, ["bin.centre.z"], "0.1 or more (table.height)"),
    ("bin.floor.value", [0.08, 0.4], ["bin.floor"], "use a wider bin"),
    ("bin.wall_slope.value", -0.1, ["bin.wall_slope"], "lean it less"),
    ("bin.wall_slope.value", 1.5, ["bin.wall_slope"], "lean it less"),
    ("table.size.value", [0.4, 1.2], ["bin.centre"], "wholly on the table"),
    ("control.max_step.value", 0.11, ["control.max_step"], "0.5 at most (arm.max_speed)"),
    ("control.period.value", 0.05, ["control.max_step", "control.max_yaw_step"], "shorten it"),
    ("control.period.value", 0.0, ["control.period"], "more than 0 s"),
    ("control.max_step.value", 0.0, ["control.max_step"], "let the arm move"),
    (
        "control.max_yaw_step.value",
        0.5,
        ["control.max_yaw_step"],
        "2.0 at most (arm.max_turn_rate)",
    ),
    (
        f"{FRONT}.pose.position.value",
        [0.4, 0.0, -0.1],
        [f"{FRONT}.pose.position"],
        "is the pose that of the camera in the base frame, not the inverse?",
    ),
    (
        f"{FRONT}.pose.orientation.value",
        [0.0, 0.0, 0.0, 1.0],  # straight up
        [f"{FRONT}.pose.orientation"],
        "z forward, x right, y down",
    ),
    (
        f"{FRONT}.pose.orientation.value",
        [1.0, 0.0, 0.0, 0.0],  # straight down, past the bin
        [f"{FRONT}.pose"],
        "floor corners at",
    ),
    (f"{FRONT}.focal.value", [1500.0, 1500.0], [f"{FRONT}.pose"], "inside 640x480"),
]


@pytest.mark.parametrize(("path", "value", "fields", "said"), FAULTS)
def test_a_fault_is_named(
    tmp_path: Path, path: str, value: object, fields: list[str], said: str
) -> None:
    with pytest.raises(ContractError) as refused:
        load(tmp_path, (path, value))
    assert [problem.field for problem in refused.value.problems] == fields
    assert said in str(refused.value)
    assert all(problem.remedy for problem in refused.value.problems)
    assert refused.value.source == str(tmp_path / "cell.yaml")


def test_every_fault_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(ContractError) as refused:
        load(
            tmp_path,
            ("arm.reech", 1),
            ("bin.yaw.unit", "deg"),
            ("latency.camera", GONE),
            (f"{FRONT}.height", 0),
            ("table.height.value", "0"),
        )
    assert {problem.field for problem in refused.value.problems} == {
        "arm.reech",
        "bin.yaw.unit",
        "latency.camera",
        f"{FRONT}.height",
        "table.height.value",
    }
    with pytest.raises(ContractError) as refused:
        load(
            tmp_path,
            ("arm.reach.value", 0.3),
            ("bin.wall_slope.value", 1.5),
            ("control.max_step.value", 0.5),
            (f"{FRONT}.pose.position.value", [0.4, 0.0, -0.1]),
        )
    assert [problem.field for problem in refused.value.problems] == [
        "workspace",
        "bin.wall_slope",
        "control.max_step",
        f"{FRONT}.pose.position",
    ]


def test_the_main_camera_is_called_front(tmp_path: Path) -> None:
    camera = PLAIN["cameras"]["front"]
    with pytest.raises(ContractError, match=r"cameras: found \['top'\], wanted a camera named"):
        load(tmp_path, ("cameras", {"top": camera}))
    with pytest.raises(ContractError) as refused:
        load(tmp_path, ("cameras.top", {**camera, "height": 0}))
    assert [problem.field for problem in refused.value.problems] == ["cameras.top.height"]


@pytest.mark.parametrize(
    ("step", "period", "speed"), [(0.07, 0.1, 0.7), (0.06, 0.2, 0.3), (0.03, 0.1, 0.3)]
)
def test_full_speed_is_allowed(tmp_path: Path, step: float, period: float, speed: float) -> None:
    """In binary, some of these quotients come out a hair above the limit."""
    load(
        tmp_path,
        ("control.max_step.value", step),
        ("control.period.value", period),
        ("arm.max_speed.value", speed),
        ("control.max_yaw_step.value", 0.1),
    )


# --- files that are no cell file --------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "field", "line"),
    [
        ("  joints: 7\n", "  joints: 7\n  joints: 6\n", "joints", 12),
        ("id: twin", "id: twin\nformat: 1", "format", 6),
        ("unit: m,", "unit: m, unit: mm,", "unit", 13),
    ],
)
def test_a_repeated_key(tmp_path: Path, old: str, new: str, field: str, line: int) -> None:
    with pytest.raises(ContractError) as refused:
        load_text(tmp_path, old, new)
    [problem] = refused.value.problems
    assert problem.field == field
    assert f"line {line}" in str(problem)
    assert problem.remedy == "remove one"
    assert refused.value.source == str(tmp_path / "cell.yaml")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("  model: franka_like", "  model: [franka_like", "line 1"),
        ("  model: franka_like", "\tmodel: franka_like", "line 9, column 1"),
        ("id: twin", "id: {{ name }}", "line 5"),
        ("id: twin", "id: *other", "line 5"),
        ("id: twin", "id: twin\n---", "another document"),
        ("id: twin", "id: !!python/name:os.system x", "python/name"),
    ],
)
def test_broken_yaml(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(ContractError) as refused:
        load_text(tmp_path, old, new)
    [problem] = refused.value.problems
    assert (problem.field, problem.wanted) == ("(file)", "YAML")
    assert said in str(refused.value)


@pytest.mark.parametrize(
    "content", [b"\xff\xfe\xfd", b"\x89PNG\r\n\x1a\n", b"id: M\xfcnchen\n"], ids=repr
)
def test_another_kind_of_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "cell.yaml"
    path.write_bytes(content)
    with pytest.raises(ContractError) as refused:
        load_cell(path)
    assert [problem.field for problem in refused.value.problems] == ["(file)"]


@pytest.mark.parametrize("content", ["", "# nothing yet\n", "- a\n- list\n", "7\n", "text\n"])
def test_yaml_that_is_no_cell(tmp_path: Path, content: str) -> None:
    path = tmp_path / "cell.yaml"
    path.write_text(content)
    with pytest.raises(ContractError) as refused:
        load_cell(path)
    assert [problem.field for problem in refused.value.problems] == ["(top level)"]


def test_a_day_that_no_calendar_has(tmp_path: Path) -> None:
    """Unquoted, as people write it: YAML itself would make a date of it, and fail."""
    with pytest.raises(ContractError) as refused:
        load_text(tmp_path, "2026-11-21", "2026-21-11")
    assert [problem.field for problem in refused.value.problems] == ["arm.shoulder.date"]


def test_text_is_utf8_whatever_the_locale(tmp_path: Path) -> None:
    cell = load_text(tmp_path, "id: twin", "id: Zelle Ä 机")
    assert cell.id == "Zelle Ä 机"
    save_cell(cell, tmp_path / "again.yaml")
    assert "Zelle Ä 机".encode() in (tmp_path / "again.yaml").read_bytes()


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"none\.yaml"):
        load_cell(tmp_path / "none.yaml")
