"""What is known of a node's parameters, and how they are found."""

from __future__ import annotations

from typing import Any

from rcl_interfaces.msg import ListParametersResult, ParameterDescriptor

from rclpy.exceptions import ParameterNotDeclaredException, ParameterUninitializedException
from rclpy.impl.parameter_checks import require_names
from rclpy.parameter import PARAMETER_SEPARATOR_STRING as DOT
from rclpy.parameter import Parameter

Type = Parameter.Type


class Known:
    _ros_parameters: dict[str, Parameter]
    _ros_descriptors: dict[str, ParameterDescriptor]
    _ros_allow_undeclared_parameters: bool

    def has_parameter(self, name: str) -> bool:
        return name in self._ros_parameters

    def get_parameter(self, name: str) -> Parameter:
        if name in self._ros_parameters:
            parameter = self._ros_parameters[name]
            if parameter.type_ == Type.NOT_SET and not self._ros_descriptors[name].dynamic_typing:
                raise ParameterUninitializedException(name)
            return parameter
        if self._ros_allow_undeclared_parameters:
            return Parameter(name, Type.NOT_SET, None)
        raise ParameterNotDeclaredException(name)

    def get_parameters(self, names: list[str]) -> list[Parameter]:
        require_names(names)
        return [self.get_parameter(name) for name in names]

    def get_parameter_or(self, name: str, alternative_value: Parameter | None = None) -> Parameter:
        found = self._ros_parameters.get(name)
        if found is None or found.type_ == Type.NOT_SET:
            return alternative_value or Parameter(name, Type.NOT_SET)
        return found

    def get_parameters_by_prefix(self, prefix: str) -> dict[str, Parameter]:
        start = f"{prefix}{DOT}" if prefix else ""
        return {
            name[len(start) :]: parameter
            for name, parameter in self._ros_parameters.items()
            if name.startswith(start)
        }

    def get_parameter_type(self, name: str) -> Any:
        if name in self._ros_parameters:
            return self._ros_parameters[name].type_.value
        if self._ros_allow_undeclared_parameters:
            return Type.NOT_SET.value
        raise ParameterNotDeclaredException(name)

    def get_parameter_types(self, names: list[str]) -> list[Any]:
        require_names(names)
        return [self.get_parameter_type(name) for name in names]

    def describe_parameter(self, name: str) -> ParameterDescriptor:
        if name in self._ros_descriptors:
            return self._ros_descriptors[name]
        if self._ros_allow_undeclared_parameters:
            return ParameterDescriptor()
        raise ParameterNotDeclaredException(name)

    def describe_parameters(self, names: list[str]) -> list[ParameterDescriptor]:
        return [self.describe_parameter(name) for name in names]

    def list_parameters(self, prefixes: list[str], depth: int) -> ListParametersResult:
        """Names beneath the prefixes, at most `depth` parts of them; 0 is all."""
        if not isinstance(prefixes, list) or not all(isinstance(one, str) for one in prefixes):
            raise TypeError("The prefixes argument must be a list of str")
        if not isinstance(depth, int):
            raise TypeError("The depth must be instance of type int")
        if depth < 0:
            raise ValueError("The depth must be greater than or equal to zero")

        def shallow(rest: str) -> bool:
            return depth == 0 or rest.count(DOT) < depth

        def chosen(name: str) -> bool:
            if not prefixes:
                return shallow(name)
            return any(
                name == one or (name.startswith(one + DOT) and shallow(name[len(one) + 1 :]))
                for one in prefixes
            )

        names = [name for name in self._ros_parameters if chosen(name)]
        above = dict.fromkeys(name.rpartition(DOT)[0] for name in names if DOT in name)
        return ListParametersResult(names=names, prefixes=list(above))
