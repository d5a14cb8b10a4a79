"""What the commands that look around have in common: arguments, a node, and calling a service."""

from __future__ import annotations

import argparse
import contextlib
import inspect
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from rclpy.node import Node

T = TypeVar("T")
DISCOVERY_S, PATIENCE_S = 1.0, 10.0


def commands(program: str, *known: Callable[..., None]) -> Callable[[list[str]], None]:
    """The main function of `program`. Its commands' parameters are their arguments; those by
    keyword alone are options: a flag, or a number. Who fails raises SystemExit."""
    parser = argparse.ArgumentParser(prog=f"rosless {program}")
    below = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in known:
        one = below.add_parser(command.__name__.partition("_")[0], help=command.__doc__)
        one.set_defaults(run=command)
        for name, about in inspect.signature(command).parameters.items():
            if about.kind is not about.KEYWORD_ONLY:
                free = about.default is not about.empty
                one.add_argument(name, nargs="?" if free else None, default=about.default)
                continue
            flags = (f"-{name[0]}", f"--{name.replace('_', '-')}")
            kind: Any = {"type": float} if about.default is not False else {"action": "store_true"}
            one.add_argument(*flags, default=about.default, **kind)

    def main(argv: list[str]) -> None:
        given = vars(parser.parse_args(argv))
        given.pop("run")(**given)

    return main


@contextlib.contextmanager
def looking() -> Iterator[Node]:
    """A node that only looks."""
    import rclpy
    from rclpy.executors import ExternalShutdownException
    from rclpy.node import Node

    rclpy.init(args=[])
    node = Node(f"_rosless_{time.time_ns() % 10**9}", start_parameter_services=False)
    try:
        yield node
    except ExternalShutdownException:
        pass  # somebody has ended it
    finally:
        node.destroy_node()
        rclpy.try_shutdown()


def settled(look: Callable[[], T]) -> T:
    """What there is, when everybody has had the time to say that they are there."""
    time.sleep(DISCOVERY_S)
    return look()


def print_names(found: list[tuple[str, list[str]]], types: bool) -> None:
    """But for what is hidden."""
    for name, kinds in found:
        if "/_" not in name:
            print(f"{name} [{', '.join(kinds)}]" if types else name)


def asked(node: Node, kind: Any, name: str, request: Any, timeout: float = PATIENCE_S) -> Any:
    """What a service answers."""
    import rclpy

    client = node.create_client(kind, name)
    if not client.wait_for_service(timeout):
        raise SystemExit(f"nobody answers at {name!r}")
    answer = client.call_async(request)
    rclpy.spin_until_future_complete(node, answer, timeout_sec=timeout)
    if not answer.done():
        raise SystemExit(f"no answer from {name!r} within {timeout} s")
    node.destroy_client(client)
    return answer.result()
