"""rosless service: list, call."""

from __future__ import annotations

from .around import PATIENCE_S, asked, commands, looking, print_names, settled
from .messages import interface, show, typed


def list_(*, types: bool = False) -> None:
    """what there is"""
    with looking() as node:
        print_names(settled(node.get_service_names_and_types), types)


def call(service: str, type: str, values: str = "{}", *, timeout: float = PATIENCE_S) -> None:
    """ask it"""
    kind = interface(type, "srv")
    request = typed(kind.Request(), values)
    with looking() as node:
        print(show(asked(node, kind, service, request, timeout)), end="")


main = commands("service", list_, call)
