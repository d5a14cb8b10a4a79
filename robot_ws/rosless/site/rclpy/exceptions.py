"""What rclpy raises."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class NotInitializedException(Exception):
    def __init__(self, *args: Any) -> None:
        super().__init__("rclpy.init() has not been called", *args)


class InvalidHandle(Exception):
    """Of something that was destroyed."""


class ROSInterruptException(Exception):
    """A sleep was cut short by shutdown."""

    def __init__(self) -> None:
        super().__init__("rclpy shutdown")


class NameValidationException(Exception):
    def __init__(self, name_type: str, name: str, error_msg: str, invalid_index: int) -> None:
        self.name_type, self.name = name_type, name
        self.error_msg, self.invalid_index = error_msg, invalid_index
        super().__init__(
            f"Invalid {name_type}: {error_msg}:\n  '{name}'\n   {' ' * invalid_index}^"
        )


class InvalidNamespaceException(NameValidationException):
    def __init__(self, name: str, error_msg: str, invalid_index: int) -> None:
        super().__init__("namespace", name, error_msg, invalid_index)


class InvalidNodeNameException(NameValidationException):
    def __init__(self, name: str, error_msg: str, invalid_index: int) -> None:
        super().__init__("node name", name, error_msg, invalid_index)


class InvalidTopicNameException(NameValidationException):
    def __init__(self, name: str, error_msg: str, invalid_index: int) -> None:
        super().__init__("topic name", name, error_msg, invalid_index)


class InvalidServiceNameException(NameValidationException):
    def __init__(self, name: str, error_msg: str, invalid_index: int) -> None:
        super().__init__("service name", name, error_msg, invalid_index)


class ParameterException(Exception):
    """Base of those about parameters, which are named by `parameters`."""

    def __init__(self, error_msg: str, parameters: str | Sequence[str], *args: Any) -> None:
        names = [parameters] if isinstance(parameters, str) else list(parameters)
        super().__init__(f"{error_msg}: {', '.join(names)}", *args)


class ParameterNotDeclaredException(ParameterException):
    def __init__(self, parameters: str | Sequence[str], *args: Any) -> None:
        super().__init__("parameter not declared", parameters, *args)


class ParameterAlreadyDeclaredException(ParameterException):
    def __init__(self, parameters: str | Sequence[str], *args: Any) -> None:
        super().__init__("parameter already declared", parameters, *args)


class ParameterUninitializedException(ParameterException):
    def __init__(self, parameter: str, *args: Any) -> None:
        super().__init__("parameter declared without a value, and none was given", parameter, *args)


class ParameterImmutableException(ParameterException):
    def __init__(self, parameter: str, *args: Any) -> None:
        super().__init__("parameter is read-only", parameter, *args)


class InvalidParameterException(ParameterException):
    def __init__(self, parameter: str, *args: Any) -> None:
        super().__init__("invalid parameter name", parameter, *args)


class InvalidParameterTypeException(ParameterException):
    def __init__(self, parameter: Any, expected_type: str, *args: Any) -> None:
        Exception.__init__(
            self,
            f"Trying to set parameter '{parameter.name}' to '{parameter.value}' of type "
            f"'{parameter.type_.name}', expecting type '{expected_type}'",
            *args,
        )


class InvalidParameterValueException(ParameterException):
    def __init__(self, parameter: str, value: object, reason: str, *args: Any) -> None:
        Exception.__init__(
            self,
            f"Invalid parameter value ({value!r}) for parameter '{parameter}': {reason}",
            *args,
        )
