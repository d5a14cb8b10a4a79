"""Messages as people type them and read them."""

from __future__ import annotations

from typing import Any

import numpy as np
import yaml

from rosless.interfaces.classes import MAKERS, Message, message_class
from rosless.interfaces.definitions import definition

LONGEST = 128  # items of an array, and characters of a text, that are shown


def interface(name: str, group: str) -> Any:
    """The class of pkg/msg/Name, which may also be written pkg/Name."""
    package, *_, short = name.split("/")
    try:
        return MAKERS[group](f"{package}/{group}/{short}")
    except LookupError as error:
        raise SystemExit(str(error)) from None


def show(value: Any, whole: bool = True) -> str:
    text: str = yaml.safe_dump(plain(value, whole), sort_keys=False, allow_unicode=True, width=120)
    return text.removesuffix("...\n")


def plain(value: Any, whole: bool) -> Any:
    """A message as data that YAML shows; long arrays are cut unless the `whole` is wanted."""
    if isinstance(value, Message):
        return {name: plain(getattr(value, name), whole) for name in value._setters}
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        cut = len(value) > LONGEST and not whole
        shown = [plain(one, whole) for one in (value[:LONGEST] if cut else value)]
        return [*shown, "..."] if cut else shown
    if isinstance(value, bytes):
        return value[0] if len(value) == 1 else list(value)
    if isinstance(value, str) and len(value) > LONGEST and not whole:
        return value[:LONGEST] + "..."
    return value


def typed(message: Any, text: str) -> Any:
    """A message, with the fields set that a person typed."""
    try:
        found = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise SystemExit(f"values: {error}") from None
    if not isinstance(found, dict):
        raise SystemExit(f"values: found {text!r}, wanted YAML such as '{{data: true}}'")
    try:
        return _filled(message, found)
    except (AssertionError, TypeError, ValueError) as error:
        raise SystemExit(str(error)) from None


def _filled(message: Any, values: dict[str, Any]) -> Any:
    """Whole numbers do for floats."""
    kinds = definition(message.NAME).fields
    for name, value in values.items():
        if name not in kinds:
            raise SystemExit(f"{message.NAME} has no {name!r}; it has: {', '.join(kinds)}")
        kind = kinds[name]

        def one(item: Any, kind: Any = kind) -> Any:
            if kind.nested:
                return _filled(message_class(kind.base)(), item or {})
            if kind.base.startswith("float"):
                return float(item)
            return bytes([item]) if kind.base == "byte" else item

        setattr(message, name, one(value) if kind.single else [one(item) for item in value])
    return message
