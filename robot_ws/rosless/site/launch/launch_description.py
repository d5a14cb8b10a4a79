"""A launch file's content: what to do, and the arguments it takes."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rosless.left_out import Absent, refuse

from .conditions import Condition

if TYPE_CHECKING:
    from typing_extensions import Self

    from .launch_context import LaunchContext


class LaunchDescriptionEntity:
    declares = False  # an argument of the file it stands in

    def visit(self, context: LaunchContext) -> Iterable[LaunchDescriptionEntity] | None:
        """Begin; what it returns is visited next, one after the other."""
        return None

    def get_sub_entities(self) -> list[LaunchDescriptionEntity]:
        """What can be said without running it: this is how declared arguments are found."""
        return []


SomeEntitiesType = LaunchDescriptionEntity | Iterable[LaunchDescriptionEntity]


def as_list(some: SomeEntitiesType | None) -> list[LaunchDescriptionEntity]:
    """A list of none, one or many, each checked."""
    if some is None:
        return []
    found = [some] if isinstance(some, LaunchDescriptionEntity) else list(some)
    for entity in found:
        if not isinstance(entity, LaunchDescriptionEntity):
            raise TypeError(f"{entity!r} stands where launch wants an action: give it an Action")
    return found


@dataclass(eq=False, kw_only=True)
class Action(LaunchDescriptionEntity):
    condition: Condition | None = None

    def __new__(cls, *_: Any, **options: Any) -> Self:
        made = [vars(base)["__init__"] for base in cls.__mro__ if "__init__" in vars(base)]
        known = {name for one in made for name in inspect.signature(one).parameters}
        refuse(cls.__name__, {name: value for name, value in options.items() if name not in known})
        return super().__new__(cls)

    def visit(self, context: LaunchContext) -> Iterable[LaunchDescriptionEntity] | None:
        if self.condition is not None and not self.condition.evaluate(context):
            return None
        return self.execute(context)

    def execute(self, context: LaunchContext) -> Iterable[LaunchDescriptionEntity] | None:
        return None


class LaunchDescription(LaunchDescriptionEntity):
    def __init__(self, initial_entities: Iterable[LaunchDescriptionEntity] | None = None) -> None:
        self.entities = as_list(initial_entities)

    def visit(self, context: LaunchContext) -> list[LaunchDescriptionEntity]:
        return self.entities

    def get_sub_entities(self) -> list[LaunchDescriptionEntity]:
        return self.entities

    add_action, get_launch_arguments = Absent(), Absent()

    def declarations(self) -> list[tuple[Any, bool]]:
        """The arguments of this file and of those it includes, as far as they can be read without
        running it; and whether each stands under a condition. Of several of one name, the first."""
        found: dict[str, tuple[Any, bool]] = {}
        for one in _search(self.entities, False):
            found.setdefault(one[0].name, one)
        return list(found.values())


def _search(
    some: Iterable[LaunchDescriptionEntity], conditional: bool
) -> Iterator[tuple[Any, bool]]:
    for entity in some:
        depends = conditional or getattr(entity, "condition", None) is not None
        if entity.declares:
            yield entity, depends
        yield from _search(entity.get_sub_entities(), depends)
