"""python -m reward COMMAND FOLDER LOG ...: test detectors, look after who may label, label anew.

FOLDER is the reward node's: what the detectors know of the cell. A LOG is a directory of episodes
with the pictures that were judged.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from policy.experience.episode import PERSON
from policy.experience.errors import MISTAKES

from . import commands


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="python -m reward", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    choices = top.add_subparsers(required=True, metavar="COMMAND")

    def command(
        name: str, run: Callable[[argparse.Namespace], int], text: str
    ) -> argparse.ArgumentParser:
        one = choices.add_parser(name, help=text, description=text)
        one.add_argument("folder", type=Path)
        one.add_argument("logs", type=Path, nargs="+", metavar="log")
        one.set_defaults(run=run)
        return one

    one = command("test", commands.test, "give a detector its gate, by labelled episodes")
    one.add_argument("--detector", default="subtraction")
    one.add_argument("--by", default=PERSON, help="whose labels are true (default: a person's)")
    one.add_argument("--precision", type=float, default=0.95, help="lower end (default 0.95)")
    one.add_argument("--recall", type=float, default=0.8, help="lower end (default 0.8)")
    command("gates", commands.gates, "compare labels with what persons said since; who may label")
    one = command("ask", commands.ask, "which episodes a person should label, least sure first")
    one.add_argument("--detector", default="classifier", help="whose doubts (default classifier)")
    one.add_argument("--count", type=int, default=20)
    one.add_argument("--sheet", type=Path, help="write their pictures into this PNG")
    one = command(
        "demonstrate", commands.demonstrate, "show the perceptual reward what to look for"
    )
    one.add_argument("--count", type=int, default=10, help="of the first episodes (default 10)")
    one.add_argument("--by", default=PERSON, help="whose labels are true (default: a person's)")
    one = command("relabel", commands.relabel, "judge again; the old verdicts stay")
    one.add_argument("--detectors", default="subtraction", help="as the reward node's")
    return top


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
