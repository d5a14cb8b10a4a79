"""Conditions on actions."""

from __future__ import annotations

from .condition import Condition
from .launch_context import LaunchContext
from .left_out import left_out
from .substitution import SomeSubstitutionsType, describe, resolve
from .utilities import TRUTHS


class InvalidConditionExpressionError(ValueError):
    """It is neither true nor false."""


class IfCondition(Condition):
    def __init__(self, predicate_expression: SomeSubstitutionsType) -> None:
        super().__init__(predicate=self._holds)
        self._expression = predicate_expression

    def _holds(self, context: LaunchContext) -> bool:
        text = resolve(context, self._expression)
        try:
            return TRUTHS[text.strip().lower()]
        except KeyError:
            raise InvalidConditionExpressionError(
                f"invalid condition expression, expected one of [true, 1, false, 0] but got "
                f"'{text}', expanded from {describe(self._expression)}"
            ) from None


class UnlessCondition(IfCondition):
    def _holds(self, context: LaunchContext) -> bool:
        return not super()._holds(context)


class LaunchConfigurationEquals(Condition):
    """None as the expected value: the configuration is not set."""

    def __init__(
        self, launch_configuration_name: str, expected_value: SomeSubstitutionsType | None
    ) -> None:
        super().__init__(predicate=self._holds)
        self._name = launch_configuration_name
        self._expected = expected_value

    def _holds(self, context: LaunchContext) -> bool:
        expected = None if self._expected is None else resolve(context, self._expected)
        return bool(context.launch_configurations.get(self._name) == expected)


class LaunchConfigurationNotEquals(LaunchConfigurationEquals):
    def _holds(self, context: LaunchContext) -> bool:
        return not super()._holds(context)


__getattr__ = left_out(__name__)
