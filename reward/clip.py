"""python -m reward.clip FOLDER DIRECTORY [LOG ...]: make a reward of a CLIP or SigLIP model.

FOLDER is the reward node's, DIRECTORY a Hugging Face model on this disk, as
`hf download openai/clip-vit-large-patch14 --local-dir clip` makes one. Logs with a person's labels,
if there are any, tell what a difference of rewards is worth. Needs the extra `clip`; what it writes
runs without it.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, normalize

from policy.contract import Invalid
from policy.experience.errors import MISTAKES

from . import graph
from .detector import Mask, Setup
from .labels import Example, labelled
from .models import model_file
from .network import Crop
from .vlm_rm import NAME, Record
from .worth import worth

GOAL = "an object lying in the bin that was not there before"
BASELINE = "a bin"
ALPHA = 0.5
SCALE = 100.0  # of cosines, as CLIP itself was trained


@dataclass(frozen=True)
class Model:
    """A model of that directory: its eyes, and what it makes of sentences."""

    vision: nn.Module  # pixels to embeddings
    size: int
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    words: Any  # sentences to embeddings

    @classmethod
    def load(cls, directory: Path) -> Model:
        from transformers import AutoModel, AutoTokenizer

        if not (directory / "config.json").exists():
            remedy = "download one: hf download NAME --local-dir DIRECTORY"
            raise Invalid(str(directory), "no config.json", "a Hugging Face model", remedy)
        kind = json.loads((directory / "config.json").read_text()).get("model_type")
        if kind not in ("clip", "siglip", "siglip2"):
            remedy = "give a model that embeds pictures and sentences alike"
            raise Invalid("model_type", kind, "clip or siglip", remedy)
        model = AutoModel.from_pretrained(directory, local_files_only=True).eval()
        tokenizer = AutoTokenizer.from_pretrained(directory, local_files_only=True)
        told = json.loads((directory / "preprocessor_config.json").read_text())
        padding = True if kind == "clip" else "max_length"

        def words(sentences: list[str]) -> Tensor:
            tokens = tokenizer(sentences, padding=padding, truncation=True, return_tensors="pt")
            with torch.no_grad():
                found: Tensor = model.get_text_features(**tokens).pooler_output
            return normalize(found, dim=-1)

        return cls(
            Eyes(model), int(model.config.vision_config.image_size),
            tuple(told["image_mean"]), tuple(told["image_std"]), words,
        )  # fmt: skip


class Eyes(nn.Module):
    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixels: Tensor) -> Tensor:
        found: Tensor = self.model.get_image_features(pixel_values=pixels).pooler_output
        return found


def reward_of(state: Tensor, goal: Tensor, baseline: Tensor, alpha: float) -> Tensor:
    """Of embeddings of length 1, row by row: VLM-RM's goal-baseline regularisation."""
    direction = goal - baseline
    onto = torch.outer(direction, direction) / direction.square().sum()
    projection = alpha * onto + (1 - alpha) * torch.eye(len(goal))
    return 1 - ((state - goal) @ projection).square().sum(dim=-1) / 2


class Rewarding(nn.Module):
    """Whole frames to rewards."""

    mean: Tensor
    deviation: Tensor
    goal: Tensor
    baseline: Tensor

    def __init__(
        self, model: Model, crop: Crop, goal: Tensor, baseline: Tensor, alpha: float
    ) -> None:
        super().__init__()
        self.vision, self.crop, self.size, self.alpha = model.vision, crop, model.size, alpha
        self.register_buffer("mean", torch.tensor(model.mean)[:, None, None])
        self.register_buffer("deviation", torch.tensor(model.deviation)[:, None, None])
        self.register_buffer("goal", goal)
        self.register_buffer("baseline", baseline)

    def forward(self, frames: Tensor) -> Tensor:
        seen = self.crop(frames) + 0.5
        seen = interpolate(seen, (self.size, self.size), mode="bilinear", align_corners=False)
        state = normalize(self.vision((seen - self.mean) / self.deviation), dim=-1)
        return reward_of(state, self.goal, self.baseline, self.alpha)


def square_of(mask: Mask, size: int) -> Crop:
    """The bin in a square, as such models want it, as far as the frame goes."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    side = int(min(max(np.ptp(rows), np.ptp(columns)) * 1.1, *mask.shape))
    top = int(np.clip((rows[0] + rows[-1] - side) // 2, 0, mask.shape[0] - side))
    left = int(np.clip((columns[0] + columns[-1] - side) // 2, 0, mask.shape[1] - side))
    return Crop((top, left, top + side, left + side), max(side // size, 1))


def export(
    setup: Setup, directory: Path, logs: list[Path], goal: str = GOAL, baseline: str = BASELINE,
    alpha: float = ALPHA,
) -> None:  # fmt: skip
    """One graph a camera, scaled as the labels say, or as the model's makers do."""
    if not 0 <= alpha <= 1:
        raise Invalid("alpha", alpha, "0 to 1", "0 is the cosine alone")
    model = Model.load(directory)
    g, b = model.words([goal, baseline])
    known = labelled(logs) if logs else []
    for camera, mask in setup.masks.items():
        crop = square_of(mask, model.size)
        module = Rewarding(model, crop, g, b, alpha).eval()
        scale, offset = SCALE, 0.0
        if known:
            nearer = [_nearer(module, camera, one) for one, _ in known]
            scale, offset = worth(nearer, [label for _, label in known])
        record = Record(
            camera, mask.shape, crop.box, tuple(one.episode for one, _ in known), directory.name,
            goal, baseline, alpha, scale, offset,
        )  # fmt: skip
        frames = torch.randint(0, 256, (2, *mask.shape, 3), dtype=torch.uint8)
        path = model_file(setup.folder, NAME, camera)
        graph.write(path, module, {"frames": frames}, ["reward"], record)


@torch.no_grad()
def _nearer(module: nn.Module, camera: str, one: Example) -> float:
    pair = one.pair
    frames = np.stack([pair.before[camera], pair.after[camera]])
    was, is_ = module(torch.from_numpy(frames))
    return float(is_ - was)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m reward.clip", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("folder", type=Path)
    parser.add_argument("directory", type=Path)
    parser.add_argument("logs", type=Path, nargs="*", metavar="log")
    parser.add_argument("--goal", default=GOAL, help=f"a sentence (default: {GOAL})")
    parser.add_argument("--baseline", default=BASELINE, help=f"a sentence (default: {BASELINE})")
    parser.add_argument("--alpha", type=float, default=ALPHA, help="0 to 1 (default 0.5)")
    a = parser.parse_args(argv)
    try:
        export(Setup.load(a.folder), a.directory, a.logs, a.goal, a.baseline, a.alpha)
    except ImportError as error:
        print(f"{error}: pip install 'regrasp[clip]'", file=sys.stderr)
        return 1
    except MISTAKES as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
