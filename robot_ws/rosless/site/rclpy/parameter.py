"""A parameter: a name, a type and a value."""

from __future__ import annotations

import array
import math
from enum import Enum
from typing import Any

import yaml
from rcl_interfaces.msg import Parameter as ParameterMsg
from rcl_interfaces.msg import ParameterDescriptor, ParameterType, ParameterValue

PARAMETER_SEPARATOR_STRING = "."
TOLERANCE = 1e-6  # of a step, relative
WRONG_TYPE = "Wrong parameter type"
_LISTS = (list, tuple, array.array)
_KINDS = {"BOOL": bool, "INTEGER": int, "DOUBLE": float, "STRING": str, "BYTE": bytes}


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
            if self is Parameter.Type.NOT_SET:
                return parameter_value is None
            kind = _KINDS[self.name.removesuffix("_ARRAY")]
            if not self.is_array:
                return _is(parameter_value, kind)
            return isinstance(parameter_value, _LISTS) and all(
                _is(one, kind) for one in parameter_value
            )

        @property
        def is_array(self) -> bool:
            return self.name.endswith("_ARRAY")

        @property
        def field(self) -> str:
            """Of a ParameterValue."""
            return f"{self.name.lower()}_value"

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
        self.name, self.type_, self.value = name, type_, value

    def __repr__(self) -> str:
        return f"Parameter(name={self.name!r}, type_={self.type_}, value={self.value!r})"

    def get_parameter_value(self) -> ParameterValue:
        if self.type_ == Parameter.Type.NOT_SET:
            return ParameterValue(type=self.type_.value)
        value = list(self.value) if self.type_.is_array else self.value
        return ParameterValue(type=self.type_.value, **{self.type_.field: value})

    def to_parameter_msg(self) -> ParameterMsg:
        return ParameterMsg(name=self.name, value=self.get_parameter_value())


def _is(value: object, kind: type) -> bool:
    return isinstance(value, kind) and not (kind is int and isinstance(value, bool))


def parameter_value_to_python(parameter_value: ParameterValue) -> Any:
    type_ = Parameter.Type(parameter_value.type)
    if type_ == Parameter.Type.NOT_SET:
        return None
    value = getattr(parameter_value, type_.field)
    if not type_.is_array:
        return value
    return value.tolist() if hasattr(value, "tolist") else list(value)


def get_parameter_value(string_value: str) -> ParameterValue:
    """Of what a person typed: YAML, other than on a command line."""
    try:
        value = yaml.safe_load(string_value)
        typed = Parameter("", value=value if value is not None else string_value)
    except (yaml.YAMLError, TypeError):
        typed = Parameter("", value=string_value)
    return typed.get_parameter_value()


def fault(one: Parameter, descriptor: ParameterDescriptor, declaring: bool) -> str:
    """Why a parameter cannot be; nothing, if it can."""
    kind = Parameter.Type
    if descriptor.read_only and not declaring:
        return f"Trying to set a read-only parameter: {one.name}."
    if not descriptor.dynamic_typing:
        if one.type_ == kind.NOT_SET:
            return "" if declaring else "Static parameter cannot be undeclared"
        if one.type_.value != descriptor.type:
            return f"{WRONG_TYPE}, expected '{kind(descriptor.type)}' got '{one.type_}'"
    if one.type_ == kind.INTEGER and descriptor.integer_range:
        return _out_of_range(one, descriptor.integer_range[0], exact=True)
    if one.type_ == kind.DOUBLE and descriptor.floating_point_range:
        return _out_of_range(one, descriptor.floating_point_range[0], exact=False)
    return ""


def _out_of_range(one: Parameter, allowed: Any, exact: bool) -> str:
    low, high = sorted((allowed.from_value, allowed.to_value))

    def same(a: Any, b: Any) -> bool:
        return bool(a == b) if exact else math.isclose(a, b, rel_tol=TOLERANCE, abs_tol=0.0)

    if same(one.value, low) or same(one.value, high):
        return ""
    where = f"Min: {low}, Max: {high}, value: {one.value}"
    if not low < one.value < high:
        return f"Parameter {one.name} out of range. {where}"
    if allowed.step:
        above = one.value - low
        steps = above // allowed.step if exact else round(above / allowed.step)
        if not same(low + steps * allowed.step, one.value):
            return f"Parameter {one.name} is not a valid step. {where}, step: {allowed.step}"
    return ""
