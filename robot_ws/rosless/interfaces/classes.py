"""Message classes, made from their definitions: what `geometry_msgs.msg` holds."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from functools import cache, partial
from typing import Any, ClassVar

import numpy as np

from rosless.interfaces.definitions import ACTION_PARTS, definition
from rosless.interfaces.values import FieldError, checker, default


class Message:
    """Fields by keyword, each with its default; checked when set; compared by value."""

    __slots__ = ()
    NAME: ClassVar[str]  # geometry_msgs/msg/Twist
    _defaults: ClassVar[dict[str, Callable[[], Any]]]
    _checks: ClassVar[dict[str, Callable[[Any], Any]]]
    _setters: ClassVar[dict[str, Callable[[Any, Any], None]]]

    def __init__(self, **fields: Any) -> None:
        unknown = fields.keys() - self._setters.keys()
        if unknown:
            wanted = ", ".join(self.get_fields_and_field_types()) or "none"
            raise FieldError(
                f"{self.NAME}: found {', '.join(sorted(unknown))}, wanted fields of: {wanted}"
            )
        for name, setter in self._setters.items():
            value = self._checks[name](fields[name]) if name in fields else self._defaults[name]()
            setter(self, value)

    def __setattr__(self, name: str, value: Any) -> None:
        try:
            setter = self._setters[name]
        except KeyError:
            raise AttributeError(
                f"{self.NAME} has no field {name!r}; it has: "
                f"{', '.join(self.get_fields_and_field_types()) or 'none'}"
            ) from None
        setter(self, self._checks[name](value))

    @classmethod
    def get_fields_and_field_types(cls) -> dict[str, str]:
        return {name: str(kind) for name, kind in definition(cls.NAME).fields.items()}

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        pairs = ((getattr(self, name), getattr(other, name)) for name in self._setters)
        return all(
            np.array_equal(a, b) if isinstance(a, np.ndarray) else bool(a == b) for a, b in pairs
        )

    __hash__ = None  # type: ignore[assignment]  # its fields change

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._setters)
        return f"{type(self).__module__}.{type(self).__qualname__}({fields})"


@cache
def message_class(name: str) -> type[Message]:
    found = definition(name)
    # A field called as a Python word cannot be written down; none of ROS's is.
    slots = tuple(found.fields)
    cls: type[Message] = _class(name, (Message,), __slots__=slots, **found.constants)
    fields = found.fields.items()
    cls._setters = {slot: cls.__dict__[slot].__set__ for slot in slots}
    cls._checks = {key: checker(name, key, kind, message_class) for key, kind in fields}
    cls._defaults = {key: default(kind, message_class) for key, kind in fields}
    cls._defaults |= {key: partial(copy, value) for key, value in found.defaults.items()}
    return cls


@cache
def service_class(name: str) -> Any:
    """A service: what its Request and Response are."""
    parts = {part: message_class(f"{name}_{part}") for part in ("Request", "Response")}
    return _class(name, (), **parts)


@cache
def action_class(name: str) -> Any:
    """An action: what a person writes (Goal, Result, Feedback) and, in Impl, what is sent."""
    parts = {part: message_class(f"{name}_{part}") for part in ACTION_PARTS}
    impl = _class(
        f"{name}_Impl",
        (),
        SendGoalService=service_class(f"{name}_SendGoal"),
        GetResultService=service_class(f"{name}_GetResult"),
        CancelGoalService=service_class("action_msgs/srv/CancelGoal"),
        FeedbackMessage=message_class(f"{name}_FeedbackMessage"),
        GoalStatusMessage=message_class("action_msgs/msg/GoalStatusArray"),
    )
    return _class(name, (), Impl=impl, **parts)


def _class(name: str, bases: tuple[type, ...], **content: Any) -> Any:
    package, group, short = name.split("/")
    return type(short, bases, {"__module__": f"{package}.{group}", "NAME": name, **content})


MAKERS: dict[str, Callable[[str], Any]] = {
    "msg": message_class,
    "srv": service_class,
    "action": action_class,
}
