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
    name_type = "name"

    def __init__(self, name: str, error_msg: str, invalid_index: int) -> None:
        self.name, self.error_msg, self.invalid_index = name, error_msg, invalid_index
        where = f"\n  '{name}'\n   {' ' * invalid_index}^"
        super().__init__(f"Invalid {self.name_type}: {error_msg}:{where}")


class InvalidNamespaceException(NameValidationException):
    name_type = "namespace"


class InvalidNodeNameException(NameValidationException):
    name_type = "node name"


class InvalidTopicNameException(NameValidationException):
    name_type = "topic name"


class InvalidServiceNameException(NameValidationException):
    name_type = "service name"


class ParameterException(Exception):
    """Base of those about parameters, which are named."""

    fault = "parameter"

    def __init__(self, parameters: str | Sequence[str]) -> None:
        names = [parameters] if isinstance(parameters, str) else parameters
        super().__init__(f"{self.fault}: {', '.join(names)}")


class ParameterNotDeclaredException(ParameterException):
    fault = "parameter not declared"


class ParameterAlreadyDeclaredException(ParameterException):
    fault = "parameter already declared"


class ParameterUninitializedException(ParameterException):
    fault = "parameter declared without a value, and none was given"


class InvalidParameterException(ParameterException):
    fault = "invalid parameter name"


class InvalidParameterTypeException(ParameterException):
    def __init__(self, parameter: Any, expected_type: str) -> None:
        Exception.__init__(
            self,
            f"Trying to set parameter '{parameter.name}' to '{parameter.value}' of type "
            f"'{parameter.type_.name}', expecting type '{expected_type}'",
        )


class InvalidParameterValueException(ParameterException):
    def __init__(self, parameter: str, value: object, reason: str) -> None:
        text = f"Invalid parameter value ({value!r}) for parameter '{parameter}': {reason}"
        Exception.__init__(self, text)
