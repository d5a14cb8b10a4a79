"""Message classes, made from their definitions: what `geometry_msgs.msg` holds."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
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
        return all(_same(getattr(self, name), getattr(other, name)) for name in self._setters)

    __hash__ = None  # type: ignore[assignment]  # its fields change

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._setters)
        return f"{type(self).__module__}.{type(self).__qualname__}({fields})"


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray):
        return bool(np.array_equal(a, b))
    return bool(a == b)


@cache
def message_class(name: str) -> type[Message]:
    found = definition(name)
    package, group, short = name.split("/")
    # A field called as a Python word cannot be written down; none of ROS's is.
    slots = tuple(found.fields)
    cls: type[Message] = type(
        short,
        (Message,),
        {
            "__slots__": slots,
            "__module__": f"{package}.{group}",
            "__doc__": f"{name}: {', '.join(slots) or 'nothing'}",
            "NAME": name,
            **found.constants,
        },
    )
    cls._setters = {slot: cls.__dict__[slot].__set__ for slot in slots}
    cls._checks = {
        key: checker(name, key, kind, message_class) for key, kind in found.fields.items()
    }
    cls._defaults = {
        key: _constantly(found.defaults[key])
        if key in found.defaults
        else default(kind, message_class)
        for key, kind in found.fields.items()
    }
    return cls


def _constantly(value: Any) -> Callable[[], Any]:
    return lambda: value


@cache
def service_class(name: str) -> type:
    """A service: what its Request and Response are."""
    package, group, short = name.split("/")
    return type(
        short,
        (),
        {
            "__module__": f"{package}.{group}",
            "NAME": name,
            "Request": message_class(f"{name}_Request"),
            "Response": message_class(f"{name}_Response"),
        },
    )


@cache
def action_class(name: str) -> type:
    """An action: what a person writes (Goal, Result, Feedback) and, in Impl, what is sent."""
    package, group, short = name.split("/")
    parts = {part: message_class(f"{name}_{part}") for part in ACTION_PARTS}
    impl = type(
        f"{short}_Impl",
        (),
        {
            "__module__": f"{package}.{group}",
            "SendGoalService": service_class(f"{name}_SendGoal"),
            "GetResultService": service_class(f"{name}_GetResult"),
            "CancelGoalService": service_class("action_msgs/srv/CancelGoal"),
            "FeedbackMessage": message_class(f"{name}_FeedbackMessage"),
            "GoalStatusMessage": message_class("action_msgs/msg/GoalStatusArray"),
        },
    )
    namespace = {"__module__": f"{package}.{group}", "NAME": name, "Impl": impl, **parts}
    return type(short, (), namespace)


MAKERS: dict[str, Callable[[str], type]] = {
    "msg": message_class,
    "srv": service_class,
    "action": action_class,
}
