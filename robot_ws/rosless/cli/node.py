"""rosless node: list, info."""

from __future__ import annotations

import argparse

from .around import commands, fail, looking, settled


def _list(parser: argparse.ArgumentParser) -> None:
    """who is there"""
    parser.set_defaults(run=run_list)


def run_list(a: argparse.Namespace) -> int:
    with looking() as node:
        names = settled(node.get_fully_qualified_node_names)
        print("\n".join(name for name in sorted(names) if "/_" not in name))
    return 0


def _info(parser: argparse.ArgumentParser) -> None:
    """what it has"""
    parser.add_argument("node")
    parser.set_defaults(run=run_info)


def run_info(a: argparse.Namespace) -> int:
    with looking() as node:
        if a.node not in settled(node.get_fully_qualified_node_names):
            return fail(f"no node {a.node!r}")
        space, _, name = a.node.rpartition("/")
        print(a.node)
        for title, look in (
            ("Subscribers", node.get_subscriber_names_and_types_by_node),
            ("Publishers", node.get_publisher_names_and_types_by_node),
            ("Service Servers", node.get_service_names_and_types_by_node),
            ("Service Clients", node.get_client_names_and_types_by_node),
        ):
            print(f"  {title}:")
            for topic, types in look(name, space or "/"):
                print(f"    {topic}: {', '.join(types)}")
    return 0


def main(argv: list[str]) -> int:
    a = commands("node", list_=_list, info=_info).parse_args(argv)
    return int(a.run(a))
