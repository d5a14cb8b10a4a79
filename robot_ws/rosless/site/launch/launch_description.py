"""A launch file's content: what to do, and the arguments it takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from .action import Action
from .launch_description_entity import LaunchDescriptionEntity, as_list

if TYPE_CHECKING:
    from .launch_context import LaunchContext

Declaration = tuple[Any, bool, Sequence[Any]]


class LaunchDescription(LaunchDescriptionEntity):
    def __init__(self, initial_entities: Iterable[LaunchDescriptionEntity] | None = None) -> None:
        self.entities = as_list(initial_entities)

    def visit(self, context: LaunchContext) -> list[LaunchDescriptionEntity]:
        return self.entities

    def get_sub_entities(self) -> list[LaunchDescriptionEntity]:
        return self.entities

    def add_entity(self, entity: LaunchDescriptionEntity) -> None:
        self.entities.append(entity)

    def add_action(self, action: Action) -> None:
        self.add_entity(action)

    def get_launch_arguments(self) -> list[Any]:
        """Of this file and of those it includes, as far as they can be read without running it."""
        return [argument for argument, _, _ in self.declarations()]

    def declarations(self) -> list[Declaration]:
        """Each argument, whether it stands under a condition, and the includes that lead to it.
        Of several of one name, the first."""
        found: dict[str, Declaration] = {}
        for one in _search(self.entities, False, ()):
            found.setdefault(one[0].name, one)
        return list(found.values())


def _search(
    some: Iterable[LaunchDescriptionEntity], conditional: bool, includes: Sequence[Any]
) -> Iterator[Declaration]:
    for entity in some:
        depends = conditional or getattr(entity, "condition", None) is not None
        if entity.declares:
            yield entity, depends, includes
        within = [*includes, entity] if entity.includes else includes
        yield from _search(entity.get_sub_entities(), depends, within)
