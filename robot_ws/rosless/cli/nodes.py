"""rosless node, service and param: what nodes there are, and what they can be asked."""

from __future__ import annotations

from typing import Any

from .around import PATIENCE_S, asked, commands, looking, print_names, settled
from .messages import interface, show, typed

LISTS = "/list_parameters"


def list_nodes() -> None:
    """who is there"""
    with looking() as node:
        names = settled(node.get_fully_qualified_node_names)
        print("\n".join(name for name in sorted(names) if "/_" not in name))


def list_services(*, types: bool = False) -> None:
    """what there is"""
    with looking() as node:
        print_names(settled(node.get_service_names_and_types), types)


def call_service(
    service: str, type: str, values: str = "{}", *, timeout: float = PATIENCE_S
) -> None:
    """ask it"""
    kind = interface(type, "srv")
    request = typed(kind.Request(), values)
    with looking() as node:
        print(show(asked(node, kind, service, request, timeout)), end="")


def _ask(node: Any, name: str, kind: str, service: str, **fields: Any) -> Any:
    srv = interface(f"rcl_interfaces/srv/{kind}", "srv")
    return asked(node, srv, f"{name}/{service}", srv.Request(**fields))


def _names(node: Any, name: str) -> list[str]:
    return sorted(_ask(node, name, "ListParameters", "list_parameters").result.names)


def list_parameters(node: str | None = None) -> None:
    """names, of a node or of all"""
    with looking() as here:
        services = [] if node else [name for name, _ in settled(here.get_service_names_and_types)]
        nodes = [name.removesuffix(LISTS) for name in services if name.endswith(LISTS)]
        for name in [node] if node else nodes:
            print(f"{name}:")
            print("".join(f"  {one}\n" for one in _names(here, name)), end="")


def get_parameter(node: str, name: str) -> None:
    """a value"""
    from rclpy.parameter import parameter_value_to_python

    with looking() as here:
        values = _ask(here, node, "GetParameters", "get_parameters", names=[name]).values
        if not values:
            raise SystemExit(f"{node} has no parameter {name!r}, or it is not set")
        print(show(parameter_value_to_python(values[0])).rstrip())


def set_parameter(node: str, name: str, value: str) -> None:
    """another value"""
    from rcl_interfaces.msg import Parameter
    from rclpy.parameter import get_parameter_value

    wanted = [Parameter(name=name, value=get_parameter_value(value))]
    with looking() as here:
        answer = _ask(here, node, "SetParameters", "set_parameters", parameters=wanted)
        if not answer.results[0].successful:
            raise SystemExit(f"not set: {answer.results[0].reason}")
        print("Set parameter successful")


def describe_parameter(node: str, name: str | None = None) -> None:
    """what it is for, and what it may be; of one, or of all"""
    with looking() as here:
        names = [name] if name else _names(here, node)
        found = _ask(here, node, "DescribeParameters", "describe_parameters", names=names)
        if len(found.descriptors) != len(names):
            raise SystemExit(f"{node} does not have {name!r}")
        print(show(found.descriptors), end="")


node = commands("node", list_nodes)
service = commands("service", list_services, call_service)
param = commands("param", list_parameters, get_parameter, set_parameter, describe_parameter)
