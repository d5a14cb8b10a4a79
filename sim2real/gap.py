"""The gap between a simulator's log and a cell's, on one page with pictures.

    python -m sim2real.gap out/sim out/cell --other out/randomised --translator out/translator \\
        --policy policy/trained/grasp.safetensors --replayed out/replayed --out out/gap

Compared are pictures of held-out episodes; what a policy thinks, timing and motion are of any. What
else could close the gap is measured beside it: logs of other simulations, and translators (runs of
sim2real.train) of the first log's pictures; of RCAN, which is for the cell's, how far those are
from the first log's then.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch

from policy.experience.errors import MISTAKES

from .measuring import measure
from .page import write_page


def main(argv: list[str] | None = None) -> int:
    top = argparse.ArgumentParser(prog="python -m sim2real.gap", description=__doc__)
    top.add_argument("sim", type=Path, help="log of the simulator")
    top.add_argument("cell", type=Path, help="log of the cell")
    top.add_argument("--camera", default="front")
    top.add_argument("--size", type=int, default=64, help="px (default 64)")
    top.add_argument("--other", type=Path, action="append", default=[], help="another simulator's")
    top.add_argument("--translator", type=Path, action="append", default=[], help="a run")
    top.add_argument("--policy", type=Path, help="a run of policy.train, or a file of policy.start")
    top.add_argument("--replayed", type=Path, help="what sim.replay made of the cell's log")
    top.add_argument("--out", type=Path, default=Path("out/gap"), help="directory of the page")
    a = top.parse_args(argv)
    torch.set_num_threads(1)
    try:
        gap = measure(a.sim, a.cell, a.camera, a.size, a.other, a.translator, a.policy, a.replayed)
        sim, cell = gap.counts
        print(write_page(gap, sim, cell, a.camera, a.out))
    except MISTAKES as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
