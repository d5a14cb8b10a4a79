"""A node of ours is rclpy's Node, and what that keeps under its own names is not to be touched."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# What Node of rclpy 7.1 (Jazzy) has in itself.
KEPT = {
    "_allow_undeclared_parameters", "_clients", "_clock", "_context", "_default_callback_group",
    "_descriptors", "_guards", "_logger", "_on_set_parameters_callbacks",
    "_parameter_event_publisher", "_parameter_overrides", "_parameter_service", "_parameters",
    "_post_set_parameters_callbacks", "_pre_set_parameters_callbacks", "_publishers", "_rate_group",
    "_services", "_subscriptions", "_time_source", "_timers", "_type_description_service",
    "context", "executor", "handle", "waitables",
}  # fmt: skip
FILES = [
    *(ROOT / "robot_ws/src/regrasp_nodes").rglob("*_node.py"),
    *(ROOT / "tests").rglob("*.py"), *(ROOT / "benchmarks").rglob("*.py"),
]  # fmt: skip


def nodes(path: Path) -> list[ast.ClassDef]:
    """Classes whose base is a Node by name."""
    found = [one for one in ast.walk(ast.parse(path.read_text())) if isinstance(one, ast.ClassDef)]
    return [one for one in found if any("Node" in ast.unparse(base) for base in one.bases)]


@pytest.mark.parametrize("path", [p for p in FILES if nodes(p)], ids=lambda p: p.stem)
def test_a_node_leaves_them_alone(path: Path) -> None:
    for one in nodes(path):
        given = {
            part.attr
            for part in ast.walk(one)
            if isinstance(part, ast.Attribute)
            and isinstance(part.ctx, ast.Store)
            and ast.unparse(part.value) == "self"
        }
        assert not given & KEPT, f"{one.name}: choose other names"
