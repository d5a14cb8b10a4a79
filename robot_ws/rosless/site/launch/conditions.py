"""Whether an action is done."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from .substitutions import SomeSubstitutionsType, truth

if TYPE_CHECKING:
    from .launch_context import LaunchContext


class Condition:
    def __init__(self, *, predicate: Callable[[LaunchContext], bool]) -> None:
        self.evaluate = predicate


class IfCondition(Condition):
    def __init__(self, predicate_expression: SomeSubstitutionsType) -> None:
        super().__init__(predicate=self._holds)
        self._expression = predicate_expression

    def _holds(self, context: LaunchContext) -> bool:
        return truth(context, self._expression)


class UnlessCondition(IfCondition):
    def _holds(self, context: LaunchContext) -> bool:
        return not super()._holds(context)
