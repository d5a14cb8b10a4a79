"""rosless param: list, get, set, describe."""

from __future__ import annotations

from typing import Any

from .around import asked, commands, looking, settled
from .messages import interface, show

LISTS = "/list_parameters"


def _ask(node: Any, name: str, kind: str, service: str, **fields: Any) -> Any:
    srv = interface(f"rcl_interfaces/srv/{kind}", "srv")
    return asked(node, srv, f"{name}/{service}", srv.Request(**fields))


def _names(node: Any, name: str) -> list[str]:
    return sorted(_ask(node, name, "ListParameters", "list_parameters").result.names)


def list_(node: str | None = None) -> None:
    """names, of a node or of all"""
    with looking() as here:
        services = [] if node else [name for name, _ in settled(here.get_service_names_and_types)]
        nodes = [name.removesuffix(LISTS) for name in services if name.endswith(LISTS)]
        for name in [node] if node else nodes:
            print(f"{name}:")
            print("".join(f"  {one}\n" for one in _names(here, name)), end="")


def get(node: str, name: str) -> None:
    """a value"""
    from rclpy.parameter import parameter_value_to_python

    with looking() as here:
        values = _ask(here, node, "GetParameters", "get_parameters", names=[name]).values
        if not values:
            raise SystemExit(f"{node} has no parameter {name!r}, or it is not set")
        print(show(parameter_value_to_python(values[0])).rstrip())


def set_(node: str, name: str, value: str) -> None:
    """another value"""
    from rcl_interfaces.msg import Parameter
    from rclpy.parameter import get_parameter_value

    wanted = [Parameter(name=name, value=get_parameter_value(value))]
    with looking() as here:
        answer = _ask(here, node, "SetParameters", "set_parameters", parameters=wanted)
        if not answer.results[0].successful:
            raise SystemExit(f"not set: {answer.results[0].reason}")
        print("Set parameter successful")


def describe(node: str, name: str | None = None) -> None:
    """what it is for, and what it may be; of one, or of all"""
    with looking() as here:
        names = [name] if name else _names(here, node)
        found = _ask(here, node, "DescribeParameters", "describe_parameters", names=names)
        if len(found.descriptors) != len(names):
            raise SystemExit(f"{node} does not have {name!r}")
        print(show(found.descriptors), end="")


main = commands("param", list_, get, set_, describe)
