"""YAML as rcl reads it: 1e3 and 0x10 are numbers; 12:30, 2024-01-31, null and any key are text."""

from __future__ import annotations

import re
from typing import Any

import yaml

FORMS = {
    "bool": r"(?i:y|yes|true|on|n|no|false|off)",
    "int": r"[-+]?(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)",
    "float": r"[-+]?(([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?|(?i:\.?(inf|nan)))",
}


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's; filled below
    bool_values = {**yaml.SafeLoader.bool_values, "y": True, "n": False}  # noqa: RUF012

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        return {key.value: self.construct_object(value, deep=True) for key, value in node.value}


def _plain(loader: _Loader, node: yaml.Node) -> Any:
    """Tags mean nothing to rcl, and launch_ros writes some: !!python/tuple."""
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node)
    return node.value


_Loader.add_constructor(None, _plain)
for tag, form in FORMS.items():
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"({form})$"), None)


def parse_yaml(text: str) -> Any:
    return yaml.load(text, _Loader)
