"""rosless param: list, get, set, describe, dump."""

from __future__ import annotations

import argparse
from typing import Any

from .around import commands, fail, looking, plain, settled, show

PATIENCE_S = 5.0


class _Remote:
    """Another node's parameters."""

    def __init__(self, node: Any, name: str) -> None:
        self._node, self._name = node, name

    def ask(self, kind: str, service: str, **fields: Any) -> Any:
        import rclpy

        from rosless.interfaces.classes import service_class

        srv: Any = service_class(f"rcl_interfaces/srv/{kind}")
        client = self._node.create_client(srv, f"{self._name}/{service}")
        if not client.wait_for_service(PATIENCE_S):
            raise SystemExit(f"no parameters at {self._name!r}")
        answer = client.call_async(srv.Request(**fields))
        rclpy.spin_until_future_complete(self._node, answer, timeout_sec=PATIENCE_S)
        if not answer.done():
            raise SystemExit(f"no answer from {self._name!r} within {PATIENCE_S} s")
        self._node.destroy_client(client)
        return answer.result()

    def names(self) -> list[str]:
        return sorted(self.ask("ListParameters", "list_parameters").result.names)

    def values(self, names: list[str]) -> list[Any]:
        from rclpy.parameter import parameter_value_to_python

        found = self.ask("GetParameters", "get_parameters", names=names).values
        return [parameter_value_to_python(one) for one in found]


def _list(parser: argparse.ArgumentParser) -> None:
    """names, of a node or of all"""
    parser.add_argument("node", nargs="?")
    parser.set_defaults(run=run_list)


def run_list(a: argparse.Namespace) -> int:
    with looking() as node:
        nodes = [a.node] if a.node else _with_parameters(node)
        for name in nodes:
            print(f"{name}:")
            print("".join(f"  {one}\n" for one in _Remote(node, name).names()), end="")
    return 0


def _with_parameters(node: Any) -> list[str]:
    end = "/list_parameters"
    names = [name for name, _ in settled(node.get_service_names_and_types)]
    return [name.removesuffix(end) for name in names if name.endswith(end)]


def _get(parser: argparse.ArgumentParser) -> None:
    """a value"""
    parser.add_argument("node")
    parser.add_argument("name")
    parser.set_defaults(run=run_get)


def run_get(a: argparse.Namespace) -> int:
    with looking() as node:
        values = _Remote(node, a.node).values([a.name])
        if not values:
            return fail(f"{a.node} has no parameter {a.name!r}, or it is not set")
        print(show(values[0]).rstrip())
    return 0


def _set(parser: argparse.ArgumentParser) -> None:
    """another value"""
    parser.add_argument("node")
    parser.add_argument("name")
    parser.add_argument("value")
    parser.set_defaults(run=run_set)


def run_set(a: argparse.Namespace) -> int:
    from rcl_interfaces.msg import Parameter
    from rclpy.parameter import get_parameter_value

    with looking() as node:
        wanted = Parameter(name=a.name, value=get_parameter_value(a.value))
        remote = _Remote(node, a.node)
        [result] = remote.ask("SetParameters", "set_parameters", parameters=[wanted]).results
        if not result.successful:
            return fail(f"not set: {result.reason}")
        print("Set parameter successful")
    return 0


def _describe(parser: argparse.ArgumentParser) -> None:
    """what it is for, and what it may be"""
    parser.add_argument("node")
    parser.add_argument("names", nargs="+")
    parser.set_defaults(run=run_describe)


def run_describe(a: argparse.Namespace) -> int:
    with looking() as node:
        remote = _Remote(node, a.node)
        found = remote.ask("DescribeParameters", "describe_parameters", names=a.names).descriptors
        if len(found) != len(a.names):
            return fail(f"{a.node} does not have all of: {', '.join(a.names)}")
        print(show([plain(one) for one in found]), end="")
    return 0


def _dump(parser: argparse.ArgumentParser) -> None:
    """all of a node's, as --params-file takes them"""
    parser.add_argument("node")
    parser.set_defaults(run=run_dump)


def run_dump(a: argparse.Namespace) -> int:
    with looking() as node:
        remote = _Remote(node, a.node)
        names = remote.names()
        tree: dict[str, Any] = {}
        for name, value in zip(names, remote.values(names), strict=True):
            *above, last = name.split(".")
            place = tree
            for part in above:
                place = place.setdefault(part, {})
            place[last] = value
        print(show({a.node: {"ros__parameters": tree}}), end="")
    return 0


def main(argv: list[str]) -> int:
    parts = {"list_": _list, "get": _get, "set": _set, "describe": _describe, "dump": _dump}
    a = commands("param", **parts).parse_args(argv)
    return int(a.run(a))
