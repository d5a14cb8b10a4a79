"""What a launch description is made of."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from .launch_context import LaunchContext


class LaunchDescriptionEntity:
    declares: ClassVar[bool] = False  # an argument of the file it stands in
    includes: ClassVar[bool] = False  # another file

    def visit(self, context: LaunchContext) -> Iterable[LaunchDescriptionEntity] | None:
        """Begin; what it returns is visited next."""
        return None

    def get_asyncio_future(self) -> asyncio.Future[Any] | None:
        """Done once the entity is. None where it already is after its visit."""
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
