"""A node that only looks: what the commands have in common."""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import yaml

if TYPE_CHECKING:
    from rclpy.node import Node

T = TypeVar("T")
DISCOVERY_S, POLL_S = 1.0, 0.02
LONGEST = 128  # items of an array, and characters of a text, that are shown


@contextlib.contextmanager
def looking() -> Iterator[Node]:
    import rclpy.utilities
    from rclpy.node import Node

    rclpy.init(args=[])
    node = Node(f"_rosless_{time.time_ns() % 10**9}", start_parameter_services=False)
    try:
        yield node
    finally:
        node.destroy_node()
        rclpy.utilities.try_shutdown()


def settled(look: Callable[[], T]) -> T:
    """What there is, when everybody has had the time to say that they are there."""
    end = time.monotonic() + DISCOVERY_S
    while time.monotonic() < end:
        look()
        time.sleep(POLL_S)
    return look()


def until(look: Callable[[], T | None], seconds: float) -> T | None:
    """The first that is found, or None by then."""
    end = time.monotonic() + seconds
    while (found := look()) is None and time.monotonic() < end:
        time.sleep(POLL_S)
    return found


def fail(text: str) -> int:
    print(text, file=sys.stderr)
    return 1


def commands(program: str, **parts: Any) -> argparse.ArgumentParser:
    """A parser of `program`'s commands; each function adds its arguments and names what it runs."""
    parser = argparse.ArgumentParser(prog=f"rosless {program}")
    below = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, add in parts.items():
        add(below.add_parser(name.rstrip("_"), help=add.__doc__))
    return parser


def listing(look: Callable[[Node], list[tuple[str, list[str]]]]) -> Callable[..., None]:
    """A command that lists what there is, but for what is hidden."""

    def run(a: argparse.Namespace) -> int:
        with looking() as node:
            for name, types in settled(lambda: look(node)):
                if "/_" not in name:
                    print(f"{name} [{', '.join(types)}]" if a.show_types else name)
        return 0

    def add(parser: argparse.ArgumentParser) -> None:
        """what there is"""
        parser.add_argument("-t", "--show-types", action="store_true")
        parser.set_defaults(run=run)

    return add


def interface(name: str, group: str) -> Any:
    """The class of pkg/msg/Name, which may also be written pkg/Name."""
    from rosless.interfaces.classes import MAKERS

    package, *_, short = name.split("/")
    try:
        return MAKERS[group](f"{package}/{group}/{short}")
    except LookupError as error:
        raise SystemExit(str(error)) from None


def plain(value: Any, whole: bool = False) -> Any:
    """A message as data that YAML shows; long arrays are cut unless the `whole` is wanted."""
    from rosless.interfaces.classes import Message

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


def fill(message: Any, values: dict[str, Any]) -> Any:
    """Set a message's fields from data that a person typed; whole numbers do for floats."""
    from rosless.interfaces.classes import message_class
    from rosless.interfaces.definitions import definition

    kinds = definition(message.NAME).fields
    for name, value in values.items():
        if name not in kinds:
            raise SystemExit(f"{message.NAME} has no {name!r}; it has: {', '.join(kinds)}")
        kind = kinds[name]

        def one(item: Any, kind: Any = kind) -> Any:
            if kind.nested:
                return fill(message_class(kind.base)(), item or {})
            if kind.base.startswith("float"):
                return float(item)
            return bytes([item]) if kind.base == "byte" else item

        try:
            setattr(message, name, one(value) if kind.single else [one(item) for item in value])
        except (AssertionError, TypeError, ValueError) as error:
            raise SystemExit(str(error)) from None
    return message


def typed(text: str) -> dict[str, Any]:
    try:
        found = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise SystemExit(f"values: {error}") from None
    if not isinstance(found, dict):
        raise SystemExit(f"values: found {text!r}, wanted YAML such as '{{data: true}}'")
    return found


def show(value: Any) -> str:
    text: str = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=120)
    return text.removesuffix("...\n")
