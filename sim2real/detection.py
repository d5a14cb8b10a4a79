"""Train the detector that a translator's perception is held against.

    python -m sim2real.detection out/sim --file calibration/cells/twin.yaml --cell out/cell \\
        --out out/detector.safetensors

The simulator's log must have masks (collect with --canonical). Of the cell's, nothing is taken but
pictures, joints and what became of its grasps. Logs to --check have masks, too, and are never
learnt from: precision is measured on their held-out episodes.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor
from tqdm import tqdm

from calibration import load_cell
from policy.checkpoint import read_tensors, reading
from policy.contract import Invalid, decode_json, encode
from policy.contract.files import write_atomic
from policy.experience.errors import MISTAKES

from .boxes import CLASSES, Found, average_precision, both
from .data import Domain, as_tensor
from .detector import Detector, DetectorConfig, Targets, loss
from .kinematics import Calibrated
from .labels import Lessons, hands_of, of_cell, of_simulator, things_of
from .reading import read_domain

BATCH, RATE = 16, 3e-3
GAIN, SHIFT = 0.4, 0.3  # of each picture's colours while learning, at most
OVERLAPS = (0.3, 0.5)
CONFIG, MEASURED = "config", "measured"


def truths(domain: Domain, camera: Calibrated, name: str) -> list[Found]:
    """Of a log with masks."""
    parts = zip(things_of(domain, name), hands_of(domain, camera), strict=True)
    return [both(things, hand) for things, hand in parts]


def learn(detector: Detector, lessons: Sequence[Lessons], updates: int) -> None:
    """Of each batch, all have the same share."""
    optimizer = torch.optim.AdamW(detector.parameters(), RATE, fused=True)
    warm = max(updates // 20, 1)

    def rate(update: int) -> float:
        return min((update + 1) / warm, 0.5 + 0.5 * math.cos(math.pi * update / updates))

    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
    for _ in tqdm(range(updates), unit=" updates"):
        drawn = [one.draw(BATCH // len(lessons)) for one in lessons]
        pictures, wanted = _otherwise(
            torch.cat([shown for shown, _ in drawn]),
            Targets(
                torch.cat([wanted.classes for _, wanted in drawn]),
                torch.cat([wanted.boxes for _, wanted in drawn]),
            ),
        )
        missed = loss(detector(pictures), wanted)
        optimizer.zero_grad()
        torch.autograd.backward(missed)
        optimizer.step()
        schedule.step()
        if not missed.isfinite():
            remedy = "look at the logs' boxes, or begin with another --seed"
            raise Invalid("loss", missed.item(), "finite", remedy)


def _otherwise(pictures: Tensor, wanted: Targets) -> tuple[Tensor, Targets]:
    """Half of them mirrored; each in another light, its colours exchanged."""
    gain, shift = torch.rand(2, len(pictures), 3, 1, 1).mul(2).sub(1)
    order = torch.rand(len(pictures), 3).argsort(1)[..., None, None].expand_as(pictures)
    pictures = (pictures.gather(1, order) * (1 + GAIN * gain) + SHIFT * shift).clamp(-1, 1)
    other = torch.rand(len(pictures)) < 0.5
    turned = wanted.mirrored()
    return torch.where(other[:, None, None, None], pictures.flip(3), pictures), Targets(
        torch.where(other[:, None, None], turned.classes, wanted.classes),
        torch.where(other[:, None, None], turned.boxes, wanted.boxes),
    )


def measured(detector: Detector, domain: Domain, shown: Sequence[Found]) -> dict[str, float]:
    """Average precision, by class and overlap."""
    rows = range(0, len(domain), BATCH)
    found = [one for k in rows for one in detector.find(as_tensor(domain.pictures[k : k + BATCH]))]
    return {
        f"{name} at {least}": average_precision(found, shown, kind, least)
        for kind, name in enumerate(CLASSES)
        for least in OVERLAPS
    }


def write_detector(path: Path, detector: Detector, results: Mapping[str, object]) -> None:
    told = {CONFIG: json.dumps(encode(detector.config)), MEASURED: json.dumps(results)}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, save(detector.state_dict(), metadata=told))


def read_detector(path: Path) -> Detector:
    """Frozen."""
    with reading(path, "a file of sim2real.detection"):
        weights, told = read_tensors(path)
        detector = Detector(decode_json(DetectorConfig, told[CONFIG], str(path)))
        detector.load_state_dict(weights)
    return detector.requires_grad_(False).eval()


def main(argv: list[str] | None = None) -> int:
    top = argparse.ArgumentParser(prog="python -m sim2real.detection", description=__doc__)
    top.add_argument("sim", type=Path, help="log of the simulator, with masks")
    top.add_argument("--file", type=Path, required=True, help="cell file: where its camera looks")
    top.add_argument("--cell", type=Path, help="log of the cell")
    top.add_argument("--check", type=Path, action="append", default=[], help="log with masks")
    top.add_argument("--camera", default="front")
    top.add_argument("--size", type=int, default=64, help="px (default 64)")
    top.add_argument("--updates", type=int, default=3000)
    top.add_argument("--seed", type=int, default=0)
    top.add_argument("--out", type=Path, default=Path("out/detector.safetensors"))
    a = top.parse_args(argv)
    torch.set_num_threads(1)
    torch.manual_seed(a.seed)
    try:
        detector = Detector(DetectorConfig(a.size))
        camera = Calibrated(load_cell(a.file), a.camera, a.size)
        sim = read_domain("sim", a.sim, a.camera, a.size)
        lessons = [of_simulator(sim.train, truths(sim.train, camera, a.camera))]
        if a.cell:
            lessons.append(of_cell(read_domain("cell", a.cell, a.camera, a.size).train, camera))
        learn(detector, lessons, a.updates)
        detector.eval()
        results = {}
        for log in (a.sim, *a.check):
            held_out = read_domain(log.name, log, a.camera, a.size).held_out
            results[str(log)] = measured(detector, held_out, truths(held_out, camera, a.camera))
        write_detector(a.out, detector, results)
    except MISTAKES as error:
        print(error, file=sys.stderr)
        return 2
    for name, precisions in results.items():
        print(name, ", ".join(f"{what}: {value:.2f}" for what, value in precisions.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
