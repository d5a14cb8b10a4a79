"""A node's parameters: declared, checked against their descriptors, told of when they change."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Sequence
from typing import Any

from rcl_interfaces.msg import (
    ListParametersResult,
    ParameterDescriptor,
    ParameterEvent,
    SetParametersResult,
)

from rclpy.exceptions import (
    InvalidParameterException,
    InvalidParameterTypeException,
    InvalidParameterValueException,
    ParameterAlreadyDeclaredException,
    ParameterNotDeclaredException,
    ParameterUninitializedException,
)
from rclpy.parameter import PARAMETER_SEPARATOR_STRING as DOT
from rclpy.parameter import WRONG_TYPE, Parameter, fault

Type = Parameter.Type
Before = Callable[[list[Parameter]], list[Parameter]]
During = Callable[[list[Parameter]], SetParametersResult]
After = Callable[[list[Parameter]], None]


class Parameters:
    """The part of a node that is about parameters."""

    def _ros_init_parameters(
        self,
        overrides: dict[str, Parameter],
        tell: Callable[[ParameterEvent], None],
    ) -> None:
        self._ros_parameters: dict[str, Parameter] = {}
        self._ros_descriptors: dict[str, ParameterDescriptor] = {}
        self._ros_overrides, self._ros_tell_event = overrides, tell
        # Those that were added last are asked first.
        self._ros_before: list[Before] = []
        self._ros_during: list[During] = []
        self._ros_after: list[After] = []

    def add_pre_set_parameters_callback(self, callback: Before) -> None:
        self._ros_before.insert(0, callback)

    def add_on_set_parameters_callback(self, callback: During) -> None:
        self._ros_during.insert(0, callback)

    def add_post_set_parameters_callback(self, callback: After) -> None:
        self._ros_after.insert(0, callback)

    def remove_pre_set_parameters_callback(self, callback: Before) -> None:
        self._ros_before.remove(callback)

    def remove_on_set_parameters_callback(self, callback: During) -> None:
        self._ros_during.remove(callback)

    def remove_post_set_parameters_callback(self, callback: After) -> None:
        self._ros_after.remove(callback)

    def declare_parameter(
        self,
        name: str,
        value: Any = None,
        descriptor: ParameterDescriptor | None = None,
        ignore_override: bool = False,
    ) -> Parameter:
        return self.declare_parameters("", [(name, value, descriptor)], ignore_override)[0]

    def declare_parameters(
        self, namespace: str, parameters: Sequence[tuple[Any, ...]], ignore_override: bool = False
    ) -> list[Parameter]:
        declared = [self._ros_declared(namespace, one, ignore_override) for one in parameters]
        names = [parameter.name for parameter, _ in declared]
        if there := [name for name in names if name in self._ros_parameters]:
            raise ParameterAlreadyDeclaredException(there)
        for parameter, descriptor in declared:
            result = self._ros_set([parameter], {parameter.name: descriptor}, declaring=True)
            if not result.successful:
                if result.reason.startswith(WRONG_TYPE):
                    raise InvalidParameterTypeException(parameter, Type(descriptor.type).name)
                raise InvalidParameterValueException(parameter.name, parameter.value, result.reason)
        return [self._ros_parameters[name] for name in names]

    def _ros_declared(
        self, namespace: str, given: tuple[Any, ...], ignore_override: bool
    ) -> tuple[Parameter, ParameterDescriptor]:
        """A name alone, or with no value: of any type, and not set."""
        name, value, descriptor = (*given, None, None)[:3]
        if descriptor is None:
            descriptor = ParameterDescriptor(dynamic_typing=value is None)
        types = isinstance(name, str) and isinstance(descriptor, ParameterDescriptor)
        if not types or len(given) > 3:
            raise TypeError(f"parameter: found {given!r}, wanted a str, a value and a descriptor")
        name = f"{namespace}.{name}" if namespace else name
        if not re.fullmatch(r"\S(.*\S)?", name):
            raise InvalidParameterException(name)
        descriptor = copy.copy(descriptor)
        descriptor.name = name
        if isinstance(value, Type):
            if value == Type.NOT_SET or descriptor.dynamic_typing:
                raise ValueError(
                    f"parameter {name}: found the type {value.name} alone, wanted one that is not "
                    "NOT_SET, and no dynamic_typing with it"
                )
            descriptor.type, value = value.value, None
        elif not descriptor.dynamic_typing:
            if value is None:
                raise ValueError(f"parameter {name}: one that is statically typed wants a value")
            descriptor.type = Type.from_parameter_value(value).value
        if not ignore_override and name in self._ros_overrides:
            value = self._ros_overrides[name].value
        if value == [] and descriptor.type:  # an empty list is of any kind
            return Parameter(name, Type(descriptor.type), value), descriptor
        return Parameter(name, value=value), descriptor

    def _ros_declare_overrides(self) -> None:
        known = self._ros_overrides.items()
        free = [(key, one.value) for key, one in known if not self.has_parameter(key)]
        self.declare_parameters("", free, ignore_override=True)

    def set_parameters(self, parameter_list: list[Parameter]) -> list[SetParametersResult]:
        return [self.set_parameters_atomically([one]) for one in parameter_list]

    def set_parameters_atomically(self, parameter_list: list[Parameter]) -> SetParametersResult:
        if self._ros_before:
            parameter_list = [one for call in self._ros_before for one in call(parameter_list)]
            if not parameter_list:
                reason = "parameter list cannot be empty: a pre-set callback has emptied it"
                return SetParametersResult(successful=False, reason=reason)
        if not all(isinstance(one, Parameter) for one in parameter_list):
            raise TypeError(f"parameter must be instance of type '{Parameter!r}'")
        if unknown := [x.name for x in parameter_list if x.name not in self._ros_parameters]:
            raise ParameterNotDeclaredException(unknown)
        return self._ros_set(parameter_list, self._ros_descriptors, declaring=False)

    def _ros_set(
        self,
        parameters: list[Parameter],
        descriptors: dict[str, ParameterDescriptor],
        declaring: bool,
    ) -> SetParametersResult:
        """All or none. A parameter of any type is removed where it is set to nothing."""
        for one in parameters:
            if reason := fault(one, descriptors[one.name], declaring):
                return SetParametersResult(successful=False, reason=reason)
        for callback in self._ros_during:
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
            descriptor = self._ros_descriptors[one.name] = descriptors[one.name]
            new = self.get_parameter_or(one.name).type_ == Type.NOT_SET
            (event.new_parameters if new else event.changed_parameters).append(message)
            self._ros_parameters[one.name] = one
            if descriptor.dynamic_typing:
                descriptor.type = one.type_.value
        self._ros_tell_event(event)
        for told in self._ros_after:
            told(parameters)
        return SetParametersResult(successful=True)

    def get_fully_qualified_name(self) -> str:
        raise NotImplementedError

    def _ros_known(self, name: str) -> Parameter:
        if name not in self._ros_parameters:
            raise ParameterNotDeclaredException(name)
        return self._ros_parameters[name]

    def has_parameter(self, name: str) -> bool:
        return name in self._ros_parameters

    def get_parameter(self, name: str) -> Parameter:
        parameter = self._ros_known(name)
        if parameter.type_ == Type.NOT_SET and not self._ros_descriptors[name].dynamic_typing:
            raise ParameterUninitializedException(name)
        return parameter

    def get_parameters(self, names: list[str]) -> list[Parameter]:
        return [self.get_parameter(name) for name in names]

    def get_parameter_or(self, name: str, alternative_value: Parameter | None = None) -> Parameter:
        found = self._ros_parameters.get(name)
        if found is None or found.type_ == Type.NOT_SET:
            return alternative_value or Parameter(name, Type.NOT_SET)
        return found

    def get_parameters_by_prefix(self, prefix: str) -> dict[str, Parameter]:
        start = f"{prefix}{DOT}" if prefix else ""
        known = self._ros_parameters.items()
        return {name.removeprefix(start): one for name, one in known if name.startswith(start)}

    def get_parameter_type(self, name: str) -> Any:
        return self._ros_known(name).type_.value

    def get_parameter_types(self, names: list[str]) -> list[Any]:
        return [self.get_parameter_type(name) for name in names]

    def describe_parameter(self, name: str) -> ParameterDescriptor:
        return self._ros_descriptors[self._ros_known(name).name]

    def describe_parameters(self, names: list[str]) -> list[ParameterDescriptor]:
        return [self.describe_parameter(name) for name in names]

    def list_parameters(self, prefixes: list[str], depth: int) -> ListParametersResult:
        """Names beneath the prefixes, at most `depth` parts of them; 0 is all."""
        if not isinstance(prefixes, list) or not all(isinstance(one, str) for one in prefixes):
            raise TypeError("The prefixes argument must be a list of str")
        if depth < 0:
            raise ValueError("The depth must be greater than or equal to zero")

        def chosen(name: str) -> bool:
            beneath = [name] if not prefixes else []
            beneath += [name[len(one) + 1 :] for one in prefixes if name.startswith(one + DOT)]
            return name in prefixes or any(not depth or x.count(DOT) < depth for x in beneath)

        names = [name for name in self._ros_parameters if chosen(name)]
        above = dict.fromkeys(name.rpartition(DOT)[0] for name in names if DOT in name)
        return ListParametersResult(names=names, prefixes=list(above))
