"""A node's parameters: declared, checked against their descriptors, told of when they change."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

from rcl_interfaces.msg import (
    ParameterDescriptor,
    ParameterEvent,
    ParameterValue,
    SetParametersResult,
)

from rclpy.exceptions import (
    InvalidParameterTypeException,
    InvalidParameterValueException,
    ParameterAlreadyDeclaredException,
    ParameterImmutableException,
    ParameterNotDeclaredException,
)
from rclpy.impl.parameter_checks import WRONG_TYPE, fault, validate_parameter_name
from rclpy.impl.parameters_known import Known
from rclpy.parameter import Parameter, parameter_value_to_python

Type = Parameter.Type
Checked = Callable[[list[Parameter]], SetParametersResult]


class Parameters(Known):
    """The part of a node that is about parameters."""

    _ros_parameter_overrides: dict[str, Parameter]

    def _ros_init_parameters(
        self,
        overrides: dict[str, Parameter],
        allow_undeclared: bool,
        tell: Callable[[ParameterEvent], None],
    ) -> None:
        self._ros_parameters, self._ros_descriptors = {}, {}
        self._ros_parameter_overrides = overrides
        self._ros_allow_undeclared_parameters = allow_undeclared
        self._ros_pre_set: list[Callable[[list[Parameter]], list[Parameter]]] = []
        self._ros_on_set: list[Checked] = []
        self._ros_post_set: list[Callable[[list[Parameter]], None]] = []
        self._ros_tell_event = tell

    # Declaring ----------------------------------------------------------------------------------

    def declare_parameter(
        self,
        name: str,
        value: Any = None,
        descriptor: ParameterDescriptor | None = None,
        ignore_override: bool = False,
    ) -> Parameter:
        if descriptor is None:
            descriptor = ParameterDescriptor()
            if value is None:  # a name alone: of any type, and not set
                descriptor.dynamic_typing = True
        return self.declare_parameters("", [(name, value, descriptor)], ignore_override)[0]

    def declare_parameters(
        self,
        namespace: str,
        parameters: Sequence[tuple[Any, ...]],
        ignore_override: bool = False,
    ) -> list[Parameter]:
        declared: list[tuple[Parameter, ParameterDescriptor]] = []
        for index, one in enumerate(parameters):
            if not 1 <= len(one) <= 3:
                raise TypeError(
                    f"Invalid parameter tuple length at index {index} in parameters list: {one}; "
                    "expecting length between 1 and 3"
                )
            declared.append(self._ros_declared(index, namespace, *one, ignore=ignore_override))
        names = [parameter.name for parameter, _ in declared]
        if there := [name for name in names if name in self._ros_parameters]:
            raise ParameterAlreadyDeclaredException(there)
        for parameter, descriptor in declared:
            result = self._ros_set([parameter], {parameter.name: descriptor}, declaring=True)
            if not result.successful:
                if result.reason.startswith(WRONG_TYPE):
                    expected = Type(descriptor.type).name
                    raise InvalidParameterTypeException(parameter, expected)
                raise InvalidParameterValueException(parameter.name, parameter.value, result.reason)
        return [self._ros_parameters[name] for name in names]

    def _ros_declared(
        self,
        index: int,
        namespace: str,
        name: Any,
        value: Any = None,
        descriptor: Any = None,
        *,
        ignore: bool,
    ) -> tuple[Parameter, ParameterDescriptor]:
        if not isinstance(name, str):
            raise TypeError(
                f"First element {name} at index {index} in parameters list is not a str."
            )
        if descriptor is None:
            descriptor = ParameterDescriptor(dynamic_typing=value is None)
        if not isinstance(descriptor, ParameterDescriptor):
            raise TypeError(
                f"Third element {descriptor} at index {index} in parameters list is not a "
                "ParameterDescriptor."
            )
        name = f"{namespace}.{name}" if namespace else name
        validate_parameter_name(name)
        descriptor = copy.copy(descriptor)
        descriptor.name = name
        if isinstance(value, Type):
            if value == Type.NOT_SET:
                raise ValueError(f"Cannot declare parameter {name} as statically typed of NOT_SET")
            if descriptor.dynamic_typing:
                raise ValueError(
                    f"When declaring parameter {name} with a type, dynamic_typing is not allowed"
                )
            descriptor.type, value = value.value, None
        elif not descriptor.dynamic_typing:
            descriptor.type = Type.from_parameter_value(value).value
            if value is None:
                raise ValueError(
                    "Cannot declare a statically typed parameter with default value of type "
                    "PARAMETER_NOT_SET"
                )
        if not ignore and name in self._ros_parameter_overrides:
            value = self._ros_parameter_overrides[name].value
        if value == [] and descriptor.type:  # an empty list is of any kind
            return Parameter(name, Type(descriptor.type), value), descriptor
        return Parameter(name, value=value), descriptor

    def undeclare_parameter(self, name: str) -> None:
        if name not in self._ros_parameters:
            raise ParameterNotDeclaredException(name)
        if self._ros_descriptors[name].read_only:
            raise ParameterImmutableException(name)
        del self._ros_parameters[name], self._ros_descriptors[name]

    # Setting ------------------------------------------------------------------------------------

    def set_parameters(self, parameter_list: list[Parameter]) -> list[SetParametersResult]:
        return [self.set_parameters_atomically([one]) for one in parameter_list]

    def set_parameters_atomically(self, parameter_list: list[Parameter]) -> SetParametersResult:
        if self._ros_pre_set:
            parameter_list = [one for call in self._ros_pre_set for one in call(parameter_list)]
            if not parameter_list:
                reason = "parameter list cannot be empty: a pre-set callback has emptied it"
                return SetParametersResult(successful=False, reason=reason)
        if not all(isinstance(one, Parameter) for one in parameter_list):
            raise TypeError(f"parameter must be instance of type '{Parameter!r}'")
        unknown = [one.name for one in parameter_list if one.name not in self._ros_parameters]
        if unknown and not self._ros_allow_undeclared_parameters:
            raise ParameterNotDeclaredException(unknown)
        return self._ros_set(parameter_list, self._ros_descriptors, declaring=False)

    def _ros_set(
        self,
        parameters: list[Parameter],
        descriptors: dict[str, ParameterDescriptor],
        declaring: bool,
    ) -> SetParametersResult:
        """All or none. Where nothing is declared, a parameter that is not set is removed."""
        for one in parameters:
            if one.name in descriptors:
                reason = fault(one, descriptors[one.name], declaring)
                if reason:
                    return SetParametersResult(successful=False, reason=reason)
        for callback in self._ros_on_set:
            result = callback(parameters)
            if not result.successful:
                return result
        event = ParameterEvent(node=self.get_fully_qualified_name())
        for one in parameters:
            message = one.to_parameter_msg()
            if one.type_ == Type.NOT_SET and not declaring:
                event.deleted_parameters.append(message)
                self._ros_parameters.pop(one.name, None)
                self._ros_descriptors.pop(one.name, None)
                continue
            if declaring:
                self._ros_descriptors[one.name] = descriptors[one.name]
            elif one.name not in self._ros_descriptors:
                self._ros_descriptors[one.name] = ParameterDescriptor(
                    name=one.name, dynamic_typing=True
                )
            new = self.get_parameter_or(one.name).type_ == Type.NOT_SET
            (event.new_parameters if new else event.changed_parameters).append(message)
            self._ros_parameters[one.name] = one
            if self._ros_descriptors[one.name].dynamic_typing:
                self._ros_descriptors[one.name].type = one.type_.value
        self._ros_tell_event(event)
        for told in self._ros_post_set:
            told(parameters)
        return SetParametersResult(successful=True)

    def set_descriptor(
        self,
        name: str,
        descriptor: ParameterDescriptor,
        alternative_value: ParameterValue | None = None,
    ) -> ParameterValue:
        current = self.get_parameter(name)
        if name not in self._ros_parameters:
            return current.get_parameter_value()
        if self.describe_parameter(name).read_only:
            raise ParameterImmutableException(name)
        descriptor = copy.copy(descriptor)
        descriptor.name, choices = name, [current]
        if alternative_value is not None:
            value = parameter_value_to_python(alternative_value)
            choices.append(Parameter(name, Type(alternative_value.type), value))
        reason = ""
        for one in choices:
            reason = fault(one, descriptor, declaring=True)
            if not reason:
                if descriptor.dynamic_typing:
                    descriptor.type = one.type_.value
                self._ros_parameters[name], self._ros_descriptors[name] = one, descriptor
                return one.get_parameter_value()
        raise InvalidParameterValueException(name, choices[-1].value, reason)

    # Being asked --------------------------------------------------------------------------------

    def add_pre_set_parameters_callback(
        self, callback: Callable[[list[Parameter]], list[Parameter]]
    ) -> None:
        self._ros_pre_set.insert(0, callback)

    def add_on_set_parameters_callback(self, callback: Checked) -> None:
        self._ros_on_set.insert(0, callback)

    def add_post_set_parameters_callback(self, callback: Callable[[list[Parameter]], None]) -> None:
        self._ros_post_set.insert(0, callback)

    def remove_pre_set_parameters_callback(self, callback: Any) -> None:
        self._ros_pre_set.remove(callback)

    def remove_on_set_parameters_callback(self, callback: Any) -> None:
        self._ros_on_set.remove(callback)

    def remove_post_set_parameters_callback(self, callback: Any) -> None:
        self._ros_post_set.remove(callback)

    def get_fully_qualified_name(self) -> str:
        raise NotImplementedError
