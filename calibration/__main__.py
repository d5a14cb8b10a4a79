"""Check a cell file, or measure what it says: python -m calibration --help"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

from policy.contract import ContractError, Invalid
from policy.experience.pictures import write_picture

from . import commands, identifying
from .board import Board
from .cell import Cell
from .cellfile import load_cell
from .printing import PAPER
from .sheet import draw_cell


def summary(cell: Cell) -> str:
    offered = cell.interface()
    lines = [f"cell '{cell.id}' ({cell.fingerprint}): {cell.description}"]
    lines += [f"  camera {i.name}: {i.width}x{i.height}" for i in offered.observation.images]
    for kind, entries in (
        ("senses", offered.observation.proprio),
        ("moves", offered.action.entries),
    ):
        lines += [f"  {kind} {e.name}: {e.low:.4g} to {e.high:.4g} {e.unit}" for e in entries]
    lines.append(f"  one action every {offered.control_period_s:g} s")
    return "\n".join(lines)


def check(a: argparse.Namespace) -> None:
    cell = load_cell(a.cell)
    print(summary(cell))
    if a.sheet:
        write_picture(a.sheet, draw_cell(cell))
        print(f"  drawn in {a.sheet}")


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m calibration")
    parts = top.add_subparsers(dest="command", required=True)

    def part(
        name: str, does: Callable[[argparse.Namespace], None], told: str, *places: str
    ) -> argparse.ArgumentParser:
        one = parts.add_parser(name, help=told, description=told)
        one.set_defaults(does=does)
        for place in places:
            one.add_argument(place, type=str if place == "camera" else Path)
        return one

    one = part("check", check, "read a cell file and name everything wrong with it", "cell")
    one.add_argument("--sheet", type=Path, help="also draw the cell into this PNG")
    one = part("board", commands.board, "a ChArUco board to print: .pdf, .png or .svg", "out")
    one.add_argument("--paper", type=float, nargs=2, default=PAPER, help="width and height, m")
    _board_options(one)
    one = part("intrinsics", commands.intrinsics, "a camera's lens from views of the board")
    one.add_argument("cell", type=Path)
    one.add_argument("camera")
    one.add_argument("views", type=Path, nargs="+", help="pictures, or one record (.json)")
    one.add_argument("--record", type=Path, help="keep what was seen in the pictures here")
    _board_options(one)
    one = part(
        "hand-eye", commands.hand_eye, "where a camera is, from a record of poses and views",
        "cell", "camera", "record",
    )  # fmt: skip
    one.add_argument("--lens", type=Path, help="record of the lens's views: improve it along")
    one = part(
        "from-log", commands.from_log, "where the hand's depth camera is, from episodes",
        "cell", "camera", "log",
    )  # fmt: skip
    one.add_argument("--out", type=Path, help="a copy of the cell file that has it")
    part("tcp", commands.tcp, "the TCP from pivot touches (.json)", "cell", "touches")
    one = part("bin", commands.bin_, "bin and table from depth pictures or touches", "cell")
    one.add_argument("--touches", type=Path, help="points on floor, walls, rim and table (.json)")
    one.add_argument(
        "--depth", action="append", default=[], metavar="CAMERA=FILE.npz",
        help="metres (h, w), and for a camera at the wrist tcp (7); may be given again",
    )  # fmt: skip
    one = part(
        "overlay", commands.overlay, "bin and workspace over a camera's picture",
        "cell", "camera", "picture", "out",
    )  # fmt: skip
    one.add_argument("--tcp", type=float, nargs=7, help="where it was, for a camera at the wrist")
    part(
        "latency", identifying.latency, "of command, camera and gripper, from a record (.npz)",
        "cell", "log",
    )  # fmt: skip
    one = part(
        "dynamics", identifying.dynamics, "of the joints, from a record (.npz)", "cell", "log"
    )
    one.add_argument("--model", type=Path, required=True, help="of the arm: python -m sim.robot")
    one = part("images", identifying.images, "what a camera's pictures are like", "cell", "camera")
    for name, told in (
        ("still", "pictures of a scene that stands still: noise"),
        ("even", "of an even surface, out of focus: vignetting"),
        ("day", "of a whole day, with --grey: white balance"),
    ):
        one.add_argument(f"--{name}", type=Path, nargs="+", default=[], help=told)
    one.add_argument("--grey", type=int, nargs=4, help="where: top, left, height, width")
    one.add_argument("--exposures", type=float, nargs="+", default=[], help="s, of a whole day")
    for name in (
        "intrinsics", "hand-eye", "from-log", "tcp", "bin", "latency", "dynamics", "images",
    ):  # fmt: skip
        parts.choices[name].add_argument("--write", action="store_true", help="into the cell file")
    return top


def _board_options(one: argparse.ArgumentParser) -> None:
    for option in fields(Board):
        default = option.default
        one.add_argument(f"--{option.name}", type=type(default), default=default)


def main() -> int:
    arguments = parser().parse_args()
    try:
        arguments.does(arguments)
    except (ContractError, Invalid, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
