"""YAML as rcl reads it: 1e3 and 0x10 are numbers; 12:30, 2024-01-31 and any key are text."""

from __future__ import annotations

import re
from typing import Any

import yaml

TRUE, FALSE = "y|yes|true|on", "n|no|false|off"
INT = r"[-+]?(0[xX][0-9a-fA-F]+|[0-9]+)"
FLOAT = r"[-+]?(([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?|\.?(inf|nan))"
LARGEST = (1 << 63) - 1


def _any_case(words: str) -> str:
    """y, Y; yes, Yes, YES"""
    return "|".join(f"{word}|{word.capitalize()}|{word.upper()}" for word in words.split("|"))


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: Any = {}  # noqa: RUF012 - of its own

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                key.tag = "tag:yaml.org,2002:str"
        return super().construct_mapping(node, deep)

    def construct_integer(self, node: yaml.ScalarNode) -> int | float:
        text = node.value.lower()
        digits = text.lstrip("+-")
        octal = digits.startswith("0") and digits.isdigit() and not set(digits) & set("89")
        number = int(text, 8 if octal else 16 if digits.startswith("0x") else 10)
        return number if -LARGEST - 1 <= number <= LARGEST else float(number)

    def construct_float(self, node: yaml.ScalarNode) -> float:
        return float(node.value.replace(".inf", "inf").replace(".nan", "nan"))

    def construct_truth(self, node: yaml.ScalarNode) -> bool:
        return re.fullmatch(_any_case(TRUE), node.value) is not None


for _tag, _pattern, _first in (
    ("null", r"~|null|", ["~", "n", ""]),
    ("bool", f"{_any_case(TRUE)}|{_any_case(FALSE)}", list("yYnNtTfFoO")),
    ("int", INT, list("-+0123456789")),
    ("float", FLOAT, list("-+.0123456789in")),
):
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), _first
    )
for _tag, _construct in (
    ("int", _Loader.construct_integer),
    ("float", _Loader.construct_float),
    ("bool", _Loader.construct_truth),
):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_tag}", _construct)


def parse_yaml(text: str) -> Any:
    return yaml.load(text, _Loader)
