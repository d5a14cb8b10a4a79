"""rosless service: list, call."""

from __future__ import annotations

import argparse

from .around import commands, fail, fill, interface, listing, looking, plain, show, typed


def _call(parser: argparse.ArgumentParser) -> None:
    """ask it"""
    parser.add_argument("service")
    parser.add_argument("type")
    parser.add_argument("values", nargs="?", default="{}")
    parser.add_argument("--timeout", type=float, default=10.0, help="s")
    parser.set_defaults(run=run_call)


def run_call(a: argparse.Namespace) -> int:
    import rclpy

    with looking() as node:
        kind = interface(a.type, "srv")
        request = fill(kind.Request(), typed(a.values))
        client = node.create_client(kind, a.service)
        if not client.wait_for_service(a.timeout):
            return fail(f"nobody answers at {a.service!r}")
        answer = client.call_async(request)
        rclpy.spin_until_future_complete(node, answer, timeout_sec=a.timeout)
        if not answer.done():
            return fail(f"no answer from {a.service!r} within {a.timeout} s")
        print(show(plain(answer.result(), whole=True)), end="")
    return 0


def main(argv: list[str]) -> int:
    a = commands(
        "service", list_=listing(lambda node: node.get_service_names_and_types()), call=_call
    ).parse_args(argv)
    return int(a.run(a))
