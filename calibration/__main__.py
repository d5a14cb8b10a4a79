"""python -m calibration check CELL.yaml [--sheet PICTURE.png]"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from policy.contract import ContractError
from policy.experience.pictures import write_picture

from .cell import Cell
from .cellfile import load_cell
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


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m calibration")
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser("check", help="read a cell file and name everything wrong with it")
    check.add_argument("cell", type=Path)
    check.add_argument("--sheet", type=Path, help="also draw the cell into this PNG")
    arguments = parser.parse_args()
    try:
        cell = load_cell(arguments.cell)
        print(summary(cell))
        if arguments.sheet:
            write_picture(arguments.sheet, draw_cell(cell))
            print(f"  drawn in {arguments.sheet}")
    except (ContractError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
