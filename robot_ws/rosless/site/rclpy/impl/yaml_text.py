"""YAML as rcl reads it: 1e3 and 0x10 are numbers; 12:30, 2024-01-31 and any key are text."""

from __future__ import annotations

import re
from typing import Any

import yaml

TRUE, FALSE = (
    {case(word) for word in words for case in (str.lower, str.capitalize, str.upper)}
    for words in (("y", "yes", "true", "on"), ("n", "no", "false", "off"))
)
INT = re.compile(r"[-+]?(0[xX][0-9a-fA-F]+|[0-9]+)")
FLOAT = re.compile(r"[-+]?(([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?|\.?(inf|nan))")
LARGEST = (1 << 63) - 1


class _Loader(yaml.BaseLoader):
    """To which all scalars are text."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        return {key.value: self.construct_object(value, deep=True) for key, value in node.value}

    def construct_scalar(self, node: yaml.ScalarNode) -> Any:
        return _plain(node.value) if node.style is None else node.value  # else it is quoted


def _plain(text: str) -> Any:
    if text in ("", "~", "null"):
        return None
    if text in TRUE or text in FALSE:
        return text in TRUE
    if INT.fullmatch(text):
        digits = text.lower().lstrip("+-")
        octal = re.fullmatch("0[0-7]+", digits)
        number = int(text, 8 if octal else 16 if digits.startswith("0x") else 10)
        return number if -LARGEST - 1 <= number <= LARGEST else float(number)
    if FLOAT.fullmatch(text):
        return float(text.replace(".inf", "inf").replace(".nan", "nan"))
    return text


def parse_yaml(text: str) -> Any:
    return yaml.load(text, _Loader)
