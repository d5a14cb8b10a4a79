"""python -m policy.experience COMMAND LOG ...: look into an experience log and look after it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from . import commands
from .errors import MISTAKES


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m policy.experience", description=__doc__)
    choices = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(
        name: str, run: Callable[[argparse.Namespace], int], text: str
    ) -> argparse.ArgumentParser:
        one = choices.add_parser(name, help=text, description=text)
        one.add_argument("log", type=Path, help="directory of episodes")
        one.set_defaults(run=run)
        return one

    one = command("list", commands.list_, "one line an episode")
    one.add_argument("--last", type=int, default=20, help="how many (default 20)")
    one = command(
        "inspect", commands.inspect, "numbers and pictures of one episode (of a log: the newest)"
    )
    one.add_argument("--sheet", type=Path, help="write a contact sheet into this PNG")
    command("verify", commands.verify, "read every file in full, checksums and all")
    command("repair", commands.repair, "finish what a crash left, up to the last complete step")
    one = command("merge", commands.merge, "bring the episodes of several logs into one")
    one.add_argument("sources", type=Path, nargs="+")
    one = command(
        "label", commands.label, "say yourself whether an episode succeeded; outranks detectors"
    )
    one.add_argument("episode", help="its id, as `list` shows it")
    one.add_argument("verdict", choices=["success", "failure"])
    one = command("export", commands.export, "write a LeRobotDataset v3")
    one.add_argument("out", type=Path)
    one = command("record", commands.record, "record random actions in a gymnasium environment")
    one.add_argument("--env", default="Pusher-v5", help="a gymnasium id (default Pusher-v5)")
    one.add_argument("--episodes", type=int, default=10)
    one.add_argument("--size", type=_size, default=(64, 64), metavar="WxH", help="default 64x64")
    one.add_argument("--seed", type=int, default=0)
    one = command("replay", commands.replay, "bring a log into a replay ring and time its batches")
    one.add_argument("ring", type=Path, help="directory of the ring, made if it is not there")
    one.add_argument(
        "--capacity", type=int, help="frames of a new ring (default: those of the log)"
    )
    one.add_argument("--batch", type=int, default=256)
    one.add_argument("--stack", type=int, default=1)
    one.add_argument("--n-step", type=int, default=1)
    return top


def _size(text: str) -> tuple[int, int]:
    width, height = text.split("x")
    return int(height), int(width)


def main(argv: list[str] | None = None) -> int:
    arguments = parser().parse_args(argv)
    try:
        code: int = arguments.run(arguments)
    except MISTAKES as error:
        print(error, file=sys.stderr)
        return 1
    return code


if __name__ == "__main__":
    sys.exit(main())
