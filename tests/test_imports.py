"""Who may import whom: the design's rules, held against every import statement in the house.

Imports inside functions count like any other: hiding a cycle does not undo it.
"""

from __future__ import annotations

import ast
import graphlib
from collections.abc import Iterator
from pathlib import Path

import pytest

HOUSE = Path(__file__).resolve().parents[1]
GROUND = ("policy.contract", "policy.experience")
PARTS = ("calibration", "policy", "reward", "robot_ws", "sim", "sim2real")

# Which of our packages each may import, itself aside. The first entry that fits a module rules.
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "policy.contract": (),
    "policy.experience": ("policy.contract",),
    "policy": ("policy",),
    "calibration": GROUND,
    "reward": GROUND,
    "sim": (*GROUND, "calibration"),
    "sim2real": (*GROUND, "policy", "calibration"),
    "robot_ws": PARTS,
}
ROS = (
    "rclpy",
    "launch",
    "launch_ros",
    "ament_index_python",
    "rosless",
    "tf2_ros",
    "rosidl_runtime_py",
)


def within(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


def is_ros(module: str) -> bool:
    top = module.split(".")[0]
    return top in ROS or top.endswith(("_msgs", "_interfaces"))


def modules() -> dict[str, Path]:
    """Every module of ours by its dotted name."""
    found = {}
    for part in PARTS:
        for path in (HOUSE / part).rglob("*.py"):
            name = ".".join(path.relative_to(HOUSE).with_suffix("").parts)
            found[name.removesuffix(".__init__")] = path
    return found


def imports_of(name: str, path: Path) -> Iterator[str]:
    """The modules that `path` imports, wherever in the file; a name imported from a package
    counts as `package.name`, which may or may not be a module."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1]
            origin = ".".join(
                [*(base if node.level else []), *([node.module] if node.module else [])]
            )
            yield from (f"{origin}.{alias.name}" for alias in node.names)


MODULES = modules()


@pytest.mark.parametrize("name", sorted(MODULES))
def test_imports_only_what_it_may(name: str) -> None:
    rule = next(part for part in MAY_IMPORT if within(name, part))
    for target in imports_of(name, MODULES[name]):
        if any(within(target, part) for part in PARTS) and not within(target, rule):
            allowed = MAY_IMPORT[rule]
            assert any(within(target, part) for part in allowed), (
                f"{name} imports {target}; {rule} may import {', '.join(allowed) or 'none of ours'}"
            )
        if is_ros(target):
            assert rule == "robot_ws", f"{name} imports {target}; only robot_ws may import ROS"


def test_no_cycles() -> None:
    graph: dict[str, set[str]] = {}
    for name, path in MODULES.items():
        if within(name, "robot_ws.rosless.site"):
            continue  # ROS's own modules by name, and its executors and nodes know each other
        found = imports_of(name, path)
        targets = {t if t in MODULES else t.rpartition(".")[0] for t in found}
        graph[name] = targets & (MODULES.keys() - {name})
    try:
        list(graphlib.TopologicalSorter(graph).static_order())
    except graphlib.CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))


def test_the_rules_bite(tmp_path: Path) -> None:
    """The reader of imports sees every form of them."""
    file = tmp_path / "module.py"
    file.write_text(
        "import sim.scene\nfrom ..contract import specs\nfrom . import ring\n"
        "def late():\n    from rclpy.node import Node\n"
    )
    found = set(imports_of("policy.experience.module", file))
    assert found == {
        "sim.scene",
        "policy.contract.specs",
        "policy.experience.ring",
        "rclpy.node.Node",
    }
    assert is_ros("rclpy.node.Node")
    assert is_ros("sensor_msgs.msg.Image")
    assert not is_ros("policy.experience.log.messages")
