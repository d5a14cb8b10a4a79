"""What a parameter may be: its name, its type, its range."""

from __future__ import annotations

import math
from typing import Any

from rcl_interfaces.msg import ParameterDescriptor

from rclpy.parameter import Parameter

TOLERANCE = 1e-6  # of a step, relative
WRONG_TYPE = "Wrong parameter type"
Type = Parameter.Type


def fault(one: Parameter, descriptor: ParameterDescriptor, declaring: bool) -> str:
    """Why it cannot be; nothing, if it can."""
    if descriptor.read_only and not declaring:
        return f"Trying to set a read-only parameter: {one.name}."
    if not descriptor.dynamic_typing:
        if one.type_ == Type.NOT_SET:
            return "" if declaring else "Static parameter cannot be undeclared"
        if one.type_.value != descriptor.type:
            return f"{WRONG_TYPE}, expected '{Type(descriptor.type)}' got '{one.type_}'"
    if one.type_ == Type.INTEGER and descriptor.integer_range:
        return _out_of_range(one, descriptor.integer_range[0], exact=True)
    if one.type_ == Type.DOUBLE and descriptor.floating_point_range:
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
