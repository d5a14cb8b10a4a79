"""rosless node: list."""

from __future__ import annotations

from .around import commands, looking, settled


def list_() -> None:
    """who is there"""
    with looking() as node:
        names = settled(node.get_fully_qualified_node_names)
        print("\n".join(name for name in sorted(names) if "/_" not in name))


main = commands("node", list_)
