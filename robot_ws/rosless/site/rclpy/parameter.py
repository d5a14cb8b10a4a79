"""A parameter: a name, a type and a value."""

from __future__ import annotations

import array
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any

import yaml
from rcl_interfaces.msg import Parameter as ParameterMsg
from rcl_interfaces.msg import ParameterType, ParameterValue

from rclpy.impl.arguments import matches, parameters_in
from rclpy.impl.yaml_text import parse_yaml

PARAMETER_SEPARATOR_STRING = "."
_LISTS = (list, tuple, array.array)


class Parameter:
    class Type(Enum):
        NOT_SET = ParameterType.PARAMETER_NOT_SET
        BOOL = ParameterType.PARAMETER_BOOL
        INTEGER = ParameterType.PARAMETER_INTEGER
        DOUBLE = ParameterType.PARAMETER_DOUBLE
        STRING = ParameterType.PARAMETER_STRING
        BYTE_ARRAY = ParameterType.PARAMETER_BYTE_ARRAY
        BOOL_ARRAY = ParameterType.PARAMETER_BOOL_ARRAY
        INTEGER_ARRAY = ParameterType.PARAMETER_INTEGER_ARRAY
        DOUBLE_ARRAY = ParameterType.PARAMETER_DOUBLE_ARRAY
        STRING_ARRAY = ParameterType.PARAMETER_STRING_ARRAY

        @classmethod
        def from_parameter_value(cls, parameter_value: Any) -> Parameter.Type:
            """The first that fits: an empty list is one of bytes."""
            for type_ in cls:
                if type_.check(parameter_value):
                    return type_
            raise TypeError(f"The given value is not one of the allowed types '{parameter_value}'.")

        def check(self, parameter_value: Any) -> bool:
            kind = _KINDS[self.name.removesuffix("_ARRAY")]
            if not self.name.endswith("_ARRAY"):
                return _is(parameter_value, kind)
            return isinstance(parameter_value, _LISTS) and all(
                _is(one, kind) for one in parameter_value
            )

    @classmethod
    def from_parameter_msg(cls, param_msg: ParameterMsg) -> Parameter:
        type_ = cls.Type(param_msg.value.type)
        return cls(param_msg.name, type_, parameter_value_to_python(param_msg.value))

    def __init__(self, name: str, type_: Parameter.Type | None = None, value: Any = None) -> None:
        if type_ is None:
            type_ = Parameter.Type.from_parameter_value(value)
        if not isinstance(type_, Parameter.Type):
            raise TypeError(f"type must be an instance of '{Parameter.Type!r}'")
        if not type_.check(value):
            raise ValueError(f"Type '{type_}' and value '{value}' do not agree")
        self._type_, self._name, self._value = type_, name, value

    @property
    def name(self) -> str:
        return self._name

    @property
    def type_(self) -> Parameter.Type:
        return self._type_

    @property
    def value(self) -> Any:
        return self._value

    def __repr__(self) -> str:
        return f"Parameter(name={self.name!r}, type_={self.type_}, value={self.value!r})"

    def get_parameter_value(self) -> ParameterValue:
        if self.type_ == Parameter.Type.NOT_SET:
            return ParameterValue(type=self.type_.value)
        value = list(self.value) if self.type_.name.endswith("_ARRAY") else self.value
        return ParameterValue(type=self.type_.value, **{f"{self.type_.name.lower()}_value": value})

    def to_parameter_msg(self) -> ParameterMsg:
        return ParameterMsg(name=self.name, value=self.get_parameter_value())


_KINDS: Mapping[str, type] = {
    "NOT_SET": type(None),
    "BOOL": bool,
    "INTEGER": int,
    "DOUBLE": float,
    "STRING": str,
    "BYTE": bytes,
}


def _is(value: object, kind: type) -> bool:
    return isinstance(value, kind) and not (kind is int and isinstance(value, bool))


def parameter_value_to_python(parameter_value: ParameterValue) -> Any:
    try:
        type_ = Parameter.Type(parameter_value.type)
    except ValueError:
        raise RuntimeError(f"unexpected parameter type {parameter_value.type}") from None
    if type_ == Parameter.Type.NOT_SET:
        return None
    value = getattr(parameter_value, f"{type_.name.lower()}_value")
    if not type_.name.endswith("_ARRAY"):
        return value
    return value.tolist() if hasattr(value, "tolist") else list(value)


def get_parameter_value(string_value: str) -> ParameterValue:
    """Of what a person typed."""
    try:
        value = parse_yaml(string_value)
        return Parameter(
            "", value=value if value is not None else string_value
        ).get_parameter_value()
    except (yaml.YAMLError, TypeError):
        return Parameter("", value=string_value).get_parameter_value()


def parameter_dict_from_yaml_file(
    parameter_file: str,
    use_wildcard: bool = False,
    target_nodes: list[str] | None = None,
    namespace: str = "",
) -> dict[str, ParameterMsg]:
    found = parameters_in(Path(parameter_file))
    for node in target_nodes or ():
        if not any(matches(pattern, node) for pattern, *_ in found):
            raise RuntimeError(f"Param file does not contain parameters for {node}")
    result = {}
    for pattern, name, value in found:
        everyones = pattern == "/**"
        if everyones and not use_wildcard and target_nodes:
            continue
        if everyones or not target_nodes or any(matches(pattern, node) for node in target_nodes):
            full = f"{namespace}{name}"
            result[full] = Parameter(full, value=value).to_parameter_msg()
    return result


__all__ = [
    "PARAMETER_SEPARATOR_STRING",
    "Parameter",
    "get_parameter_value",
    "parameter_dict_from_yaml_file",
    "parameter_value_to_python",
]
