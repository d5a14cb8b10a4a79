"""rosless action: list, send_goal."""

from __future__ import annotations

import argparse
from typing import Any

from .around import commands, fail, fill, interface, listing, looking, plain, show, typed


def _names(node: Any) -> Any:
    from rclpy.action import get_action_names_and_types

    return get_action_names_and_types(node)


def _send_goal(parser: argparse.ArgumentParser) -> None:
    """set it a goal, and wait for the result"""
    parser.add_argument("action")
    parser.add_argument("type")
    parser.add_argument("values", nargs="?", default="{}")
    parser.add_argument("-f", "--feedback", action="store_true")
    parser.add_argument("--timeout", type=float, default=10.0, help="s, until it is accepted")
    parser.set_defaults(run=run_send_goal)


def run_send_goal(a: argparse.Namespace) -> int:
    import rclpy
    from action_msgs.msg import GoalStatus
    from rclpy.action import ActionClient

    names = {
        value: name.removeprefix("STATUS_")
        for name, value in vars(GoalStatus).items()
        if name.startswith("STATUS_")
    }

    def felt(message: Any) -> None:
        print(f"Feedback:\n{show(plain(message.feedback))}", flush=True)

    with looking() as node:
        kind = interface(a.type, "action")
        client = ActionClient(node, kind, a.action)
        goal = fill(kind.Goal(), typed(a.values))
        if not client.wait_for_server(a.timeout):
            return fail(f"nobody pursues {a.action!r}")
        sent = client.send_goal_async(goal, felt if a.feedback else None)
        rclpy.spin_until_future_complete(node, sent, timeout_sec=a.timeout)
        if not sent.done() or not sent.result().accepted:
            return fail("the goal was not accepted")
        result = sent.result().get_result_async()
        rclpy.spin_until_future_complete(node, result)
        if not result.done():
            return fail("stopped; the goal goes on")
        answer = result.result()
        print(f"Result:\n{show(plain(answer.result, whole=True))}status: {names[answer.status]}")
    return 0 if answer.status == GoalStatus.STATUS_SUCCEEDED else 1


def main(argv: list[str]) -> int:
    a = commands("action", list_=listing(_names), send_goal=_send_goal).parse_args(argv)
    return int(a.run(a))
