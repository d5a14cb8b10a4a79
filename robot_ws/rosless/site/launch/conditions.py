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
        super().__init__(predicate=lambda context: truth(context, predicate_expression))


class UnlessCondition(Condition):
    def __init__(self, predicate_expression: SomeSubstitutionsType) -> None:
        super().__init__(predicate=lambda context: not truth(context, predicate_expression))
